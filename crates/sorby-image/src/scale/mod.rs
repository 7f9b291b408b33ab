//! Pixel size from what microscopes write into their files and next to them, and whether it still holds.
//!
//! One file per vendor in `vendors/`, each with the traps of its format. Nothing here guesses: a printing
//! resolution (72 or 300 dpi) is never a scale, and a file that no longer has the size its metadata
//! speaks of is refused.

pub mod agreement;
mod instrument;
mod lengths;
mod metadata;
mod printing;
mod sidecar;
mod text;
mod upright;
mod vendors;
mod xml;

pub use instrument::{Instrument, instrument};
pub use sidecar::{is_sidecar, sidecars};

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
    /// Nanometres per pixel along a row.
    pub nm_x: f64,
    /// Nanometres per pixel along a column.
    pub nm_y: f64,
    /// Maker of the microscope or of the program that wrote it, for example `Zeiss`.
    pub vendor: &'static str,
    /// Where it stands, for example `TIFF tag 34682, [Scan] PixelWidth`.
    pub place: &'static str,
    /// Name of the file next to the image in which it stands; `None` for the image itself.
    pub sidecar: Option<String>,
    /// Size of the image the pixel size was written for, in pixels, where the file says it. The height may be
    /// without the data bar.
    pub written_for_px: Option<(u32, u32)>,
    /// Rows of the data bar at the bottom, where the file says it.
    pub data_bar_px: Option<u32>,
    /// Length that is written next to the scale bar in the picture, where the file says it.
    pub scale_bar_nm: Option<f64>,
}

impl PixelSize {
    /// Where it stands, with the name of the file next to the image.
    pub fn whereabouts(&self) -> String {
        match &self.sidecar {
            Some(name) => format!("{name}, {}", self.place),
            None => self.place.to_owned(),
        }
    }

    /// The pixel size in nanometres, if it can be one for an image of this size.
    fn judged(&self, width_px: u32, height_px: u32) -> Result<f64, ReadingError> {
        let Self { nm_x, nm_y, .. } = *self;
        let place = self.whereabouts();
        if !(CREDIBLE_NM.contains(&nm_x) && CREDIBLE_NM.contains(&nm_y)) {
            return Err(ReadingError::NotCredible { place, nm_x, nm_y });
        }
        if (nm_x / nm_y - 1.0).abs() > SCALE_TOLERANCE {
            return Err(ReadingError::NotSquare { place, nm_x, nm_y });
        }
        if let Some((width, height)) = self.written_for_px {
            // The height may have gained or lost a data bar; the width may not have changed.
            let bar = self.data_bar_px.unwrap_or(height / 4);
            if width_px != width || height_px.abs_diff(height) > bar {
                return Err(ReadingError::OtherSize {
                    place,
                    nm_per_px: nm_x,
                    written_for_px: (width, height),
                    size_px: (width_px, height_px),
                });
            }
        }
        Ok((nm_x * nm_y).sqrt())
    }
}

/// Why the statements in a file give no pixel size that can be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadingError {
    /// Statements that are there, but cannot be understood.
    #[error("{}; give the pixel size yourself", reasons.join("; "))]
    Unclear {
        /// [`ScaleReading::unusable`].
        reasons: Vec<String>,
    },
    /// The stated size lies outside of [`CREDIBLE_NM`].
    #[error(
        "{place} gives a pixel size of {nm_x} x {nm_y} nm, which is not credible; give the pixel size yourself"
    )]
    NotCredible {
        /// Where it stands.
        place: String,
        /// Nanometres per pixel along a row.
        nm_x: f64,
        /// Nanometres per pixel along a column.
        nm_y: f64,
    },
    /// The two directions differ by more than [`SCALE_TOLERANCE`].
    #[error("pixels are not square ({nm_x:.4} x {nm_y:.4} nm by {place}); resample the image first")]
    NotSquare {
        /// Where it stands.
        place: String,
        /// Nanometres per pixel along a row.
        nm_x: f64,
        /// Nanometres per pixel along a column.
        nm_y: f64,
    },
    /// The statement was written for an image of another size.
    #[error(
        "{place} gives {nm_per_px:.4} nm per pixel for an image of {}x{}, but this one has {}x{}: it was resized or cut \
         after it was taken; use the original, or give the pixel size yourself",
        written_for_px.0, written_for_px.1, size_px.0, size_px.1
    )]
    OtherSize {
        /// Where it stands.
        place: String,
        /// Nanometres per pixel along a row, as stated.
        nm_per_px: f64,
        /// Width and height that the statement was written for.
        written_for_px: (u32, u32),
        /// Width and height of the image.
        size_px: (u32, u32),
    },
    /// Two statements differ by more than [`SCALE_TOLERANCE`].
    #[error(
        "two statements differ: {}; find out which is right and give the pixel size yourself",
        listed(stated)
    )]
    Different {
        /// All statements: nanometres per pixel, and where each stands.
        stated: Vec<(f64, String)>,
    },
    /// The scale bar in the picture has not the length that the file gives.
    #[error(
        "the file gives {nm_per_px:.4} nm per pixel and a scale bar of {written_nm} nm, but the bar in the picture has \
         {length_px:.1} pixels, so {:.4} nm per pixel: the image was resized after it was taken; use the original, or \
         give the pixel size yourself",
        written_nm / length_px
    )]
    OtherBar {
        /// Nanometres per pixel by the file.
        nm_per_px: f64,
        /// Length of the scale bar in nanometres by the file.
        written_nm: f64,
        /// Length of the bar in the picture, in pixels.
        length_px: f64,
    },
}

fn listed(stated: &[(f64, String)]) -> String {
    let each = stated.iter().map(|(nm, place)| format!("{nm:.4} nm per pixel ({place})"));
    each.collect::<Vec<_>>().join(", ")
}

/// The scale of a file, with all it takes to judge it.
#[derive(Clone, Debug, PartialEq)]
pub struct ScaleReading {
    /// Columns of the upright image.
    pub width_px: u32,
    /// Rows of the upright image, those of a data bar too.
    pub height_px: u32,
    /// The first statement, in the order of the vendors. `None`: nothing in the file or next to it states one.
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
    pub fn nm_per_px(&self) -> Result<Option<f64>, ReadingError> {
        if !self.unusable.is_empty() {
            return Err(ReadingError::Unclear { reasons: self.unusable.clone() });
        }
        let all = || self.found.iter().chain(&self.others);
        let sizes: Vec<f64> =
            all().map(|s| s.judged(self.width_px, self.height_px)).collect::<Result<_, _>>()?;
        let Some(first) = sizes.first() else { return Ok(None) };
        let (least, most) = sizes.iter().fold((*first, *first), |(l, m), nm| (l.min(*nm), m.max(*nm)));
        if most / least - 1.0 > SCALE_TOLERANCE {
            let stated = sizes.iter().zip(all()).map(|(nm, size)| (*nm, size.whereabouts())).collect();
            return Err(ReadingError::Different { stated });
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
    pub fn check_scale_bar(&self, bar: Option<DataBar>) -> Result<(), ReadingError> {
        let (Ok(Some(nm)), Some(bar)) = (self.nm_per_px(), bar.and_then(|b| b.scale_bar)) else {
            return Ok(());
        };
        let Some(written_nm) = self.found.as_ref().and_then(|f| f.scale_bar_nm) else { return Ok(()) };
        if bar.agrees(written_nm, nm) {
            return Ok(());
        }
        Err(ReadingError::OtherBar { nm_per_px: nm, written_nm, length_px: bar.length_px })
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
