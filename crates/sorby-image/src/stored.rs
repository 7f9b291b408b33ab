//! The numbers of a label file as they are stored: palette indices, not colours; nothing inverted, stretched or rounded.

use crate::guard::guarded;
use crate::orientation::{turned, upright};
use crate::{ImageError, png_chunks, read, tiff_file};
use image::codecs::bmp::BmpDecoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder as _};
use std::io::{BufReader, Cursor};
use std::path::Path;

/// A file's numbers, one per pixel, row-major, turned upright where the file says how.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stored {
    pub width: usize,
    pub height: usize,
    /// Bits of each number in the file: 1 for black and white.
    pub bits: u32,
    pub samples: Samples,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Samples {
    U8(Vec<u8>),
    U16(Vec<u16>),
    U32(Vec<u32>),
    U64(Vec<u64>),
    /// Integers with sign, and floats that are whole numbers.
    I64(Vec<i64>),
    /// Red, green, blue, at least one pixel not grey. 16 bits that say no more than 8 are 8.
    Colours(Vec<[u8; 3]>),
}

/// Reads the numbers of a PNG, TIFF, JPEG or BMP. Of grey with transparency the grey, of a palette the indices (a BMP's
/// palette of greys is how it stores grey), of colours whose channels agree everywhere that one channel.
///
/// # Errors
/// When the file cannot be read, or has numbers that no label has (fractions, colours of true 16 bits).
pub(crate) fn stored_values(path: &Path) -> Result<Stored, ImageError> {
    guarded(path, || read_stored(path, Palette::Indices)).map(Stored::without_equal_channels)
}

/// The same with the colours of a palette, and never fewer than three channels: for labels painted in colours.
pub(crate) fn stored_colours(path: &Path) -> Result<Stored, ImageError> {
    let mut stored = guarded(path, || read_stored(path, Palette::Colours))?;
    let grey = |v: u64| u8::try_from(v).map(|v| [v; 3]);
    let top = 255 / ((1u64 << stored.bits.min(8)) - 1);
    let colours: Result<Vec<[u8; 3]>, _> = match stored.samples {
        Samples::Colours(colours) => Ok(colours),
        Samples::U8(v) => v.into_iter().map(|v| grey(u64::from(v) * top)).collect(),
        Samples::U16(v) => v.into_iter().map(|v| grey(v.into())).collect(),
        Samples::U32(v) => v.into_iter().map(|v| grey(v.into())).collect(),
        Samples::U64(v) => v.into_iter().map(grey).collect(),
        Samples::I64(v) => v.into_iter().map(|v| grey(v as u64)).collect(),
    };
    let colours = colours.map_err(|_| ImageError::unreadable(path, "has numbers above 255, no colours"))?;
    stored.samples = Samples::Colours(colours);
    Ok(stored)
}

#[derive(Clone, Copy, PartialEq)]
enum Palette {
    Indices,
    Colours,
}

impl Samples {
    /// Colours of 16 bits, where they say no more than 8: the same byte twice, or greys.
    pub(crate) fn of_deep_colours(pixels: impl Iterator<Item = [u16; 3]> + Clone) -> Result<Self, String> {
        if pixels.clone().all(|p| p[0] == p[1] && p[1] == p[2]) {
            return Ok(Self::U16(pixels.map(|p| p[0]).collect()));
        }
        if pixels.clone().flatten().all(|v| v % 257 == 0) {
            return Ok(Self::Colours(pixels.map(|p| p.map(|v| (v / 257) as u8)).collect()));
        }
        Err("label of colours of 16 bits; save labels with 8 bits per channel".into())
    }

    fn turned(self, size: (usize, usize), orientation: Orientation) -> Self {
        match self {
            Self::U8(v) => Self::U8(turned(v, size, 1, orientation)),
            Self::U16(v) => Self::U16(turned(v, size, 1, orientation)),
            Self::U32(v) => Self::U32(turned(v, size, 1, orientation)),
            Self::U64(v) => Self::U64(turned(v, size, 1, orientation)),
            Self::I64(v) => Self::I64(turned(v, size, 1, orientation)),
            Self::Colours(v) => Self::Colours(turned(v, size, 1, orientation)),
        }
    }
}

