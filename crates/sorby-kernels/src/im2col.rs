//! Convolution by unfolding blocks of input rows and multiplying: for strides and small channel counts.

use crate::epilogue::Epilogue;
use crate::gemm::{Left, product, to_panels};
use crate::{ConvGeometry, Mat, Nhwc, gemm, recycle, scratch};
use rayon::prelude::*;

/// Output rows are unfolded in blocks of about this many pixels, to stay in cache.
const PIXELS_PER_BLOCK: usize = 512;

/// `[cout, cin, k, k]` to `[k * k * cin, cout]`, the order in which a pixel's taps are unfolded.
fn weight_matrix(w: &[f32], cout: usize, cin: usize, taps: usize) -> Vec<f32> {
    let mut out = vec![0.0; w.len()];
    for o in 0..cout {
        for i in 0..cin {
            for t in 0..taps {
                out[(t * cin + i) * cout + o] = w[(o * cin + i) * taps + t];
            }
        }
    }
    out
}

fn rows_per_block(ys: Nhwc) -> usize {
    (PIXELS_PER_BLOCK / ys.w).clamp(1, ys.h)
}

/// Unfolds `rows` output rows from `oy` of image `n` into `col`, `[pixels, k * k * cin]`.
fn unfold(col: &mut [f32], x: &[f32], xs: Nhwc, g: &ConvGeometry, ow: usize, n: usize, oy: usize) {
    let width = g.kernel * g.kernel * xs.c;
    for (p, out) in col.chunks_mut(width).enumerate() {
        let (oy, ox) = (oy + p / ow, p % ow);
        for (tap, out) in out.chunks_mut(xs.c).enumerate() {
            match (g.tap(oy, tap / g.kernel, xs.h), g.tap(ox, tap % g.kernel, xs.w)) {
                (Some(iy), Some(ix)) => out.copy_from_slice(&x[xs.offset(n, iy, ix)..][..xs.c]),
                _ => out.fill(0.0),
            }
        }
    }
}

/// Weights as the right matrix of the forward pass.
pub(crate) fn weights(w: &[f32], cout: usize, cin: usize, g: &ConvGeometry) -> Vec<f32> {
    let taps = g.kernel * g.kernel;
    to_panels(Mat::rows(&weight_matrix(w, cout, cin, taps), taps * cin, cout, cout))
}

/// `w` as from [`weights`].
pub(crate) fn forward(
    x: &[f32],
    xs: Nhwc,
    w: &[f32],
    cout: usize,
    g: &ConvGeometry,
    epilogue: &Epilogue,
) -> Vec<f32> {
    let ys = g.out_shape(xs, cout);
    let width = g.kernel * g.kernel * xs.c;
    let rows = rows_per_block(ys);
    let mut y = recycle::take(ys.len());
    y.par_chunks_mut(ys.h * ys.w * cout).enumerate().for_each(|(n, y)| {
        y.par_chunks_mut(rows * ys.w * cout).enumerate().for_each(|(block, y)| {
            let pixels = y.len() / cout;
            let mut col = scratch::take(pixels * width);
            unfold(&mut col, x, xs, g, ys.w, n, block * rows);
            product(y, cout, false, Left::plain(Mat::rows(&col, pixels, width, width)), w, cout);
            epilogue.apply(y, 0, ys.offset(n, block * rows, 0));
        });
    });
    y
}

pub(crate) fn input_gradient(gy: &[f32], xs: Nhwc, w: &[f32], cout: usize, g: &ConvGeometry) -> Vec<f32> {
    let ys = g.out_shape(xs, cout);
    let width = g.kernel * g.kernel * xs.c;
    let w = weight_matrix(w, cout, xs.c, g.kernel * g.kernel);
    let rows = rows_per_block(ys);
    let mut gx = recycle::take(xs.len());
    gx.par_chunks_mut(xs.h * xs.w * xs.c).enumerate().for_each(|(n, gx)| {
        gx.fill(0.0);
        for first in (0..ys.h).step_by(rows) {
            let pixels = rows.min(ys.h - first) * ys.w;
            let mut col = scratch::take(pixels * width);
            let a = Mat::rows(&gy[ys.offset(n, first, 0)..], pixels, cout, cout);
            gemm(&mut col, width, false, a, Mat::rows(&w, width, cout, cout).t());
            for (p, col) in col.chunks(width).enumerate() {
                let (oy, ox) = (first + p / ys.w, p % ys.w);
                for (tap, col) in col.chunks(xs.c).enumerate() {
                    let (iy, ix) = (g.tap(oy, tap / g.kernel, xs.h), g.tap(ox, tap % g.kernel, xs.w));
                    if let (Some(iy), Some(ix)) = (iy, ix) {
                        let out = &mut gx[(iy * xs.w + ix) * xs.c..][..xs.c];
                        out.iter_mut().zip(col).for_each(|(o, v)| *o += v);
                    }
                }
            }
        }
    });
    gx
}

pub(crate) fn weight_gradient(x: &[f32], xs: Nhwc, gy: &[f32], cout: usize, g: &ConvGeometry) -> Vec<f32> {
    let ys = g.out_shape(xs, cout);
    let taps = g.kernel * g.kernel;
    let width = taps * xs.c;
    let rows = rows_per_block(ys);
    // One partial sum per image, added in order.
    let parts: Vec<Vec<f32>> = (0..xs.n)
        .into_par_iter()
        .map(|n| {
            let mut sum = vec![0.0; width * cout];
            for first in (0..ys.h).step_by(rows) {
                let pixels = rows.min(ys.h - first) * ys.w;
                let mut col = scratch::take(pixels * width);
                unfold(&mut col, x, xs, g, ys.w, n, first);
                let b = Mat::rows(&gy[ys.offset(n, first, 0)..], pixels, cout, cout);
                gemm(&mut sum, cout, true, Mat::rows(&col, pixels, width, width).t(), b);
            }
            sum
        })
        .collect();
    let mut gw = recycle::take(width * cout);
    gw.fill(0.0);
    for part in &parts {
        for tap in 0..taps {
            for i in 0..xs.c {
                for o in 0..cout {
                    gw[(o * xs.c + i) * taps + tap] += part[(tap * xs.c + i) * cout + o];
                }
            }
        }
    }
    gw
}
