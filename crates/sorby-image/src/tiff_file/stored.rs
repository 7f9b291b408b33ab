//! A TIFF's numbers for labels.

use super::layout::{Layout, photometric};
use super::picture;
use super::values::{self, Values};
use crate::stored::Samples;
use std::path::Path;

/// The numbers as stored: indices of a palette, never inverted.
pub(crate) fn stored(path: &Path, layout: &Layout, max_bytes: u64) -> Result<Samples, String> {
    let seen = picture::channels(layout)?;
    let mut file = crate::files::open(path).map_err(|e| e.to_string())?;
    let values = values::read(layout, &mut file, max_bytes)?;
    if seen > 1 {
        return coloured(layout, values, seen);
    }
    let of = layout.samples;
    Ok(match values {
        Values::U8(v) => Samples::U8(every(v, of)),
        Values::U16(v) => Samples::U16(every(v, of)),
        Values::U32(v) => Samples::U32(every(v, of)),
        Values::U64(v) => Samples::U64(every(v, of)),
        Values::I8(v) => Samples::I64(every(v, of).into_iter().map(i64::from).collect()),
        Values::I16(v) => Samples::I64(every(v, of).into_iter().map(i64::from).collect()),
        Values::I32(v) => Samples::I64(every(v, of).into_iter().map(i64::from).collect()),
        Values::I64(v) => Samples::I64(every(v, of)),
        Values::F32(v) => whole(every(v, of).into_iter().map(f64::from))?,
        Values::F64(v) => whole(every(v, of).into_iter())?,
    })
}

/// The colours that a viewer shows: those of a palette, too.
pub(crate) fn colours(path: &Path, layout: &Layout, max_bytes: u64) -> Result<Samples, String> {
    if layout.photometric != photometric::PALETTE {
        return stored(path, layout, max_bytes);
    }
    picture::channels(layout)?;
    let mut file = crate::files::open(path).map_err(|e| e.to_string())?;
    let indices = match values::read(layout, &mut file, max_bytes)? {
        Values::U8(v) => Values::U8(every(v, layout.samples)),
        other => other,
    };
    picture::looked_up(layout, &indices).map(Samples::Colours)
}

/// The first sample of each pixel: what follows is alpha.
fn every<T: Copy>(values: Vec<T>, of: usize) -> Vec<T> {
    if of == 1 { values } else { values.into_iter().step_by(of).collect() }
}

fn coloured(layout: &Layout, values: Values, seen: usize) -> Result<Samples, String> {
    let (of, bits) = (layout.samples, layout.bits);
    match values {
        Values::U8(v) if bits == 8 && seen == 3 => {
            Ok(Samples::Colours(v.chunks_exact(of).map(|p| [p[0], p[1], p[2]]).collect()))
        }
        Values::U16(v) if bits == 16 && seen == 3 => {
            Samples::of_deep_colours(v.chunks_exact(of).map(|p| [p[0], p[1], p[2]]))
        }
        _ => Err(format!("label of {seen} channels of {bits} bits; save labels with 8 bits per channel")),
    }
}

/// Floats that stand for whole numbers.
fn whole(values: impl Iterator<Item = f64>) -> Result<Samples, String> {
    /// Beyond, floats of 64 bits leave whole numbers out.
    const MOST: f64 = 9_007_199_254_740_992.0;
    let whole = values.map(|v| (v.fract() == 0.0 && v.abs() <= MOST).then_some(v as i64));
    let whole: Option<Vec<i64>> = whole.collect();
    whole
        .map(Samples::I64)
        .ok_or_else(|| "label of numbers that are not whole; save labels as integers".into())
}
