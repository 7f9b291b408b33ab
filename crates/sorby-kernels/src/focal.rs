//! Sigmoid focal loss (Lin et al. 2017) as MMSegmentation applies it, with its gradient in one pass.
//!
//! Every class of a pixel is a binary problem of its own; the mean runs over all `pixels * classes`
//! entries, ignored pixels included (with zero loss).

use crate::{focal_lanes, recycle};
use rayon::prelude::*;

/// Parameters of the loss. Labels at or above the class count (255 by convention) are not counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Focal {
    /// Weight of positive entries; negatives weigh `1 - alpha`.
    pub alpha: f64,
    /// Exponent of `(1 - p)`: a larger one lets easy pixels count less; 0 is weighted cross-entropy.
    pub gamma: f64,
}

impl Focal {
    /// Loss and its derivative by the logit `z` of one entry.
    pub fn entry(&self, z: f64, positive: bool) -> (f64, f64) {
        let (sign, weight) = if positive { (1.0, self.alpha) } else { (-1.0, 1.0 - self.alpha) };
        let u = sign * z;
        // ln(1 + e^-u) without overflow.
        let softplus = (-u).max(0.0) + (-u.abs()).exp().ln_1p();
        let q = (-softplus - u).exp().min(1.0);
        let pt = (-softplus).exp();
        let modulation = if self.gamma == 2.0 { q * q } else { q.powf(self.gamma) };
        let loss = weight * modulation * softplus;
        (loss, -sign * weight * modulation * (q + self.gamma * pt * softplus))
    }

    /// Mean loss of `z`, `[pixels, classes]`, and its gradient, times `scale`.
    ///
    /// # Panics
    /// If there is no label, or if the number of logits is not a multiple of the number of labels.
    pub fn mean_with_gradient(&self, z: &[f32], labels: &[u8], scale: f64) -> (f64, Vec<f32>) {
        let classes = class_count(z, labels);
        let factor = scale / z.len() as f64;
        if self.gamma == 2.0 {
            return self.mean_with_gradient_in_lanes(z, labels, classes, factor);
        }
        with_gradient(z, labels, classes, |z, label, g| {
            let mut sum = 0.0;
            for (c, (&z, g)) in z.iter().zip(g).enumerate() {
                let (loss, slope) = self.entry(f64::from(z), c == label as usize);
                sum += loss;
                *g = (slope * factor) as f32;
            }
            sum * factor
        })
    }

    fn mean_with_gradient_in_lanes(
        &self,
        z: &[f32],
        labels: &[u8],
        classes: usize,
        factor: f64,
    ) -> (f64, Vec<f32>) {
        let (positive, negative) = (self.alpha as f32, (1.0 - self.alpha) as f32);
        let (sum, gradient) = over_blocks(z, labels, classes, |z, labels, g| {
            let mut sign = vec![-1.0; z.len()];
            let mut weight = vec![negative; z.len()];
            for (i, &label) in labels.iter().enumerate() {
                let (first, label) = (i * classes, usize::from(label));
                if label < classes {
                    sign[first + label] = 1.0;
                    weight[first + label] = positive;
                } else {
                    weight[first..first + classes].fill(0.0);
                }
            }
            let mut loss = vec![0.0; z.len()];
            focal_lanes::entries(&mut loss, g, z, &sign, &weight);
            g.iter_mut().for_each(|g| *g *= factor as f32);
            loss.iter().map(|l| f64::from(*l)).sum()
        });
        (sum * factor, gradient)
    }
}

fn class_count(z: &[f32], labels: &[u8]) -> usize {
    assert!(!labels.is_empty() && z.len().is_multiple_of(labels.len()), "as many logits for every label");
    z.len() / labels.len()
}

/// Pixels per task; losses are added within a task, then over tasks in order.
const BLOCK: usize = 4096;

/// Mean cross-entropy of `z`, `[pixels, classes]`, and its gradient, times `scale`; the mean divides
/// by all pixels, ignored ones included (MMSegmentation's `avg_non_ignore = false`).
///
/// # Panics
/// If there is no label, or if the number of logits is not a multiple of the number of labels.
pub fn cross_entropy_with_gradient(z: &[f32], labels: &[u8], scale: f64) -> (f64, Vec<f32>) {
    let classes = class_count(z, labels);
    let factor = scale / labels.len() as f64;
    with_gradient(z, labels, classes, |z, label, g| {
        let max = z.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f64 = z.iter().map(|&z| f64::from(z - max).exp()).sum();
        for (c, (&z, g)) in z.iter().zip(g.iter_mut()).enumerate() {
            let p = f64::from(z - max).exp() / sum;
            *g = ((p - f64::from(u8::from(c == label as usize))) * factor) as f32;
        }
        (sum.ln() - f64::from(z[label as usize] - max)) * factor
    })
}

/// Runs `pixel(logits, label, gradient) -> loss` over all counted pixels.
fn with_gradient(
    z: &[f32],
    labels: &[u8],
    classes: usize,
    pixel: impl Fn(&[f32], u8, &mut [f32]) -> f64 + Sync,
) -> (f64, Vec<f32>) {
    over_blocks(z, labels, classes, |z, labels, g| {
        // Ignored pixels keep no gradient.
        g.fill(0.0);
        let rows = g.chunks_mut(classes).zip(z.chunks(classes)).zip(labels);
        rows.filter(|(_, label)| (**label as usize) < classes)
            .map(|((g, z), &label)| pixel(z, label, g))
            .sum()
    })
}

/// Runs `block(logits, labels, gradient) -> loss` over blocks of pixels, adding losses in a fixed order. Each
/// block writes all of its gradient.
fn over_blocks(
    z: &[f32],
    labels: &[u8],
    classes: usize,
    block: impl Fn(&[f32], &[u8], &mut [f32]) -> f64 + Sync,
) -> (f64, Vec<f32>) {
    let mut gradient = recycle::take(z.len());
    let sums: Vec<f64> = gradient
        .par_chunks_mut(BLOCK * classes)
        .zip(z.par_chunks(BLOCK * classes))
        .zip(labels.par_chunks(BLOCK))
        .map(|((g, z), labels)| block(z, labels, g))
        .collect();
    (sums.iter().sum(), gradient)
}
