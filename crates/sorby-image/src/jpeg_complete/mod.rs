//! Whether a JPEG is whole. Decoders fill what is missing with grey and say nothing, and an end marker proves little: so
//! every code of the picture is counted here, without making pixels of them.

mod bits;
mod frame;
mod scan;

use bits::{Huffman, Stop};
use frame::Frame;
use scan::Scan;

const CUT: &str = "cannot be decoded (its data end before the picture does); is the file complete?";
const DAMAGED: &str = "cannot be decoded (its data are damaged); is the file complete?";

impl From<Stop> for String {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Ended => CUT.into(),
            Stop::Damaged => DAMAGED.into(),
        }
    }
}

/// Tables that segments set and scans use.
#[derive(Default)]
struct Tables {
    dc: [Option<Huffman>; 4],
    ac: [Option<Huffman>; 4],
    /// Units between restart markers; 0 for none.
    restart: usize,
}

/// Follows the markers from the first on; segments are passed over by their lengths, so that thumbnails in them do not
/// count. What follows the end marker (further pictures, padding) is not looked at.
///
/// # Errors
/// One line, when a code of the first picture is missing or is none. A file without end marker is whole when nothing
/// else is missing.
pub(crate) fn require_complete(data: &[u8]) -> Result<(), String> {
    let mut tables = Tables::default();
    let mut frame: Option<Frame> = None;
    let mut place = 2;
    loop {
        let Some(marker) = next_marker(data, &mut place) else {
            // A copy that was cut may be filled with zeros, which can pass for codes.
            let whole = frame.is_some_and(|frame| frame.has_everything()) && !data.ends_with(&[0, 0]);
            return if whole { Ok(()) } else { Err(CUT.into()) };
        };
        match marker {
            0xd9 => {
                return if frame.is_some_and(|frame| frame.has_a_picture()) {
                    Ok(())
                } else {
                    Err(CUT.into())
                };
            }
            0x01 | 0xd0..=0xd8 => continue,
            _ => {}
        }
        let Some(length) = data.get(place..place + 2).map(|b| usize::from(b[0]) << 8 | usize::from(b[1]))
        else {
            return Err(CUT.into());
        };
        let body = data.get(place + 2..place + length).ok_or(if length < 2 { DAMAGED } else { CUT })?;
        place += length;
        match marker {
            0xc0..=0xc2 if frame.is_none() => frame = Some(Frame::of(body, marker == 0xc2)?),
            // Kinds that the decoder refuses by name: lossless, arithmetic, hierarchical.
            0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf | 0xde => return Ok(()),
            0xc4 => tables.define(body)?,
            0xdd => tables.restart = body.get(..2).map_or(0, |b| usize::from(b[0]) << 8 | usize::from(b[1])),
            0xda => {
                let frame = frame.as_mut().ok_or(DAMAGED)?;
                place += Scan::of(body, frame, &tables)?.count(&data[place..], frame)?;
            }
            _ => {}
        }
    }
}

/// The marker at `place`, which goes behind it; fill bytes may stand before.
fn next_marker(data: &[u8], place: &mut usize) -> Option<u8> {
    while *data.get(*place)? != 0xff {
        *place += 1;
    }
    while *data.get(*place)? == 0xff {
        *place += 1;
    }
    *place += 1;
    Some(data[*place - 1])
}

impl Tables {
    fn define(&mut self, mut body: &[u8]) -> Result<(), String> {
        while let [kind, rest @ ..] = body {
            let counts = rest.get(..16).ok_or(DAMAGED)?;
            let symbols: usize = counts.iter().map(|n| usize::from(*n)).sum();
            let symbols = rest.get(16..16 + symbols).ok_or(DAMAGED)?;
            let set = if kind >> 4 == 0 { &mut self.dc } else { &mut self.ac };
            *set.get_mut(usize::from(kind & 15)).ok_or(DAMAGED)? = Some(Huffman::new(counts, symbols)?);
            body = &rest[16 + symbols.len()..];
        }
        Ok(())
    }
}
