//! Size statistics of one field that do not depend on where its edge cuts.

use crate::edges::EdgeRule;
use crate::particles::Particles;
use serde::Serialize;

/// Equivalent circle diameters of a field's objects, each object by its weight.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Sizes {
    /// Objects that count.
    pub count: usize,
    /// Sum of their weights.
    pub weight: f64,
    /// Mean of the weighted distribution.
    pub mean_diameter_px: f64,
    /// Standard deviation of the weighted distribution.
    pub sd_diameter_px: f64,
    /// Diameter that 10 % of the objects do not exceed.
    pub d10_px: f64,
    /// Diameter that 50 % of the objects do not exceed.
    pub d50_px: f64,
    /// Diameter that 90 % of the objects do not exceed.
    pub d90_px: f64,
}

/// Statistics of the diameters; `None` where no object counts.
pub fn sizes(particles: &Particles, rule: EdgeRule) -> Option<Sizes> {
    let weights = rule.weights(particles).weights;
    let diameters = particles.regions.iter().map(|r| r.equivalent_diameter_area_px());
    let weighed = Distribution::of(diameters.zip(weights).filter(|(_, w)| *w > 0.0).collect());
    Some(Sizes {
        count: weighed.sorted.len(),
        weight: weighed.total,
        mean_diameter_px: weighed.mean(),
        sd_diameter_px: weighed.sd(),
        d10_px: weighed.quantile(0.1)?,
        d50_px: weighed.quantile(0.5)?,
        d90_px: weighed.quantile(0.9)?,
    })
}

/// Standard deviation of a population of diameters with their weights; `None` of fewer than two.
pub fn diameter_sd(weighed: &[(f64, f64)]) -> Option<f64> {
    let counted: Vec<(f64, f64)> = weighed.iter().copied().filter(|(_, w)| *w > 0.0).collect();
    (counted.len() > 1).then(|| Distribution::of(counted).sd())
}

/// Weighted diameters in order, and the sum of the weights.
pub(crate) struct Distribution {
    sorted: Vec<(f64, f64)>,
    total: f64,
}

impl Distribution {
    pub fn of(mut weighed: Vec<(f64, f64)>) -> Self {
        weighed.sort_by(|a, b| a.0.total_cmp(&b.0));
        let total = weighed.iter().map(|w| w.1).sum();
        Self { sorted: weighed, total }
    }

    fn mean(&self) -> f64 {
        self.sorted.iter().map(|(d, w)| d * w).sum::<f64>() / self.total
    }

    fn sd(&self) -> f64 {
        let mean = self.mean();
        let squares = self.sorted.iter().map(|(d, w)| w * (d - mean).powi(2)).sum::<f64>();
        (squares / self.total).sqrt()
    }

    /// The diameter that this share of the weight does not exceed; `None` of nothing.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let mut below = 0.0;
        let reached = self.sorted.iter().find(|(_, w)| {
            below += w;
            // What rounding may take from a sum of weights.
            below >= share * self.total * (1.0 - 1e-12)
        });
        Some(reached.or(self.sorted.last())?.0)
    }
}

/// A lognormal distribution fitted to weighted diameters by maximum likelihood.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Lognormal {
    /// Median, `exp` of the mean logarithm.
    pub median: f64,
    /// Geometric standard deviation, `exp` of the standard deviation of the logarithms.
    pub geometric_sd: f64,
    /// Largest distance between the fitted and the measured distribution (Kolmogorov and Smirnov), 0 to 1.
    pub largest_distance: f64,
}

/// Fits diameters with their weights; `None` for fewer than two different ones.
pub fn lognormal(diameters: &[(f64, f64)]) -> Option<Lognormal> {
    let Distribution { sorted, total } = Distribution::of(diameters.to_vec());
    let mean = sorted.iter().map(|(d, w)| w * d.ln()).sum::<f64>() / total;
    let sd = (sorted.iter().map(|(d, w)| w * (d.ln() - mean).powi(2)).sum::<f64>() / total).sqrt();
    if sorted.is_empty() || sd <= 0.0 {
        return None;
    }
    let (mut below, mut largest) = (0.0, 0.0f64);
    for (d, w) in sorted {
        let fitted = normal_below((d.ln() - mean) / sd);
        largest = largest.max((fitted - below / total).abs());
        below += w;
        largest = largest.max((fitted - below / total).abs());
    }
    Some(Lognormal { median: mean.exp(), geometric_sd: sd.exp(), largest_distance: largest })
}

/// Share of a normal distribution below z (Abramowitz and Stegun 26.2.17, to 1e-7).
fn normal_below(z: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * z.abs());
    let series = t
        * (0.319_381_530
            + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    let tail = (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt() * series;
    if z < 0.0 { tail } else { 1.0 - tail }
}
