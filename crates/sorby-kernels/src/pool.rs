//! Max pooling 3x3 stride 2 and adaptive average pooling, as PyTorch's.

use crate::dispatch::dispatched;
use crate::{ConvGeometry, Nhwc, recycle};
use rayon::prelude::*;

/// ResNet's pool: 3x3, stride 2, padding 1 (with minus infinity).
const STEM_POOL: ConvGeometry = ConvGeometry { kernel: 3, stride: 2, padding: 1, dilation: 1, groups: 1 };

/// Output shape of [`max_pool`].
pub fn max_pool_shape(xs: Nhwc) -> Nhwc {
    STEM_POOL.out_shape(xs, xs.c)
}

dispatched! {
    /// Keeps the larger of `y` and `x`, and which tap it came from.
    fn keep_larger(y: &mut [f32], taps: &mut [u8], x: &[f32], tap: u8) {
        let n = y.len();
        let (taps, x) = (&mut taps[..n], &x[..n]);
        for i in 0..n {
            // NaN wins, as in PyTorch, so that a diverging run is seen.
            let wins = x[i] > y[i] || x[i].is_nan();
            y[i] = if wins { x[i] } else { y[i] };
            taps[i] = if wins { tap } else { taps[i] };
        }
    }
}

/// The maximum and, per output value, the tap (0..9) it came from; ties go to the first tap.
pub fn max_pool(x: &[f32], xs: Nhwc) -> (Vec<f32>, Vec<u8>) {
    let (g, ys) = (STEM_POOL, max_pool_shape(xs));
    let mut y = recycle::take(ys.len());
    let mut taps = vec![0u8; ys.len()];
    let row = ys.w * ys.c;
    y.par_chunks_mut(row).zip(taps.par_chunks_mut(row)).enumerate().for_each(|(r, (y, taps))| {
        let (n, oy) = (r / ys.h, r % ys.h);
        for (ox, (y, taps)) in y.chunks_exact_mut(ys.c).zip(taps.chunks_exact_mut(ys.c)).enumerate() {
            y.fill(f32::NEG_INFINITY);
            for tap in 0..9 {
                if let (Some(iy), Some(ix)) = (g.tap(oy, tap / 3, xs.h), g.tap(ox, tap % 3, xs.w)) {
                    keep_larger(y, taps, &x[xs.offset(n, iy, ix)..][..xs.c], tap as u8);
                }
            }
        }
    });
    (y, taps)
}

/// Gradient of [`max_pool`] by its input. `taps` are those that [`max_pool`] gave; the result has shape `xs`.
pub fn max_pool_gradient(gy: &[f32], taps: &[u8], xs: Nhwc) -> Vec<f32> {
    let (g, ys) = (STEM_POOL, max_pool_shape(xs));
    let mut gx = recycle::take(xs.len());
    gx.par_chunks_mut(xs.h * xs.w * xs.c).enumerate().for_each(|(n, gx)| {
        gx.fill(0.0);
        for oy in 0..ys.h {
            for ox in 0..ys.w {
                let at = ys.offset(n, oy, ox);
                for c in 0..ys.c {
                    let tap = taps[at + c] as usize;
                    if let (Some(iy), Some(ix)) = (g.tap(oy, tap / 3, xs.h), g.tap(ox, tap % 3, xs.w)) {
                        gx[(iy * xs.w + ix) * xs.c + c] += gy[at + c];
                    }
                }
            }
        }
    });
    gx
}

/// Bin `i` of `bins` over `n`: `floor(i n / bins) .. ceil((i + 1) n / bins)`.
pub fn bin(i: usize, bins: usize, n: usize) -> std::ops::Range<usize> {
    i * n / bins..((i + 1) * n).div_ceil(bins)
}

/// Means over `bins` x `bins` regions: `[n, bins, bins, c]`.
pub fn adaptive_average(x: &[f32], xs: Nhwc, bins: usize) -> Vec<f32> {
    let mut y = recycle::take(xs.n * bins * bins * xs.c);
    y.fill(0.0);
    y.par_chunks_mut(xs.c).enumerate().for_each(|(i, y)| {
        let (n, by, bx) = (i / (bins * bins), i / bins % bins, i % bins);
        let (rows, columns) = (bin(by, bins, xs.h), bin(bx, bins, xs.w));
        let area = (rows.len() * columns.len()) as f32;
        let mut line = vec![0.0f32; xs.c];
        for iy in rows {
            // Summing rows first keeps the error of a long sum small.
            line.fill(0.0);
            for ix in columns.clone() {
                line.iter_mut().zip(&x[xs.offset(n, iy, ix)..][..xs.c]).for_each(|(l, v)| *l += v);
            }
            y.iter_mut().zip(&line).for_each(|(y, l)| *y += l);
        }
        y.iter_mut().for_each(|y| *y /= area);
    });
    y
}

/// Gradient of [`adaptive_average`] by its input. `gy` is `[n, bins, bins, c]`; the result has shape `xs`.
pub fn adaptive_average_gradient(gy: &[f32], xs: Nhwc, bins: usize) -> Vec<f32> {
    let mut gx = recycle::take(xs.len());
    gx.par_chunks_mut(xs.h * xs.w * xs.c).enumerate().for_each(|(n, gx)| {
        gx.fill(0.0);
        for by in 0..bins {
            for bx in 0..bins {
                let (rows, columns) = (bin(by, bins, xs.h), bin(bx, bins, xs.w));
                let area = (rows.len() * columns.len()) as f32;
                let g = &gy[((n * bins + by) * bins + bx) * xs.c..][..xs.c];
                for iy in rows {
                    for ix in columns.clone() {
                        let out = &mut gx[(iy * xs.w + ix) * xs.c..][..xs.c];
                        out.iter_mut().zip(g).for_each(|(o, g)| *o += g / area);
                    }
                }
            }
        }
    });
    gx
}
