//! Everything that is wrong or strange in a data set, with pictures, and a repaired copy.

use super::copy::{Copy, with_all_splits};
use super::doubts::{self, Doubted};
use crate::error::Context as _;
use crate::{Observer, Result};
use serde_json::{Value, json};
use sorby_data::doctor::{Misplaced, repair};
use sorby_data::{ClassCount, Dataset, Problem, Sample, Summary, check};
use sorby_image::CHECK_TITLE;
use sorby_image::write::atomically;
use sorby_report::{Page, Picture, Section, overlay, render};
use std::path::{Path, PathBuf};

/// What a check of a data set found.
pub struct DataCheck {
    /// Images and labels that cannot be used, and why.
    pub problems: Vec<Problem>,
    /// Counts, and what should be looked at; `None` where nothing could be read.
    pub summary: Option<Summary>,
    data: Option<Dataset>,
    doubted: Vec<Doubted>,
}

/// Checks a data set. With `deep_s`, models are trained on parts of it in about so many seconds, and each judges the
/// labels that it did not learn from.
pub fn check_data(path: &Path, deep_s: Option<f64>, observer: &dyn Observer) -> DataCheck {
    let (data, mut summary, mut problems) = match Dataset::examine(path) {
        Ok((data, mut problems)) => {
            let summary = check(&data);
            let new = summary.problems.iter().filter(|p| !problems.contains(p)).cloned().collect::<Vec<_>>();
            problems.extend(new);
            (Some(data), Some(summary), problems)
        }
        Err(error) => (None, None, error.0),
    };
    let mut doubted = Vec::new();
    if let (Some(data), Some(summary), Some(time_s)) = (&data, &mut summary, deep_s) {
        match doubts::judge(data, &summary.near_duplicates, path, time_s, observer) {
            Ok(found) => doubted = found,
            // What the other checks found is reported all the same.
            Err(error) => {
                problems.push(Problem::new(path, format!("--deep could not judge the labels: {error}")));
            }
        }
        doubted.retain(|d| d.doubts.outlier);
        let names = data.manifest.class_names();
        for doubt in &doubted {
            let item = data.items.iter().find(|i| i.name == doubt.sample.name);
            if let (Some(item), Some(what)) = (item, doubts::words(doubt, &names)) {
                summary.remarks.push(Problem::new(&item.label, what));
            }
        }
    }
    DataCheck { problems, summary, data, doubted }
}

impl DataCheck {
    /// Everything in one value.
    pub fn json(&self) -> Value {
        let list = |problems: &[Problem]| -> Vec<Value> {
            let one = |p: &Problem| json!({"file": p.path.display().to_string(), "problem": p.what});
            problems.iter().map(one).collect()
        };
        let summary = self.summary.as_ref();
        let class = |c: &ClassCount| json!({"name": c.name, "fraction": c.fraction, "images": c.images});
        json!({
            "problems": list(&self.problems),
            "remarks": summary.map_or(Vec::new(), |s| list(&s.remarks)),
            "classes": summary.map(|s| s.classes.iter().map(class).collect::<Vec<_>>()),
            "splits": summary.map(|s| &s.splits),
            "nm_per_px": summary.and_then(|s| s.nm_per_px),
            "images_without_pixel_size": summary.map(|s| s.without_scale),
        })
    }

    /// Writes a page with pictures of labels that lie wrong; where nothing could be read, none.
    ///
    /// # Errors
    /// When the page cannot be written.
    pub fn write_page(&self, page: &Path) -> Result<Option<PathBuf>> {
        let (Some(data), Some(summary)) = (&self.data, &self.summary) else { return Ok(None) };
        let made = page_of(data, summary, &self.problems, &self.doubted)?;
        atomically(page, render(&made).as_bytes())?;
        Ok(Some(page.to_owned()))
    }

    /// Writes a copy of the data set into the new folder `out`, with labels as indices and misplaced ones moved back; gives
    /// what was done, in words. Where nothing could be read, there is no copy.
    ///
    /// # Errors
    /// When the folder holds anything, or cannot be written.
    pub fn write_repaired(&self, out: &Path) -> Result<Option<String>> {
        let (Some(data), Some(summary)) = (&self.data, &self.summary) else { return Ok(None) };
        fix(data, summary, out).map(Some)
    }
}

/// Outlines of a label on its image.
fn drawn(sample: &Sample, label: &sorby_image::LabelMap, data: &Dataset) -> Vec<u8> {
    overlay::classes(&sample.shot.image.to_grey8(), label, &data.manifest.colours()).png()
}

/// Every problem, with pictures of labels that lie wrong: as they are, and repaired.
fn page_of(data: &Dataset, summary: &Summary, problems: &[Problem], doubted: &[Doubted]) -> Result<Page> {
    let lines = |problems: &[Problem]| problems.iter().map(|p| format!("{p}\n")).collect::<String>();
    let list = |heading: &str, problems: &[Problem]| Section {
        heading: heading.into(),
        text: if problems.is_empty() { "None found.".into() } else { String::new() },
        code: lines(problems),
        ..Section::default()
    };
    let mut sections = vec![list("Problems", problems), list("To look at", &summary.remarks)];
    for (name, misplaced) in &summary.misplaced {
        let sample = load(data, name)?;
        sections.push(Section {
            heading: format!("Label of {name}"),
            pictures: vec![
                Picture::png("as it lies", &drawn(&sample, &sample.label, data)),
                Picture::png("repaired", &drawn(&sample, &repair(&sample.label, *misplaced), data)),
            ],
            ..Section::default()
        });
    }
    sections.extend(doubted.iter().map(|d| doubts::section(d, &data.manifest.colours())));
    Ok(Page {
        title: CHECK_TITLE.into(),
        subtitle: format!("{} labelled images, {} problems", summary.images, problems.len()),
        warnings: Vec::new(),
        sections,
        record: String::new(),
    })
}

fn load(data: &Dataset, name: &str) -> Result<Sample> {
    let item = data.items.iter().find(|i| i.name == *name).context("the image is gone")?;
    data.load_one(item).map_err(crate::Error::from)
}

/// Writes a copy of the data set with labels as indices, misplaced ones repaired.
fn fix(data: &Dataset, summary: &Summary, out: &Path) -> Result<String> {
    let mut copy = Copy::begin(out, &data.manifest)?;
    for item in &data.items {
        // What cannot be read is told above and left out here.
        let Ok(mut label) = data.load_label(item) else { continue };
        let found = summary.misplaced.iter().find(|(name, _)| *name == item.name).map(|m| m.1);
        if let Some(misplaced) = found {
            label = repair(&label, misplaced);
        }
        copy.add(&item.name, &item.image, &label)?;
    }
    let images = copy.images;
    copy.finish(with_all_splits(data))?;
    let turned = summary.misplaced.iter().filter(|m| matches!(m.1, Misplaced::Turned(_))).count();
    Ok(format!(
        "{}: {images} images copied, {} labels moved, {turned} turned; your own files are untouched",
        out.display(),
        summary.misplaced.len() - turned
    ))
}
