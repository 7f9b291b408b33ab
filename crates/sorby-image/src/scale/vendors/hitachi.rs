//! Hitachi: a sidecar `.txt` with `[SemImageFile]`, ASCII or UTF-16; `PixelSize` in nanometres. Tabletop microscopes write
//! the same keys without a section into TIFF tag 40092.

use super::{Statements, plain};
use crate::scale::PixelSize;
use crate::scale::lengths::Fault;
use crate::scale::metadata::Metadata;
use crate::scale::text::{self, Ini};

const SECTION: &str = "SemImageFile";

pub(super) fn read(m: &Metadata, all: &mut Statements) {
    for sidecar in &m.sidecars {
        all.add_beside(&sidecar.name, settings(&sidecar.text, SECTION, "[SemImageFile] PixelSize"));
    }
    // Windows shows this tag as an image's comment: only Hitachi's own keys make it theirs.
    if let Some(comment) =
        m.text(40092).filter(|t| Ini::of(t).get("", "Condition").is_some_and(|c| c.contains("Vacc=")))
    {
        all.add("TIFF tag 40092", settings(&comment, "", "TIFF tag 40092, PixelSize"));
    }
}

fn settings(text: &str, section: &str, place: &'static str) -> Result<Option<PixelSize>, Fault> {
    let ini = Ini::of(text);
    let Some(nm) = ini.length(section, "PixelSize", "nm")? else { return Ok(None) };
    let written_for_px = ini.one(section, "DataSize")?.and_then(text::size);
    let scale_bar_nm = ini.length(section, "MicronMarker", "nm")?.filter(|nm| *nm > 0.0);
    Ok(Some(PixelSize { written_for_px, scale_bar_nm, ..plain("Hitachi", place, nm, nm) }))
}
