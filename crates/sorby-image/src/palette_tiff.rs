//! Uncompressed 8-bit palette TIFF, as Zeiss SmartSEM writes, which the TIFF library does not decode.

use image::{DynamicImage, RgbImage};
use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use tiff::decoder::Decoder;
use tiff::tags::Tag;

/// The image in its palette's colours, or `None` if it is another kind of file or damaged.
pub(crate) fn read(path: &Path, max_bytes: u64) -> Option<DynamicImage> {
    let mut decoder = Decoder::new(BufReader::new(File::open(path).ok()?)).ok()?;
    let (width, height) = decoder.dimensions().ok()?;
    let mut number = |tag: Tag| decoder.find_tag(tag).ok().flatten().and_then(|v| v.into_u32().ok());
    const PALETTE: u32 = 3;
    let plain = number(Tag::Compression).unwrap_or(1) == 1 && number(Tag::SamplesPerPixel).unwrap_or(1) == 1;
    let eight_bit = number(Tag::BitsPerSample) == Some(8);
    if !plain || !eight_bit || number(Tag::PhotometricInterpretation) != Some(PALETTE) {
        return None;
    }
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || pixels * 3 > max_bytes {
        return None;
    }
    let mut list = |tag: Tag| decoder.find_tag(tag).ok().flatten().and_then(|v| v.into_u64_vec().ok());
    let (offsets, lengths) = (list(Tag::StripOffsets)?, list(Tag::StripByteCounts)?);
    let map = list(Tag::ColorMap).filter(|m| m.len() == 3 * 256)?;
    if offsets.len() != lengths.len() || lengths.iter().sum::<u64>() != pixels {
        return None;
    }
    let mut file = BufReader::new(File::open(path).ok()?);
    let mut indices = Vec::with_capacity(pixels as usize);
    for (offset, length) in offsets.into_iter().zip(lengths) {
        file.seek(SeekFrom::Start(offset)).ok()?;
        let before = indices.len() as u64;
        (&mut file).take(length).read_to_end(&mut indices).ok()?;
        if indices.len() as u64 - before != length {
            return None;
        }
    }
    // Entries have 16 bits; 255 and 65535 both stand for white in what programs write.
    let deep = map.iter().any(|v| *v > 255);
    let colour = |i: u8, channel: usize| {
        let v = map[channel * 256 + usize::from(i)];
        (if deep { v >> 8 } else { v }) as u8
    };
    let rgb = indices.into_iter().flat_map(|i| [0, 1, 2].map(|channel| colour(i, channel))).collect();
    RgbImage::from_raw(width, height, rgb).map(DynamicImage::ImageRgb8)
}
