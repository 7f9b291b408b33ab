//! The pictures of a report: each image with the outlines of what was found, and a scale bar.

use super::record::ImageResult;
use super::rounding::significant;
use crate::Result;
use sorby_image::{LabelFile, LabelMap, LabelValues, Micrograph};
use sorby_report::{Picture, overlay};
use std::path::Path;

/// Longest side of a picture.
const EDGE_PX: usize = 900;

/// The image with the outlines of its mask.
pub fn outlined(image: &ImageResult, masks: &Path) -> Result<Picture> {
    let input = &image.input;
    let mask = LabelFile::read(&masks.join(format!("{}.png", input.name)))?;
    let colours = mask.palette.unwrap_or_default();
    let labels = match mask.values {
        LabelValues::Small(labels) => labels,
        // A mask of `segment` has indices; of anything else no outline is drawn.
        _ => vec![0; mask.width * mask.height],
    };
    let map = LabelMap { width: mask.width, height: mask.height, labels };
    let grey = Micrograph::read(&input.file)?.to_grey8();
    // What is made smaller by averaging keeps a line of one pixel.
    let thick = map.width.max(map.height).div_ceil(EDGE_PX).max(1);
    let mut picture = overlay::outlines(&grey, &map, &colours, thick).thumbnail(EDGE_PX);
    let nm_per_px = input.scale.as_ref().map(|s| s.nm_per_px * map.width as f64 / picture.width as f64);
    let bar = nm_per_px.map(|nm| picture.draw_scale_bar(nm));
    Ok(Picture::png(caption(image, bar), &picture.png()))
}

fn caption(image: &ImageResult, bar_nm: Option<f64>) -> String {
    let counts: Vec<String> = image
        .classes
        .iter()
        .map(|c| {
            format!(
                "{} particles of {} ({} % of the field)",
                c.counted,
                c.class,
                significant(c.area_percent, 3)
            )
        })
        .collect();
    let bar = bar_nm.map_or("no pixel size, no scale bar".to_owned(), |nm| format!("bar {}", bar_words(nm)));
    format!("{}: {}; {bar}", image.input.name, counts.join(", "))
}

/// A round length.
fn bar_words(nm: f64) -> String {
    match nm {
        nm if nm >= 1e6 => format!("{} mm", nm / 1e6),
        nm if nm >= 1e3 => format!("{} µm", nm / 1e3),
        nm => format!("{nm} nm"),
    }
}
