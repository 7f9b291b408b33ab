//! Decoding image files, within bounds on memory.

use crate::{ImageError, Micrograph, Pixels, odd_tiff, palette_tiff};
use image::{DynamicImage, ImageReader, Limits};
use std::path::Path;

/// Refuse to allocate more than this for one image: a hostile or damaged header must not exhaust memory.
pub(crate) const MAX_BYTES: u64 = 4 << 30;

pub(crate) fn micrograph(path: &Path) -> Result<Micrograph, ImageError> {
    require_sound_header(path)?;
    let image = match decode_any(path) {
        Ok(image) => image,
        Err(error) => match palette_tiff::read(path, MAX_BYTES) {
            Some(image) => image,
            None => return odd_tiff::numbers(path, MAX_BYTES).unwrap_or(Err(error)),
        },
    };
    let (width, height) = (image.width() as usize, image.height() as usize);
    let pixels = match image {
        DynamicImage::ImageLuma8(i) => Pixels::Grey8(i.into_raw()),
        DynamicImage::ImageLuma16(i) => Pixels::Grey16(i.into_raw()),
        DynamicImage::ImageRgb8(i) => Pixels::Rgb8(i.into_raw()),
        DynamicImage::ImageRgb16(i) => Pixels::Rgb16(i.into_raw()),
        // Transparency carries no signal in a micrograph.
        DynamicImage::ImageLumaA8(_) => Pixels::Grey8(image.into_luma8().into_raw()),
        DynamicImage::ImageLumaA16(_) => Pixels::Grey16(image.into_luma16().into_raw()),
        DynamicImage::ImageRgba8(_) => Pixels::Rgb8(image.into_rgb8().into_raw()),
        DynamicImage::ImageRgba16(_) => Pixels::Rgb16(image.into_rgb16().into_raw()),
        other => {
            let reason = format!("pixel type {:?} is not supported; save it as 8- or 16-bit", other.color());
            return Err(ImageError::unreadable(path, reason));
        }
    };
    if width == 0 || height == 0 {
        return Err(ImageError::unreadable(path, "the image is empty"));
    }
    Ok(Micrograph { width, height, pixels: single_channel(pixels) })
}

/// Width and height as the file declares them; `None` when it cannot be read.
pub fn dimensions(path: &Path) -> Option<(usize, usize)> {
    let size = ImageReader::open(path).ok()?.with_guessed_format().ok()?.into_dimensions().ok();
    let (w, h) = size.or_else(|| odd_tiff::dimensions(path))?;
    Some((w as usize, h as usize))
}

/// A colour file of grey content becomes grey: three equal channels say nothing more than one.
fn single_channel(pixels: Pixels) -> Pixels {
    fn first<T: Copy + PartialEq>(p: &[T]) -> Option<Vec<T>> {
        p.chunks_exact(3)
            .all(|c| c[0] == c[1] && c[1] == c[2])
            .then(|| p.iter().step_by(3).copied().collect())
    }
    match pixels {
        Pixels::Rgb8(p) => first(&p).map_or(Pixels::Rgb8(p), Pixels::Grey8),
        Pixels::Rgb16(p) => first(&p).map_or(Pixels::Rgb16(p), Pixels::Grey16),
        grey => grey,
    }
}

/// Pixels to a byte of the file, at most: LZW comes to 1365, deflate to 1032, one bit each to eight times that.
const MOST_COMPRESSED: u64 = 16_384;

/// Refuses a file of several pictures, and one that declares a size its bytes cannot hold: memory is not asked for on
/// a header's word alone.
pub(crate) fn require_sound_header(path: &Path) -> Result<(), ImageError> {
    if let Some((width, height)) = dimensions(path) {
        let stored = std::fs::metadata(path).map_err(|e| ImageError::io(path, e))?.len();
        if (width as u64).saturating_mul(height as u64) / MOST_COMPRESSED > stored {
            let reason =
                format!("says it has {width}x{height} pixels but has {stored} bytes; the file is damaged");
            return Err(ImageError::unreadable(path, reason));
        }
    }
    odd_tiff::require_one_page(path)
}

pub(crate) fn decode(path: &Path) -> Result<DynamicImage, ImageError> {
    require_sound_header(path)?;
    decode_any(path)
}

/// What the image library can read.
fn decode_any(path: &Path) -> Result<DynamicImage, ImageError> {
    let mut reader =
        ImageReader::open(path).and_then(|r| r.with_guessed_format()).map_err(|e| ImageError::io(path, e))?;
    if reader.format().is_none() {
        return Err(ImageError::unreadable(path, "not a PNG, TIFF, JPEG or BMP file"));
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_BYTES);
    reader.limits(limits);
    reader.decode().map_err(|e| {
        let advice = match e {
            image::ImageError::Unsupported(_) => "save it with 8 or 16 bits per channel",
            _ => "is the file complete?",
        };
        ImageError::unreadable(path, format!("cannot be decoded ({e}); {advice}"))
    })
}
