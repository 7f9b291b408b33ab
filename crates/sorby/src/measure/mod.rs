//! From masks to tables, intervals and outlines.

mod calibration;
mod columns;
mod estimates;
mod exports;
mod histogram;
mod inputs;
mod intensity;
mod map;
mod objects;
mod options;
mod results;
mod shards;
mod source;
mod trust;
mod warnings;

pub use calibration::learn;
pub use columns::{ColumnValues, ObjectColumn};
pub use estimates::{Estimates, size_classes};
pub use map::{MeasuredMap, all_scaled, are_ruled, estimate_maps};
pub use options::{Edges, Export, MeasureOptions, SCALE_ACCURACY_PERCENT};
pub use results::{CALIBRATION, Results};
pub use shards::{MeasuredShard, measure_shard, merge_shards};
pub use trust::Doubt;
pub(crate) use warnings::ruling_line;

use crate::data_package::check_licence;
use crate::error::refuse;
use crate::{Observer, Result, classes, masks, scale, tables};
use serde::{Deserialize, Serialize};
use sorby_data::Dataset;
use sorby_image::Origin;
use sorby_measure::{Calibration, Connectivity, EdgeRule, Field, GrainCounts, ObjectRule, Particles};
use sorby_report::Table;
use sorby_score::Overlap;
use source::Source;
use std::path::{Path, PathBuf};

/// One mask, measured.
#[derive(Serialize, Deserialize)]
pub struct Measured {
    /// Of the image.
    pub name: String,
    /// Width and height of the mask as it was measured, in pixels.
    pub size_px: (usize, usize),
    /// Every object of the class.
    pub particles: Particles,
    /// Sums over the field, for estimates.
    pub field: Field,
    /// Counts for the grain size.
    pub grains: GrainCounts,
    /// The same of the true mask, if there is one.
    pub truth: Option<(Particles, Field)>,
    /// How the mask lies on its true mask.
    pub overlap: Option<Overlap>,
    /// What made the mask, if it says so.
    pub origin: Option<Origin>,
    /// Whether the image is unlike those that the model learnt from, where that is known.
    pub unlike: Option<bool>,
    /// A table of trust that does not speak of this mask.
    pub doubt: Option<Doubt>,
    /// The picture (of `images`, or of the data set) is not the one that was segmented.
    pub other_picture: bool,
    /// Mean stored value of each object, by channel, where pictures were given.
    pub mean_grey: Option<Vec<Vec<f64>>>,
    /// Mean probability of each object, where probabilities were given.
    pub mean_probability: Option<Vec<f64>>,
}

/// A lot of masks, measured together.
pub struct Measurement {
    /// The masks that could be measured.
    pub fields: Vec<Measured>,
    /// Name of what was measured.
    pub class: String,
    /// What the values of the masks were taken for, in words.
    pub values: String,
    /// Files that could not be measured, and why.
    pub problems: Table,
    filter: ObjectRule,
    calibration: Option<Calibration>,
    options: MeasureOptions,
}

/// Measures mask files. A file that cannot be measured is a [problem](Measurement::problems); the others go on.
///
/// # Errors
/// When options contradict each other, when the values of the masks may be meant in two ways, or for a calibration that is
/// not meant for these masks.
pub fn measure(files: &[PathBuf], options: &MeasureOptions, observer: &dyn Observer) -> Result<Measurement> {
    measure_with(files, options, observer, |source| {
        let (mut fields, mut problems) = (Vec::new(), tables::problems());
        for file in files {
            match source.measure(file) {
                Ok(measured) => fields.push(measured),
                Err(error) => tables::problem(&mut problems, file, &error, observer),
            }
        }
        Ok((fields, problems))
    })
}

