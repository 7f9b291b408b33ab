//! The numbers of a TIFF's pixels as they are stored: no colour is looked up, nothing is inverted.

use super::chunks;
use super::jpeg;
use super::layout::{Format, Layout, compression};
use std::fs::File;

/// Row-major, samples of a pixel next to each other. Numbers of odd bits are in the next larger kind.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Values {
    U8(Vec<u8>),
    U16(Vec<u16>),
    U32(Vec<u32>),
    U64(Vec<u64>),
    I8(Vec<i8>),
    I16(Vec<i16>),
    I32(Vec<i32>),
    I64(Vec<i64>),
    F32(Vec<f32>),
    F64(Vec<f64>),
}

/// # Errors
/// One line that says what is missing, or how to save the file that it can be read.
pub(crate) fn read(layout: &Layout, file: &mut File, max_bytes: u64) -> Result<Values, String> {
    let count = layout.count(max_bytes).ok_or("has no pixels, or more than fit into memory")?;
    if layout.compression == compression::JPEG {
        return jpeg::read(layout, file, count).map(Values::U8);
    }
    require_known_predictor(layout)?;
    Ok(match (layout.format, layout.bits) {
        (Format::Unsigned, 1..=8) => Values::U8(fill(layout, file, count, |v| v as u8)?),
        (Format::Unsigned, 9..=16) => Values::U16(fill(layout, file, count, |v| v as u16)?),
        (Format::Unsigned, 17..=32) => Values::U32(fill(layout, file, count, |v| v as u32)?),
        (Format::Unsigned, 64) => Values::U64(fill(layout, file, count, |v| v)?),
        (Format::Signed, 8) => Values::I8(fill(layout, file, count, |v| v as i8)?),
        (Format::Signed, 16) => Values::I16(fill(layout, file, count, |v| v as i16)?),
        (Format::Signed, 32) => Values::I32(fill(layout, file, count, |v| v as i32)?),
        (Format::Signed, 64) => Values::I64(fill(layout, file, count, |v| v as i64)?),
        (Format::Float, 16) => Values::F32(fill(layout, file, count, |v| small_float(v, 5, 10))?),
        (Format::Float, 24) => Values::F32(fill(layout, file, count, |v| small_float(v, 7, 16))?),
        (Format::Float, 32) => Values::F32(fill(layout, file, count, |v| f32::from_bits(v as u32))?),
        (Format::Float, 64) => Values::F64(fill(layout, file, count, f64::from_bits)?),
        (format, bits) => {
            let kind = match format {
                Format::Unsigned => "integers",
                Format::Signed => "signed integers",
                Format::Float => "floats",
            };
            return Err(format!(
                "its pixels are {kind} of {bits} bits; save it with 8 or 16 bits per channel"
            ));
        }
    })
}

fn require_known_predictor(layout: &Layout) -> Result<(), String> {
    let whole = matches!(layout.bits, 8 | 16 | 32 | 64);
    match layout.predictor {
        1 => Ok(()),
        2 if whole => Ok(()),
        3 if layout.format == Format::Float => Ok(()),
        kind => Err(format!(
            "is compressed with predictor {kind} on {} bits, which is not read; save it without predictor",
            layout.bits
        )),
    }
}

/// All numbers, converted from their bits.
fn fill<T: Copy + Default>(
    layout: &Layout,
    file: &mut File,
    count: usize,
    convert: impl Fn(u64) -> T,
) -> Result<Vec<T>, String> {
    let (chunk_width, chunk_height) = layout.chunk;
    let together = layout.samples_in_chunk();
    let row_bytes = (chunk_width * together * layout.bits as usize).div_ceil(8);
    let across = layout.width.div_ceil(chunk_width);
    let per_plane = across * layout.height.div_ceil(chunk_height);
    let mut out = vec![T::default(); count];
    let mut row = Vec::with_capacity(chunk_width * together);
    for index in 0..per_plane * if layout.planes { layout.samples } else { 1 } {
        let (plane, place) = (index / per_plane, index % per_plane);
        let (top, left) = (place / across * chunk_height, place % across * chunk_width);
        let rows = chunk_height.min(layout.height - top);
        let columns = chunk_width.min(layout.width - left);
        let bytes = chunks::read(layout, file, index, rows * row_bytes)?;
        for (y, packed) in bytes.chunks_exact(row_bytes).take(rows).enumerate() {
            numbers(layout, packed, &mut row);
            let start = ((top + y) * layout.width + left) * layout.samples;
            let line = &mut out[start..][..columns * layout.samples];
            match layout.planes {
                true => line
                    .iter_mut()
                    .skip(plane)
                    .step_by(layout.samples)
                    .zip(&row)
                    .for_each(|(o, v)| *o = convert(*v)),
                false => line.iter_mut().zip(&row).for_each(|(o, v)| *o = convert(*v)),
            }
        }
    }
    Ok(out)
}

