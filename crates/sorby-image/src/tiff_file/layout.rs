//! What the tags of a TIFF say of its pixels: their kind, and where they lie.

use super::pages;
use crate::ImageError;
use image::metadata::Orientation;
use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::Path;
use tiff::decoder::{ChunkType, Decoder};
use tiff::tags::{ByteOrder, Tag};
use tiff::{TiffError, TiffFormatError, TiffUnsupportedError};

pub(super) type Tags = Decoder<BufReader<File>>;

/// Values of `Compression`.
pub(super) mod compression {
    pub const NONE: u32 = 1;
    pub const FAX4: u32 = 4;
    pub const LZW: u32 = 5;
    pub const JPEG: u32 = 7;
    pub const DEFLATE: [u32; 2] = [8, 32946];
    pub const PACKBITS: u32 = 32773;
    pub const ZSTD: u32 = 50000;
}

/// Values of `PhotometricInterpretation`.
pub(super) mod photometric {
    pub const WHITE_IS_ZERO: u32 = 0;
    pub const BLACK_IS_ZERO: u32 = 1;
    pub const RGB: u32 = 2;
    pub const PALETTE: u32 = 3;
    pub const CMYK: u32 = 5;
    pub const YCBCR: u32 = 6;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Unsigned,
    Signed,
    Float,
}

/// The picture of a TIFF.
pub(crate) struct Layout {
    pub width: usize,
    pub height: usize,
    /// Numbers per pixel, and bits of each.
    pub samples: usize,
    pub bits: u32,
    pub(super) format: Format,
    pub(super) photometric: u32,
    /// Meaning of the samples beyond the photometric ones: 0 not said, 1 premultiplied alpha, 2 alpha.
    pub(super) extra: Vec<u32>,
    pub(super) compression: u32,
    /// 1 none, 2 differences of numbers, 3 differences of the bytes of floats.
    pub(super) predictor: u32,
    /// Every sample has chunks of its own.
    pub(super) planes: bool,
    /// The first pixel is in the lowest bit of a byte.
    pub(super) bits_reversed: bool,
    pub(super) big_endian: bool,
    /// Size of a strip or tile, in pixels.
    pub(super) chunk: (usize, usize),
    /// Offset and length of each, in bytes.
    pub(super) places: Vec<(u64, u64)>,
    pub(super) jpeg_tables: Option<Vec<u8>>,
    /// Reds, greens, blues, of 16 bits each.
    pub(super) palette: Vec<u64>,
    pub orientation: Orientation,
}

pub(crate) fn is_tiff(path: &Path) -> bool {
    let mut head = [0; 4];
    let read = crate::files::open(path).and_then(|mut file| file.read_exact(&mut head));
    read.is_ok() && matches!(&head, b"II\x2a\0" | b"MM\0\x2a" | b"II\x2b\0" | b"MM\0\x2b")
}

/// The tags of a TIFF's picture.
pub(super) fn open(path: &Path) -> Result<Tags, ImageError> {
    let file = crate::files::open(path).map_err(|e| ImageError::io(path, e))?;
    let mut tags = Decoder::new(BufReader::new(file)).map_err(|e| refused(path, &e))?;
    pages::seek_picture(&mut tags);
    Ok(tags)
}

pub(super) fn refused(path: &Path, error: &TiffError) -> ImageError {
    let advice = match error {
        TiffError::UnsupportedError(TiffUnsupportedError::UnsupportedSampleFormat(_)) => {
            "save it with one number format for all channels"
        }
        TiffError::UnsupportedError(TiffUnsupportedError::InconsistentBitsPerSample(_)) => {
            "save it with 8 or 16 bits in every channel"
        }
        TiffError::UnsupportedError(_) => "save it as a grey or RGB TIFF of 8 or 16 bits, or as PNG",
        TiffError::FormatError(TiffFormatError::InconsistentSizesEncountered) => {
            "is the file complete, and a single picture? Volumes are not read"
        }
        _ => "is the file complete?",
    };
    ImageError::unreadable(path, format!("cannot be decoded ({error}); {advice}"))
}

/// Width, height and how to turn the picture: also of kinds that cannot be read.
pub(crate) fn size(path: &Path) -> Result<(u32, u32, Orientation), ImageError> {
    let mut tags = open(path)?;
    let (width, height) = tags.dimensions().map_err(|e| refused(path, &e))?;
    Ok((width, height, orientation(&mut tags)))
}

/// Bytes of the first picture's numbers.
pub(crate) fn declared_bytes(path: &Path) -> Result<u64, ImageError> {
    let mut tags = open(path)?;
    let (width, height) = tags.dimensions().map_err(|e| refused(path, &e))?;
    let pixels = u64::from(width).saturating_mul(u64::from(height));
    let layout = Layout::of(&mut tags).map_err(|e| refused(path, &e))?;
    let per_pixel =
        layout.map_or(4, |l| l.samples as u64 * u64::from(l.bits.div_ceil(8).next_power_of_two()));
    Ok(pixels.saturating_mul(per_pixel))
}

