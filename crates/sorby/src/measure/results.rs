//! What a measurement comes to: tables, estimates, warnings; and the folder of files that hold them.

use super::estimates::{self, Estimates};
use super::map::interval_inputs;
use super::options::Export;
use super::warnings::Warnings;
use super::{Measured, Measurement, calibration, exports, histogram, objects, settings};
use crate::{Observer, Result, data_package, tables};
use serde_json::{Value, json};
use sorby_image::write::atomically;
use sorby_measure::{
    Calibration, GrainSize, ObjectRule, Particles, compare, contiguity, grain_size, lognormal, pool,
};
use sorby_report::{Cell, Table};
use std::path::{Path, PathBuf};

/// What a measurement comes to.
pub struct Results<'a> {
    measurement: &'a Measurement,
    /// Quantities over all images, with their intervals.
    pub estimates: Estimates,
    /// A row for each image and one for all, as the paper counts: every object as it is seen.
    pub images: Table,
    /// Whether every image has a pixel size.
    pub scaled: bool,
    /// What the true masks teach of the segmentation's errors, or why nothing; `None` without true masks.
    pub learnt: Option<Result<Calibration>>,
    /// ASTM E112 and ISO 643, where it was asked for and can be said.
    pub grain_size: Option<GrainSize>,
    /// Spheres per volume, where they were asked for.
    pub spheres: Option<Value>,
    /// Counts before and after splitting, where it was asked for.
    pub split: Option<Value>,
    warnings: Warnings,
}

/// File of [`Results::learnt`] in the folder of a measurement.
pub const CALIBRATION: &str = "calibration.json";

impl Measurement {
    /// Estimates with intervals, tables and warnings.
    ///
    /// # Panics
    /// When no mask could be measured.
    pub fn results(&self) -> Results<'_> {
        let (fields, options) = (&self.fields, &self.options);
        assert!(!fields.is_empty(), "nothing was measured");
        let with_truth = fields.iter().all(|f| f.truth.is_some());
        let known = interval_inputs(options, self.calibration.as_ref());
        let warnings = Warnings::of(options, fields, &self.class);
        let grains: Option<Vec<_>> =
            fields.iter().map(|f| Some((f.grains, f.particles.nm_per_px?))).collect();
        let settings = || settings(&self.filter, options.edges);
        Results {
            estimates: Estimates::of(fields.iter(), known),
            images: images(fields, with_truth),
            scaled: fields.iter().all(|f| f.particles.nm_per_px.is_some()),
            learnt: with_truth.then(|| calibration::learn(fields.iter(), &self.class, settings())),
            grain_size: grains.filter(|_| options.grains).and_then(|g| grain_size(&g)),
            spheres: options
                .spheres
                .map(|classes| estimates::spheres(fields, classes, warnings.ruling.is_none())),
            split: options.split_depth_px.map(|depth| {
                let (parts, whole) = histogram::split_counts(fields);
                let between: Vec<Option<f64>> = fields.iter().map(|f| contiguity(&f.particles)).collect();
                json!({"depth_px": depth, "objects_before": whole, "objects_after": parts,
                       "contiguity_per_image": between})
            }),
            warnings,
            measurement: self,
        }
    }
}

