//! Zeiss (LEO): pairs of lines `AP_X` / `Name = value unit` in TIFF tag 34118 or, in UTF-16, 34119. `AP_PIXEL_SIZE` is the
//! monitor's pixel; the image's is `AP_IMAGE_PIXEL_SIZE`.

use super::{Statements, plain};
use crate::scale::PixelSize;
use crate::scale::lengths::{self, Comma};
use crate::scale::metadata::Metadata;
use crate::scale::text;

pub(super) fn read(m: &Metadata, all: &mut Statements) {
    for (tag, name) in [(34118, "TIFF tag 34118"), (34119, "TIFF tag 34119")] {
        if let Some(text) = m.text(tag) {
            settings(&text, name, m, all);
        }
    }
}

fn settings(text: &str, tag: &str, m: &Metadata, all: &mut Statements) {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let value = |key: &str| -> Option<&str> {
        let at = lines.iter().position(|line| line.eq_ignore_ascii_case(key))?;
        let next = lines[at + 1..].iter().find(|line| !line.is_empty())?;
        Some(next.split_once('=')?.1.trim())
    };
    let comma = Comma::of(text);
    let written_for_px = value("DP_IMAGE_STORE").and_then(text::size);
    let width = f64::from(written_for_px.map_or(m.width_px, |(w, _)| w));
    let size = |nm, place| Some(PixelSize { written_for_px, ..plain("Zeiss", place, nm, nm) });
    let length = |key| value(key).map(|text| lengths::parse(text, comma, None));
    let pixel = length("AP_IMAGE_PIXEL_SIZE");
    let field = length("AP_WIDTH")
        .map(|field| field.map(|nm| size(nm / width, "Zeiss settings, AP_WIDTH over the image's width")));
    match (pixel, field) {
        (Some(pixel), field) => {
            all.add(tag, pixel.map(|nm| size(nm, "Zeiss settings, AP_IMAGE_PIXEL_SIZE")));
            all.sizes.extend(field.and_then(Result::ok).flatten());
        }
        (None, Some(field)) => all.add(tag, field),
        // The fourth line of the unnamed head: metres per pixel of a picture 1024 wide.
        (None, None) => {
            let metres = lines.get(3).and_then(|line| lengths::number(line, comma).ok());
            all.add(tag, Ok(metres.and_then(|m| size(1e9 * m * 1024.0 / width, "Zeiss settings, head"))));
        }
    }
}
