//! What the image library passes over in TIFF files: several pages, and pixels that are floating-point numbers or
//! integers of 32 bits.

use crate::{ImageError, Micrograph, Pixels};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::Tag;

type Reader = Decoder<BufReader<File>>;

fn open(path: &Path, max_bytes: u64) -> Option<Reader> {
    let mut limits = Limits::default();
    limits.decoding_buffer_size = max_bytes as usize;
    limits.intermediate_buffer_size = max_bytes as usize;
    Some(Decoder::new(BufReader::new(File::open(path).ok()?)).ok()?.with_limits(limits))
}

/// Width and height, whatever the pixels are.
pub(crate) fn dimensions(path: &Path) -> Option<(u32, u32)> {
    open(path, 1 << 20)?.dimensions().ok()
}

/// Refuses files with several pictures: which one is meant cannot be guessed. Thumbnails do not count.
pub(crate) fn require_one_page(path: &Path) -> Result<(), ImageError> {
    let Some(mut decoder) = open(path, 1 << 20) else { return Ok(()) };
    let Ok((width, height)) = decoder.dimensions() else { return Ok(()) };
    let mut pages = 1;
    // Damaged chains of pages end where they cannot be followed; the decoder refuses cycles.
    while pages < 1000 && decoder.more_images() && decoder.next_image().is_ok() {
        const REDUCED: u32 = 1;
        let kind = decoder.find_tag(Tag::NewSubfileType).ok().flatten().and_then(|v| v.into_u32().ok());
        let (w, h) = decoder.dimensions().unwrap_or((0, 0));
        let thumbnail = kind.is_some_and(|k| k & REDUCED != 0) || (w <= width / 2 && h <= height / 2);
        pages += u32::from(!thumbnail);
    }
    if pages == 1 {
        return Ok(());
    }
    let reason = format!("holds {pages} pictures; save the one that is meant as a file of its own");
    Err(ImageError::unreadable(path, reason))
}

/// A grey image of numbers, or `None` if the file is another kind or damaged. Floats that all lie within 0..1
/// take that range for black and white; what other numbers mean, a [`crate::GreyRange`] has to say.
///
/// # Errors
/// When pixels are no numbers (NaN, infinity).
pub(crate) fn numbers(path: &Path, max_bytes: u64) -> Option<Result<Micrograph, ImageError>> {
    let mut decoder = open(path, max_bytes)?;
    let (width, height) = decoder.dimensions().ok()?;
    let samples = decoder.find_tag(Tag::SamplesPerPixel).ok()?.and_then(|v| v.into_u32().ok()).unwrap_or(1);
    let pixels = u64::from(width) * u64::from(height);
    if samples != 1 || pixels == 0 || pixels.checked_mul(12)? > max_bytes {
        return None;
    }
    let (values, float): (Vec<f32>, bool) = match decoder.read_image().ok()? {
        DecodingResult::F32(v) => (v, true),
        DecodingResult::F64(v) => (v.into_iter().map(|v| v as f32).collect(), true),
        DecodingResult::F16(v) => (v.into_iter().map(|v| v.to_f32()).collect(), true),
        DecodingResult::U32(v) => (v.into_iter().map(|v| v as f32).collect(), false),
        DecodingResult::I32(v) => (v.into_iter().map(|v| v as f32).collect(), false),
        DecodingResult::I16(v) => (v.into_iter().map(f32::from).collect(), false),
        DecodingResult::I8(v) => (v.into_iter().map(f32::from).collect(), false),
        _ => return None,
    };
    if values.len() as u64 != pixels {
        return None;
    }
    let strange = values.iter().filter(|v| !v.is_finite()).count();
    if strange > 0 {
        let reason = format!("{strange} pixels are no numbers (NaN or infinite); save it again without them");
        return Some(Err(ImageError::unreadable(path, reason)));
    }
    let image = Micrograph { width: width as usize, height: height as usize, pixels: Pixels::Float(values) };
    let Pixels::Float(values) = &image.pixels else { return None };
    let unit = float && values.iter().all(|v| (0.0..=1.0).contains(v));
    Some(Ok(if unit { crate::grey_range::stretched(&image, 0.0, 1.0) } else { image }))
}
