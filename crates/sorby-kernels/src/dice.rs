//! Soft Dice loss (Milletari et al. 2016) over softmax probabilities, with its gradient.

use crate::recycle;
use rayon::prelude::*;

/// Added above and below, so that a class absent from label and prediction scores 1.
pub const SMOOTH: f64 = 1.0;

/// Pixels per task; sums are taken within a task, then over tasks in order.
const BLOCK: usize = 4096;

/// Adds to a loss with its gradient the Dice loss of `z`, `[pixels, classes]`: one minus the mean over classes of
/// `(2 sum(p y) + 1) / (sum(p) + sum(y) + 1)`, each sum over all counted pixels (label below the class count).
///
/// # Panics
/// If there is no label, or if the number of logits is not a multiple of the number of labels.
pub fn add_with_gradient((loss, mut gradient): (f64, Vec<f32>), z: &[f32], labels: &[u8]) -> (f64, Vec<f32>) {
    assert!(!labels.is_empty() && z.len().is_multiple_of(labels.len()), "as many logits for every label");
    let classes = z.len() / labels.len();
    let mut probabilities = recycle::take(z.len());
    let blocks = probabilities.par_chunks_mut(BLOCK * classes).zip(z.par_chunks(BLOCK * classes));
    let sums: Vec<Vec<f64>> = blocks
        .zip(labels.par_chunks(BLOCK))
        .map(|((p, z), labels)| {
            // Per class: sum of p y, sum of p + y.
            let mut sums = vec![0.0; 2 * classes];
            for ((p, z), &label) in p.chunks_mut(classes).zip(z.chunks(classes)).zip(labels) {
                softmax(z, p);
                let label = usize::from(label);
                if label < classes {
                    for (c, &p) in p.iter().enumerate() {
                        sums[classes + c] += f64::from(p);
                    }
                    sums[label] += f64::from(p[label]);
                    sums[classes + label] += 1.0;
                }
            }
            sums
        })
        .collect();
    let total = |i: usize| sums.iter().map(|s| s[i]).sum::<f64>();
    let (mut dice, mut when_right, mut always) = (0.0, Vec::new(), Vec::new());
    for c in 0..classes {
        let (above, below) = (2.0 * total(c) + SMOOTH, total(classes + c) + SMOOTH);
        dice += above / below / classes as f64;
        // Derivatives of the loss by p: where the label is c, and everywhere.
        when_right.push((-2.0 / below / classes as f64) as f32);
        always.push((above / below / below / classes as f64) as f32);
    }
    let blocks = gradient.par_chunks_mut(BLOCK * classes).zip(probabilities.par_chunks(BLOCK * classes));
    blocks.zip(labels.par_chunks(BLOCK)).for_each(|((g, p), labels)| {
        for ((g, p), &label) in g.chunks_mut(classes).zip(p.chunks(classes)).zip(labels) {
            let label = usize::from(label);
            if label >= classes {
                continue;
            }
            let slope = |c: usize| always[c] + if c == label { when_right[c] } else { 0.0 };
            let mean: f32 = p.iter().enumerate().map(|(c, p)| p * slope(c)).sum();
            for (c, (g, p)) in g.iter_mut().zip(p).enumerate() {
                *g += p * (slope(c) - mean);
            }
        }
    });
    recycle::give_back(probabilities);
    (loss + 1.0 - dice, gradient)
}

fn softmax(z: &[f32], p: &mut [f32]) {
    let max = z.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for (p, &z) in p.iter_mut().zip(z) {
        *p = (z - max).exp();
        sum += *p;
    }
    p.iter_mut().for_each(|p| *p /= sum);
}
