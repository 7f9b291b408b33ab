//! A micrograph as read from its file.

use crate::grey_range::{percentiles, stretched};
use crate::{ImageError, read};
use std::path::Path;

/// Pixel values, row-major; colour is interleaved red, green, blue.
#[derive(Clone, Debug, PartialEq)]
pub enum Pixels {
    /// One value of 0..=255 per pixel.
    Grey8(Vec<u8>),
    /// One value of 0..=65535 per pixel.
    Grey16(Vec<u16>),
    /// Three values of 0..=255 per pixel.
    Rgb8(Vec<u8>),
    /// Three values of 0..=65535 per pixel.
    Rgb16(Vec<u16>),
    /// Grey numbers without a natural black and white: floats beyond 0..1, signed and 32-bit integers.
    Float(Vec<f32>),
}

/// A picture with all its values, turned upright.
#[derive(Clone, Debug, PartialEq)]
pub struct Micrograph {
    /// Columns, in pixels.
    pub width: usize,
    /// Rows, in pixels.
    pub height: usize,
    /// `width * height` pixels; the top row first.
    pub pixels: Pixels,
}

impl Micrograph {
    /// Reads a PNG, TIFF, JPEG or BMP of 8 or 16 bits per channel, or a grey TIFF of other numbers.
    ///
    /// # Errors
    /// When the file cannot be read or has a pixel type that is not supported; nothing is guessed.
    pub fn read(path: &Path) -> Result<Self, ImageError> {
        read::micrograph(path)
    }

    /// A grey picture of 8-bit values, row-major.
    ///
    /// # Panics
    /// When `pixels` has not `width * height` values.
    pub fn grey8(width: usize, height: usize, pixels: Vec<u8>) -> Self {
        assert_eq!(pixels.len(), width * height);
        Self { width, height, pixels: Pixels::Grey8(pixels) }
    }

    /// 1 for grey, 3 for colour.
    pub fn channels(&self) -> usize {
        match self.pixels {
            Pixels::Grey8(_) | Pixels::Grey16(_) | Pixels::Float(_) => 1,
            Pixels::Rgb8(_) | Pixels::Rgb16(_) => 3,
        }
    }

    /// Values on the 0..255 scale, `[height, width, channels]`. 16-bit data is mapped by its full
    /// range (0..65535), never by the image's own minimum and maximum. Numbers without a range of their own are
    /// as [`GreyRange::Percentile`](crate::GreyRange) shows them.
    pub fn to_f32(&self) -> Vec<f32> {
        match &self.pixels {
            Pixels::Grey8(p) | Pixels::Rgb8(p) => p.iter().map(|&v| f32::from(v)).collect(),
            Pixels::Grey16(p) | Pixels::Rgb16(p) => p.iter().map(|&v| f32::from(v) / 257.0).collect(),
            Pixels::Float(p) => {
                let (low, high) = percentiles(p);
                stretched(self, low, high).to_f32()
            }
        }
    }

    /// One row on the 0..255 scale as in [`Micrograph::to_f32`], added to `out`. Numbers without a range of
    /// their own have no such scale and give nothing: bring them to one first.
    ///
    /// # Panics
    /// When `y` is not below the height, except for floats.
    pub fn row_f32(&self, y: usize, out: &mut Vec<f32>) {
        let length = self.width * self.channels();
        let place = y * length..(y + 1) * length;
        match &self.pixels {
            Pixels::Grey8(p) | Pixels::Rgb8(p) => out.extend(p[place].iter().map(|&v| f32::from(v))),
            Pixels::Grey16(p) | Pixels::Rgb16(p) => {
                out.extend(p[place].iter().map(|&v| f32::from(v) / 257.0))
            }
            Pixels::Float(_) => {}
        }
    }

    /// 8-bit grey values: luma of colour, rounded 16-bit.
    pub fn to_grey8(&self) -> Vec<u8> {
        match &self.pixels {
            Pixels::Grey8(p) => p.clone(),
            Pixels::Float(_) => self.to_f32().iter().map(|v| v.round() as u8).collect(),
            _ => (0..self.height).flat_map(|y| self.row_grey8(y)).collect(),
        }
    }

    /// One row of [`Micrograph::to_grey8`]; none of numbers without a range of their own, as
    /// [`Micrograph::row_f32`].
    ///
    /// # Panics
    /// As [`Micrograph::row_f32`].
    pub fn row_grey8(&self, y: usize) -> Vec<u8> {
        let mut values = Vec::new();
        self.row_f32(y, &mut values);
        match self.channels() {
            1 => values.iter().map(|v| v.round() as u8).collect(),
            _ => values.chunks_exact(3).map(|c| luma(c[0], c[1], c[2])).collect(),
        }
    }

    /// Keeps the first `rows` rows: cuts a data bar off the bottom.
    ///
    /// # Panics
    /// When the image has fewer than `rows` rows.
    pub fn crop_rows(&mut self, rows: usize) {
        assert!(rows <= self.height);
        let keep = rows * self.width * self.channels();
        match &mut self.pixels {
            Pixels::Grey8(p) | Pixels::Rgb8(p) => p.truncate(keep),
            Pixels::Grey16(p) | Pixels::Rgb16(p) => p.truncate(keep),
            Pixels::Float(p) => p.truncate(keep),
        }
        self.height = rows;
    }
}

fn luma(r: f32, g: f32, b: f32) -> u8 {
    (0.299 * r + 0.587 * g + 0.114 * b).round() as u8
}
