//! What a lot comes to for one class: quantities, counts, verdicts, and what must be said of them.

use super::quantity::{QuantityResult, Standing};
use super::rounding::significant;
use super::segmentation_error;
use super::units::{Shown, area};
use crate::Result;
use crate::job::{ClassRules, Job, Limit, Verdict};
use crate::measure::{Measured, Measurement, Results};
use serde_json::{Value, json};
use sorby_measure::{GrainSize, Quantity, diameter_sd};

/// One class of a lot.
pub struct ClassResult {
    pub class: String,
    pub rules: ClassRules,
    pub quantities: Vec<QuantityResult>,
    pub limits: Vec<(Limit, Verdict)>,
    /// Particles that count, those at the edge too.
    pub counted: usize,
    pub cut: usize,
    /// All fields together, in square nanometres; `None` where a pixel size is missing.
    pub area_nm2: Option<f64>,
    pub area_px: u64,
    /// Standard deviation of the equivalent diameters, in words.
    pub diameter_sd: Option<String>,
    pub segmentation: Vec<String>,
    pub grain_size: Option<GrainSize>,
    /// Pixel size of the lot, where all images have the same.
    pub nm_per_px: Option<f64>,
    pub warnings: Vec<String>,
    /// Estimates as `measure` has them, with all digits.
    pub estimates: Value,
    pub fields: usize,
    /// Names of the images, in the order of the fields.
    pub images: Vec<String>,
}

impl ClassResult {
    pub fn of(job: &Job, rules: &ClassRules, measurement: &Measurement, results: &Results) -> Result<Self> {
        let fields = &measurement.fields;
        let (unit, goal) = (job.report.length_unit, job.fields.accuracy_percent);
        let scaled = results.scaled;
        let ruled = results.estimates.are_ruled();
        let quantities: Vec<QuantityResult> = results
            .estimates
            .all()
            .map(|e| QuantityResult::new(e.clone(), scaled, unit, ruled, goal))
            .collect();
        let limits = rules.parsed_limits()?.into_iter().map(|l| judged(l, &quantities, scaled)).collect();
        let nm_per_px = one_pixel_size(fields);
        let weighed: Vec<(f64, f64)> = fields.iter().flat_map(|f| f.field.diameters().0).collect();
        let sd = diameter_sd(&weighed).filter(|_| !ruled);
        Ok(Self {
            class: measurement.class.clone(),
            quantities,
            limits,
            counted: fields.iter().map(|f| f.particles.regions.len()).sum(),
            cut: fields.iter().flat_map(|f| &f.particles.regions).filter(|r| r.touches_border).count(),
            area_nm2: fields.iter().map(area_nm2).sum(),
            area_px: fields.iter().map(|f| f.particles.field_area_px).sum(),
            diameter_sd: sd.map(|sd| {
                let shown = Shown::of(Quantity::MeanDiameter, scaled, unit, sd);
                shown.with_unit(&significant(sd * shown.factor, 2))
            }),
            segmentation: segmentation_error::sentences(
                measurement.calibration(),
                &measurement.class,
                nm_per_px,
            ),
            grain_size: results.grain_size,
            nm_per_px,
            warnings: results.warnings().to_vec(),
            estimates: results.estimates.json(),
            rules: rules.clone(),
            fields: fields.len(),
            images: fields.iter().map(|f| f.name.clone()).collect(),
        })
    }

    pub fn quantity(&self, quantity: Quantity) -> Option<&QuantityResult> {
        self.quantities.iter().find(|q| q.estimate.quantity == quantity)
    }

    /// The verdict over all limits of the class; `None` without limits.
    pub fn verdict(&self) -> Option<Verdict> {
        Verdict::over(self.limits.iter().map(|l| l.1))
    }

    /// All fields together in words.
    pub fn area_words(&self) -> String {
        self.area_nm2.map_or_else(|| format!("{} pixels", self.area_px), area)
    }

    /// Which mean diameter is to be quoted, and why.
    pub fn diameter_to_quote(&self) -> Option<String> {
        let q = self.quantity(Quantity::MeanDiameter)?;
        let why = match self.rules.edges.as_str() {
            "weighted" => {
                "it counts whole particles, each weighted for those of its size that the edge of the field cuts, so that large \
                 particles are not too few"
            }
            "frame" => {
                "it counts the particles that belong to a frame within the field, so that size has no influence"
            }
            "exclude" => {
                "but it counts whole particles only, so that large ones are too few and it is somewhat too small"
            }
            _ => "but it counts particles as they are seen, so that cut ones look too small",
        };
        Some(match q.standing() {
            Standing::Result => format!(
                "The mean diameter to quote is {}: {why}. Other means, such as those of single images, are not for quoting.",
                q.value_words()
            ),
            _ => "There is no mean diameter to quote from this lot.".to_owned(),
        })
    }

    pub fn json(&self) -> Value {
        let limit = |(limit, verdict): &(Limit, Verdict)| json!({"limit": limit.text, "verdict": verdict});
        let shown = |q: &QuantityResult| {
            let name = serde_json::to_value(q.estimate.quantity).ok()?.as_str()?.to_owned();
            Some((name, q.json()))
        };
        json!({
            "class": self.class, "fields": self.fields, "particles_counted": self.counted,
            "particles_cut_by_the_edge": self.cut, "field_area_px": self.area_px,
            "field_area_um2": self.area_nm2.map(|a| a / 1e6), "verdict": self.verdict(),
            "limits": self.limits.iter().map(limit).collect::<Vec<_>>(),
            "results": self.quantities.iter().filter_map(shown).collect::<serde_json::Map<_, _>>(),
            "estimates": self.estimates, "grain_size": self.grain_size,
            "segmentation_error": self.segmentation, "warnings": self.warnings,
        })
    }
}

/// A limit in nanometres says nothing of a lot in pixels.
fn judged(limit: Limit, quantities: &[QuantityResult], scaled: bool) -> (Limit, Verdict) {
    let measured = quantities.iter().find(|q| q.estimate.quantity == limit.quantity);
    let comparable = scaled || limit.quantity.length_power() == 0;
    let verdict = match measured.filter(|_| comparable) {
        Some(q) => limit.verdict(q.estimate.value, q.estimate.ci95),
        None => Verdict::Undecided,
    };
    (limit, verdict)
}

fn area_nm2(f: &Measured) -> Option<f64> {
    Some(f.particles.field_area_px as f64 * f.particles.nm_per_px?.powi(2))
}

fn one_pixel_size(fields: &[Measured]) -> Option<f64> {
    let first = fields.first()?.particles.nm_per_px?;
    fields.iter().all(|f| f.particles.nm_per_px == Some(first)).then_some(first)
}
