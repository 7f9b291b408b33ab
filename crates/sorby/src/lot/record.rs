//! `lot.json`: everything that the report says, for other programs (LIMS), with the version of its layout.

use super::class_result::ClassResult;
use super::header::Header;
use super::inputs::{Input, LeftOutImage};
use super::revision::ReportNumber;
use crate::job::{LockedJob, Verdict};
use crate::report::seen_from;
use crate::trust_table::{TRUST_FILE, TrustRow};
use crate::{Result, checksum};
use serde_json::{Value, json};
use sorby_image::{ImagePart, MaskNote};
use sorby_measure::Quantity;
use std::path::Path;

/// Version of the layout of `lot.json`.
pub const LOT_SCHEMA_VERSION: u32 = 1;

/// One measured image.
pub struct ImageResult {
    pub input: Input,
    /// As seen from the lot.
    pub place: String,
    pub mask_sha256: String,
    pub unlike: Option<bool>,
    pub trained: bool,
    /// By the measured classes: particles counted, share of the field in percent, expected IoU in words.
    pub classes: Vec<ImageClass>,
    pub field_area_px: u64,
}

pub struct ImageClass {
    pub class: String,
    pub counted: usize,
    pub area_percent: f64,
    pub expected_iou: Option<(f64, Option<(f64, f64)>)>,
}

/// Everything that a report says.
pub struct LotRecord<'a> {
    pub job: &'a LockedJob,
    pub number: ReportNumber,
    pub date: String,
    pub header: Header,
    pub images: Vec<ImageResult>,
    /// As seen from the lot, and why.
    pub left_out: Vec<(String, String)>,
    pub classes: Vec<ClassResult>,
    pub warnings: Vec<String>,
    pub command: String,
    pub model_blake3: String,
}

impl LotRecord<'_> {
    /// The verdict over all classes; `None` without limits.
    pub fn verdict(&self) -> Option<Verdict> {
        Verdict::over(self.classes.iter().filter_map(ClassResult::verdict))
    }

    /// Whether all limits are kept and nothing is warned of.
    pub fn is_clean(&self) -> bool {
        self.warnings.is_empty() && self.verdict().is_none_or(|v| v == Verdict::Within)
    }

    pub fn json(&self) -> Value {
        let job = &self.job.job;
        let left_out = |(file, reason): &(String, String)| json!({"file": file, "reason": reason});
        json!({
            "schema": "sorby-lot", "schema_version": LOT_SCHEMA_VERSION,
            "sorby_version": env!("CARGO_PKG_VERSION"),
            "report": self.number.json(), "date": self.date,
            "exit_code": i32::from(!self.is_clean()),
            "verdict": self.verdict(), "warnings": self.warnings,
            "header": self.header.lines,
            "job": {"name": job.name, "version": job.version, "lock_sha256": self.job.lock.sha256},
            "model": {"sha256": job.model.sha256, "blake3": self.model_blake3},
            "segmentation": job.segmentation, "fields_wanted": job.fields.wanted,
            "accuracy_wanted_percent": job.fields.accuracy_percent,
            "classes": self.classes.iter().map(ClassResult::json).collect::<Vec<_>>(),
            "images": self.images.iter().map(ImageResult::json).collect::<Vec<_>>(),
            "left_out": self.left_out.iter().map(left_out).collect::<Vec<_>>(),
            "command": self.command,
        })
    }
}

impl ImageResult {
    fn json(&self) -> Value {
        let scale = self.input.scale.as_ref();
        let class = |c: &ImageClass| {
            json!({"class": c.class, "particles_counted": c.counted, "area_fraction_percent": c.area_percent,
                   "expected_IoU_percent": c.expected_iou.map(|e| e.0),
                   "expected_IoU_interval_percent": c.expected_iou.and_then(|e| e.1)})
        };
        json!({
            "image": self.input.name, "file": self.place, "sha256": self.input.sha256,
            "mask_sha256": self.mask_sha256, "size_px": self.input.size_px,
            "data_bar_px": self.input.data_bar_px, "field_area_px": self.field_area_px,
            "nm_per_px": scale.map(|s| s.nm_per_px), "pixel_size_from": scale.map(|s| &s.source),
            "taken": self.input.instrument.taken, "unlike_training": self.unlike,
            "trained_the_model": self.trained,
            "classes": self.classes.iter().map(class).collect::<Vec<_>>(),
        })
    }
}

/// The images that were measured, with what is known of each mask.
pub fn image_results(
    lot: &Path,
    masks: &Path,
    inputs: Vec<Input>,
    measured: &[crate::Measurement],
) -> Result<Vec<ImageResult>> {
    let table = std::fs::File::open(masks.parent().unwrap_or(masks).join(TRUST_FILE)).ok();
    let trust = table.and_then(TrustRow::read).unwrap_or_default();
    let mut out = Vec::new();
    for input in inputs {
        let mask = masks.join(format!("{}.png", input.name));
        let origin = MaskNote::read(&mask).and_then(|n| n.origin);
        let field = |m: &'_ crate::Measurement| m.fields.iter().position(|f| f.name == input.name);
        let mut classes = Vec::new();
        let (mut field_area_px, mut unlike) = (0, None);
        for m in measured {
            let Some(f) = field(m).map(|i| &m.fields[i]) else { continue };
            (field_area_px, unlike) = (f.particles.field_area_px, f.unlike);
            let row = trust.iter().find(|r| r.image == input.name && r.class == m.class);
            classes.push(ImageClass {
                class: m.class.clone(),
                counted: f.particles.regions.len(),
                area_percent: sorby_measure::value(Quantity::AreaFraction, &[&f.field]).unwrap_or(0.0),
                expected_iou: row.and_then(|r| Some((r.expected_iou_percent?, r.interval_percent))),
            });
        }
        out.push(ImageResult {
            place: seen_from(lot, &input.file)?,
            mask_sha256: checksum::sha256(&mask)?,
            trained: origin.is_some_and(|o| o.image_part == Some(ImagePart::Train)),
            unlike,
            classes,
            field_area_px,
            input,
        });
    }
    Ok(out)
}

/// Images that are not measured, as seen from the lot.
pub fn left_out(lot: &Path, images: Vec<LeftOutImage>) -> Vec<(String, String)> {
    let place = |file: &Path| seen_from(lot, file).unwrap_or_else(|_| file.display().to_string());
    images.into_iter().map(|l| (place(&l.file), l.reason)).collect()
}