impl Stored {
    fn new(width: usize, height: usize, bits: u32, samples: Samples, orientation: Orientation) -> Self {
        let samples = samples.turned((width, height), orientation);
        let (width, height) = upright(width, height, orientation);
        Self { width, height, bits, samples }
    }

    fn without_equal_channels(mut self) -> Self {
        if let Samples::Colours(pixels) = &self.samples
            && pixels.iter().all(|p| p[0] == p[1] && p[1] == p[2])
        {
            self.samples = Samples::U8(pixels.iter().map(|p| p[0]).collect());
        }
        self
    }
}

fn read_stored(path: &Path, palette: Palette) -> Result<Stored, ImageError> {
    read::require_sound_header(path)?;
    if tiff_file::is_tiff(path) {
        let layout = tiff_file::Layout::read(path)?;
        let samples = match palette {
            Palette::Indices => tiff_file::stored(path, &layout, read::MAX_BYTES),
            Palette::Colours => tiff_file::colours(path, &layout, read::MAX_BYTES),
        };
        let samples = samples.map_err(|reason| ImageError::unreadable(path, reason))?;
        return Ok(Stored::new(layout.width, layout.height, layout.bits, samples, layout.orientation));
    }
    let bytes = crate::files::read(path).map_err(|e| ImageError::io(path, e))?;
    if bytes.starts_with(b"\x89PNG") && !(palette == Palette::Colours && is_palette(&bytes)) {
        return png(path, &bytes);
    }
    if bytes.starts_with(b"BM")
        && palette == Palette::Indices
        && let Some(stored) = bmp_indices(path, &bytes)?
    {
        return Ok(stored);
    }
    let (image, orientation) = read::library(path)?;
    let (width, height) = (image.width() as usize, image.height() as usize);
    let samples = match image {
        DynamicImage::ImageLuma8(i) => Samples::U8(i.into_raw()),
        other => Samples::Colours(other.to_rgb8().pixels().map(|p| p.0).collect()),
    };
    Ok(Stored::new(width, height, 8, samples, orientation))
}

fn is_palette(png: &[u8]) -> bool {
    let reader = png::Decoder::new(Cursor::new(png)).read_info();
    reader.is_ok_and(|reader| reader.info().color_type == png::ColorType::Indexed)
}

/// A PNG's numbers, without the decoder's own changes: what has fewer than 8 bits stays small.
fn png(path: &Path, bytes: &[u8]) -> Result<Stored, ImageError> {
    let damaged = |e: &dyn std::fmt::Display| {
        ImageError::unreadable(path, format!("cannot be decoded ({e}); is the file complete?"))
    };
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::IDENTITY);
    let mut reader = decoder.read_info().map_err(|e| damaged(&e))?;
    let size = reader.output_buffer_size().filter(|size| *size as u64 <= read::MAX_BYTES);
    let mut buffer = vec![0; size.ok_or_else(|| damaged(&"it says it is larger than any image"))?];
    let frame = reader.next_frame(&mut buffer).map_err(|e| damaged(&e))?;
    let (width, height, bits) = (frame.width as usize, frame.height as usize, frame.bit_depth as usize);
    let channels = frame.color_type.samples();
    let rows = || buffer.chunks_exact(frame.line_size).take(height);
    let deep = |p: &[u8]| u16::from_be_bytes([p[0], p[1]]);
    let samples = match (channels, bits) {
        (1 | 2, 16) => {
            Samples::U16(rows().flat_map(|row| row.chunks_exact(2 * channels).map(deep)).collect())
        }
        (1, 8) => {
            // Masks may be large: no second copy.
            buffer.truncate(width * height);
            Samples::U8(buffer)
        }
        (2, 8) => Samples::U8(rows().flat_map(|row| row.iter().step_by(2).copied()).collect()),
        (1, _) => Samples::U8(rows().flat_map(|row| (0..width).map(move |x| packed(row, x, bits))).collect()),
        (_, 16) => {
            let pixel = |p: &[u8]| [deep(&p[0..2]), deep(&p[2..4]), deep(&p[4..6])];
            let pixels = rows().flat_map(|row| row.chunks_exact(2 * channels).map(pixel));
            Samples::of_deep_colours(pixels).map_err(|reason| ImageError::unreadable(path, reason))?
        }
        _ => {
            let pixels = rows().flat_map(|row| row.chunks_exact(channels).map(|p| [p[0], p[1], p[2]]));
            Samples::Colours(pixels.collect())
        }
    };
    Ok(Stored::new(width, height, bits as u32, samples, png_chunks::facts(path).orientation))
}

