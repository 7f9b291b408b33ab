//! Pixel size from what microscopes write into and beside their files, and whether it still holds.
//!
//! One file per vendor in `vendors/`, each with the traps of its format. Nothing here guesses: a printing
//! resolution (72 or 300 dpi) is never a scale, and a file that no longer has the size its metadata
//! speaks of is refused.

mod metadata;
mod vendors;

use crate::{DataBar, ImageError, Micrograph};
use metadata::Metadata;
use std::path::Path;

/// Largest disagreement between horizontal and vertical pixel size, or between two statements of the size.
const TOLERANCE: f64 = 0.02;

/// What a file says of its scale.
#[derive(Clone, Debug, PartialEq)]
pub struct PixelSize {
    /// Nanometres per pixel, horizontal and vertical.
    pub nm_x: f64,
    pub nm_y: f64,
    pub vendor: &'static str,
    /// Where it stands, for example `TIFF tag 34682, [Scan] PixelWidth`.
    pub place: &'static str,
    /// Size of the image the pixel size was written for, in pixels, where the file says it. The height may be
    /// without the data bar.
    pub written_for_px: Option<(u32, u32)>,
    /// Rows of the data bar at the bottom, where the file says it.
    pub data_bar_px: Option<u32>,
    /// Length that stands beside the scale bar in the picture, where the file says it.
    pub scale_bar_nm: Option<f64>,
}

/// The scale of a file, with all it takes to judge it.
#[derive(Clone, Debug, PartialEq)]
pub struct ScaleReading {
    pub width_px: u32,
    pub height_px: u32,
    /// `None`: nothing in or beside the file tells.
    pub found: Option<PixelSize>,
}

impl ScaleReading {
    /// The pixel size in nanometres, if there is one.
    ///
    /// # Errors
    /// Says why what stands in the file cannot be relied on.
    pub fn nm_per_px(&self) -> Result<Option<f64>, String> {
        let Some(found) = &self.found else { return Ok(None) };
        let PixelSize { nm_x, nm_y, .. } = *found;
        if !(nm_x.is_finite() && nm_y.is_finite() && nm_x > 0.0 && nm_y > 0.0) {
            return Err(format!("{} gives a pixel size of {nm_x} x {nm_y} nm", found.place));
        }
        if (nm_x / nm_y - 1.0).abs() > TOLERANCE {
            return Err(format!(
                "pixels are not square ({nm_x:.4} x {nm_y:.4} nm by {}); resample the image first",
                found.place
            ));
        }
        if let Some((width, height)) = found.written_for_px {
            // The height may have gained or lost a data bar; the width may not have changed.
            let bar = found.data_bar_px.unwrap_or(height / 4);
            let tall_enough = self.height_px + bar >= height && self.height_px <= height + bar;
            if self.width_px != width || !tall_enough {
                return Err(format!(
                    "{} gives {nm_x:.4} nm per pixel for an image of {width}x{height}, but this one has {}x{}: \
                     it was resized or cut after it was taken; use the original, or give the pixel size yourself",
                    found.place, self.width_px, self.height_px
                ));
            }
        }
        Ok(Some((nm_x * nm_y).sqrt()))
    }

    /// Rows of the data bar at the bottom of the image: stated, or the rows beyond the size the image was
    /// written for.
    pub fn data_bar_px(&self) -> Option<u32> {
        let found = self.found.as_ref()?;
        let beyond = found.written_for_px.and_then(|(_, height)| self.height_px.checked_sub(height));
        found.data_bar_px.or(beyond).filter(|rows| *rows > 0 && *rows < self.height_px)
    }
}

impl ScaleReading {
    /// The data bar of the image: the rows that the file says, else those found by their looks.
    pub fn data_bar(&self, image: &Micrograph) -> Option<DataBar> {
        let grey = image.to_grey8();
        match self.data_bar_px().map(|rows| rows as usize).filter(|rows| *rows < image.height) {
            Some(rows) => Some(DataBar::of_rows(&grey, image.width, rows)),
            None => DataBar::find(&grey, image.width, image.height),
        }
    }

    /// Compares the scale bar in the picture with the length and the pixel size that the file gives.
    ///
    /// # Errors
    /// Where they disagree, with both values.
    pub fn check_scale_bar(&self, bar: Option<DataBar>) -> Result<(), String> {
        let (Ok(Some(nm)), Some(bar)) = (self.nm_per_px(), bar.and_then(|b| b.scale_bar)) else {
            return Ok(());
        };
        let Some(written) = self.found.as_ref().and_then(|f| f.scale_bar_nm) else { return Ok(()) };
        if bar.agrees(written, nm) {
            return Ok(());
        }
        Err(format!(
            "the file gives {nm:.4} nm per pixel and a scale bar of {written} nm, but the bar in the picture has {:.1} \
             pixels, so {:.4} nm per pixel: the image was resized after it was taken; use the original, or give the \
             pixel size yourself",
            bar.length_px,
            written / bar.length_px
        ))
    }
}

/// The data bar of an image: by what its file says where there is one to ask, else, and where the file says nothing that
/// can be read, by its looks alone.
pub fn data_bar(file: Option<&Path>, image: &Micrograph) -> Option<DataBar> {
    match file.and_then(|file| read(file).ok()) {
        Some(reading) => reading.data_bar(image),
        None => DataBar::find(&image.to_grey8(), image.width, image.height),
    }
}

/// Reads the scale of an image file from its metadata, or from a sidecar of the same name.
///
/// # Errors
/// When the file cannot be read or is no image; a file without a scale is no error.
pub fn read(path: &Path) -> Result<ScaleReading, ImageError> {
    let metadata = Metadata::read(path)?;
    let found = vendors::ALL.iter().find_map(|vendor| vendor(&metadata));
    Ok(ScaleReading { width_px: metadata.width_px, height_px: metadata.height_px, found })
}
