//! Pixel size from what microscopes write into and beside their files, and whether it still holds.
//!
//! One file per vendor in `vendors/`, each with the traps of its format. Nothing here guesses: a printing
//! resolution (72 or 300 dpi) is never a scale, and a file that no longer has the size its metadata
//! speaks of is refused.

pub mod agreement;
mod lengths;
mod metadata;
mod printing;
mod sidecar;
mod text;
mod upright;
mod vendors;
mod xml;

use crate::guard::guarded;
use crate::read::header;
use crate::{DataBar, ImageError, Micrograph};
use image::metadata::Orientation;
use metadata::Metadata;
use std::path::Path;
use vendors::Statements;

/// Two statements of a pixel size, or its two directions, may differ by this share.
pub const SCALE_TOLERANCE: f64 = 0.02;

/// Nanometres per pixel that a microscope of any kind can have: below, atoms would be hundreds of pixels wide; above,
/// specimens metres.
pub const CREDIBLE_NM: std::ops::RangeInclusive<f64> = 1e-3..=1e6;

/// What a file says of its scale.
#[derive(Clone, Debug, PartialEq)]
pub struct PixelSize {
    /// Nanometres per pixel, horizontal and vertical.
    pub nm_x: f64,
    pub nm_y: f64,
    pub vendor: &'static str,
    /// Where it stands, for example `TIFF tag 34682, [Scan] PixelWidth`.
    pub place: &'static str,
    /// Name of the file beside the image in which it stands.
    pub sidecar: Option<String>,
    /// Size of the image the pixel size was written for, in pixels, where the file says it. The height may be
    /// without the data bar.
    pub written_for_px: Option<(u32, u32)>,
    /// Rows of the data bar at the bottom, where the file says it.
    pub data_bar_px: Option<u32>,
    /// Length that stands beside the scale bar in the picture, where the file says it.
    pub scale_bar_nm: Option<f64>,
}

impl PixelSize {
    /// Where it stands, with the name of the file beside the image.
    pub fn whereabouts(&self) -> String {
        match &self.sidecar {
            Some(name) => format!("{name}, {}", self.place),
            None => self.place.to_owned(),
        }
    }

    /// The pixel size in nanometres, if it can be one for an image of this size.
    fn judged(&self, width_px: u32, height_px: u32) -> Result<f64, String> {
        let Self { nm_x, nm_y, .. } = *self;
        let place = self.whereabouts();
        if !(CREDIBLE_NM.contains(&nm_x) && CREDIBLE_NM.contains(&nm_y)) {
            return Err(format!(
                "{place} gives a pixel size of {nm_x} x {nm_y} nm, which is not credible; give the pixel size yourself"
            ));
        }
        if (nm_x / nm_y - 1.0).abs() > SCALE_TOLERANCE {
            return Err(format!(
                "pixels are not square ({nm_x:.4} x {nm_y:.4} nm by {place}); resample the image first"
            ));
        }
        if let Some((width, height)) = self.written_for_px {
            // The height may have gained or lost a data bar; the width may not have changed.
            let bar = self.data_bar_px.unwrap_or(height / 4);
            if width_px != width || height_px.abs_diff(height) > bar {
                return Err(format!(
                    "{place} gives {nm_x:.4} nm per pixel for an image of {width}x{height}, but this one has \
                     {width_px}x{height_px}: it was resized or cut after it was taken; use the original, or give the \
                     pixel size yourself"
                ));
            }
        }
        Ok((nm_x * nm_y).sqrt())
    }
}

/// The scale of a file, with all it takes to judge it.
#[derive(Clone, Debug, PartialEq)]
pub struct ScaleReading {
    pub width_px: u32,
    pub height_px: u32,
    /// The first statement, in the order of the vendors. `None`: nothing in or beside the file tells.
    pub found: Option<PixelSize>,
    /// Further statements, of other vendors or places. They must agree with the first.
    pub others: Vec<PixelSize>,
    /// Statements that are there, but of which it cannot be known what they mean, with the reasons.
    pub unusable: Vec<String>,
    /// What looks like a scale and is none, for example a printing resolution.
    pub remarks: Vec<String>,
}

impl ScaleReading {
    /// Of a file that says nothing.
    pub fn silent(width_px: u32, height_px: u32) -> Self {
        Self {
            width_px,
            height_px,
            found: None,
            others: Vec::new(),
            unusable: Vec::new(),
            remarks: Vec::new(),
        }
    }

    /// The pixel size in nanometres, if there is one.
    ///
    /// # Errors
    /// Says why what stands in the file cannot be relied on: statements that differ, that cannot be understood, or that
    /// were written for an image of another size.
    pub fn nm_per_px(&self) -> Result<Option<f64>, String> {
        if !self.unusable.is_empty() {
            return Err(format!("{}; give the pixel size yourself", self.unusable.join("; ")));
        }
        let all = || self.found.iter().chain(&self.others);
        let sizes: Vec<f64> =
            all().map(|s| s.judged(self.width_px, self.height_px)).collect::<Result<_, _>>()?;
        let Some(first) = sizes.first() else { return Ok(None) };
        let (least, most) = sizes.iter().fold((*first, *first), |(l, m), nm| (l.min(*nm), m.max(*nm)));
        if most / least - 1.0 > SCALE_TOLERANCE {
            let stated: Vec<String> = all()
                .zip(&sizes)
                .map(|(size, nm)| format!("{nm:.4} nm per pixel ({})", size.whereabouts()))
                .collect();
            return Err(format!(
                "two statements differ: {}; find out which is right and give the pixel size yourself",
                stated.join(", ")
            ));
        }
        Ok(Some(*first))
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

/// Reads the scale of an image file from its metadata, or from a sidecar of the same name: of the upright picture.
///
/// # Errors
/// When the file cannot be read or is no image; a file without a scale is no error.
pub fn read(path: &Path) -> Result<ScaleReading, ImageError> {
    guarded(path, || {
        let metadata = Metadata::read(path)?;
        let Statements { sizes, unusable, remarks } = Statements::of(&metadata);
        let mut sizes = sizes.into_iter();
        let stored = ScaleReading {
            width_px: metadata.width_px,
            height_px: metadata.height_px,
            found: sizes.next(),
            others: sizes.collect(),
            unusable,
            remarks,
        };
        let orientation = header(path).map_or(Orientation::NoTransforms, |(_, _, orientation)| orientation);
        Ok(stored.upright(orientation))
    })
}
