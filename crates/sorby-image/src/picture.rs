//! Pictures written with all their values.

use crate::ImageError;
use crate::micrograph::{Micrograph, Pixels};
use crate::write::atomically;
use image::{DynamicImage, ImageBuffer, ImageFormat};
use std::io::Cursor;
use std::path::Path;
use tiff::encoder::TiffEncoder;
use tiff::encoder::colortype::Gray32Float;

impl Micrograph {
    /// Whether any pixel is not grey.
    pub fn is_coloured(&self) -> bool {
        match &self.pixels {
            Pixels::Rgb8(p) => p.chunks_exact(3).any(|c| c[0] != c[1] || c[1] != c[2]),
            Pixels::Rgb16(p) => p.chunks_exact(3).any(|c| c[0] != c[1] || c[1] != c[2]),
            _ => false,
        }
    }

    /// Of a picture that is not coloured, one value for each pixel; others stay as they are.
    pub fn into_grey(self) -> Self {
        if self.is_coloured() {
            return self;
        }
        let pixels = match self.pixels {
            Pixels::Rgb8(p) => Pixels::Grey8(p.into_iter().step_by(3).collect()),
            Pixels::Rgb16(p) => Pixels::Grey16(p.into_iter().step_by(3).collect()),
            other => other,
        };
        Self { pixels, ..self }
    }

    /// Writes a PNG or TIFF, by the ending of `path`, with all values, atomically.
    ///
    /// # Errors
    /// For other endings; floats can be a TIFF only.
    pub fn write(&self, path: &Path) -> Result<(), ImageError> {
        let (w, h) = (self.width as u32, self.height as u32);
        let picture = match &self.pixels {
            Pixels::Grey8(p) => ImageBuffer::from_raw(w, h, p.clone()).map(DynamicImage::ImageLuma8),
            Pixels::Grey16(p) => ImageBuffer::from_raw(w, h, p.clone()).map(DynamicImage::ImageLuma16),
            Pixels::Rgb8(p) => ImageBuffer::from_raw(w, h, p.clone()).map(DynamicImage::ImageRgb8),
            Pixels::Rgb16(p) => ImageBuffer::from_raw(w, h, p.clone()).map(DynamicImage::ImageRgb16),
            Pixels::Float(_) => None,
        };
        let cannot =
            |e: &dyn std::fmt::Display| ImageError::unreadable(path, format!("cannot be written ({e})"));
        let format = match path.extension().and_then(|e| e.to_str()) {
            Some("png") => ImageFormat::Png,
            Some("tif") => ImageFormat::Tiff,
            _ => return Err(cannot(&"its name must end in .png or .tif")),
        };
        let mut bytes = Cursor::new(Vec::new());
        match (picture, &self.pixels) {
            (Some(picture), _) => picture.write_to(&mut bytes, format).map_err(|e| cannot(&e))?,
            (None, Pixels::Float(p)) if format == ImageFormat::Tiff => TiffEncoder::new(&mut bytes)
                .and_then(|mut tiff| tiff.write_image::<Gray32Float>(w, h, p))
                .map_err(|e| cannot(&e))?,
            _ => return Err(cannot(&"floating-point numbers need .tif")),
        }
        atomically(path, &bytes.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let sixteen: Vec<u16> = (0..24).map(|v| v * 2500 + 3).collect();
        let eight: Vec<u8> = (0..24).map(|v| v * 10 + 1).collect();
        for pixels in [
            Pixels::Grey8(eight[..8].to_vec()),
            Pixels::Grey16(sixteen[..8].to_vec()),
            Pixels::Rgb8(eight.clone()),
            Pixels::Rgb16(sixteen.clone()),
        ] {
            let image = Micrograph { width: 4, height: 2, pixels };
            for name in ["a.png", "a.tif"] {
                let path = folder.path().join(name);
                image.write(&path).unwrap();
                assert_eq!(Micrograph::read(&path).unwrap(), image, "{name}");
            }
            assert_eq!(image.clone().into_grey(), image, "colour stays");
        }
        let grey = Micrograph { width: 2, height: 1, pixels: Pixels::Rgb16(vec![700, 700, 700, 9, 9, 9]) };
        assert_eq!(grey.into_grey().pixels, Pixels::Grey16(vec![700, 9]));
        let float = Micrograph { width: 1, height: 1, pixels: Pixels::Float(vec![0.5]) };
        assert!(float.write(&folder.path().join("b.png")).is_err() && !folder.path().join("b.png").exists());
        let float = Micrograph { width: 2, height: 1, pixels: Pixels::Float(vec![-0.1, 3e6]) };
        float.write(&folder.path().join("b.tif")).unwrap();
        assert_eq!(Micrograph::read(&folder.path().join("b.tif")).unwrap(), float);
    }
}
