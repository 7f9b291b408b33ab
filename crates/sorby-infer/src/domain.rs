//! Is an image like those a model was trained on? Texture statistics and their Mahalanobis distance from the
//! training images, with the limit that one in twenty of new training-like images is expected to pass.

use serde::{Deserialize, Serialize};
use sorby_image::Shot;
use statrs::distribution::{ContinuousCDF as _, StudentsT};

/// Levels of the blur pyramid: structures from one pixel to about thirty.
const LEVELS: usize = 4;
/// Mean, contrast, skewness, and of each level's details the strength and the peakedness.
const PER_WINDOW: usize = 3 + 2 * LEVELS;
/// Their mean over windows and how much they vary between windows.
const FEATURES: usize = 2 * PER_WINDOW;
const WINDOW_PX: usize = 256;
/// Windows looked at in one image, at most about.
const MOST_WINDOWS: usize = 400;
/// Weight of the diagonal in the covariance: there are about as many features as images.
const SHRINKAGE: f64 = 0.3;
/// Added to every variance, in units of the features, which are logarithms and the like.
const FLOOR: f64 = 1e-4;
/// Fewer images than this say nothing of what is usual.
const LEAST_IMAGES: usize = 4;
/// Share of training-like images that are marked.
pub const MARKED: f64 = 0.05;

/// What the training images look like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Domain {
    mean: Vec<f64>,
    /// Inverse covariance, row by row.
    precision: Vec<f64>,
    /// Squared distance above which an image is unlike them.
    limit: f64,
    images: usize,
}

impl Domain {
    /// Of the fields of the training images, as the network sees them. `None` with fewer than four.
    pub fn of(shots: &[&Shot]) -> Option<Self> {
        use rayon::prelude::*;
        let features: Vec<_> = shots.par_iter().filter(|s| s.field_rows() > 0).map(|s| features(s)).collect();
        if features.len() < LEAST_IMAGES {
            return None;
        }
        // How far each lies from the others; the logarithms of such distances are near normal.
        let apart: Vec<f64> = (0..features.len())
            .map(|i| {
                let others: Vec<_> =
                    features.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, f)| *f).collect();
                let (mean, precision) = fit(&others);
                distance(&features[i], &mean, &precision).max(f64::MIN_POSITIVE).ln()
            })
            .collect();
        let n = apart.len() as f64;
        let centre = apart.iter().sum::<f64>() / n;
        let sd = (apart.iter().map(|a| (a - centre).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
        let t = StudentsT::new(0.0, 1.0, n - 1.0).ok()?.inverse_cdf(1.0 - MARKED);
        // Prediction interval of one more.
        // Images that are all the same image would make every other one infinitely far.
        let limit = (centre + t * sd * (1.0 + 1.0 / n).sqrt()).exp().max(1.0);
        let (mean, precision) = fit(&features);
        Some(Self { mean: mean.to_vec(), precision, limit, images: features.len() })
    }

    /// How far an image's field is from the training images: above 1, it is unlike them.
    pub fn distance(&self, shot: &Shot) -> f64 {
        (distance(&features(shot), &self.mean, &self.precision) / self.limit).sqrt()
    }
}

type Features = [f64; FEATURES];

fn features(shot: &Shot) -> Features {
    let image = &shot.image;
    let (width, height) = (image.width, shot.field_rows().max(1));
    let (w, h) = (WINDOW_PX.min(width), WINDOW_PX.min(height));
    let mut stride = WINDOW_PX / 2;
    let count = |stride: usize| ((width - w) / stride + 1) * ((height - h) / stride + 1);
    while count(stride) > MOST_WINDOWS {
        stride *= 2;
    }
    let mut all: Vec<[f64; PER_WINDOW]> = Vec::new();
    let mut row = Vec::new();
    for top in (0..=height - h).step_by(stride) {
        let mut band = Vec::with_capacity(h * width);
        for y in top..top + h {
            row.clear();
            image.row_f32(y, &mut row);
            match image.channels() {
                1 => band.extend_from_slice(&row),
                _ => {
                    band.extend(row.chunks_exact(3).map(|p| 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2]));
                }
            }
        }
        for left in (0..=width - w).step_by(stride) {
            let window: Vec<f32> =
                (0..h).flat_map(|y| band[y * width + left..][..w].iter().copied()).collect();
            all.push(of_window(window, w, h));
        }
    }
    let n = all.len() as f64;
    std::array::from_fn(|i| {
        let column = |f: usize| all.iter().map(move |v| v[f]);
        let f = i % PER_WINDOW;
        let mean = column(f).sum::<f64>() / n;
        if i < PER_WINDOW {
            mean
        } else {
            ((column(f).map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt() + 0.05).ln()
        }
    })
}

