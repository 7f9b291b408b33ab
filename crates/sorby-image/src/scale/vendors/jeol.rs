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
    let values = |key: &'static str| {
        text.lines().filter_map(move |line| {
            let (name, value) = line.trim().split_once([' ', '\t', '='])?;
            let value = value.trim_matches(|c: char| c.is_whitespace() || c == '=');
            (name.eq_ignore_ascii_case(key) && !value.is_empty()).then_some(value)
        })
    };
    let comma = Comma::of(text);
    let (bar, marker) = ("$$SM_MICRON_BAR", "$$SM_MICRON_MARKER");
    if values(bar).next().is_none() || values(marker).next().is_none() {
        return Ok(None);
    }
    let pixels = |text: &str| {
        lengths::number(text, comma)
            .map_err(|why| Fault::Unreadable(format!("states {bar} `{}`: {why}", lengths::short(text))))
    };
    let bar_px = text::agreed(bar, values(bar), pixels)?;
    let marker = text::agreed(marker, values(marker), |text| lengths::parse(text, comma, None))?;
    let Some((bar_px, marker)) = bar_px.zip(marker) else { return Ok(None) };
    let nm = marker / bar_px;
    let place = "$$SM_MICRON_MARKER over $$SM_MICRON_BAR";
    let size = "$CM_FULL_SIZE";
    let written_for_px = text::agreed(size, values(size), |text| Ok(text::size(text)))?.flatten();
    Ok(Some(PixelSize { written_for_px, scale_bar_nm: Some(marker), ..plain("JEOL", place, nm, nm) }))
}