impl Results<'_> {
    /// What must be known before any number is relied on.
    pub fn warnings(&self) -> &[String] {
        &self.warnings.lines
    }

    /// Reports the warnings, and why there is no comparison with the truth or no calibration.
    pub fn report_doubts(&self, observer: &dyn Observer) {
        let fields = &self.measurement.fields;
        let without = fields.iter().find(|f| f.truth.is_none());
        if let Some(f) = without.filter(|_| fields.iter().any(|f| f.truth.is_some())) {
            observer.note(format!("`{}` has no true mask, so no errors are given", f.name));
        }
        self.warnings.lines.iter().for_each(|line| observer.warn(line.clone()));
        if let Some(Err(reason)) = &self.learnt {
            observer.note(format!("no {CALIBRATION}: {reason}"));
        }
    }

    /// Everything in one value, as `summary.json` holds it.
    pub fn summary(&self) -> Value {
        let m = self.measurement;
        let (fields, options) = (&m.fields, &m.options);
        let all: Vec<&Particles> = fields.iter().map(|f| &f.particles).collect();
        let truths: Option<Vec<&Particles>> = fields.iter().map(|f| Some(&f.truth.as_ref()?.0)).collect();
        let (total, truth) = (pool(&all), truths.as_deref().map(pool));
        let weighed: Vec<(f64, f64)> = fields.iter().flat_map(|f| f.field.diameters().0).collect();
        let ObjectRule { connectivity, .. } = m.filter;
        json!({
            "sorby_version": env!("CARGO_PKG_VERSION"),
            "class": m.class,
            "values": m.values,
            "images": fields.len(),
            "connectivity": connectivity.neighbours(),
            "min_area_px": options.min_area_px,
            "exclude_edge": options.exclude_edge,
            "edge_rule": options.edges.name(),
            "scale_accuracy_percent": options.scale_accuracy_percent,
            "calibration": options.calibration,
            "total": total,
            "truth": truth,
            "error": truth.as_ref().map(|t| compare(&total, t)),
            "unit": if self.scaled { "nm" } else { "px" },
            "estimates": self.estimates.json(),
            "lognormal": lognormal(&weighed).filter(|_| self.warnings.ruling.is_none()),
            "grain_size": self.grain_size,
            "spheres": self.spheres,
            "split": self.split,
            "warnings": self.warnings.json(),
        })
    }

    /// Writes all files into a folder; gives the place of `calibration.json`, if one was learnt.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, out: &Path) -> Result<Option<PathBuf>> {
        let m = self.measurement;
        let learnt = self.learnt.as_ref().and_then(|l| l.as_ref().ok());
        let calibration = out.join(CALIBRATION);
        if learnt.is_none() && calibration.exists() {
            // One of an earlier measurement would be taken for this one's.
            fs_err::remove_file(&calibration)?;
        }
        let text = |value: &Value| -> Result<String> { Ok(serde_json::to_string_pretty(value)? + "\n") };
        atomically(&out.join("images.csv"), self.images.to_csv().as_bytes())?;
        atomically(&out.join("estimates.csv"), self.estimates.table().to_csv().as_bytes())?;
        atomically(&out.join("sizes.csv"), histogram::table(&m.fields).to_csv().as_bytes())?;
        if let Some(learnt) = learnt {
            atomically(&calibration, (serde_json::to_string_pretty(learnt)? + "\n").as_bytes())?;
        }
        exports::write(out, &m.options.export, &m.fields, &m.class, m.filter.connectivity)?;
        atomically(&out.join("summary.json"), text(&self.summary())?.as_bytes())?;
        if m.options.export.contains(&Export::Datapackage) {
            data_package::write(out, &self.about(), |_| false)?;
        }
        Ok(learnt.map(|_| calibration))
    }

    /// One line on the spheres, where they were asked for.
    pub fn spheres_in_words(&self) -> Option<String> {
        let spheres = self.spheres.as_ref()?;
        let number = |key: &str| spheres["saltykov"][key].as_f64();
        let unit = spheres["length_unit"].as_str().unwrap_or_default();
        let (Some(n), Some(d)) = (number("number_per_volume"), number("mean_diameter")) else {
            return Some("spheres: not given; there is nothing to unfold".into());
        };
        let half = |key: &str| number(key).map_or(String::new(), |v| format!(" +- {v:.3e}"));
        Some(format!(
            "spheres (Saltykov): {n:.3e}{} per {unit}3, mean diameter {d:.3e}{} {unit}",
            half("number_per_volume_ci95"),
            half("mean_diameter_ci95")
        ))
    }

    /// What `datapackage.json` says of the folder.
    fn about(&self) -> data_package::About<'_> {
        let m = self.measurement;
        let images = if m.fields.len() == 1 { "1 image" } else { &format!("{} images", m.fields.len()) };
        data_package::About {
            title: format!("{} in {images}", m.class),
            description: format!(
                "Measured by Sorby {} ({}). Missing values are empty; units stand with the columns.",
                env!("CARGO_PKG_VERSION"),
                settings(&m.filter, m.options.edges)
            ),
            licence: m.options.licence.as_deref(),
            ..data_package::About::default()
        }
    }

    /// The columns of [`Results::images`] that are worth showing on a screen.
    pub fn shown_images(&self) -> Table {
        let radius = if self.scaled {
            ["mean_radius_nm", "mean_radius_error_nm"]
        } else {
            ["mean_radius_px", "mean_radius_error_px"]
        };
        let mut columns =
            vec!["image", "count", radius[0], "area_fraction_percent", "nm_per_px", "count_error", radius[1]];
        let unlike = self.measurement.fields.iter().any(|f| f.unlike == Some(true));
        columns.extend(unlike.then_some("unlike_training"));
        self.images.select(&columns)
    }
}

/// One line per image and one for all, as the paper counts: every object as it is seen.
fn images(fields: &[Measured], with_truth: bool) -> Table {
    let truth_columns = [
        "true_count",
        "true_mean_radius_px",
        "count_error",
        "mean_radius_error_px",
        "mean_radius_error_nm",
        "area_fraction_error_percent",
    ];
    let columns = ["image"].into_iter().chain(tables::PARTICLE_COLUMNS).chain([
        "number_density_per_um2",
        "nm_per_px",
        "field_area_px",
        "unlike_training",
    ]);
    let mut table = Table::new(columns.chain(truth_columns.into_iter().filter(|_| with_truth)));
    let mut add =
        |name: &str, measured: &[Particles], truth: Option<Vec<Particles>>, unlike: Option<bool>| {
            let s = pool(measured);
            let area: u64 = measured.iter().map(|p| p.field_area_px).sum();
            let nm = if let [one] = measured { one.nm_per_px } else { None };
            let mut row: Vec<Cell> = vec![name.into()];
            row.extend(tables::particle_cells(&s));
            row.extend([
                estimates::significant(s.number_density_per_um2),
                Cell::number(nm, 4),
                Cell::Integer(area as i64),
                objects::yes_no(unlike),
            ]);
            if let Some(truth) = truth.filter(|_| with_truth).map(|t| pool(&t)) {
                let e = compare(&s, &truth);
                row.extend([
                    truth.count.into(),
                    Cell::number(truth.mean_radius_px, 3),
                    Cell::Integer(e.count_error),
                    Cell::number(e.mean_radius_error_px, 3),
                    Cell::number(e.mean_radius_error_nm, 2),
                    Cell::percent(Some(e.area_fraction_error)),
                ]);
            }
            table.row(row);
        };
    for f in fields {
        let truth = f.truth.as_ref().map(|t| vec![t.0.clone()]);
        add(&f.name, std::slice::from_ref(&f.particles), truth, f.unlike);
    }
    let all: Vec<Particles> = fields.iter().map(|f| f.particles.clone()).collect();
    let any = fields.iter().any(|f| f.unlike == Some(true)).then_some(true);
    add("all", &all, fields.iter().map(|f| Some(f.truth.as_ref()?.0.clone())).collect(), any);
    table
}