/// What is damaged or strange is taken as upright, as every viewer does.
fn orientation(tags: &mut Tags) -> Orientation {
    let value = number(tags, Tag::Orientation, 1).ok().and_then(|v| u8::try_from(v).ok());
    value.and_then(Orientation::from_exif).unwrap_or(Orientation::NoTransforms)
}

impl Layout {
    /// Whether the pixels are floating-point numbers.
    pub(crate) fn holds_floats(&self) -> bool {
        self.format == Format::Float
    }

    /// # Errors
    /// When the tags are damaged, say that there are several pictures, or say what cannot be read.
    pub fn read(path: &Path) -> Result<Self, ImageError> {
        let mut tags = open(path)?;
        let layout = Self::of(&mut tags).map_err(|e| refused(path, &e))?;
        let layout = layout.map_err(|reason| ImageError::unreadable(path, reason))?;
        pages::require_one(path, &layout, tags)?;
        Ok(layout)
    }

    fn of(tags: &mut Tags) -> Result<Result<Self, String>, TiffError> {
        let (width, height) = tags.dimensions()?;
        let bits = numbers(tags, Tag::BitsPerSample)?.first().copied().unwrap_or(1) as u32;
        let format = match numbers(tags, Tag::SampleFormat)?.first().copied().unwrap_or(1) {
            // 4 is "not said", to be read as if the tag were not there.
            1 | 4 => Format::Unsigned,
            2 => Format::Signed,
            3 => Format::Float,
            5 | 6 => {
                let reason = "its pixels are complex numbers; save their amplitude as a grey image";
                return Ok(Err(reason.into()));
            }
            other => return Ok(Err(format!("its pixels are numbers of an unknown kind ({other})"))),
        };
        let tiles = tags.get_chunk_type() == ChunkType::Tile;
        let (offsets, lengths) = match tiles {
            true => (Tag::TileOffsets, Tag::TileByteCounts),
            false => (Tag::StripOffsets, Tag::StripByteCounts),
        };
        let places = numbers(tags, offsets)?.into_iter().zip(numbers(tags, lengths)?).collect();
        let (chunk_width, chunk_height) = tags.chunk_dimensions();
        let chunk_height = if tiles { chunk_height } else { chunk_height.min(height) };
        let jpeg_tables = match tags.find_tag(Tag::JPEGTables)? {
            Some(value) => Some(value.into_u8_vec()?),
            None => None,
        };
        Ok(Ok(Self {
            width: width as usize,
            height: height as usize,
            samples: number(tags, Tag::SamplesPerPixel, 1)? as usize,
            bits,
            format,
            photometric: number(tags, Tag::PhotometricInterpretation, u32::MAX)?,
            extra: numbers(tags, Tag::ExtraSamples)?.into_iter().map(|v| v as u32).collect(),
            compression: number(tags, Tag::Compression, compression::NONE)?,
            predictor: number(tags, Tag::Predictor, 1)?,
            planes: number(tags, Tag::PlanarConfiguration, 1)? == 2,
            bits_reversed: number(tags, Tag::FillOrder, 1)? == 2,
            big_endian: tags.byte_order() == ByteOrder::BigEndian,
            chunk: (chunk_width as usize, chunk_height as usize),
            places,
            jpeg_tables,
            palette: numbers(tags, Tag::ColorMap)?,
            orientation: orientation(tags),
        }))
    }

    /// Samples of a pixel that lie together in a chunk.
    pub(super) fn samples_in_chunk(&self) -> usize {
        if self.planes { 1 } else { self.samples }
    }

    /// Numbers of all pixels, if so many can be asked for.
    pub(super) fn count(&self, max_bytes: u64) -> Option<usize> {
        let pixels = (self.width as u64).checked_mul(self.height as u64)?;
        let count = pixels.checked_mul(self.samples as u64)?;
        let bytes = count.checked_mul(u64::from(self.bits.div_ceil(8).next_power_of_two()))?;
        // A tile may be larger than a small picture.
        let row = (self.chunk.0 as u64).checked_mul(self.samples as u64 * u64::from(self.bits))?.div_ceil(8);
        let chunk = row.checked_mul(self.chunk.1.min(self.height) as u64)?;
        (count > 0 && bytes.max(chunk) <= max_bytes).then_some(count as usize)
    }
}

pub(super) fn number(tags: &mut Tags, tag: Tag, missing: u32) -> Result<u32, TiffError> {
    Ok(tags.find_tag_unsigned(tag)?.unwrap_or(missing))
}

pub(super) fn numbers(tags: &mut Tags, tag: Tag) -> Result<Vec<u64>, TiffError> {
    Ok(tags.find_tag_unsigned_vec(tag)?.unwrap_or_default())
}
