//! What must be said of a measurement before anybody relies on it.

use super::Measured;
use super::options::{Edges, MeasureOptions};
use crate::provenance::listed;
use serde_json::{Value, json};
use sorby_image::ImagePart;
use sorby_measure::{Field, Ruling, ruling};
use std::collections::BTreeMap;

/// What the images of a measurement are warned of.
pub struct Warnings {
    pub lines: Vec<String>,
    unlike: Vec<String>,
    pub ruling: Option<Ruling>,
    names: Vec<String>,
}

impl Warnings {
    pub fn of(options: &MeasureOptions, fields: &[Measured], class: &str) -> Self {
        let sums: Vec<&Field> = fields.iter().map(|f| &f.field).collect();
        let ruling = ruling(&sums);
        let all: Vec<&Measured> = fields.iter().collect();
        let unlike: Vec<String> =
            fields.iter().filter(|f| f.unlike == Some(true)).map(|f| f.name.clone()).collect();
        let mut lines = Vec::new();
        lines.extend(ruling_line(&all));
        lines.extend(only_cut(options.edges, fields, class));
        lines.extend(unlike_line(&unlike, fields.len()));
        lines.extend(trained_line(options, fields));
        lines.extend(tables(fields));
        lines.extend(other_pictures(fields));
        Self { lines, unlike, ruling, names: fields.iter().map(|f| f.name.clone()).collect() }
    }

    pub fn json(&self) -> Value {
        let heavy = self.ruling.as_ref().map(|r| {
            let object = |o: &sorby_measure::HeavyObject| {
                json!({"image": self.names[o.field], "particle": o.object + 1, "weight": o.weight,
                       "width_px": o.width_px, "height_px": o.height_px})
            };
            json!({"share": r.share, "effective_objects": r.effective_objects,
                   "objects": r.objects.iter().map(object).collect::<Vec<_>>()})
        });
        json!({"unlike_training": self.unlike, "decided_by_edge_weights": heavy, "lines": self.lines})
    }
}

/// One line on the objects whose edge weights decide, if any do.
pub fn ruling_line(fields: &[&Measured]) -> Option<String> {
    let sums: Vec<&Field> = fields.iter().map(|f| &f.field).collect();
    ruling(&sums).map(|r| ruled(&r, fields))
}

fn ruled(ruling: &Ruling, fields: &[&Measured]) -> String {
    const SHOWN: usize = 3;
    let object = |o: &sorby_measure::HeavyObject| {
        let f = &fields[o.field];
        let (left, top, right, bottom) = f.particles.labelled_px;
        format!(
            "{} particle {} ({} x {} px in a field of {} x {}) counts as {:.0}",
            f.name,
            o.object + 1,
            o.width_px,
            o.height_px,
            right - left,
            bottom - top,
            o.weight
        )
    };
    let mut shown: Vec<String> = ruling.objects.iter().take(SHOWN).map(object).collect();
    let more = ruling.objects.len().saturating_sub(SHOWN);
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    format!(
        "the edge weight of {} decides sizes and numbers per area ({:.2} % of the sum of weights): {}; they have no \
         interval and do not tell of the steel. Measure with --edges frame, without the object, or on larger fields",
        if ruling.objects.len() == 1 {
            "one object".into()
        } else {
            format!("{} objects", ruling.objects.len())
        },
        100.0 * ruling.share,
        shown.join(", ")
    )
}

fn only_cut(edges: Edges, fields: &[Measured], class: &str) -> Option<String> {
    let cut: Vec<&str> = fields.iter().filter(|f| f.field.only_cut()).map(|f| f.name.as_str()).collect();
    (!cut.is_empty()).then(|| {
        format!(
            "every {class} particle of {} is cut by the edge of the field, so with --edges {} none of them counts for \
             sizes and numbers per area; measure with --edges {}all, or on larger fields",
            listed(&cut),
            edges.name(),
            if edges == Edges::Frame { "" } else { "frame or " }
        )
    })
}

fn unlike_line(unlike: &[String], all: usize) -> Option<String> {
    let names: Vec<&str> = unlike.iter().map(String::as_str).collect();
    (!names.is_empty()).then(|| {
        format!(
            "{} of {all} images are unlike those the model learnt from ({}): their masks may be far off, and no interval \
             here holds that; look at the masks, or train on such images too",
            names.len(),
            listed(&names)
        )
    })
}

/// Masks of training images are better than those of new images.
fn trained_line(options: &MeasureOptions, fields: &[Measured]) -> Option<String> {
    let compared = options.calibration.is_some() || fields.iter().any(|f| f.truth.is_some());
    let trained = |f: &&Measured| f.origin.as_ref().is_some_and(|o| o.image_part == Some(ImagePart::Train));
    let names: Vec<&str> = fields.iter().filter(trained).map(|f| f.name.as_str()).collect();
    (compared && !names.is_empty()).then(|| {
        format!(
            "{} of {} images trained the model ({}): its errors on them are smaller than on new images",
            names.len(),
            fields.len(),
            listed(&names)
        )
    })
}

/// Masks that the table of trust next to them does not speak of.
fn tables(fields: &[Measured]) -> Vec<String> {
    let mut by_table: BTreeMap<(String, bool), Vec<&str>> = BTreeMap::new();
    for f in fields {
        if let Some(doubt) = &f.doubt {
            by_table.entry((doubt.table.display().to_string(), doubt.other_image)).or_default().push(&f.name);
        }
    }
    let told = |((table, other_image), names): (&(String, bool), &Vec<&str>)| {
        let what = if *other_image { "is of other images of the same names than" } else { "does not list" };
        format!("{table} {what} {}: of another run of `sorby segment`?", listed(names))
    };
    by_table.iter().map(told).collect()
}

fn other_pictures(fields: &[Measured]) -> Option<String> {
    let names: Vec<&str> = fields.iter().filter(|f| f.other_picture).map(|f| f.name.as_str()).collect();
    (!names.is_empty()).then(|| {
        format!(
            "the pictures of {} here are not those that their masks were made of: grey values and comparisons with labels may \
             be of other places; segment them again, or correct the names",
            listed(&names)
        )
    })
}