/// As [`measure`]; `each` gives what was measured, and the files that could not be.
fn measure_with(
    files: &[PathBuf],
    options: &MeasureOptions,
    observer: &dyn Observer,
    each: impl FnOnce(&Source) -> Result<(Vec<Measured>, Table)>,
) -> Result<Measurement> {
    options.check()?;
    let data = options.data.as_deref().map(Dataset::open_to_measure).transpose()?;
    let names = masks::classes(files, data.as_ref())?;
    let class = options.class.as_deref().map_or(Ok(1), |asked| classes::index(asked, &names))?;
    let class_name = names.get(usize::from(class)).cloned().unwrap_or_else(|| format!("class {class}"));
    let filter = filter(options)?;
    let source = Source::new(options, data.as_ref(), files, (class, class_name), filter, names, observer)?;
    let class = source.class_name().to_owned();
    let calibration = options
        .calibration
        .as_deref()
        .map(|path| calibration::read(path, &class, &settings(&filter, options.edges), files))
        .transpose()?;
    let (mut fields, problems) = each(&source)?;
    unscale_unless_all(fields.iter_mut());
    let (values, options) = (source.coding(), options.clone());
    Ok(Measurement { fields, class, values, problems, filter, calibration, options })
}

/// Lengths of different units must not be added: where one image has no pixel size, quantities are in pixels for all.
pub(crate) fn unscale_unless_all<'a>(fields: impl Iterator<Item = &'a mut Measured>) {
    let mut fields: Vec<&mut Measured> = fields.collect();
    if fields.iter().any(|f| f.particles.nm_per_px.is_none()) {
        for f in &mut fields {
            f.field.nm_per_px = None;
            f.truth.iter_mut().for_each(|t| t.1.nm_per_px = None);
        }
    }
}

impl Measurement {
    /// Errors of the segmentation that the estimates are corrected for.
    pub fn calibration(&self) -> Option<&Calibration> {
        self.calibration.as_ref()
    }
}

impl MeasureOptions {
    /// Refuses options that no measurement has, before any file is looked at.
    ///
    /// # Errors
    /// Names the option, and what it may be.
    pub fn check(&self) -> Result<()> {
        scale::require_positive(self.nm_per_px)?;
        if self.plan_percent.is_some_and(|percent| !(percent > 0.0 && percent <= 100.0)) {
            refuse!("--plan must be a percentage above 0, for example 10");
        }
        if !(0.0..=50.0).contains(&self.scale_accuracy_percent) {
            refuse!("--scale-accuracy must be a percentage from 0 to 50, for example 2");
        }
        if self.split_depth_px.is_some_and(|depth| !(depth > 0.0 && depth.is_finite())) {
            refuse!("--split must be a depth in pixels above 0, for example 1");
        }
        check_licence(self.licence.as_deref())?;
        Ok(())
    }
}

fn connectivity(options: &MeasureOptions) -> Result<Connectivity> {
    // Boundaries one pixel wide keep grains apart only if corners do not join them.
    match options.connectivity.unwrap_or(if options.grains { 4 } else { 8 }) {
        4 => Ok(Connectivity::Four),
        8 => Ok(Connectivity::Eight),
        other => refuse!("--connectivity must be 4 or 8, not {other}"),
    }
}

/// The edge rule of one field; a frame's guard is as wide as the field's largest object.
fn edge_rule(edges: Edges, p: &Particles) -> EdgeRule {
    match edges {
        Edges::Weighted => EdgeRule::MilesLantuejoul,
        Edges::Frame => EdgeRule::gundersen(&[p]),
        Edges::Exclude => EdgeRule::Exclude,
        Edges::All => EdgeRule::All,
    }
}

/// A calibration for masks of this class that are measured so.
///
/// # Errors
/// When it is of another class or other settings, or of the truth itself.
pub fn read_calibration(path: &Path, class: &str, options: &MeasureOptions) -> Result<Calibration> {
    calibration::read(path, class, &settings(&filter(options)?, options.edges), &[])
}

fn filter(options: &MeasureOptions) -> Result<ObjectRule> {
    Ok(ObjectRule {
        connectivity: connectivity(options)?,
        min_area_px: options.min_area_px,
        exclude_edge: options.exclude_edge,
        split_depth_px: options.split_depth_px,
    })
}

/// How objects are distinguished, in words.
pub(crate) fn settings(filter: &ObjectRule, edges: Edges) -> String {
    let connectivity = filter.connectivity.neighbours();
    let split = filter.split_depth_px.map_or("none".to_owned(), |d| d.to_string());
    format!(
        "connectivity {connectivity}, min_area_px {}, exclude_edge {}, split {split}, edges {}",
        filter.min_area_px,
        filter.exclude_edge,
        edges.name()
    )
}
