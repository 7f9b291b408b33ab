//! Batch normalisation fused with the ReLU and the residual addition that follow it.
//!
//! Semantics are PyTorch's `BatchNorm2d`: biased variance for normalising, unbiased for the running
//! estimate. Sums run over fixed blocks of pixels in f32 and between blocks in f64.

use crate::dispatch::dispatched;
use crate::recycle;
use rayon::prelude::*;

/// `max` that keeps NaN, as PyTorch does: a diverging network must not look like a healthy one.
#[inline(always)]
fn at_least(v: f32, floor: f32) -> f32 {
    if v < floor { floor } else { v }
}

/// Pixels per block of a sum.
const BLOCK: usize = 256;

/// Mean and biased variance of each channel.
#[derive(Clone, Debug)]
pub struct Moments {
    /// `[c]`.
    pub mean: Vec<f32>,
    /// `[c]`, divided by `count` (biased).
    pub var: Vec<f32>,
    /// Values per channel.
    pub count: usize,
}

dispatched! {
    /// Adds to `sums` (`[2, c]`) the sum and the sum of squares of each channel about `shift`.
    fn block_sums(sums: &mut [f32], x: &[f32], shift: &[f32]) {
        let c = shift.len();
        let (sum, squares) = sums.split_at_mut(c);
        let squares = &mut squares[..c];
        for x in x.chunks_exact(c) {
            for i in 0..c {
                let v = x[i] - shift[i];
                sum[i] += v;
                squares[i] += v * v;
            }
        }
    }
}

/// Adds up `[k, c]` partial sums of blocks of pixels: f32 inside a block, f64 between blocks.
fn sum_blocks(
    pixels: usize,
    width: usize,
    block: impl Fn(std::ops::Range<usize>, &mut [f32]) + Sync,
) -> Vec<f64> {
    const BLOCKS_PER_TASK: usize = 16;
    let blocks = pixels.div_ceil(BLOCK);
    let parts: Vec<Vec<f64>> = (0..blocks.div_ceil(BLOCKS_PER_TASK))
        .into_par_iter()
        .map(|task| {
            let mut total = vec![0.0f64; width];
            let mut sums = vec![0.0f32; width];
            for b in task * BLOCKS_PER_TASK..((task + 1) * BLOCKS_PER_TASK).min(blocks) {
                sums.fill(0.0);
                block(b * BLOCK..((b + 1) * BLOCK).min(pixels), &mut sums);
                total.iter_mut().zip(&sums).for_each(|(t, &s)| *t += f64::from(s));
            }
            total
        })
        .collect();
    let mut total = vec![0.0; width];
    for part in &parts {
        total.iter_mut().zip(part).for_each(|(t, p)| *t += p);
    }
    total
}

/// Moments over all pixels of `x`, `[pixels, c]`.
///
/// # Panics
/// If `x` is empty.
pub fn moments(x: &[f32], c: usize) -> Moments {
    let count = x.len() / c;
    // Shifting by the first pixel avoids cancellation when the mean is large against the spread.
    let shift = &x[..c];
    let sums =
        sum_blocks(count, 2 * c, |range, sums| block_sums(sums, &x[range.start * c..range.end * c], shift));
    let n = count as f64;
    let (sum, squares) = sums.split_at(c);
    let mean = sum.iter().zip(shift).map(|(s, k)| (s / n + f64::from(*k)) as f32).collect();
    let var =
        sum.iter().zip(squares).map(|(s, q)| at_least((q / n - (s / n) * (s / n)) as f32, 0.0)).collect();
    Moments { mean, var, count }
}

dispatched! {
    fn affine_rows(y: &mut [f32], x: &[f32], residual: &[f32], scale: &[f32], shift: &[f32], relu: bool) {
        let c = scale.len();
        let shift = &shift[..c];
        let floor = if relu { 0.0 } else { f32::NEG_INFINITY };
        if residual.is_empty() {
            for (y, x) in y.chunks_exact_mut(c).zip(x.chunks_exact(c)) {
                for i in 0..c {
                    y[i] = at_least(x[i] * scale[i] + shift[i], floor);
                }
            }
        } else {
            for ((y, x), r) in y.chunks_exact_mut(c).zip(x.chunks_exact(c)).zip(residual.chunks_exact(c)) {
                for i in 0..c {
                    y[i] = at_least(x[i] * scale[i] + shift[i] + r[i], floor);
                }
            }
        }
    }
}

