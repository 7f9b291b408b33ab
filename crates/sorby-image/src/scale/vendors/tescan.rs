//! Tescan: `key=value` lines between binary blocks in TIFF tag 50431, or in a sidecar `.hdr`; metres.

use super::{Statements, plain};
use crate::scale::PixelSize;
use crate::scale::lengths::Fault;
use crate::scale::metadata::Metadata;
use crate::scale::text::Ini;

pub(super) fn read(m: &Metadata, all: &mut Statements) {
    if let Some(text) = m.text(50431) {
        all.add("TIFF tag 50431", settings(&text, "TIFF tag 50431, PixelSizeX"));
    }
    for sidecar in &m.sidecars {
        all.add_beside(&sidecar.name, settings(&sidecar.text, "PixelSizeX"));
    }
}

fn settings(text: &str, place: &'static str) -> Result<Option<PixelSize>, Fault> {
    let ini = Ini::of(text);
    let Some(x) = ini.length("", "PixelSizeX", "m")? else { return Ok(None) };
    let y = ini.length("", "PixelSizeY", "m")?.unwrap_or(x);
    // Rows of the strip under the image, where written.
    Ok(Some(PixelSize { data_bar_px: ini.count("", "ImageStripSize")?, ..plain("Tescan", place, x, y) }))
}
