//! Strips and tiles of a TIFF without their compression.

use super::layout::{Layout, compression};
use crate::read::MOST_COMPRESSED;
use fax::decoder::{DecodeStatus, Group4Decoder, pels};
use std::fs::File;
use std::io::{Read, Seek as _, SeekFrom};

/// What is written beyond the pixels of a chunk is read up to here, so that checksums at the end are looked at.
const MOST_PADDING: u64 = 1 << 16;

pub(super) const INCOMPLETE: &str = "a part of the picture is missing; is the file complete?";

/// The bytes of a chunk, at least `needed`: rows without gaps, each from a byte's beginning.
///
/// # Errors
/// One line that says what is missing, or how to save the file that it can be read.
pub(super) fn read(layout: &Layout, file: &mut File, index: usize, needed: usize) -> Result<Vec<u8>, String> {
    let mut packed = stored(layout, file, index)?;
    if needed as u64 / MOST_COMPRESSED > packed.len() as u64 {
        return Err(INCOMPLETE.into());
    }
    if layout.bits_reversed {
        packed.iter_mut().for_each(|byte| *byte = byte.reverse_bits());
    }
    let bytes = match layout.compression {
        compression::NONE => packed,
        compression::LZW => lzw(&packed, needed)?,
        compression::PACKBITS => packbits(&packed, needed),
        compression::ZSTD => {
            let stream = ruzstd::decoding::StreamingDecoder::new(&packed[..]).map_err(damaged)?;
            stream_of(stream, needed)?
        }
        compression::FAX4 => fax4(layout, &packed, needed)?,
        kind if compression::DEFLATE.contains(&kind) => {
            stream_of(flate2::read::ZlibDecoder::new(&packed[..]), needed)?
        }
        kind => return Err(unknown(kind)),
    };
    if bytes.len() < needed { Err(INCOMPLETE.into()) } else { Ok(bytes) }
}

/// The bytes of a chunk as they lie in the file.
pub(super) fn stored(layout: &Layout, file: &mut File, index: usize) -> Result<Vec<u8>, String> {
    let (offset, length) = *layout.places.get(index).ok_or(INCOMPLETE)?;
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(offset)).map_err(damaged)?;
    file.take(length).read_to_end(&mut bytes).map_err(damaged)?;
    if length == 0 || bytes.len() as u64 != length { Err(INCOMPLETE.into()) } else { Ok(bytes) }
}

pub(super) fn damaged(error: impl std::fmt::Display) -> String {
    format!("cannot be decoded ({error}); is the file complete?")
}

fn unknown(kind: u32) -> String {
    let name = match kind {
        2 | 3 => "fax group 3",
        6 => "JPEG of the old kind",
        34712 | 33003 | 33004 | 33005 => "JPEG 2000",
        34887 => "LERC",
        34925 => "LZMA",
        50001 | 34927 => "WebP",
        50002 | 52546 => "JPEG XL",
        _ => return format!("is compressed in a way that is not read ({kind}); {SAVE_PLAIN}"),
    };
    format!("is compressed by {name}, which is not read; {SAVE_PLAIN}")
}

const SAVE_PLAIN: &str = "save it without compression, or with LZW or deflate";

/// A stream to its end, of which `needed` bytes count.
fn stream_of(mut stream: impl Read, needed: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    (&mut stream).take(needed as u64).read_to_end(&mut bytes).map_err(damaged)?;
    std::io::copy(&mut stream.take(MOST_PADDING), &mut std::io::sink()).map_err(damaged)?;
    Ok(bytes)
}

fn lzw(packed: &[u8], needed: usize) -> Result<Vec<u8>, String> {
    // Before 1992 codes began at the lowest bit: the first, 256, then shows as these bytes.
    if matches!(packed, [0, second, ..] if second & 1 == 1) {
        return Err(format!("is compressed by LZW of the old kind, which is not read; {SAVE_PLAIN}"));
    }
    let mut decoder = weezl::decode::Decoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8);
    let mut bytes = vec![0; needed];
    let (mut read, mut written) = (0, 0);
    while written < needed {
        let step = decoder.decode_bytes(&packed[read..], &mut bytes[written..]);
        let status = step.status.map_err(damaged)?;
        read += step.consumed_in;
        written += step.consumed_out;
        let stuck = step.consumed_in == 0 && step.consumed_out == 0;
        if stuck || !matches!(status, weezl::LzwStatus::Ok) {
            break;
        }
    }
    bytes.truncate(written);
    Ok(bytes)
}

fn packbits(packed: &[u8], needed: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(needed.min(packed.len().saturating_mul(64)));
    let mut rest = packed;
    while let [head, tail @ ..] = rest {
        rest = match *head {
            128 => tail,
            run @ 129.. => {
                let Some((value, after)) = tail.split_first() else { break };
                bytes.resize(bytes.len() + 257 - usize::from(run), *value);
                after
            }
            literal => {
                let length = (usize::from(literal) + 1).min(tail.len());
                bytes.extend_from_slice(&tail[..length]);
                &tail[length..]
            }
        };
        if bytes.len() >= needed {
            break;
        }
    }
    bytes
}

/// White is 0, in bits from the highest down.
fn fax4(layout: &Layout, packed: &[u8], needed: usize) -> Result<Vec<u8>, String> {
    let width = u16::try_from(layout.chunk.0).map_err(|_| "has too many columns for fax; save it as PNG")?;
    let input = packed.iter().map(|byte| Ok::<u8, std::convert::Infallible>(*byte));
    let mut decoder = Group4Decoder::new(input, width).map_err(|_| INCOMPLETE)?;
    let mut bytes = Vec::with_capacity(needed);
    while bytes.len() < needed {
        match decoder.advance() {
            Ok(DecodeStatus::Incomplete) => {}
            Ok(DecodeStatus::End) => break,
            Err(_) => return Err(INCOMPLETE.into()),
        }
        let mut bits = pels(decoder.transition(), width);
        for _ in 0..usize::from(width).div_ceil(8) {
            let byte = bits.by_ref().take(8).enumerate();
            bytes.push(byte.fold(0, |b, (i, c)| b | (u8::from(c == fax::Color::Black) << (7 - i))));
        }
    }
    Ok(bytes)
}