/// The number at `x` of a row packed from the high bits down.
fn packed(row: &[u8], x: usize, bits: usize) -> u8 {
    let bit = x * bits;
    (row[bit / 8] >> (8 - bits - bit % 8)) & (0xffu16 >> (8 - bits)) as u8
}

/// The indices of a BMP with a palette; `None` without one, or where it holds greys in order, as a grey BMP does.
fn bmp_indices(path: &Path, bytes: &[u8]) -> Result<Option<Stored>, ImageError> {
    let refused = |e: image::ImageError| {
        ImageError::unreadable(path, format!("cannot be decoded ({e}); is the file complete?"))
    };
    let mut decoder = BmpDecoder::new(BufReader::new(Cursor::new(bytes))).map_err(refused)?;
    let Some(mut palette) = decoder.get_palette().map(<[_]>::to_vec) else { return Ok(None) };
    // Bits of an index, and whether runs of it are packed: at fixed places of the header.
    let [bits, runs] = [28, 30].map(|at| u32::from(bytes.get(at).copied().unwrap_or(0)));
    // The reader fills it up to 256 colours.
    palette.truncate(1 << bits.min(8));
    let grey = palette.iter().all(|c| c[0] == c[1] && c[1] == c[2]);
    if grey && palette.is_sorted() {
        return Ok(None);
    }
    if runs != 0 {
        let reason = "label in a compressed BMP, whose indices are not read; save labels as PNG";
        return Err(ImageError::unreadable(path, reason));
    }
    decoder.set_indexed_color(true);
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > read::MAX_BYTES {
        return Err(ImageError::unreadable(
            path,
            "says it is larger than any image that is read; is it damaged?",
        ));
    }
    let (width, height) = (width as usize, height as usize);
    let indices = if bits < 8 {
        small_bmp_indices(bytes, width, height, bits as usize).ok_or_else(|| {
            ImageError::unreadable(path, "is cut short, or a BMP of an old kind; save labels as PNG")
        })?
    } else {
        let mut indices = vec![0; width * height];
        decoder.read_image(&mut indices).map_err(refused)?;
        indices
    };
    Ok(Some(Stored::new(width, height, bits, Samples::U8(indices), Orientation::NoTransforms)))
}

/// Indices of fewer than 8 bits, which the library gives as they are packed. Rows are filled up to 4 bytes and stand from
/// the lowest up, unless the height is negative.
fn small_bmp_indices(bytes: &[u8], width: usize, height: usize, bits: usize) -> Option<Vec<u8>> {
    let number = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    // Older headers have the size elsewhere.
    if number(14)? < 40 || !matches!(bits, 1 | 2 | 4) {
        return None;
    }
    let (start, from_top) = (number(10)? as usize, number(22)? as i32);
    let row_bytes = (width * bits).div_ceil(32) * 4;
    let mut indices = Vec::with_capacity(width * height);
    for y in 0..height {
        let row = if from_top < 0 { y } else { height - 1 - y };
        let at = start + row * row_bytes;
        let row = bytes.get(at..at + row_bytes)?;
        indices.extend((0..width).map(|x| packed(row, x, bits)));
    }
    Some(indices)
}
