//! What a report was computed from and every number in it, kept inside the page, so that it can be computed again.

use super::{Computed, ReportOptions, places};
use crate::checksum::sha256;
use crate::error::{Context as _, refuse};
use crate::{DeviceOptions, InferenceSettings, Observer, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sorby_image::parent_of;
use sorby_train::{LogLine as _, Metric, RunFile, ValidationRecord};
use std::collections::BTreeMap;
use std::path::Path;

/// Numbers agree if they differ by less than this share: processors round sums differently.
const TOLERANCE: f64 = 1e-6;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    sorby_version: String,
    /// Run and data set as seen from the folder of the report.
    pub run: String,
    pub data: String,
    /// The run's name, as the page shows it.
    #[serde(default)]
    pub run_name: String,
    /// What computed: sums are rounded differently elsewhere. Pages of older versions have none.
    #[serde(default)]
    pub processor: Option<String>,
    split: String,
    class: String,
    window_px: usize,
    stride_px: usize,
    tta: bool,
    flip: bool,
    /// SHA-256 of every file that the numbers depend on, by its path as seen from the folder of the report.
    pub files: BTreeMap<String, String>,
    numbers: Value,
}

impl Record {
    /// Of a report in `folder`.
    pub fn of(options: &ReportOptions, c: &Computed, folder: &Path) -> Result<Self> {
        let (run, data) = (&options.run, &options.data);
        let weights = sorby_infer::model_file(run);
        let (manifest, _) = sorby_data::locate(data)?;
        let used = |name: &str| c.samples.iter().any(|s| s.name == name);
        let items = c.data.items.iter().filter(|i| used(&i.name));
        let pictures = items.flat_map(|i| [i.image.clone(), i.label.clone()]);
        // The page shows how the run learnt, and what it learnt from.
        let logs = [Metric::FILE, ValidationRecord::FILE, RunFile::Split].map(|file| file.path_in(run));
        let logs = logs.into_iter().filter(|file| file.is_file());
        let mut files = BTreeMap::new();
        for file in [weights, manifest].into_iter().chain(pictures).chain(logs) {
            files.insert(places::seen_from(folder, &file)?, sha256(&file)?);
        }
        Ok(Self {
            sorby_version: env!("CARGO_PKG_VERSION").to_owned(),
            run: places::seen_from(folder, run)?,
            data: places::seen_from(folder, data)?,
            run_name: super::run_name(run),
            processor: Some(processor(&options.inference.device)),
            split: options.split.clone(),
            class: options.class.clone(),
            window_px: c.options.crop_px,
            stride_px: c.options.stride_px,
            tta: options.inference.tta,
            flip: c.options.flip,
            files,
            numbers: numbers(c),
        })
    }

    pub fn to_text(&self) -> Result<String> {
        Ok(serde_json::to_string(self)?)
    }

