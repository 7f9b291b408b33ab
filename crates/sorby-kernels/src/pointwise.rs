//! 1x1 convolution: the input already is a product's left matrix.

use crate::epilogue::Epilogue;
use crate::gemm::{Left, product, to_panels};
use crate::{Mat, Nhwc, recycle};
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

/// `gw = gyᵀ x`: the output rows (channels) are split over threads, the long sum is not.
pub(crate) fn weight_gradient(x: &[f32], xs: Nhwc, gy: &[f32], cout: usize) -> Vec<f32> {
    const CHANNELS_PER_TASK: usize = 32;
    let mut gw = vec![0.0; cout * xs.c];
    gw.par_chunks_mut(CHANNELS_PER_TASK * xs.c).enumerate().for_each(|(i, gw)| {
        let first = i * CHANNELS_PER_TASK;
        let a = Mat::rows(&gy[first..], xs.pixels(), gw.len() / xs.c, cout).t();
        crate::gemm(gw, xs.c, false, a, Mat::rows(x, xs.pixels(), xs.c, xs.c));
    });
    gw
}
