//! Decoding image files, within bounds on memory.

use crate::guard::guarded;
use crate::orientation::{turned, upright};
use crate::{ImageError, Micrograph, Pixels, files, grey_range, jpeg_complete, png_chunks, tiff_file};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// Refuse to allocate more than this for one image: a hostile or damaged header must not exhaust memory.
pub(crate) const MAX_BYTES: u64 = 4 << 30;

pub(crate) fn micrograph(path: &Path) -> Result<Micrograph, ImageError> {
    Ok(match numbers(path)? {
        // Floats within 0..1 have their black and white.
        (image, true) if is_unit(&image) => grey_range::stretched(&image, 0.0, 1.0),
        (image, _) => image,
    })
}

fn is_unit(image: &Micrograph) -> bool {
    matches!(&image.pixels, Pixels::Float(v) if v.iter().all(|v| (0.0..=1.0).contains(v)))
}

/// The picture with its numbers as they are stored, upright; and whether the file holds floats.
pub(crate) fn numbers(path: &Path) -> Result<(Micrograph, bool), ImageError> {
    guarded(path, || {
        require_sound_header(path)?;
        let mut floats = false;
        let (image, orientation) = if tiff_file::is_tiff(path) {
            let layout = tiff_file::Layout::read(path)?;
            floats = layout.holds_floats();
            (tiff_file::micrograph(path, &layout, MAX_BYTES)?, layout.orientation)
        } else {
            let (image, orientation) = library(path)?;
            (of_library(path, image)?, orientation)
        };
        if image.width == 0 || image.height == 0 {
            return Err(ImageError::unreadable(path, "the image is empty"));
        }
        let image = Micrograph { pixels: single_channel(image.pixels), ..image };
        Ok((turned_upright(image, orientation), floats))
    })
}

fn of_library(path: &Path, image: DynamicImage) -> Result<Micrograph, ImageError> {
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
    Ok(Micrograph { width, height, pixels })
}

fn turned_upright(image: Micrograph, orientation: Orientation) -> Micrograph {
    let size = (image.width, image.height);
    let pixels = match image.pixels {
        Pixels::Grey8(p) => Pixels::Grey8(turned(p, size, 1, orientation)),
        Pixels::Grey16(p) => Pixels::Grey16(turned(p, size, 1, orientation)),
        Pixels::Rgb8(p) => Pixels::Rgb8(turned(p, size, 3, orientation)),
        Pixels::Rgb16(p) => Pixels::Rgb16(turned(p, size, 3, orientation)),
        Pixels::Float(p) => Pixels::Float(turned(p, size, 1, orientation)),
    };
    let (width, height) = upright(image.width, image.height, orientation);
    Micrograph { width, height, pixels }
}

/// Width and height of the upright picture, as the file declares them; `None` when it cannot be read.
pub fn dimensions(path: &Path) -> Option<(usize, usize)> {
    let (width, height, orientation) = header(path)?;
    let (w, h) = upright(width, height, orientation);
    Some((w as usize, h as usize))
}

/// Whether the file asks to be turned (EXIF orientation) and is turned when it is read: programs that do not do so show,
/// and draw on, another picture.
pub fn is_turned(path: &Path) -> bool {
    header(path).is_some_and(|(_, _, orientation)| orientation != Orientation::NoTransforms)
}

/// Size as stored, and how it is to be turned.
pub(crate) fn header(path: &Path) -> Option<(u32, u32, Orientation)> {
    let read = || {
        if tiff_file::is_tiff(path) {
            return tiff_file::size(path);
        }
        let missing = || ImageError::unreadable(path, "no image");
        let mut reader = open(path)?;
        reader.no_limits();
        let format = reader.format().ok_or_else(missing)?;
        let mut decoder = reader.into_decoder().map_err(|_| missing())?;
        let (width, height) = decoder.dimensions();
        Ok((width, height, orientation(path, format, &mut decoder)))
    };
    guarded(path, read).ok()
}

