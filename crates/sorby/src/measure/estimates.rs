//! Quantities over all images with their 95 % intervals, next to the truth where it is known.

use super::Measured;
use serde_json::{Value, json};
use sorby_measure::{
    Calibration, Estimate, Field, IntervalInputs, Quantity, estimate, fullman_mean_diameter, ruling,
    saltykov, unfold_fields, unfold_non_negative,
};
use sorby_report::{Cell, Table};

/// Of quantities that one object's edge weight decides.
const RULED: &str = "no interval: decided by an edge weight";

/// Every quantity over all images with its 95 % interval, and the same of the true masks.
pub struct Estimates {
    scaled: bool,
    /// Whether one is used, and then whether its images are known to have been held out.
    calibration: Option<bool>,
    scale_accuracy_percent: f64,
    plan_percent: Option<f64>,
    /// Whether an object's edge weight decides sizes and numbers per area.
    ruled: bool,
    /// Each with the same of the true masks, whose segmentation has no error to correct.
    rows: Vec<(Estimate, Option<Estimate>)>,
}

impl Estimates {
    /// Estimates over these images.
    pub fn of<'a>(fields: impl Iterator<Item = &'a Measured> + Clone, known: IntervalInputs) -> Self {
        let measured: Vec<&Field> = fields.clone().map(|f| &f.field).collect();
        let truth: Option<Vec<&Field>> = fields.map(|f| Some(&f.truth.as_ref()?.1)).collect();
        let true_of = |q| {
            estimate(q, truth.as_ref()?, IntervalInputs { calibration: None, plan_percent: None, ..known })
        };
        Self {
            scaled: measured.iter().all(|f| f.nm_per_px.is_some()),
            calibration: known.calibration.map(|c| c.held_out == Some(true)),
            scale_accuracy_percent: known.scale_accuracy_percent,
            plan_percent: known.plan_percent,
            ruled: ruling(&measured).is_some(),
            rows: (Quantity::ALL.into_iter())
                .filter_map(|q| Some((estimate(q, &measured, known)?, true_of(q))))
                .collect(),
        }
    }

    /// Each quantity that could be estimated.
    pub fn all(&self) -> impl Iterator<Item = &Estimate> {
        self.rows.iter().map(|row| &row.0)
    }

    /// Whether an object's edge weight decides sizes and numbers per area, so that they have no interval.
    pub fn are_ruled(&self) -> bool {
        self.ruled
    }

    /// Everything, also what is missing.
    pub fn table(&self) -> Table {
        let mut table = Table::new([
            "quantity",
            "raw",
            "value",
            "ci95",
            "ci95_low",
            "ci95_high",
            "sampling_ci95",
            "segmentation_ci95",
            "scale_ci95",
            "accuracy_percent",
            "images",
            "images_needed",
            "true_value",
            "true_ci95",
            "remark",
        ]);
        for (e, truth) in &self.rows {
            let digits = digits(e.value);
            let number = |v: Option<f64>| Cell::number(v, digits);
            table.row(vec![
                e.quantity.name(self.scaled).into(),
                number(Some(e.raw)),
                number(Some(e.value)),
                number(e.ci95),
                number(e.interval().map(|i| i.0)),
                number(e.interval().map(|i| i.1)),
                number(e.sampling_ci95),
                number(e.segmentation_ci95),
                number(e.scale_ci95),
                Cell::number(e.relative_accuracy_percent, 1),
                e.fields.into(),
                e.fields_needed.map_or(Cell::Missing, Cell::from),
                number(truth.as_ref().map(|t| t.value)),
                number(truth.as_ref().and_then(|t| t.ci95)),
                if self.ruled && e.quantity.by_edge_weights() { RULED.into() } else { Cell::Missing },
            ]);
        }
        table
    }

    /// By the names of the quantities.
    pub fn json(&self) -> Value {
        let row = |(e, truth): &(Estimate, Option<Estimate>)| {
            (e.quantity.name(self.scaled).to_owned(), json!({"estimate": e, "truth": truth}))
        };
        Value::Object(self.rows.iter().map(row).collect())
    }

    /// The columns that hold something.
    pub fn shown(&self) -> Table {
        let mut columns = vec!["quantity", "value", "ci95", "sampling_ci95"];
        columns
            .extend(self.calibration.is_some().then_some(["raw", "segmentation_ci95"]).into_iter().flatten());
        columns.extend(self.scaled.then_some("scale_ci95"));
        columns.push("accuracy_percent");
        columns.extend(self.plan_percent.map(|_| "images_needed"));
        columns.extend(
            self.rows
                .iter()
                .any(|r| r.1.is_some())
                .then_some(["true_value", "true_ci95"])
                .into_iter()
                .flatten(),
        );
        self.table().select(&columns)
    }

    /// What the intervals hold, in words.
    pub fn told(&self) -> String {
        let Some((first, _)) = self.rows.first() else { return String::new() };
        let sampling = match first.fields {
            1 => "sampling: the covariance within the one image".to_owned(),
            n => format!("sampling: the spread between {n} images"),
        };
        let segmentation = match self.calibration {
            Some(true) => "; segmentation: its errors on held-out labelled images, taken out of `value`",
            Some(false) => {
                "; segmentation: its errors on labelled images (whether they trained the model is not known), taken out \
                 of `value`"
            }
            None => "; errors of the segmentation are not in it (--calibration)",
        };
        let scale = if self.scaled {
            format!("; scale: pixel size known to {} % (--scale-accuracy)", self.scale_accuracy_percent)
        } else {
            String::new()
        };
        let ruled = if self.ruled { format!(" Sizes and numbers per area: {RULED}.") } else { String::new() };
        format!("ci95 joins {sampling}{segmentation}{scale}.{ruled}")
    }

    /// The percentage that images are planned for, if any.
    pub fn plan_percent(&self) -> Option<f64> {
        self.plan_percent
    }
}

