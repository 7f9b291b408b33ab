//! A reported number with its 95 % interval and what the interval is made of.

use crate::calibration::Calibration;
use crate::field::{Field, sampling, value};
use crate::intervals::{Spread, fields_needed};
use crate::quantity::Quantity;
use serde::Serialize;

/// A quantity over one or more fields.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// What is estimated; its unit is that of [`Quantity::name`].
    pub quantity: Quantity,
    /// Fields that it is taken of.
    pub fields: usize,
    /// As measured.
    pub raw: f64,
    /// `raw` without the bias of the segmentation, where held-out labels show it; else `raw`.
    pub value: f64,
    /// Half width of the 95 % interval from the sampling of fields; `None` where it is not known.
    pub sampling_ci95: Option<f64>,
    /// The same from the errors of the segmentation, see [`Calibration`].
    pub segmentation_ci95: Option<f64>,
    /// The same from the pixel size.
    pub scale_ci95: Option<f64>,
    /// Joined half width over the known sources.
    pub ci95: Option<f64>,
    /// `100 ci95 / value` (relative accuracy of ASTM E562 and ISO 9042, here of all sources).
    pub relative_accuracy_percent: Option<f64>,
    /// Fields in all for the accuracy asked for, if that many would do.
    pub fields_needed: Option<usize>,
}

impl Estimate {
    /// Ends of the 95 % interval; no quantity is below 0.
    pub fn interval(&self) -> Option<(f64, f64)> {
        self.ci95.map(|c| ((self.value - c).max(0.0), self.value + c))
    }
}

/// What is known apart from the fields.
#[derive(Clone, Copy, Debug, Default)]
pub struct IntervalInputs<'a> {
    /// Errors of the segmentation on held-out labelled images.
    pub calibration: Option<&'a Calibration>,
    /// 95 % half width of the pixel size in percent.
    pub scale_accuracy_percent: f64,
    /// Accuracy to plan for, in percent.
    pub plan_percent: Option<f64>,
}

/// `quantity` over `fields` together; `None` where there is nothing to take it of.
pub fn estimate(quantity: Quantity, fields: &[&Field], known: IntervalInputs) -> Option<Estimate> {
    let raw = value(quantity, fields)?;
    let bias = known.calibration.and_then(|c| c.bias(quantity));
    let factor = bias.map_or(1.0, |b| (-b.log_bias).exp());
    let value = raw * factor;
    let sampled = sampling(quantity, fields).map(|s| s.times(factor));
    // Between fields, the errors of single images are in the spread already; in one field they are not.
    let segmented = bias.map(|b| {
        let own = (fields.len() == 1).then_some(b.between_images);
        Spread::join(&[Some(b.of_the_bias), own].into_iter().flatten().collect::<Vec<_>>()).times(value)
    });
    let scaled = fields.iter().all(|f| f.nm_per_px.is_some()).then(|| {
        let standard = known.scale_accuracy_percent / 100.0 / 1.959_964 * f64::from(quantity.length_power());
        Spread { standard_error: (standard * value).abs(), degrees: f64::INFINITY }
    });
    let fixed: Vec<Spread> = [segmented, scaled].into_iter().flatten().collect();
    // Joined, a part of few degrees of freedom gains from the others' many; no part may come out above the whole.
    let ci95 = sampled.map(|s| {
        let parts = [&[s], fixed.as_slice()].concat();
        parts.iter().map(Spread::ci95).fold(Spread::join(&parts).ci95(), f64::max)
    });
    Some(Estimate {
        quantity,
        fields: fields.len(),
        raw,
        value,
        sampling_ci95: sampled.map(|s| s.ci95()),
        segmentation_ci95: segmented.map(|s| s.ci95()),
        scale_ci95: scaled.map(|s| s.ci95()),
        ci95,
        relative_accuracy_percent: ci95.filter(|_| value != 0.0).map(|c| 100.0 * c / value.abs()),
        fields_needed: known
            .plan_percent
            .and_then(|percent| fields_needed(value, &sampled?, fields.len(), &fixed, percent)),
    })
}
