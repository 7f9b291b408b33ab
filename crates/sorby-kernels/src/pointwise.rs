//! 1x1 convolution: the input already is a product's left matrix.

use crate::epilogue::Epilogue;
use crate::gemm::{Left, PANEL, panels_len, product, to_panels};
use crate::{Mat, Nhwc, recycle, scratch};
use rayon::prelude::*;

/// Pixels per task.
const PIXELS: usize = 512;

/// Weights `[cout, cin]` as the right matrix of the forward pass.
pub(crate) fn weights(w: &[f32], cout: usize, cin: usize) -> Vec<f32> {
    to_panels(Mat::rows(w, cout, cin, cin).t())
}

/// `[pixels, cout]` from `x`, `[pixels, cin]`, and [`weights`].
pub(crate) fn forward(x: &[f32], cin: usize, w: &[f32], cout: usize, epilogue: &Epilogue) -> Vec<f32> {
    let mut y = recycle::take(x.len() / cin * cout);
    y.par_chunks_mut(PIXELS * cout).zip(x.par_chunks(PIXELS * cin)).enumerate().for_each(|(i, (y, x))| {
        let a = Left::plain(Mat::rows(x, x.len() / cin, cin, cin));
        product(y, cout, false, a, w, cout);
        epilogue.apply(y, 0, i * PIXELS * cout);
    });
    y
}

/// `[pixels, cin]` from `gy`, `[pixels, cout]`.
pub(crate) fn input_gradient(gy: &[f32], w: &[f32], cout: usize, cin: usize) -> Vec<f32> {
    forward(gy, cout, &to_panels(Mat::rows(w, cout, cin, cin)), cin, &Epilogue::default())
}

/// Pixels whose two operands are laid out at once; both and the sum stay in the second-level cache.
const GRADIENT_PIXELS: usize = 256;

/// Partial sums over pixels, each by one task.
const PARTIAL_SUMS: usize = 8;

/// Columns of a left panel: one cache line.
const LEFT_PANEL: usize = 16;

/// `gw = gyᵀ x`, `[cout, cin]`, as the transpose of `xᵀ gy`.
pub(crate) fn weight_gradient(x: &[f32], xs: Nhwc, gy: &[f32], cout: usize) -> Vec<f32> {
    let (cin, len) = (xs.c, xs.c * cout);
    let per_sum = xs.pixels().div_ceil(PARTIAL_SUMS).next_multiple_of(GRADIENT_PIXELS);
    let used = xs.pixels().div_ceil(per_sum);
    let mut sums = scratch::take(used * len);
    let parts = x.par_chunks(per_sum * cin).zip(gy.par_chunks(per_sum * cout));
    sums.par_chunks_mut(len).zip(parts).for_each(|(sum, (x, gy))| {
        let mut left = scratch::take(GRADIENT_PIXELS * cin.next_multiple_of(LEFT_PANEL));
        let mut right = scratch::take(panels_len(GRADIENT_PIXELS, cout));
        let blocks = x.chunks(GRADIENT_PIXELS * cin).zip(gy.chunks(GRADIENT_PIXELS * cout));
        for (i, (x, gy)) in blocks.enumerate() {
            let pixels = x.len() / cin;
            into_panels(&mut left, x, cin, LEFT_PANEL);
            into_panels(&mut right, gy, cout, PANEL);
            let a = Left::transposed_panels(&left, pixels, cin, LEFT_PANEL);
            product(sum, cout, i > 0, a, &right[..panels_len(pixels, cout)], cout);
        }
    });
    let mut gw = recycle::take(len);
    gw.par_chunks_mut(cin).enumerate().for_each(|(o, gw)| {
        gw.fill(0.0);
        for sum in sums.chunks_exact(len) {
            gw.iter_mut().zip(sum.iter().skip(o).step_by(cout)).for_each(|(g, s)| *g += s);
        }
    });
    gw
}

/// Rows of `columns` into `[columns / panel][rows][panel]`, the last panel padded with zeros.
fn into_panels(out: &mut [f32], rows: &[f32], columns: usize, panel: usize) {
    let count = rows.len() / columns;
    for (first, out) in (0..columns).step_by(panel).zip(out.chunks_exact_mut(count * panel)) {
        let width = panel.min(columns - first);
        for (out, row) in out.chunks_exact_mut(panel).zip(rows.chunks_exact(columns)) {
            out[..width].copy_from_slice(&row[first..first + width]);
            out[width..].fill(0.0);
        }
    }
}