/// `y = act(x * scale + shift (+ residual))`, one pass.
///
/// # Panics
/// If `scale` and `shift` differ in length, if `x` does not consist of whole pixels, or if `residual` is shorter
/// than `x`.
pub fn affine(x: &[f32], residual: Option<&[f32]>, scale: &[f32], shift: &[f32], relu: bool) -> Vec<f32> {
    assert!(x.len().is_multiple_of(scale.len()) && shift.len() == scale.len(), "whole pixels only");
    let rows = BLOCK * scale.len();
    let mut y = recycle::take(x.len());
    y.par_chunks_mut(rows).zip(x.par_chunks(rows)).enumerate().for_each(|(b, (y, x))| {
        let residual = residual.map_or(&[][..], |r| &r[b * rows..][..x.len()]);
        affine_rows(y, x, residual, scale, shift, relu);
    });
    y
}

/// `scale` and `shift` that turn normalisation into `x * scale + shift`.
pub fn fold(gamma: &[f32], beta: &[f32], mean: &[f32], var: &[f32], eps: f32) -> (Vec<f32>, Vec<f32>) {
    let scale: Vec<f32> = gamma.iter().zip(var).map(|(g, v)| g / (v + eps).sqrt()).collect();
    let shift = beta.iter().zip(mean).zip(&scale).map(|((b, m), s)| b - m * s).collect();
    (scale, shift)
}

/// Gradients of [`affine`] after [`moments`], the moments' own dependence on `x` included.
pub struct NormGradients {
    /// By the input, of its shape.
    pub x: Vec<f32>,
    /// By the scale, `[c]`.
    pub gamma: Vec<f32>,
    /// By the offset, `[c]`.
    pub beta: Vec<f32>,
    /// `gy` where the ReLU let it pass: the gradient by the residual. Only when asked for.
    pub residual: Option<Vec<f32>>,
}

/// Which values the ReLU after the norm let pass.
#[derive(Clone, Copy)]
pub enum Passed<'a> {
    /// All: there was no ReLU.
    All,
    /// Those whose normalised value is positive, found again from the input: one array less to read.
    PositiveNormalised {
        /// Offsets of the norm, `[c]`.
        beta: &'a [f32],
    },
    /// Those whose output is positive, where a residual was added before the ReLU.
    PositiveOutput(&'a [f32]),
}

/// The same for some pixels, ready for the inner loops.
#[derive(Clone, Copy)]
enum Mask<'a> {
    All,
    Normalised { scale: &'a [f32], shift: &'a [f32] },
    Output(&'a [f32]),
}

impl<'a> Mask<'a> {
    fn of(self, floats: std::ops::Range<usize>) -> Mask<'a> {
        match self {
            Mask::Output(y) => Mask::Output(&y[floats]),
            other => other,
        }
    }
}

dispatched! {
    /// Adds to `sums` (`[2, c]`) the sums of `g` and of `g (x - mean)`, `g` being `gy` where the mask passes.
    fn gradient_sums(sums: &mut [f32], x: &[f32], mask: Mask, gy: &[f32], mean: &[f32]) {
        let c = mean.len();
        let (sum, products) = sums.split_at_mut(c);
        let products = &mut products[..c];
        for (k, (x, gy)) in x.chunks_exact(c).zip(gy.chunks_exact(c)).enumerate() {
            match mask {
                Mask::All => {
                    for i in 0..c {
                        sum[i] += gy[i];
                        products[i] += gy[i] * (x[i] - mean[i]);
                    }
                }
                Mask::Normalised { scale, shift } => {
                    let (scale, shift) = (&scale[..c], &shift[..c]);
                    for i in 0..c {
                        let g = if x[i] * scale[i] + shift[i] > 0.0 { gy[i] } else { 0.0 };
                        sum[i] += g;
                        products[i] += g * (x[i] - mean[i]);
                    }
                }
                Mask::Output(y) => {
                    let y = &y[k * c..][..c];
                    for i in 0..c {
                        let g = if y[i] > 0.0 { gy[i] } else { 0.0 };
                        sum[i] += g;
                        products[i] += g * (x[i] - mean[i]);
                    }
                }
            }
        }
    }
}

dispatched! {
    /// `gx = a * g + b * x + d` per channel, `g` being `gy` where the mask passes.
    fn gradient_rows(gx: &mut [f32], x: &[f32], mask: Mask, gy: &[f32], a: &[f32], b: &[f32], d: &[f32]) {
        let c = a.len();
        let (b, d) = (&b[..c], &d[..c]);
        let rows = gx.chunks_exact_mut(c).zip(x.chunks_exact(c)).zip(gy.chunks_exact(c));
        for (k, ((gx, x), gy)) in rows.enumerate() {
            match mask {
                Mask::All => {
                    for i in 0..c {
                        gx[i] = a[i] * gy[i] + b[i] * x[i] + d[i];
                    }
                }
                Mask::Normalised { scale, shift } => {
                    let (scale, shift) = (&scale[..c], &shift[..c]);
                    for i in 0..c {
                        let g = if x[i] * scale[i] + shift[i] > 0.0 { gy[i] } else { 0.0 };
                        gx[i] = a[i] * g + b[i] * x[i] + d[i];
                    }
                }
                Mask::Output(y) => {
                    let y = &y[k * c..][..c];
                    for i in 0..c {
                        let g = if y[i] > 0.0 { gy[i] } else { 0.0 };
                        gx[i] = a[i] * g + b[i] * x[i] + d[i];
                    }
                }
            }
        }
    }
}