/// A number with five significant digits.
pub fn significant(value: Option<f64>) -> Cell {
    Cell::number(value, value.map_or(0, digits))
}

/// Five significant digits.
fn digits(value: f64) -> usize {
    if value == 0.0 { 3 } else { (4 - value.abs().log10().floor() as i32).clamp(0, 9) as usize }
}

/// Spheres per volume from the sections, in the unit of the diameters.
///
/// Without `with_intervals` where an edge weight decides: leaving out one image would not show it.
pub fn spheres(fields: &[Measured], classes: usize, with_intervals: bool) -> Value {
    let sections: Vec<(Vec<(f64, f64)>, f64)> = fields.iter().map(|f| f.field.diameters()).collect();
    let scaled = fields.iter().all(|f| f.particles.nm_per_px.is_some());
    // Areas in the square of the diameters' unit.
    let unit = if scaled { 1e6 } else { 1.0 };
    let sections: Vec<_> = sections.into_iter().map(|(d, area)| (d, area * unit)).collect();
    let all: Vec<(f64, f64)> = sections.iter().flat_map(|s| s.0.iter().copied()).collect();
    let told = |unfold: fn(f64, &[f64]) -> Option<sorby_measure::Spheres>| {
        unfold_fields(&sections, classes, unfold).map(|e| {
            json!({
                "class_width": e.spheres.class_width,
                "per_volume": e.spheres.per_volume,
                "number_per_volume": e.spheres.total_per_volume,
                "number_per_volume_ci95": e.total_per_volume.filter(|_| with_intervals).map(|s| s.ci95()),
                "mean_diameter": e.spheres.mean_diameter,
                "mean_diameter_ci95": e.mean_diameter.filter(|_| with_intervals).map(|s| s.ci95()),
            })
        })
    };
    json!({
        "length_unit": if scaled { "nm" } else { "px" },
        "saltykov": told(saltykov),
        "non_negative_least_squares": told(unfold_non_negative),
        "fullman_mean_diameter": fullman_mean_diameter(&all),
    })
}

/// Errors of count and radius by true size.
pub fn size_classes(c: &Calibration) -> Table {
    let mut table = Table::new([
        "true_diameter_from_px",
        "to_px",
        "true_count",
        "count_bias_percent",
        "se_percent",
        "matched",
        "radius_bias_px",
        "radius_spread_px",
    ]);
    for s in &c.size_classes {
        table.row(vec![
            Cell::Number(s.from_px, 1),
            Cell::Number(s.to_px, 1),
            s.true_count.into(),
            Cell::Number(s.count_bias_percent, 1),
            Cell::number(Some(s.count_bias_se_percent), 1),
            s.matched.into(),
            Cell::number(s.radius_bias_px, 2),
            Cell::number(s.radius_spread_px, 2),
        ]);
    }
    table
}
