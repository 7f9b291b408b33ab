//! Every image: what was found, how far its mask can be trusted, and its picture.

use super::super::pictures;
use super::super::record::{ImageClass, ImageResult, LotRecord};
use super::super::rounding::{percent, significant};
use super::super::units::{area, length};
use super::source_words;
use crate::Result;
use sorby_report::{Section, sheet_table};
use std::path::Path;

pub fn sections(record: &LotRecord, masks: &Path) -> Result<Vec<Section>> {
    let head = ["Image", "Pixel size and its source", "Field", "Found", "How far the mask can be trusted"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(record.images.iter().map(row));
    let mut out = vec![Section {
        heading: "Images".into(),
        text: "Particles found in each image are counted as they are seen; the results above are taken over all fields \
               together."
            .into(),
        blocks: vec![sheet_table(&rows)],
        ..Section::default()
    }];
    if !record.left_out.is_empty() {
        let mut rows = vec![vec!["Image".to_owned(), "Why it is left out".to_owned()]];
        rows.extend(record.left_out.iter().map(|(file, reason)| vec![file.clone(), reason.clone()]));
        out.push(Section {
            heading: "Images left out".into(),
            blocks: vec![sheet_table(&rows)],
            ..Section::default()
        });
    }
    let pictures = record.images.iter().map(|i| pictures::outlined(i, masks)).collect::<Result<_>>()?;
    out.push(Section {
        heading: "Pictures with the outlines of what was found".into(),
        pictures,
        ..Section::default()
    });
    Ok(out)
}

fn row(image: &ImageResult) -> Vec<String> {
    let input = &image.input;
    let scale = input.scale.as_ref().map_or("not known".to_owned(), |s| {
        format!("{}\n{}", length(s.nm_per_px, 4), source_words(&s.source))
    });
    let (w, h) = input.size_px;
    let bar = match input.data_bar_px {
        0 => String::new(),
        rows => format!("\ndata bar: the last {rows} rows"),
    };
    let field = input
        .scale
        .as_ref()
        .map_or(String::new(), |s| format!("\n{}", area(image.field_area_px as f64 * s.nm_per_px.powi(2))));
    let taken = input.instrument.taken.as_ref().map_or(String::new(), |t| format!("\ntaken {t}"));
    let found: Vec<String> = image
        .classes
        .iter()
        .map(|c| {
            format!("{}: {} particles, {} % of the field", c.class, c.counted, significant(c.area_percent, 3))
        })
        .collect();
    vec![
        format!("{}{taken}", input.name),
        scale,
        format!("{w} x {h} pixels{field}{bar}"),
        found.join("\n"),
        trust(image),
    ]
}

fn trust(image: &ImageResult) -> String {
    let mut lines = vec![match image.unlike {
        Some(true) => "UNLIKE the training images: look at the mask".to_owned(),
        Some(false) => "like the training images".to_owned(),
        None => "likeness to the training images not known".to_owned(),
    }];
    if image.trained {
        lines.push("trained the model itself".to_owned());
    }
    lines.extend(image.classes.iter().map(expected));
    lines.join("\n")
}

/// What can be expected of a mask that nobody has drawn by hand.
fn expected(class: &ImageClass) -> String {
    match class.expected_iou {
        None => format!("{}: overlap with a hand-drawn mask not known", class.class),
        Some((value, None)) => format!(
            "{}: expected overlap (IoU) {} %, without an interval for such an image",
            class.class,
            percent(value)
        ),
        Some((value, Some((low, high)))) => format!(
            "{}: expected overlap (IoU) {} % ({} to {} %)",
            class.class,
            percent(value),
            percent(low),
            percent(high)
        ),
    }
}
