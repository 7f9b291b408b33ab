//! Where masks, truths, pictures and pixel sizes come from.

use super::intensity::{probabilities, stored_means};
use super::options::MeasureOptions;
use super::trust::TrustTables;
use super::{Measured, edge_rule};
use crate::error::{Context as _, refuse};
use crate::{Event, Observer, Result, listing, masks, scale};
use sorby_data::{Dataset, Item, Label, LabelCoding, Sample};
use sorby_image::scale::agreement::Statements;
use sorby_image::write::safe_name;
use sorby_image::{KnownScale, LabelMap, MaskNote, Micrograph, Shot};
use sorby_measure::{Field, LINE_WIDTH_PX, ObjectRule, Particles, grain_counts, measure, measure_numbered};
use sorby_score::Overlap;
use std::path::{Path, PathBuf};

/// Where everything comes from, and how masks are coded.
pub struct Source<'a> {
    pub(super) options: &'a MeasureOptions,
    observer: &'a dyn Observer,
    pub(super) data: Option<&'a Dataset>,
    masks: LabelCoding,
    truths: LabelCoding,
    class: u8,
    pub(super) class_name: String,
    /// Names of all classes, where they are known.
    classes: Vec<String>,
    filter: ObjectRule,
    pub(super) trust: TrustTables,
}

impl<'a> Source<'a> {
    /// `class` is the class to measure with its name; of numbers of objects it is "object".
    pub fn new(
        options: &'a MeasureOptions,
        data: Option<&'a Dataset>,
        files: &[PathBuf],
        class: (u8, String),
        filter: ObjectRule,
        classes: Vec<String>,
        observer: &'a dyn Observer,
    ) -> Result<Self> {
        let asked = options.class.as_ref().and_then(|class| class.parse().ok());
        let known = || masks::Known { data, class: asked };
        let masks = masks::coding(files, &options.coding, known(), observer)?;
        let truths = masks::files_of(options.truth.as_ref())?;
        let truths = masks::coding(&truths, &options.coding, known(), observer)?;
        let numbers = masks.numbers_objects();
        if numbers && options.split_depth_px.is_some() {
            refuse!("--split: the masks hold numbers of objects, which are apart already");
        }
        if numbers && class.0 != 1 {
            refuse!("--class {}: the masks hold numbers of objects, not classes", class.0);
        }
        let class_name = if numbers && data.is_none() { "object".to_owned() } else { class.1 };
        let trust = TrustTables::next_to(files, observer);
        Ok(Self {
            options,
            observer,
            data,
            masks,
            truths,
            class: class.0,
            class_name,
            classes,
            filter,
            trust,
        })
    }

    /// Name of what is measured.
    pub fn class_name(&self) -> &str {
        &self.class_name
    }

    /// What the values of the masks were taken for.
    pub fn coding(&self) -> String {
        self.masks.words()
    }

