//! What a TIFF's numbers show.

use super::layout::{Format, Layout, photometric};
use super::values::{self, Values};
use crate::{ImageError, Micrograph, Pixels};
use std::path::Path;

const EIGHT_BITS: &str = "save it with 8 or 16 bits per channel";

/// The picture as it is stored: not turned yet.
///
/// # Errors
/// Names the file and what about it cannot be read or known.
pub(crate) fn micrograph(path: &Path, layout: &Layout, max_bytes: u64) -> Result<Micrograph, ImageError> {
    let read = || {
        let channels = channels(layout)?;
        let mut file = crate::files::open(path).map_err(|e| e.to_string())?;
        let values = values::read(layout, &mut file, max_bytes)?;
        let values = without_alpha(layout, values, channels)?;
        let pixels = match layout.photometric {
            photometric::PALETTE => Pixels::Rgb8(looked_up(layout, &values)?.concat()),
            photometric::CMYK => from_cmyk(values)?,
            photometric::RGB | photometric::YCBCR => match values {
                Values::U8(v) if layout.bits == 8 => Pixels::Rgb8(v),
                Values::U16(v) if layout.bits == 16 => Pixels::Rgb16(v),
                _ => return Err(format!("has colours of {}; {EIGHT_BITS}", kind(layout))),
            },
            _ => grey(layout, values)?,
        };
        Ok(Micrograph { width: layout.width, height: layout.height, pixels })
    };
    read().map_err(|reason: String| ImageError::unreadable(path, reason))
}

fn kind(layout: &Layout) -> String {
    let kind = match layout.format {
        Format::Unsigned => "bits",
        Format::Signed => "bits with sign",
        Format::Float => "bits, floating-point numbers",
    };
    format!("{} {kind}", layout.bits)
}

/// How many of a pixel's samples are seen.
///
/// # Errors
/// When that is not known, or not read.
pub(super) fn channels(layout: &Layout) -> Result<usize, String> {
    let (seen, name) = match layout.photometric {
        photometric::WHITE_IS_ZERO | photometric::BLACK_IS_ZERO => (1, "grey"),
        photometric::PALETTE => (1, "palette"),
        photometric::RGB => (3, "RGB"),
        photometric::YCBCR if layout.compression == super::layout::compression::JPEG => (3, "YCbCr"),
        photometric::CMYK => (4, "CMYK"),
        photometric::YCBCR => return Err("has colours as luminance and chrominance; save it as RGB".into()),
        8..=10 => return Err("has colours as L*a*b*; save it as RGB or grey".into()),
        4 => return Err("is a transparency mask, no picture; save it as a grey image".into()),
        32803 | 34892 => return Err("is a raw picture of a camera; save it as RGB or grey".into()),
        other => return Err(format!("has colours of an unknown kind ({other}); save it as RGB or grey")),
    };
    let more = layout.samples.checked_sub(seen).ok_or_else(|| format!("has too few channels for {name}"))?;
    // Samples beyond the colours are there to be left out, but a grey image with further channels that nothing is said
    // of, and a colour image with many, is several pictures in one.
    let alpha = layout.extra.iter().all(|kind| matches!(kind, 1 | 2));
    let known = more == 0 || more == 1 && ((alpha && layout.extra.len() == 1) || seen > 1);
    if known {
        return Ok(seen);
    }
    Err(format!("has {} channels; save the one that is meant as a grey image of its own", layout.samples))
}

/// The channels that are seen.
///
/// # Errors
/// When colours were multiplied by an alpha that is not full everywhere: they are not what was seen in the microscope.
fn without_alpha(layout: &Layout, values: Values, seen: usize) -> Result<Values, String> {
    fn cut<T: Copy + PartialEq>(
        v: Vec<T>,
        of: usize,
        seen: usize,
        full: Option<T>,
    ) -> Result<Vec<T>, String> {
        if full.is_some_and(|full| v.chunks_exact(of).any(|pixel| pixel[seen] != full)) {
            return Err(
                "is transparent in places, which darkened its values; save it without transparency".into()
            );
        }
        Ok(v.chunks_exact(of).flat_map(|pixel| pixel[..seen].iter().copied()).collect())
    }
    let of = layout.samples;
    if of == seen {
        return Ok(values);
    }
    let premultiplied = layout.extra.contains(&1);
    let top = u64::MAX >> (64 - layout.bits.min(64));
    Ok(match values {
        Values::U8(v) => Values::U8(cut(v, of, seen, premultiplied.then_some(top as u8))?),
        Values::U16(v) => Values::U16(cut(v, of, seen, premultiplied.then_some(top as u16))?),
        _ => return Err(format!("has an alpha channel of {}; save it without transparency", kind(layout))),
    })
}

