//! Olympus Soft Imaging: TIFF tag 33560 points to a binary block whose general part holds a power of ten and the pixel
//! size in it; some files hold an ini text in tag 33471 instead. Metres.

use super::{Statements, plain};
use crate::scale::PixelSize;
use crate::scale::lengths::Fault;
use crate::scale::metadata::Metadata;
use crate::scale::text::Ini;

pub(super) fn read(m: &Metadata, all: &mut Statements) {
    let block = m.number(33560).and_then(|offset| {
        let Some(offset) = offset else { return Ok(None) };
        // Programs that save such a file anew keep the tag, but not what it points to.
        let lost = "points to nothing that can be read, so it was saved by another program since";
        binary(m, offset).map(Some).ok_or_else(|| Fault::NoScale(lost.to_owned()))
    });
    all.add("TIFF tag 33560", block);
    if let Some(text) = m.text(33471) {
        all.add("TIFF tag 33471", settings(&text));
    }
}

fn binary(m: &Metadata, offset: f64) -> Option<PixelSize> {
    const HEAD: usize = 60;
    let short = |b: &[u8], at: usize| Some(i16::from_le_bytes(b.get(at..at + 2)?.try_into().ok()?));
    let double = |b: &[u8], at: usize| Some(f64::from_le_bytes(b.get(at..at + 8)?.try_into().ok()?));
    let offset = (offset >= 0.0).then_some(offset as u64)?;
    let head = m.bytes_at(offset, HEAD)?;
    if &head[..4] != b"SIS0" {
        return None;
    }
    let count = usize::try_from(short(&head, HEAD - 2)?).ok()?;
    let parts = m.bytes_at(offset.checked_add(HEAD as u64)?, 8 * count)?;
    let general = parts.chunks_exact(8).find(|part| part[..2] == [1, 0])?;
    let at = u32::from_le_bytes(general[4..8].try_into().ok()?);
    let block = m.bytes_at(at.into(), 28)?;
    let unit = 1e9 * 10f64.powi(short(&block, 10)?.into());
    Some(plain("Olympus SIS", "TIFF tag 33560", unit * double(&block, 12)?, unit * double(&block, 20)?))
}

fn settings(text: &str) -> Result<Option<PixelSize>, Fault> {
    let ini = Ini::of(text);
    let Some(x) = ini.length("", "PixelSizeX", "m")? else { return Ok(None) };
    let y = ini.length("", "PixelSizeY", "m")?.unwrap_or(x);
    Ok(Some(plain("Olympus SIS", "TIFF tag 33471, PixelSizeX", x, y)))
}
