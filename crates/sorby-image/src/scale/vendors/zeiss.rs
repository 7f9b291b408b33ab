//! Zeiss (LEO): pairs of lines `AP_X` / `Name = value unit` in TIFF tag 34118 or, in UTF-16, 34119. `AP_PIXEL_SIZE` is the
//! monitor's pixel; the image's is `AP_IMAGE_PIXEL_SIZE`.

use super::{Statements, plain};
use crate::scale::PixelSize;
use crate::scale::lengths::{self, Comma, Fault};
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
    let lines = &lines[..];
    let values = |key: &'static str| {
        let keys = (0..lines.len()).filter(move |at| lines[*at].eq_ignore_ascii_case(key));
        keys.filter_map(move |at| {
            let next = lines[at + 1..].iter().find(|line| !line.is_empty())?;
            Some(next.split_once('=')?.1.trim())
        })
    };
    let comma = Comma::of(text);
    let stored = text::agreed("DP_IMAGE_STORE", values("DP_IMAGE_STORE"), |text| Ok(text::size(text)));
    let written_for_px = match stored {
        Ok(size) => size.flatten(),
        Err(fault) => return all.add(tag, Err(fault)),
    };
    let width = f64::from(written_for_px.map_or(m.width_px, |(w, _)| w));
    let size = |nm, place| Some(PixelSize { written_for_px, ..plain("Zeiss", place, nm, nm) });
    let length = |key| text::agreed(key, values(key), |text| lengths::parse(text, comma, None)).transpose();
    let (pixel, field) = (length("AP_IMAGE_PIXEL_SIZE"), length("AP_WIDTH"));
    if pixel.is_none() && field.is_none() {
        // The fourth line of the unnamed head: metres per pixel of a picture 1024 wide. Other lines may stand there.
        let metres = lines.get(3).and_then(|line| lengths::number(line, comma).ok());
        return all.add(tag, Ok(metres.and_then(|m| size(1e9 * m * 1024.0 / width, "Zeiss settings, head"))));
    }
    let add = |all: &mut Statements, length: Option<Result<f64, Fault>>, per_px: f64, place| {
        if let Some(length) = length {
            all.add(tag, length.map(|nm| size(nm / per_px, place)));
        }
    };
    add(all, pixel, 1.0, "Zeiss settings, AP_IMAGE_PIXEL_SIZE");
    add(all, field, width, "Zeiss settings, AP_WIDTH over the image's width");
}