fn open(path: &Path) -> Result<ImageReader<BufReader<File>>, ImageError> {
    let io = |e| ImageError::io(path, e);
    let mut reader = ImageReader::new(BufReader::new(files::open(path).map_err(io)?));
    if let Ok(format) = ImageFormat::from_path(path) {
        // What the name says, where the first bytes say nothing.
        reader.set_format(format);
    }
    reader.with_guessed_format().map_err(io)
}

/// Bytes that an image's pixels take once they are read, as the file declares them; `None` when it cannot be read.
pub fn decoded_bytes(path: &Path) -> Option<u64> {
    let read = || {
        if tiff_file::is_tiff(path) {
            return tiff_file::declared_bytes(path);
        }
        let decoder = open(path)?.into_decoder();
        Ok(decoder.map_err(|e| ImageError::unreadable(path, e))?.total_bytes())
    };
    guarded(path, read).ok()
}

/// What is damaged or strange is taken as upright, as every viewer does.
fn orientation(path: &Path, format: ImageFormat, decoder: &mut impl image::ImageDecoder) -> Orientation {
    match format {
        ImageFormat::Png => png_chunks::facts(path).orientation,
        _ => decoder.orientation().unwrap_or(Orientation::NoTransforms),
    }
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

/// Pixels to a byte of the file, at most: LZW comes to 1365, deflate to 1032, one bit each to eight times that, zstd to
/// 32 768 in blocks of one value.
pub(crate) const MOST_COMPRESSED: u64 = 65_536;

/// Refuses a file that declares a size its bytes cannot hold: memory is not asked for on a header's word alone.
pub(crate) fn require_sound_header(path: &Path) -> Result<(), ImageError> {
    let Some((width, height, _)) = header(path) else { return Ok(()) };
    let stored = files::open(path).and_then(|f| f.metadata()).map_err(|e| ImageError::io(path, e))?.len();
    if u64::from(width) * u64::from(height) / MOST_COMPRESSED > stored {
        let reason =
            format!("says it has {width}x{height} pixels but has {stored} bytes; the file is damaged");
        return Err(ImageError::unreadable(path, reason));
    }
    Ok(())
}

/// A PNG, JPEG or BMP as it is stored, and how it is to be turned.
pub(crate) fn library(path: &Path) -> Result<(DynamicImage, Orientation), ImageError> {
    let mut reader = open(path)?;
    let format = match reader.format() {
        Some(format @ (ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::Bmp)) => format,
        Some(other) if other != ImageFormat::Tiff => {
            let reason = format!("is a {other:?} file, which is not read; save it as PNG or TIFF");
            return Err(ImageError::unreadable(path, reason));
        }
        _ => return Err(ImageError::unreadable(path, "not a PNG, TIFF, JPEG or BMP file")),
    };
    if format == ImageFormat::Png {
        let pictures = png_chunks::facts(path).pictures;
        if pictures > 1 {
            let reason =
                format!("holds {pictures} pictures; save the one that is meant as a file of its own");
            return Err(ImageError::unreadable(path, reason));
        }
    }
    if format == ImageFormat::Jpeg {
        let data = files::read(path).map_err(|e| ImageError::io(path, e))?;
        jpeg_complete::require_complete(&data).map_err(|reason| ImageError::unreadable(path, reason))?;
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_BYTES);
    reader.limits(limits);
    let refused = |e: image::ImageError| {
        let advice = match e {
            image::ImageError::Unsupported(_) => "save it as PNG or TIFF with 8 or 16 bits per channel",
            _ => "is the file complete?",
        };
        ImageError::unreadable(path, format!("cannot be decoded ({e}); {advice}"))
    };
    let mut decoder = reader.into_decoder().map_err(refused)?;
    if decoder.total_bytes() > MAX_BYTES {
        return Err(ImageError::unreadable(
            path,
            "says it is larger than any image that is read; is it damaged?",
        ));
    }
    let orientation = orientation(path, format, &mut decoder);
    Ok((DynamicImage::from_decoder(decoder).map_err(refused)?, orientation))
}
