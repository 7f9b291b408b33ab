//! JEOL: a sidecar `.txt` with the drawn bar: its length in pixels and what that stands for.

use super::{Statements, plain};
use crate::scale::PixelSize;
use crate::scale::lengths::{self, Comma, Fault};
use crate::scale::metadata::Metadata;
use crate::scale::text;

pub(super) fn read(m: &Metadata, all: &mut Statements) {
    for sidecar in &m.sidecars {
        all.add_beside(&sidecar.name, settings(&sidecar.text));
    }
}

fn settings(text: &str) -> Result<Option<PixelSize>, Fault> {
    let value = |key: &str| -> Option<&str> {
        text.lines().find_map(|line| {
            let (name, value) = line.trim().split_once([' ', '\t', '='])?;
            let value = value.trim_matches(|c: char| c.is_whitespace() || c == '=');
            (name.eq_ignore_ascii_case(key) && !value.is_empty()).then_some(value)
        })
    };
    let comma = Comma::of(text);
    let (Some(bar), Some(marker)) = (value("$$SM_MICRON_BAR"), value("$$SM_MICRON_MARKER")) else {
        return Ok(None);
    };
    let bar_px = lengths::number(bar, comma).map_err(|why| {
        Fault::Unreadable(format!("states $$SM_MICRON_BAR `{}`: {why}", lengths::short(bar)))
    })?;
    let marker = lengths::parse(marker, comma, None)?;
    let nm = marker / bar_px;
    let place = "$$SM_MICRON_MARKER over $$SM_MICRON_BAR";
    let written_for_px = value("$CM_FULL_SIZE").and_then(text::size);
    Ok(Some(PixelSize { written_for_px, scale_bar_nm: Some(marker), ..plain("JEOL", place, nm, nm) }))
}
