//! Size statistics of one field that do not depend on where its edge cuts, and intervals over several fields.

use crate::components::Region;
use serde::Serialize;

/// How objects that the edge of the field cuts count for sizes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EdgeRule {
    /// As they are seen: cut objects look too small.
    All,
    /// Not at all: large objects are cut more often, so they are missed.
    Exclude,
    /// Not at all, but each whole object stands for all of its kind that were cut:
    /// `W H / ((W - w) (H - h))` for an object of w x h in a field of W x H (Miles and Lantuejoul).
    #[default]
    MilesLantuejoul,
}

/// Equivalent circle diameters of a field's objects, each object by its weight.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Sizes {
    /// Objects that count, and their summed weights.
    pub count: usize,
    pub weight: f64,
    pub mean_diameter_px: f64,
    /// Standard deviation of the weighted distribution.
    pub sd_diameter_px: f64,
    /// Diameters that 10, 50 and 90 % of the objects do not exceed.
    pub d10_px: f64,
    pub d50_px: f64,
    pub d90_px: f64,
}

/// Statistics of the diameters; `None` where no object counts.
pub fn sizes(regions: &[Region], (width, height): (usize, usize), rule: EdgeRule) -> Option<Sizes> {
    let mut weighed: Vec<(f64, f64)> = regions
        .iter()
        .filter_map(|r| Some((r.equivalent_diameter_area_px(), weight(r, width, height, rule)?)))
        .collect();
    weighed.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = weighed.iter().map(|w| w.1).sum();
    if weighed.is_empty() {
        return None;
    }
    let mean = weighed.iter().map(|(d, w)| d * w).sum::<f64>() / total;
    let variance = weighed.iter().map(|(d, w)| w * (d - mean).powi(2)).sum::<f64>() / total;
    let quantile = |share: f64| {
        let mut below = 0.0;
        let reached = weighed.iter().find(|(_, w)| {
            below += w;
            // What rounding may take from a sum of weights.
            below >= share * total * (1.0 - 1e-12)
        });
        reached.map_or(weighed[weighed.len() - 1].0, |w| w.0)
    };
    Some(Sizes {
        count: weighed.len(),
        weight: total,
        mean_diameter_px: mean,
        sd_diameter_px: variance.sqrt(),
        d10_px: quantile(0.1),
        d50_px: quantile(0.5),
        d90_px: quantile(0.9),
    })
}

/// An object's weight, `None` if it does not count.
fn weight(r: &Region, width: usize, height: usize, rule: EdgeRule) -> Option<f64> {
    let (top, left, bottom, right) = r.bbox_px;
    match rule {
        EdgeRule::All => Some(1.0),
        _ if r.touches_border => None,
        EdgeRule::Exclude => Some(1.0),
        EdgeRule::MilesLantuejoul => {
            let share = |field: usize, object: u32| field as f64 / (field as f64 - f64::from(object));
            // An object that does not touch leaves at least a pixel on each side.
            Some(share(width, right - left) * share(height, bottom - top))
        }
    }
}

/// A mean over fields with its 95 % confidence interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct FieldMean {
    pub fields: usize,
    pub mean: f64,
    /// Sample standard deviation between fields.
    pub sd: f64,
    /// Half width of the interval, `t s / sqrt(n)`.
    pub ci95: f64,
    /// Half width over mean in percent (ISO 9042, ASTM E562: relative accuracy); `None` for a mean of zero.
    pub relative_accuracy_percent: Option<f64>,
}

/// Mean and interval of one value per field; `None` for fewer than two fields, which tell nothing of their
/// spread. Fields are taken as equal and independent.
pub fn field_mean(values: &[f64]) -> Option<FieldMean> {
    let n = values.len() as f64;
    if values.len() < 2 {
        return None;
    }
    let mean = values.iter().sum::<f64>() / n;
    let sd = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    let ci95 = t_975(values.len() - 1) * sd / n.sqrt();
    let relative_accuracy_percent = (mean != 0.0).then(|| 100.0 * ci95 / mean.abs());
    Some(FieldMean { fields: values.len(), mean, sd, ci95, relative_accuracy_percent })
}

/// How many fields in all bring the relative accuracy to `percent`, were the spread to stay as it is.
pub fn fields_needed(have: &FieldMean, percent: f64) -> Option<usize> {
    let goal = have.mean.abs() * percent / 100.0;
    (goal > 0.0).then(|| (2..100_000).find(|&n| t_975(n - 1) * have.sd / (n as f64).sqrt() <= goal)).flatten()
}

/// 97.5 % quantile of Student's t.
fn t_975(degrees: usize) -> f64 {
    const TABLE: [f64; 30] = [
        12.706_2, 4.302_7, 3.182_4, 2.776_4, 2.570_6, 2.446_9, 2.364_6, 2.306_0, 2.262_2, 2.228_1, 2.201_0,
        2.178_8, 2.160_4, 2.144_8, 2.131_4, 2.119_9, 2.109_8, 2.100_9, 2.093_0, 2.086_0, 2.079_6, 2.073_9,
        2.068_7, 2.063_9, 2.059_5, 2.055_5, 2.051_8, 2.048_4, 2.045_2, 2.042_3,
    ];
    if let Some(t) = degrees.checked_sub(1).and_then(|i| TABLE.get(i)) {
        return *t;
    }
    // Cornish-Fisher expansion about the normal quantile: right to four digits from here on.
    let (z, v) = (1.959_964f64, degrees as f64);
    z + (z.powi(3) + z) / (4.0 * v) + (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / (96.0 * v * v)
}

#[cfg(test)]
mod tests {
    use super::t_975;

    #[test]
    fn t_of_the_tables() {
        for (degrees, t) in
            [(1, 12.706), (4, 2.776), (9, 2.262), (29, 2.045), (40, 2.021), (60, 2.000), (120, 1.980)]
        {
            assert!((t_975(degrees) - t).abs() < 6e-4, "{degrees}: {}", t_975(degrees));
        }
    }
}