    /// Measures one mask, and its truth if there is one.
    pub fn measure(&self, file: &Path) -> Result<Measured> {
        let sample = self.sample(file)?;
        let pictured = sample.as_ref().map(|s| s.shot.image.pixels_blake3());
        let name = sample.as_ref().map_or_else(|| listing::stem(file), |s| s.name.clone());
        let scale = self.nm_per_px(file, sample.as_ref())?;
        let mut label = self.read(&self.masks, file)?;
        if sample.is_none() {
            self.leave_out_the_bar(file, &mut label.map)?;
        }
        let mut truth = self.truth(file, sample, &mut label.map)?;
        let mask = &mut label.map;
        if let Some(Label { map: truth, .. }) = &mut truth {
            if (truth.width, truth.height) != (mask.width, mask.height) {
                let (name, w, h) = (file.display(), mask.width, mask.height);
                refuse!("{name}: mask is {w}x{h} but its true mask is {}x{}", truth.width, truth.height);
            }
            // Both are measured on what both know: no data bar on one side only.
            mask.ignore_where(truth);
            truth.ignore_where(mask);
        }
        let of = |label: &Label| -> (Particles, Field) {
            let (map, class) = (&label.map, self.class);
            let p = match label.known_numbers() {
                Some(numbers) => measure_numbered(map, &numbers, class, self.filter, scale),
                None => measure(map, class, self.filter, scale),
            };
            let field = Field::of(map, class, &p, edge_rule(self.options.edges, &p));
            (p, field)
        };
        let (particles, field) = of(&label);
        let mask = &label.map;
        if particles.boundary_px > 0 {
            self.observer.event(Event::Line(format!(
                "{}: {} pixels of 255 are lines (at most {LINE_WIDTH_PX} px wide) between objects of this class: they \
                 count as boundaries within the field",
                file.display(),
                particles.boundary_px
            )));
        }
        let grey =
            self.options.images.as_ref().map(|f| stored_means(f, &name, mask, &particles)).transpose()?;
        let probability = format!("{name}-{}", safe_name(&self.class_name));
        let sure = self.options.probabilities.as_ref();
        let sure = sure.map(|f| probabilities(f, &probability, mask, &particles)).transpose()?;
        let origin = MaskNote::read(file).and_then(|n| n.origin);
        let (unlike, doubt) = self.trust.of(file, &listing::stem(file), origin.as_ref());
        let (mean_grey, picture) = grey.unzip();
        let segmented = origin.as_ref().map(|o| &o.image_blake3);
        Ok(Measured {
            size_px: (mask.width, mask.height),
            grains: grain_counts(&particles),
            overlap: truth.as_ref().map(|t| Overlap::of(&mask.labels, &t.map.labels, self.class)),
            truth: truth.as_ref().map(of),
            other_picture: segmented
                .is_some_and(|own| [&picture, &pictured].into_iter().flatten().any(|p| p != own)),
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
    fn sample(&self, file: &Path) -> Result<Option<Sample>> {
        let Some((data, item)) = self.data.and_then(|d| Some((d, d.item_of(file)?))) else { return Ok(None) };
        let note = note_of(file, Some(item)).claim();
        let claims = scale::user_claim(self.options.nm_per_px).into_iter().chain(note).collect();
        Ok(Some(data.load_said(item, claims).map_err(crate::Error::from)?))
    }

    /// The pixel size by all who state one: the user, the data set and its image, the mask's note, the mask's file, the
    /// picture's.
    fn nm_per_px(&self, file: &Path, sample: Option<&Sample>) -> Result<Option<f64>> {
        let mut statements = match sample {
            Some(sample) => Statements::new(sample.shot.scale.iter().map(KnownScale::claim)),
            None => Statements::new(scale::user_claim(self.options.nm_per_px)),
        };
        statements.note(&note_of(file, sample.and_then(|_| self.data?.item_of(file))));
        // Masks of other programs, and Sorby's own TIFF, say it as pictures do.
        if let Ok(reading) = sorby_image::scale::read(file) {
            statements.file("the mask's ", &reading, None);
        }
        let name = sample.map_or_else(|| listing::stem(file), |s| s.name.clone());
        if let Some(picture) =
            self.options.images.as_ref().and_then(|f| listing::find_by_stem(f, &name).ok()?)
            && let Ok(reading) = sorby_image::scale::read(&picture)
        {
            statements.file("the picture's ", &reading, None);
        }
        let known = statements.settle().with_context(|| file.display().to_string())?;
        Ok(known.map(|k| k.nm_per_px))
    }

    /// A label of another program may cover the data bar of its picture; masks of Sorby have left it out themselves.
    fn leave_out_the_bar(&self, file: &Path, mask: &mut LabelMap) -> Result<()> {
        let Some(folder) = self.options.images.as_ref().filter(|_| MaskNote::read(file).is_none()) else {
            return Ok(());
        };
        let Some(path) = listing::find_by_stem(folder, &listing::stem(file))? else { return Ok(()) };
        let shot = Shot::without_scale(&path, Micrograph::read(&path)?, false);
        if (shot.image.width, shot.image.height) == (mask.width, mask.height) && shot.data_bar_px() > 0 {
            let rows = shot.data_bar_px();
            self.observer.note(format!(
                "{}: the last {rows} rows are taken for a data bar: no part of the field",
                path.display()
            ));
            mask.ignore_bottom(rows);
        }
        Ok(())
    }

    fn read(&self, coding: &LabelCoding, file: &Path) -> Result<Label> {
        let read = || {
            if !self.classes.is_empty() {
                sorby_data::require_classes(file, &self.classes)?;
            }
            coding.read(file)
        };
        read().map_err(crate::Error::from)
    }

    fn truth(&self, file: &Path, sample: Option<Sample>, mask: &mut LabelMap) -> Result<Option<Label>> {
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
        match (&self.options.truth, sample) {
            (Some(folder), sample) => {
                let stem = listing::stem(file);
                let named = sample.as_ref().map_or(stem.as_str(), |s| &s.name);
                let found = match listing::find_by_stem(folder, &stem)? {
                    None => listing::find_by_stem(folder, named)?,
                    found => found,
                };
                let path =
                    found.with_context(|| format!("{}: no true mask `{named}` here", folder.display()))?;
                let mut truth = self.read(&self.truths, &path)?;
                if let Some(sample) = &sample {
                    of_field(mask, sample);
                    of_field(&mut truth.map, sample);
                }
                Ok(Some(truth))
            }
            (None, Some(sample)) => {
                of_field(mask, &sample);
                Ok(Some(Label { map: sample.label, numbers: None }))
            }
            (None, None) => Ok(None),
        }
    }
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