fn of_window(window: Vec<f32>, width: usize, height: usize) -> [f64; PER_WINDOW] {
    let moments = |values: &[f32]| {
        let n = values.len() as f64;
        let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
        let central = |power: i32| values.iter().map(|v| (f64::from(*v) - mean).powi(power)).sum::<f64>() / n;
        (mean, central(2), central(3), central(4))
    };
    let mut out = [0.0; PER_WINDOW];
    let (mean, variance, third, _) = moments(&window);
    out[0] = mean / 64.0;
    out[1] = (variance.sqrt() + 1.0).ln();
    out[2] = third / (variance.sqrt() + 1e-6).powi(3);
    let (mut level, mut w, mut h) = (window, width, height);
    for l in 0..LEVELS {
        let blurred = blur(&level, w, h);
        let details: Vec<f32> = level.iter().zip(&blurred).map(|(a, b)| a - b).collect();
        let (_, second, _, fourth) = moments(&details);
        out[3 + 2 * l] = (second.sqrt() + 0.5).ln();
        out[4 + 2 * l] = (fourth / (second * second + 1e-6) + 1e-3).ln();
        let (nw, nh) = (w.div_ceil(2), h.div_ceil(2));
        level = (0..nh)
            .flat_map(|y| (0..nw).map(move |x| (y, x)))
            .map(|(y, x)| blurred[2 * y * w + 2 * x])
            .collect();
        (w, h) = (nw, nh);
    }
    out
}

/// Binomial blur of five taps in both directions, edges repeated.
fn blur(values: &[f32], width: usize, height: usize) -> Vec<f32> {
    const TAPS: [f32; 5] = [1.0 / 16.0, 4.0 / 16.0, 6.0 / 16.0, 4.0 / 16.0, 1.0 / 16.0];
    let near = |at: usize, tap: usize, len: usize| (at + tap).saturating_sub(2).min(len - 1);
    let mut across = vec![0.0; values.len()];
    for (out, row) in across.chunks_exact_mut(width).zip(values.chunks_exact(width)) {
        for (x, out) in out.iter_mut().enumerate() {
            *out = (0..5).map(|t| TAPS[t] * row[near(x, t, width)]).sum();
        }
    }
    let mut both = vec![0.0; values.len()];
    for (y, out) in both.chunks_exact_mut(width).enumerate() {
        for (t, weight) in TAPS.iter().enumerate() {
            let row = &across[near(y, t, height) * width..][..width];
            out.iter_mut().zip(row).for_each(|(o, v)| *o += weight * v);
        }
    }
    both
}

/// Mean and inverse of the shrunk covariance.
fn fit(features: &[Features]) -> (Features, Vec<f64>) {
    let n = features.len() as f64;
    let mean: Features = std::array::from_fn(|i| features.iter().map(|f| f[i]).sum::<f64>() / n);
    let mut covariance = vec![0.0; FEATURES * FEATURES];
    for (i, j) in (0..FEATURES).flat_map(|i| (0..FEATURES).map(move |j| (i, j))) {
        let sum: f64 = features.iter().map(|f| (f[i] - mean[i]) * (f[j] - mean[j])).sum();
        let shrunk = if i == j { 1.0 } else { 1.0 - SHRINKAGE };
        covariance[i * FEATURES + j] = shrunk * sum / (n - 1.0) + if i == j { FLOOR } else { 0.0 };
    }
    (mean, inverse(covariance, FEATURES))
}

/// Of a symmetric positive definite matrix, by Gauss and Jordan; no pivots are needed.
fn inverse(mut a: Vec<f64>, n: usize) -> Vec<f64> {
    let mut out = vec![0.0; n * n];
    (0..n).for_each(|i| out[i * n + i] = 1.0);
    for p in 0..n {
        let pivot = a[p * n + p];
        for c in 0..n {
            a[p * n + c] /= pivot;
            out[p * n + c] /= pivot;
        }
        for r in (0..n).filter(|r| *r != p) {
            let factor = a[r * n + p];
            for c in 0..n {
                a[r * n + c] -= factor * a[p * n + c];
                out[r * n + c] -= factor * out[p * n + c];
            }
        }
    }
    out
}

fn distance(features: &Features, mean: &[f64], precision: &[f64]) -> f64 {
    let d: Vec<f64> = features.iter().zip(mean).map(|(f, m)| f - m).collect();
    (0..FEATURES).map(|i| d[i] * (0..FEATURES).map(|j| precision[i * FEATURES + j] * d[j]).sum::<f64>()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inverses_invert() {
        let a = vec![4.0, 1.0, 0.5, 1.0, 3.0, 0.2, 0.5, 0.2, 2.0];
        let b = inverse(a.clone(), 3);
        for (i, j) in (0..3).flat_map(|i| (0..3).map(move |j| (i, j))) {
            let product: f64 = (0..3).map(|k| a[i * 3 + k] * b[k * 3 + j]).sum();
            assert!((product - f64::from(u8::from(i == j))).abs() < 1e-12);
        }
    }

    #[test]
    fn a_ramp_has_the_moments_it_should() {
        let ramp: Vec<f32> = (0..64 * 64).map(|i| (i % 64) as f32).collect();
        let f = of_window(ramp, 64, 64);
        assert!((f[0] - 31.5 / 64.0).abs() < 1e-9);
        // Variance of 0..63 is (64^2 - 1) / 12; a ramp is symmetric and blurring leaves its inside as it is.
        assert!((f[1] - ((4095.0f64 / 12.0).sqrt() + 1.0).ln()).abs() < 1e-9);
        assert!(f[2].abs() < 1e-9 && f[3] < 0.0);
    }
}
