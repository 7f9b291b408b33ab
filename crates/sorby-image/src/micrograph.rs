//! A micrograph as read from its file.

use crate::{ImageError, read};
use std::path::Path;

/// Pixel values, row-major; colour is interleaved red, green, blue.
#[derive(Clone, Debug, PartialEq)]
pub enum Pixels {
    Grey8(Vec<u8>),
    Grey16(Vec<u16>),
    Rgb8(Vec<u8>),
    Rgb16(Vec<u16>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Micrograph {
    pub width: usize,
    pub height: usize,
    pub pixels: Pixels,
}

impl Micrograph {
    /// Reads a PNG, TIFF, JPEG or BMP of 8 or 16 bits per channel.
    ///
    /// # Errors
    /// When the file cannot be read or has a pixel type that is not supported; nothing is guessed.
    pub fn read(path: &Path) -> Result<Self, ImageError> {
        read::micrograph(path)
    }

    pub fn grey8(width: usize, height: usize, pixels: Vec<u8>) -> Self {
        assert_eq!(pixels.len(), width * height);
        Self { width, height, pixels: Pixels::Grey8(pixels) }
    }

    /// 1 for grey, 3 for colour.
    pub fn channels(&self) -> usize {
        match self.pixels {
            Pixels::Grey8(_) | Pixels::Grey16(_) => 1,
            Pixels::Rgb8(_) | Pixels::Rgb16(_) => 3,
        }
    }

    /// Values on the 0..255 scale, `[height, width, channels]`. 16-bit data is mapped by its full
    /// range (0..65535), never by the image's own minimum and maximum.
    pub fn to_f32(&self) -> Vec<f32> {
        match &self.pixels {
            Pixels::Grey8(p) | Pixels::Rgb8(p) => p.iter().map(|&v| f32::from(v)).collect(),
            Pixels::Grey16(p) | Pixels::Rgb16(p) => p.iter().map(|&v| f32::from(v) / 257.0).collect(),
        }
    }

    /// 8-bit grey values: luma of colour, rounded 16-bit.
    pub fn to_grey8(&self) -> Vec<u8> {
        let luma = |r: f32, g: f32, b: f32| (0.299 * r + 0.587 * g + 0.114 * b).round() as u8;
        match &self.pixels {
            Pixels::Grey8(p) => p.clone(),
            Pixels::Grey16(p) => p.iter().map(|&v| (f32::from(v) / 257.0).round() as u8).collect(),
            Pixels::Rgb8(_) | Pixels::Rgb16(_) => {
                self.to_f32().chunks_exact(3).map(|c| luma(c[0], c[1], c[2])).collect()
            }
        }
    }

    /// Keeps the first `rows` rows: cuts a data bar off the bottom.
    pub fn crop_rows(&mut self, rows: usize) {
        assert!(rows <= self.height);
        let keep = rows * self.width * self.channels();
        match &mut self.pixels {
            Pixels::Grey8(p) | Pixels::Rgb8(p) => p.truncate(keep),
            Pixels::Grey16(p) | Pixels::Rgb16(p) => p.truncate(keep),
        }
        self.height = rows;
    }
}
