//! A label or mask file as it is stored, before its values are given a meaning.

use crate::guard::guarded;
use crate::orientation::turned;
use crate::stored::{Samples, Stored, stored_colours, stored_values};
use crate::{ImageError, files, mask_note, read, tiff_file};
use image::codecs::bmp::BmpDecoder;
use std::io::{BufReader, Read as _};
use std::path::Path;

/// The stored values of a label or mask file, upright, with the facts that help to find their meaning.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelFile {
    /// Columns, in pixels.
    pub width: usize,
    /// Rows, in pixels.
    pub height: usize,
    /// Bits of each number in the file.
    pub bits: u32,
    /// The stored values, row-major; nothing is inverted or stretched.
    pub values: LabelValues,
    /// Colours that the file's palette gives the values, by value.
    pub palette: Option<Vec<[u8; 3]>>,
    /// Transparency of each pixel, 0 transparent, 255 opaque; `None` where all are opaque.
    pub alpha: Option<Vec<u8>>,
    /// Compressed with loss (JPEG): values are not exactly those that were saved.
    pub lossy: bool,
}

/// One value per pixel, row-major.
#[derive(Clone, Debug, PartialEq)]
pub enum LabelValues {
    /// Values of 0..=255, whatever the file's bits.
    Small(Vec<u8>),
    /// Whole numbers, at least one of them outside of 0..=255.
    Wide(Vec<i64>),
    /// Red, green, blue; at least one pixel is not grey.
    Colours(Vec<[u8; 3]>),
}

impl LabelFile {
    /// Reads stored values: palette indices, nothing inverted or stretched. Colour files whose three channels agree
    /// everywhere give that one channel.
    ///
    /// # Errors
    /// When the file cannot be read, has numbers that no label has, or a note of Sorby that is of other pixels.
    pub fn read(path: &Path) -> Result<Self, ImageError> {
        let file = Self::of(path, stored_values(path)?)?;
        let labels = match &file.values {
            LabelValues::Small(labels) => Some(&labels[..]),
            LabelValues::Wide(_) | LabelValues::Colours(_) => None,
        };
        mask_note::require_own_pixels(path, (file.width, file.height), labels)?;
        Ok(file)
    }

    /// Reads a file as colours, whatever it is: for labels painted in colours.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read_colours(path: &Path) -> Result<Self, ImageError> {
        Self::of(path, stored_colours(path)?)
    }

    fn of(path: &Path, stored: Stored) -> Result<Self, ImageError> {
        let too_large = || ImageError::unreadable(path, "has numbers of 64 bits that are no object's");
        let small_or = |v: Vec<i64>| match v.iter().map(|v| u8::try_from(*v)).collect() {
            Ok(small) => LabelValues::Small(small),
            Err(_) => LabelValues::Wide(v),
        };
        let values = match stored.samples {
            Samples::U8(v) => LabelValues::Small(v),
            Samples::U16(v) => small_or(v.into_iter().map(i64::from).collect()),
            Samples::U32(v) => small_or(v.into_iter().map(i64::from).collect()),
            Samples::U64(v) => {
                small_or(v.into_iter().map(i64::try_from).collect::<Result<_, _>>().map_err(|_| too_large())?)
            }
            Samples::I64(v) => small_or(v),
            Samples::Colours(v) => LabelValues::Colours(v),
        };
        let facts = guarded(path, || Facts::of(path))?;
        let alpha =
            facts.alpha.filter(|a| a.len() == stored.width * stored.height && a.iter().any(|a| *a != 255));
        Ok(Self {
            width: stored.width,
            height: stored.height,
            bits: stored.bits,
            values,
            palette: facts.palette,
            alpha,
            lossy: facts.lossy,
        })
    }
}

/// What a file says apart from its numbers.
#[derive(Default)]
struct Facts {
    palette: Option<Vec<[u8; 3]>>,
    alpha: Option<Vec<u8>>,
    lossy: bool,
}

impl Facts {
    fn of(path: &Path) -> Result<Self, ImageError> {
        if tiff_file::is_tiff(path) {
            let layout = tiff_file::Layout::read(path)?;
            let alpha = tiff_file::alpha(path, &layout, read::MAX_BYTES);
            let alpha = alpha.map(|a| turned(a, (layout.width, layout.height), 1, layout.orientation));
            return Ok(Self { palette: layout.palette_colours(), alpha, lossy: layout.is_lossy() });
        }
        let mut head = [0; 32];
        let file = files::open(path).map_err(|e| ImageError::io(path, e))?;
        let read = file.take(32).read(&mut head).map_err(|e| ImageError::io(path, e))?;
        match &head[..read.min(3)] {
            [0x89, b'P', b'N'] => png_facts(path),
            [b'B', b'M', _] => {
                let deep = head[28] == 32;
                Ok(Self {
                    palette: bmp_palette(path),
                    alpha: if deep { library_alpha(path)? } else { None },
                    lossy: false,
                })
            }
            [0xff, 0xd8, _] => Ok(Self { lossy: true, ..Self::default() }),
            _ => Ok(Self::default()),
        }
    }
}

fn png_facts(path: &Path) -> Result<Facts, ImageError> {
    let file = files::open(path).map_err(|e| ImageError::io(path, e))?;
    let Ok(reader) = png::Decoder::new(BufReader::new(file)).read_info() else { return Ok(Facts::default()) };
    let info = reader.info();
    let palette = info.palette.as_ref().filter(|_| info.color_type == png::ColorType::Indexed);
    let palette = palette.map(|p| p.chunks_exact(3).map(|c| [c[0], c[1], c[2]]).collect());
    let transparent = matches!(info.color_type, png::ColorType::GrayscaleAlpha | png::ColorType::Rgba);
    let alpha = if transparent { library_alpha(path)? } else { None };
    Ok(Facts { palette, alpha, lossy: false })
}

fn library_alpha(path: &Path) -> Result<Option<Vec<u8>>, ImageError> {
    let (image, orientation) = read::library(path)?;
    if !image.color().has_alpha() {
        return Ok(None);
    }
    let size = (image.width() as usize, image.height() as usize);
    let alpha = image.into_rgba8().pixels().map(|p| p.0[3]).collect();
    Ok(Some(turned(alpha, size, 1, orientation)))
}

fn bmp_palette(path: &Path) -> Option<Vec<[u8; 3]>> {
    let decoder = BmpDecoder::new(BufReader::new(files::open(path).ok()?)).ok()?;
    decoder.get_palette().map(<[_]>::to_vec)
}