/// The bits of each number in a row, without predictor.
fn numbers(layout: &Layout, packed: &[u8], row: &mut Vec<u64>) {
    row.clear();
    let bits = layout.bits as usize;
    let together = layout.samples_in_chunk();
    let count = layout.chunk.0 * together;
    if layout.predictor == 3 {
        return float_differences(packed, bits / 8, together, row);
    }
    match bits {
        8 => row.extend(packed.iter().map(|byte| u64::from(*byte))),
        16 | 24 | 32 | 64 => row.extend(packed.chunks_exact(bits / 8).map(|bytes| {
            let join = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
            if layout.big_endian { bytes.iter().fold(0, join) } else { bytes.iter().rev().fold(0, join) }
        })),
        // Packed without gaps, from the highest bit down, whatever the order of bytes.
        _ => row.extend((0..count).map(|i| {
            (i * bits..(i + 1) * bits)
                .fold(0, |value, bit| value << 1 | u64::from(packed[bit / 8] >> (7 - bit % 8) & 1))
        })),
    }
    if layout.predictor == 2 {
        for i in together..row.len() {
            row[i] = row[i].wrapping_add(row[i - together]);
        }
        let mask = u64::MAX >> (64 - bits);
        row.iter_mut().for_each(|value| *value &= mask);
    }
}

/// Predictor 3: differences of bytes, with the highest bytes of all numbers first, then the next ones.
fn float_differences(packed: &[u8], bytes: usize, together: usize, row: &mut Vec<u64>) {
    let mut sums = packed.to_vec();
    for i in together..sums.len() {
        sums[i] = sums[i].wrapping_add(sums[i - together]);
    }
    let count = sums.len() / bytes;
    row.extend(
        (0..count).map(|i| (0..bytes).fold(0, |value, b| value << 8 | u64::from(sums[b * count + i]))),
    );
}

/// A float of fewer than 32 bits: sign, `exponent` bits, `mantissa` bits, as IEEE 754 has them.
fn small_float(bits: u64, exponent: u32, mantissa: u32) -> f32 {
    let fraction = (bits & ((1 << mantissa) - 1)) as f32 / (1u64 << mantissa) as f32;
    let power = (bits >> mantissa) as i32 & ((1 << exponent) - 1);
    let bias = (1 << (exponent - 1)) - 1;
    let size = match power {
        0 => fraction * 2f32.powi(1 - bias),
        p if p == (1 << exponent) - 1 => {
            if fraction == 0.0 {
                f32::INFINITY
            } else {
                f32::NAN
            }
        }
        p => (1.0 + fraction) * 2f32.powi(p - bias),
    };
    if bits >> (exponent + mantissa) & 1 == 1 { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::small_float;

    #[test]
    fn half_floats() {
        for (bits, value) in [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x3555, 0.333_251_95),
            (0x7bff, 65504.0),
            (0x0001, 5.960_464_5e-8),
            (0, 0.0),
        ] {
            assert_eq!(small_float(bits, 5, 10), value, "{bits:x}");
        }
        assert!(small_float(0x7c00, 5, 10).is_infinite() && small_float(0x7e00, 5, 10).is_nan());
    }

    #[test]
    fn floats_of_24_bits() {
        // 1 sign, 7 exponent (bias 63), 16 mantissa.
        assert_eq!(small_float(0x3f0000, 7, 16), 1.0);
        assert_eq!(small_float(0xc08000, 7, 16), -3.0);
    }
}
