//! What a TIFF says apart from its numbers.

use super::layout::{Layout, compression, photometric};
use super::picture;
use super::values::{self, Values};
use std::path::Path;

impl Layout {
    /// Colours of a palette's indices.
    pub fn palette_colours(&self) -> Option<Vec<[u8; 3]>> {
        let entries = 1usize << self.bits.min(16);
        if self.photometric != photometric::PALETTE || self.palette.len() != 3 * entries {
            return None;
        }
        // Entries have 16 bits; 255 and 65535 both stand for white in what programs write.
        let deep = self.palette.iter().any(|v| *v > 255);
        let part = |i: usize, channel: usize| {
            let v = self.palette[channel * entries + i];
            (if deep { v >> 8 } else { v }) as u8
        };
        Some((0..entries).map(|i| [0, 1, 2].map(|channel| part(i, channel))).collect())
    }

    /// Whether values are not exactly those that were saved.
    pub fn is_lossy(&self) -> bool {
        self.compression == compression::JPEG
    }
}

/// Transparency of each pixel as stored, 0..=255; `None` without an alpha channel.
pub(crate) fn alpha(path: &Path, layout: &Layout, max_bytes: u64) -> Option<Vec<u8>> {
    let seen = picture::channels(layout).ok()?;
    if layout.samples <= seen {
        return None;
    }
    let mut file = crate::files::open(path).ok()?;
    let part = |v: u64, top: u64| match v {
        0 => 0,
        v if v == top => 255,
        v => (v * 255 / top.max(1)).clamp(1, 254) as u8,
    };
    match values::read(layout, &mut file, max_bytes).ok()? {
        Values::U8(v) => Some(v.chunks_exact(layout.samples).map(|p| part(p[seen].into(), 255)).collect()),
        Values::U16(v) => Some(v.chunks_exact(layout.samples).map(|p| part(p[seen].into(), 65535)).collect()),
        _ => None,
    }
}
