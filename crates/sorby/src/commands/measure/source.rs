//! Where masks, truths, pictures and pixel sizes come from.

use super::super::inputs;
use super::{Measured, edge_rule};
use crate::args::MeasureArgs;
use anyhow::{Context as _, bail};
use sorby_data::{DataBar, Dataset, Item};
use sorby_image::write::safe_name;
use sorby_image::{LabelMap, MaskNote, Micrograph, RawLabels};
use sorby_measure::{Field, Filter, Particles, grain_counts, measure};
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
        Ok(Self { args, data, masks: MaskCoding::of(files), truths, class, class_name, filter })
    }

    /// Measures one mask, and its truth if there is one.
    pub fn measure(&self, file: &Path) -> anyhow::Result<Measured> {
        let name = inputs::stem(file);
        let listed = self.data.and_then(|d| d.items.iter().find(|i| i.name == name));
        let scale = pixel_size(file, self.args.nm_per_px, listed.and_then(|i| i.nm_per_px))?;
        let mut mask = self.masks.read(file)?;
        let mut truth = self.truth(&name, listed, &mut mask)?;
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
        let means = |folder: &Option<PathBuf>, name: &str| {
            folder.as_ref().map(|folder| mean_values(folder, name, &mask, &particles)).transpose()
        };
        let probability = format!("{name}-{}", safe_name(self.class_name));
        Ok(Measured {
            grains: grain_counts(&particles),
            truth: truth.as_ref().map(of),
            mean_grey: means(&self.args.images, &name)?,
            mean_probability: means(&self.args.probabilities, &probability)?
                .map(|values| values.into_iter().map(|v| v / 255.0).collect()),
            particles,
            field,
            name,
        })
    }

    fn truth(
        &self,
        name: &str,
        listed: Option<&Item>,
        mask: &mut LabelMap,
    ) -> anyhow::Result<Option<LabelMap>> {
        match (&self.args.truth, listed, self.data) {
            (Some(folder), _, _) => {
                let found = inputs::find_by_stem(folder, name)?;
                let path =
                    found.with_context(|| format!("{}: no true mask `{name}` here", folder.display()))?;
                Ok(Some(self.truths.read(&path)?))
            }
            (None, Some(item), Some(data)) => {
                let truth = data.load_label(item).map_err(|p| anyhow::anyhow!("{p}"))?;
                let crop = data.manifest.labels.data_bar == DataBar::Crop;
                if crop && mask.width == truth.width && mask.height > truth.height {
                    mask.crop_rows(truth.height);
                }
                Ok(Some(truth))
            }
            _ => Ok(None),
        }
    }
}

/// Mean grey value of the picture `name` in each object.
fn mean_values(
    folder: &Path,
    name: &str,
    mask: &LabelMap,
    particles: &Particles,
) -> anyhow::Result<Vec<f64>> {
    let found = inputs::find_by_stem(folder, name)?;
    let path = found.with_context(|| format!("{}: no picture `{name}` here", folder.display()))?;
    let picture = Micrograph::read(&path)?;
    // A data bar below the field does not matter.
    if picture.width != mask.width || picture.height < mask.height {
        let (w, h) = (picture.width, picture.height);
        bail!("{}: picture is {w}x{h} but its mask is {}x{}", path.display(), mask.width, mask.height);
    }
    Ok(particles.mean_values(picture.width, &picture.to_grey8()))
}

/// The pixel size by command line, data set, or the mask's own note; those that there are must agree.
fn pixel_size(file: &Path, given: Option<f64>, listed: Option<f64>) -> anyhow::Result<Option<f64>> {
    let note = MaskNote::read(file).unwrap_or_default();
    let noted = format!("the mask's note ({})", note.scale_source);
    // Masks of other programs, and Sorby's own TIFF, say it as pictures do.
    let (own, place) = match sorby_image::scale::read(file) {
        Ok(reading) => (reading.nm_per_px().ok().flatten(), reading.found.map_or("", |f| f.place)),
        Err(_) => (None, ""),
    };
    let noted_nm = note.nm_per_px;
    let stated = [(given, "--nm-per-px"), (listed, "dataset.toml"), (noted_nm, noted.as_str()), (own, place)];
    let mut known = stated.into_iter().filter_map(|(nm, place)| Some((nm?, place)));
    let Some(first) = known.next() else { return Ok(None) };
    known.try_for_each(|other| inputs::agree(file, first, other))?;
    Ok(Some(first.0))
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