/// The colours of a palette, by their numbers. Its entries have 16 bits; 255 and 65535 both stand for white in what
/// programs write.
pub(super) fn looked_up(layout: &Layout, values: &Values) -> Result<Vec<[u8; 3]>, String> {
    let Values::U8(indices) = values else {
        return Err(format!("has a palette of {}; save it as RGB or grey", kind(layout)));
    };
    let entries = 1usize << layout.bits.min(8);
    if layout.format != Format::Unsigned || layout.palette.len() != 3 * entries {
        return Err("has a palette of the wrong length; save it as RGB or grey".into());
    }
    let deep = layout.palette.iter().any(|v| *v > 255);
    let colour = |i: u8, channel: usize| {
        let v = layout.palette[channel * entries + usize::from(i)];
        (if deep { v >> 8 } else { v }) as u8
    };
    Ok(indices.iter().map(|i| [0, 1, 2].map(|channel| colour(*i, channel))).collect())
}

fn from_cmyk(values: Values) -> Result<Pixels, String> {
    let share = |ink: u32, key: u32, top: u32| ((top - ink) * (top - key) + top / 2) / top;
    match values {
        Values::U8(v) => {
            let rgb = |p: &[u8]| [0, 1, 2].map(|i| share(p[i].into(), p[3].into(), 255) as u8);
            Ok(Pixels::Rgb8(v.chunks_exact(4).flat_map(rgb).collect()))
        }
        _ => Err("has CMYK colours of more than 8 bits; save it as RGB".into()),
    }
}

fn grey(layout: &Layout, values: Values) -> Result<Pixels, String> {
    let white_is_zero = layout.photometric == photometric::WHITE_IS_ZERO;
    let numbers: Vec<f32> = match values {
        Values::U8(v) if layout.bits == 8 => {
            return Ok(Pixels::Grey8(if white_is_zero { v.iter().map(|v| !v).collect() } else { v }));
        }
        Values::U8(v) if layout.bits == 1 => {
            let white = u8::from(!white_is_zero);
            return Ok(Pixels::Grey8(v.iter().map(|v| if *v == white { 255 } else { 0 }).collect()));
        }
        Values::U16(v) if layout.bits == 16 => {
            return Ok(Pixels::Grey16(if white_is_zero { v.iter().map(|v| !v).collect() } else { v }));
        }
        Values::U32(v) if layout.bits == 32 => v.into_iter().map(|v| v as f32).collect(),
        Values::I8(v) => v.into_iter().map(f32::from).collect(),
        Values::I16(v) => v.into_iter().map(f32::from).collect(),
        Values::I32(v) => v.into_iter().map(|v| v as f32).collect(),
        Values::F32(v) => v,
        Values::F64(v) => v.into_iter().map(|v| v as f32).collect(),
        // Which number is white is not certain: the highest of so many bits, or of the 8 or 16 they are kept in.
        _ => {
            let room = if layout.bits < 8 { 8 } else { 16 };
            return Err(format!("has grey values of {}; save it with {room} bits per pixel", kind(layout)));
        }
    };
    let strange = numbers.iter().filter(|v| !v.is_finite()).count();
    if strange > 0 {
        return Err(format!("{strange} pixels are no numbers (NaN or infinite); save it again without them"));
    }
    if !white_is_zero {
        return Ok(Pixels::Float(numbers));
    }
    if layout.format == Format::Float && numbers.iter().all(|v| (0.0..=1.0).contains(v)) {
        return Ok(Pixels::Float(numbers.into_iter().map(|v| 1.0 - v).collect()));
    }
    Err("says that its lowest number is white, but has numbers without a highest; save it with black as the lowest".into())
}
