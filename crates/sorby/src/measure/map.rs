//! Masks measured in memory, while they are looked at: by the rules of [`measure`](super::measure()).

use super::{MeasureOptions, edge_rule, filter};
use crate::Result;
use sorby_image::LabelMap;
use sorby_measure::{
    Calibration, Estimate, Field, IntervalInputs, Particles, Quantity, estimate, measure, ruling,
};

/// The objects of one class in one mask.
pub struct MeasuredMap {
    /// Every object, with its pixels.
    pub particles: Particles,
    /// Sums over the field, for estimates.
    pub field: Field,
}

impl MeasuredMap {
    /// Measures a mask; of the options, those that say what an object is and how the edge counts are used.
    ///
    /// # Errors
    /// When options contradict each other.
    pub fn of(map: &LabelMap, class: u8, options: &MeasureOptions, nm_per_px: Option<f64>) -> Result<Self> {
        options.check()?;
        let particles = measure(map, class, filter(options)?, nm_per_px);
        let field = Field::of(map, class, &particles, edge_rule(options.edges, &particles));
        Ok(Self { particles, field })
    }
}

/// Whether every mask has a pixel size: where one has none, all quantities are in pixels, for lengths of different units
/// are not added.
pub fn all_scaled(maps: &[&MeasuredMap]) -> bool {
    !maps.is_empty() && maps.iter().all(|m| m.particles.nm_per_px.is_some())
}

/// Whether an object's edge weight decides sizes and numbers per area, so that they have no interval.
pub fn are_ruled(maps: &[&MeasuredMap]) -> bool {
    let fields: Vec<&Field> = maps.iter().map(|m| &m.field).collect();
    ruling(&fields).is_some()
}

/// Each quantity over all masks with its 95 % interval, in units of length where `scaled`, else in pixels;
/// corrected by a calibration, where there is one.
pub fn estimate_maps(
    maps: &[&MeasuredMap],
    scaled: bool,
    calibration: Option<&Calibration>,
    options: &MeasureOptions,
) -> Vec<Estimate> {
    let in_unit = |m: &&MeasuredMap| {
        let mut field = m.field.clone();
        field.nm_per_px = field.nm_per_px.filter(|_| scaled);
        field
    };
    let fields: Vec<Field> = maps.iter().map(in_unit).collect();
    let fields: Vec<&Field> = fields.iter().collect();
    let known = interval_inputs(options, calibration);
    Quantity::ALL.into_iter().filter_map(|q| estimate(q, &fields, known)).collect()
}

/// What intervals are made from.
pub(super) fn interval_inputs<'a>(
    options: &MeasureOptions,
    calibration: Option<&'a Calibration>,
) -> IntervalInputs<'a> {
    IntervalInputs {
        calibration,
        scale_accuracy_percent: options.scale_accuracy_percent,
        plan_percent: options.plan_percent,
    }
}
