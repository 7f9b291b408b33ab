//! Pictures of whole numbers that are no grey values: object numbers, of up to 64 bits.

use crate::ImageError;
use crate::stored::{Samples, stored_values};
use std::path::Path;

/// One whole number per pixel, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Integers {
    /// Columns, in pixels.
    pub width: usize,
    /// Rows, in pixels.
    pub height: usize,
    /// `width * height` numbers; the top row first.
    pub values: Vec<i64>,
}

impl Integers {
    /// Reads the numbers of a PNG, TIFF, JPEG or BMP as they are stored: of a palette the indices.
    ///
    /// # Errors
    /// When the file cannot be read, is a colour picture, or has fractions or numbers beyond 2^63.
    pub fn read(path: &Path) -> Result<Self, ImageError> {
        let stored = stored_values(path)?;
        let values = match stored.samples {
            Samples::U8(v) => v.into_iter().map(i64::from).collect(),
            Samples::U16(v) => v.into_iter().map(i64::from).collect(),
            Samples::U32(v) => v.into_iter().map(i64::from).collect(),
            Samples::U64(v) => v
                .into_iter()
                .map(i64::try_from)
                .collect::<Result<_, _>>()
                .map_err(|_| ImageError::unreadable(path, "has numbers beyond 2^63"))?,
            Samples::I64(v) => v,
            Samples::Colours(_) => {
                return Err(ImageError::unreadable(path, "is a colour picture, not one of object numbers"));
            }
        };
        Ok(Self { width: stored.width, height: stored.height, values })
    }
}
