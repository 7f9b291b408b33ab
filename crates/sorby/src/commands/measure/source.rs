//! Where masks, truths, pictures and pixel sizes come from.

use super::super::inputs;
use super::intensity::{probabilities, stored_means};
use super::trust::TrustTables;
use super::{Measured, edge_rule};
use crate::args::MeasureArgs;
use anyhow::{Context as _, bail};
use sorby_data::{Dataset, Item, Sample};
use sorby_image::scale::agreement::Statements;
use sorby_image::write::safe_name;
use sorby_image::{KnownScale, LabelMap, MaskNote, Micrograph, RawLabels, Shot};
use sorby_measure::{Field, Filter, LINE_WIDTH_PX, Particles, grain_counts, measure};
use std::path::{Path, PathBuf};

/// Where everything comes from, and how masks are coded.
pub struct Source<'a> {
    args: &'a MeasureArgs,
    data: Option<&'a Dataset>,
    masks: MaskCoding,
    truths: MaskCoding,
    class: u8,
    class_name: &'a str,
    filter: Filter,
    trust: TrustTables,
}

impl<'a> Source<'a> {
    pub fn new(
        args: &'a MeasureArgs,
        data: Option<&'a Dataset>,
        files: &[PathBuf],
        (class, class_name): (u8, &'a str),
        filter: Filter,
    ) -> anyhow::Result<Self> {
        let truths = args.truth.iter().map(|t| inputs::images(std::slice::from_ref(t)));
        let truths = MaskCoding::of(&truths.collect::<Result<Vec<_>, _>>()?.concat());
        let trust = TrustTables::beside(files);
        Ok(Self { args, data, masks: MaskCoding::of(files), truths, class, class_name, filter, trust })
    }

    /// Measures one mask, and its truth if there is one.
    pub fn measure(&self, file: &Path) -> anyhow::Result<Measured> {
        let sample = self.sample(file)?;
        let name = sample.as_ref().map_or_else(|| inputs::stem(file), |s| s.name.clone());
        let scale = self.nm_per_px(file, sample.as_ref())?;
        let mut mask = self.masks.read(file)?;
        if sample.is_none() {
            self.leave_out_the_bar(file, &mut mask)?;
        }
        let mut truth = self.truth(file, sample, &mut mask)?;
        if let Some(truth) = &mut truth {
            if (truth.width, truth.height) != (mask.width, mask.height) {
                let (name, w, h) = (file.display(), mask.width, mask.height);
                bail!("{name}: mask is {w}x{h} but its true mask is {}x{}", truth.width, truth.height);
            }
            // Both are measured on what both know: no data bar on one side only.
            mask.ignore_where(truth);
            truth.ignore_where(&mask);
        }
        let of = |mask: &LabelMap| -> (Particles, Field) {
            let p = measure(mask, self.class, self.filter, scale);
            let field = Field::of(mask, self.class, &p, edge_rule(self.args, &p));
            (p, field)
        };
        let (particles, field) = of(&mask);
        if particles.boundary_px > 0 {
            eprintln!(
                "{}: {} pixels of 255 are lines (at most {LINE_WIDTH_PX} px wide) between objects of this class: they \
                 count as boundaries within the field",
                file.display(),
                particles.boundary_px
            );
        }
        let grey =
            self.args.images.as_ref().map(|f| stored_means(f, &name, &mask, &particles)).transpose()?;
        let probability = format!("{name}-{}", safe_name(self.class_name));
        let sure = self.args.probabilities.as_ref();
        let sure = sure.map(|f| probabilities(f, &probability, &mask, &particles)).transpose()?;
        let origin = MaskNote::read(file).and_then(|n| n.origin);
        let (unlike, doubt) = self.trust.of(file, &inputs::stem(file), origin.as_ref());
        let (mean_grey, picture) = grey.unzip();
        let segmented = origin.as_ref().map(|o| &o.image_blake3);
        Ok(Measured {
            grains: grain_counts(&particles),
            is_truth: truth.as_ref().is_some_and(|t| same_class(&mask, t, self.class)),
            truth: truth.as_ref().map(of),
            other_picture: picture.as_ref().zip(segmented).is_some_and(|(a, b)| a != b),
            unlike,
            doubt,
            origin,
            mean_grey,
            mean_probability: sure,
            particles,
            field,
            name,
        })
    }

    /// The image of the data set that a mask is of, with its label. Beside the data set, the user and the mask's note
    /// have a word on its pixel size.
    fn sample(&self, file: &Path) -> anyhow::Result<Option<Sample>> {
        let Some((data, item)) = self.data.and_then(|d| Some((d, d.item_of(file)?))) else { return Ok(None) };
        let note = note_of(file, Some(item)).claim();
        let claims = inputs::user_claim(self.args.nm_per_px).into_iter().chain(note).collect();
        Ok(Some(data.load_said(item, claims).map_err(|problem| anyhow::anyhow!("{problem}"))?))
    }

    /// The pixel size by all who state one: the user, the data set and its image, the mask's note, the mask's file, the
    /// picture's.
    fn nm_per_px(&self, file: &Path, sample: Option<&Sample>) -> anyhow::Result<Option<f64>> {
        let mut statements = match sample {
            Some(sample) => Statements::new(sample.shot.scale.iter().map(KnownScale::claim)),
            None => Statements::new(inputs::user_claim(self.args.nm_per_px)),
        };
        statements.note(&note_of(file, sample.and_then(|_| self.data?.item_of(file))));
        // Masks of other programs, and Sorby's own TIFF, say it as pictures do.
        if let Ok(reading) = sorby_image::scale::read(file) {
            statements.file("the mask's ", &reading, None);
        }
        let name = sample.map_or_else(|| inputs::stem(file), |s| s.name.clone());
        if let Some(picture) = self.args.images.as_ref().and_then(|f| inputs::find_by_stem(f, &name).ok()?)
            && let Ok(reading) = sorby_image::scale::read(&picture)
        {
            statements.file("the picture's ", &reading, None);
        }
        let known = statements.settle().with_context(|| file.display().to_string())?;
        Ok(known.map(|k| k.nm_per_px))
    }

    /// A label of another program may cover the data bar of its picture; masks of Sorby have left it out themselves.
    fn leave_out_the_bar(&self, file: &Path, mask: &mut LabelMap) -> anyhow::Result<()> {
        let Some(folder) = self.args.images.as_ref().filter(|_| MaskNote::read(file).is_none()) else {
            return Ok(());
        };
        let Some(path) = inputs::find_by_stem(folder, &inputs::stem(file))? else { return Ok(()) };
        let shot = Shot::without_scale(&path, Micrograph::read(&path)?, false);
        if (shot.image.width, shot.image.height) == (mask.width, mask.height) && shot.data_bar_px() > 0 {
            let rows = shot.data_bar_px();
            eprintln!(
                "note: {}: the last {rows} rows are taken for a data bar: no part of the field",
                path.display()
            );
            mask.ignore_bottom(rows);
        }
        Ok(())
    }

    fn truth(
        &self,
        file: &Path,
        sample: Option<Sample>,
        mask: &mut LabelMap,
    ) -> anyhow::Result<Option<LabelMap>> {
        let of_field = |mask: &mut LabelMap, sample: &Sample| {
            let (width, rows) = (sample.label.width, sample.label.height);
            // One of another size is refused below.
            if mask.width == width && mask.height > rows {
                mask.crop_rows(rows);
            }
            if mask.width == width {
                mask.ignore_bottom(mask.height.saturating_sub(sample.shot.field_rows()));
            }
        };
        match (&self.args.truth, sample) {
            (Some(folder), sample) => {
                let stem = inputs::stem(file);
                let named = sample.as_ref().map_or(stem.as_str(), |s| &s.name);
                let found = match inputs::find_by_stem(folder, &stem)? {
                    None => inputs::find_by_stem(folder, named)?,
                    found => found,
                };
                let path =
                    found.with_context(|| format!("{}: no true mask `{named}` here", folder.display()))?;
                let mut truth = self.truths.read(&path)?;
                if let Some(sample) = &sample {
                    of_field(mask, sample);
                    of_field(&mut truth, sample);
                }
                Ok(Some(truth))
            }
            (None, Some(sample)) => {
                of_field(mask, &sample);
                Ok(Some(sample.label))
            }
            (None, None) => Ok(None),
        }
    }
}

/// Whether two masks give a class to the same pixels, and to some.
fn same_class(one: &LabelMap, other: &LabelMap, class: u8) -> bool {
    let mut pairs = one.labels.iter().zip(&other.labels);
    one.labels.contains(&class) && pairs.all(|(a, b)| (*a == class) == (*b == class))
}

/// What a mask says of itself. A label of the data set repeats what `dataset.toml` said when it was drawn: what it says
/// now counts.
fn note_of(file: &Path, item: Option<&Item>) -> MaskNote {
    let note = MaskNote::read(file).unwrap_or_default();
    let own = item.is_some_and(|i| {
        i.label.file_name() == file.file_name()
            && std::fs::canonicalize(&i.label).ok() == std::fs::canonicalize(file).ok()
    });
    let repeated = own && note.scale_source.starts_with("dataset.toml");
    if repeated { MaskNote { nm_per_px: None, ..note } } else { note }
}

/// Names of the classes, as the first mask with a note says.
pub fn noted_classes(files: &[PathBuf]) -> Vec<String> {
    files.iter().find_map(|f| MaskNote::read(f)).map(|note| note.classes).unwrap_or_default()
}

/// How a set of masks without a data set codes its classes, decided over all of them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum MaskCoding {
    Index,
    /// No value but 0 and 255 in any mask: 255 is class 1.
    BlackAndWhite,
}

impl MaskCoding {
    /// Files that cannot be read are passed over here; reading them tells.
    pub fn of(files: &[PathBuf]) -> Self {
        let mut seen = [false; 256];
        for file in files {
            if MaskNote::read(file).is_some() {
                return Self::Index;
            }
            if let Ok(RawLabels::Values(map)) = RawLabels::read(file) {
                seen.iter_mut().zip(map.histogram()).for_each(|(s, n)| *s |= n > 0);
            }
        }
        if seen[255] && seen[1..255].iter().all(|s| !s) { Self::BlackAndWhite } else { Self::Index }
    }

    pub fn read(self, path: &Path) -> anyhow::Result<LabelMap> {
        match RawLabels::read(path)? {
            RawLabels::Values(mut map) => {
                if self == Self::BlackAndWhite {
                    map.labels.iter_mut().for_each(|l| *l = u8::from(*l == 255));
                }
                Ok(map)
            }
            RawLabels::Colours { .. } => {
                bail!(
                    "{}: is a colour picture, not an index mask; give the mask, not the overlay",
                    path.display()
                )
            }
        }
    }
}