dispatched! {
    /// `gr = gy` where `y` is positive.
    fn passed_rows(gr: &mut [f32], y: &[f32], gy: &[f32]) {
        for ((gr, y), gy) in gr.iter_mut().zip(y).zip(gy) {
            *gr = if *y > 0.0 { *gy } else { 0.0 };
        }
    }
}

/// Gradients of `act(gamma (x - mean) / sqrt(var + eps) + beta (+ residual))` from `gy`, the gradient by its
/// output; `m` are the moments of `x`. `want_residual` asks for the gradient by the residual too.
///
/// # Panics
/// If `x` and `gy` differ in length or do not consist of whole pixels, or if `want_residual` is set with
/// [`Passed::PositiveNormalised`]: with a residual the output decides what the ReLU let pass.
pub fn backward(
    x: &[f32],
    passed: Passed,
    gy: &[f32],
    gamma: &[f32],
    m: &Moments,
    eps: f32,
    want_residual: bool,
) -> NormGradients {
    let c = gamma.len();
    assert!(x.len() == gy.len() && x.len().is_multiple_of(c), "whole pixels only");
    let (scale, shift) = match passed {
        Passed::PositiveNormalised { beta } => fold(gamma, beta, &m.mean, &m.var, eps),
        _ => (Vec::new(), Vec::new()),
    };
    let mask = match passed {
        Passed::All => Mask::All,
        Passed::PositiveNormalised { .. } => Mask::Normalised { scale: &scale, shift: &shift },
        Passed::PositiveOutput(y) => Mask::Output(y),
    };
    let sums = sum_blocks(x.len() / c, 2 * c, |r, sums| {
        let r = r.start * c..r.end * c;
        gradient_sums(sums, &x[r.clone()], mask.of(r.clone()), &gy[r], &m.mean);
    });
    let n = m.count as f64;
    let (mut beta, mut gamma_gradient) = (vec![0.0; c], vec![0.0; c]);
    let (mut a, mut b, mut d) = (vec![0.0; c], vec![0.0; c], vec![0.0; c]);
    for i in 0..c {
        let inv = 1.0 / f64::from(m.var[i] + eps).sqrt();
        let (sum, product) = (sums[i], sums[c + i] * inv);
        beta[i] = sum as f32;
        gamma_gradient[i] = product as f32;
        let scale = f64::from(gamma[i]) * inv;
        a[i] = scale as f32;
        let slope = -scale * product * inv / n;
        b[i] = slope as f32;
        d[i] = (-scale * sum / n - slope * f64::from(m.mean[i])) as f32;
    }
    let rows = BLOCK * c;
    let mut gx = recycle::take(x.len());
    gx.par_chunks_mut(rows).enumerate().for_each(|(k, gx)| {
        let r = k * rows..k * rows + gx.len();
        gradient_rows(gx, &x[r.clone()], mask.of(r.clone()), &gy[r], &a, &b, &d);
    });
    let residual = want_residual.then(|| {
        let mut gr = recycle::take(x.len());
        gr.par_chunks_mut(rows).zip(gy.par_chunks(rows)).enumerate().for_each(|(k, (gr, gy))| match mask {
            Mask::Output(y) => passed_rows(gr, &y[k * rows..][..gy.len()], gy),
            // Without a ReLU the residual's gradient is `gy` itself.
            Mask::All => gr.copy_from_slice(gy),
            Mask::Normalised { .. } => unreachable!("with a residual the output decides what passed"),
        });
        gr
    });
    NormGradients { x: gx, gamma: gamma_gradient, beta, residual }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_is_not_hidden() {
        let m = moments(&[1.0, f32::NAN, 2.0, 3.0], 2);
        assert!((m.mean[0] - 1.5).abs() < 1e-6 && m.var[1].is_nan());
        let y = affine(&[f32::NAN, -1.0], None, &[1.0, 1.0], &[0.0, 0.0], true);
        assert!(y[0].is_nan() && y[1] == 0.0);
    }
}