    /// Reads the record inside a page.
    pub fn read(page: &Path) -> Result<Self> {
        let html = fs_err::read_to_string(page)?;
        let text = sorby_report::record_of(&html)
            .with_context(|| format!("{}: is no report of Sorby, or an old one", page.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{}: its record is damaged", page.display()))
    }

    /// The options that computed it.
    pub fn options(
        &self,
        places: &places::Places,
        device: DeviceOptions,
        observer: &dyn Observer,
    ) -> ReportOptions {
        if self.sorby_version != env!("CARGO_PKG_VERSION") {
            observer.note(format!(
                "the report is by Sorby {}, this is {}; numbers may differ for that",
                self.sorby_version,
                env!("CARGO_PKG_VERSION")
            ));
        }
        ReportOptions {
            run: places.run.clone(),
            data: places.data.clone(),
            split: self.split.clone(),
            class: self.class.clone(),
            inference: InferenceSettings {
                window_px: Some(self.window_px),
                stride_px: Some(self.stride_px),
                tta: self.tta,
                flip: self.flip,
                adapt: false,
                ensemble: Vec::new(),
                device,
            },
        }
    }

    /// Whether another record is of the same question to the same files.
    pub fn asks_the_same(&self, other: &Self) -> bool {
        let question = |r: &Self| {
            (r.split.clone(), r.class.clone(), r.window_px, r.stride_px, r.tta, r.flip, r.files.clone())
        };
        question(self) == question(other)
    }

    /// How many numbers are the same, and a line for each that is not.
    pub fn compare(&self, new: &Self) -> (usize, Vec<String>) {
        let (mut same, mut different) = (0, Vec::new());
        walk("", &self.numbers, &new.numbers, &mut same, &mut different);
        (same, different)
    }
}

/// Where sums are rounded alike.
fn processor(device: &DeviceOptions) -> String {
    let stock = if device.stock_operations { ", stock operations" } else { "" };
    format!("{} {} {:?}{stock}", device.name, std::env::consts::ARCH, sorby_nn::simd_level())
}

/// A page is replaced by one of the same run only.
///
/// # Errors
/// When there is anything else of this name.
pub fn require_free(page: &Path, options: &ReportOptions) -> Result<()> {
    if !page.exists() {
        return Ok(());
    }
    match Record::read(page) {
        Ok(old) => {
            let run = parent_of(page).join(&old.run);
            if fs_err::canonicalize(&run).ok() == fs_err::canonicalize(&options.run).ok() {
                return Ok(());
            }
            refuse!("{}: is the report of {}; name another file with --out", page.display(), run.display())
        }
        Err(_) => refuse!("{}: is no report of Sorby; name another file with --out", page.display()),
    }
}

fn walk(name: &str, old: &Value, new: &Value, same: &mut usize, different: &mut Vec<String>) {
    match (old, new) {
        // What a newer version tells besides is no difference.
        (Value::Object(a), Value::Object(b)) if a.keys().all(|key| b.contains_key(key)) => {
            for (key, value) in a {
                walk(&format!("{name}/{key}"), value, &b[key], same, different);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (i, (x, y)) in a.iter().zip(b).enumerate() {
                walk(&format!("{name}/{i}"), x, y, same, different);
            }
        }
        _ => {
            let near = old
                .as_f64()
                .zip(new.as_f64())
                .is_some_and(|(a, b)| (a - b).abs() <= TOLERANCE * a.abs().max(b.abs()));
            if near || old == new {
                *same += 1;
            } else {
                different.push(format!("{name}: {old} in the report, {new} now"));
            }
        }
    }
}

/// Every number of the page.
fn numbers(c: &Computed) -> Value {
    let images: Vec<Value> = c
        .outcomes
        .iter()
        .map(|o| {
            json!({
                "image": o.model.name,
                "scores": o.scores,
                "model": o.model.particles.summary(),
                "truth": o.model.truth.as_ref().map(|t| t.0.summary()),
                "otsu": o.otsu.summary(),
                "sauvola": o.local.summary(),
                "diameters_px": o.model.particles.regions.iter().map(sorby_measure::Region::equivalent_diameter_area_px)
                    .collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "scores": c.total,
        "estimates": c.estimates.json(),
        "calibration": c.calibration.as_ref().ok(),
        "images": images,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_named() {
        let (mut same, mut different) = (0, Vec::new());
        let old = json!({"a": [1.0, 2.0], "b": {"c": null}, "d": "x"});
        walk(
            "",
            &old,
            &json!({"a": [1.0 + 1e-9, 2.0], "b": {"c": null}, "d": "x"}),
            &mut same,
            &mut different,
        );
        assert_eq!((same, different.len()), (4, 0));
        walk("", &old, &json!({"a": [1.0, 2.1], "b": {"c": 1}, "d": "x"}), &mut same, &mut different);
        assert_eq!(different, ["/a/1: 2.0 in the report, 2.1 now", "/b/c: null in the report, 1 now"]);
    }
}
