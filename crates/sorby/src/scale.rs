//! What the user and a data set say of the pixel sizes of pictures.

use crate::Result;
use crate::error::refuse;
use sorby_data::{Entry, Manifest};
use sorby_image::scale::{CREDIBLE_NM, SCALE_TOLERANCE};
use sorby_image::{Said, ScaleClaim};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

/// What the user says of the pixel size of pictures.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScaleOptions {
    /// Pixel size in nanometres, where the files do not state it.
    pub nm_per_px: Option<f64>,
    /// Length in nanometres that is written next to the scale bar in the pictures.
    pub bar_nm: Option<f64>,
    /// The pictures have no data bar: all rows are the field, whatever they look like.
    pub no_data_bar: bool,
    /// Data set whose dataset.toml states pixel sizes of its own images too.
    pub data: Option<PathBuf>,
}

/// A pixel size given by hand must be one.
///
/// # Errors
/// For a number that is no credible pixel size.
pub fn require_positive(nm_per_px: Option<f64>) -> Result<()> {
    within("--nm-per-px", &CREDIBLE_NM, nm_per_px)
}

/// Lengths of a scale bar, up to a metre.
const BAR_NM: RangeInclusive<f64> = 1e-3..=1e9;

fn within(name: &str, range: &RangeInclusive<f64>, value_nm: Option<f64>) -> Result<()> {
    match value_nm.filter(|v| !range.contains(v)) {
        Some(bad) => refuse!(
            "{name} must be a positive number of nanometres from {} to {}, not {bad:?}",
            range.start(),
            range.end()
        ),
        None => Ok(()),
    }
}

/// What the user and a data set say of the scale of pictures.
pub struct SaidOutside {
    user: Said,
    data: Option<(Manifest, Vec<Entry>)>,
}

impl ScaleOptions {
    /// What the user says of the pictures' scale, and the data set that is named.
    ///
    /// # Errors
    /// For numbers that are no lengths, and a data set that cannot be read.
    pub fn said(&self) -> Result<SaidOutside> {
        require_positive(self.nm_per_px)?;
        within("--bar-nm", &BAR_NM, self.bar_nm)?;
        let claims = user_claim(self.nm_per_px).into_iter().collect();
        let user = Said { claims, bar_nm: self.bar_nm, no_data_bar: self.no_data_bar };
        Ok(SaidOutside { user, data: self.data.as_deref().map(sorby_data::entries_of).transpose()? })
    }
}

impl SaidOutside {
    /// What is said of one picture outside its file. The data set speaks of its own images only.
    pub fn of(&self, file: &Path) -> Said {
        let mut said = self.user.clone();
        let Some((manifest, entries)) = &self.data else { return said };
        let real = std::fs::canonicalize(file).ok();
        let same = |e: &&Entry| {
            e.image.file_name() == file.file_name() && std::fs::canonicalize(&e.image).ok() == real
        };
        if let Some(entry) = entries.iter().find(same) {
            let listed = entry.said(manifest);
            said.claims.extend(listed.claims);
            said.no_data_bar |= listed.no_data_bar;
        }
        said
    }
}

/// The pixel size that the user gives.
pub fn user_claim(nm_per_px: Option<f64>) -> Option<ScaleClaim> {
    nm_per_px.map(|nm| ScaleClaim::new(nm, "--nm-per-px"))
}

/// Whether a pixel size is among those a model was trained on; where one of them is not known, nothing speaks
/// against it.
pub fn in_range(nm_per_px: Option<f64>, trained: Option<(f64, f64)>) -> bool {
    nm_per_px.zip(trained).is_none_or(|(nm, (low, high))| {
        nm >= low / (1.0 + SCALE_TOLERANCE) && nm <= high * (1.0 + SCALE_TOLERANCE)
    })
}
