//! 2-D convolution and its two gradients, dispatched to the algorithm of [`crate::choose`].

use crate::epilogue::Epilogue;
use crate::trace::{ConvCall, timed_conv};
use crate::{
    Algorithm, ConvGeometry, Mat, Nhwc, choose, depthwise, gemm_rows_parallel, im2col, recycle, winograd,
};
use rayon::prelude::*;

/// `y = x * w`. Returns `[n, oh, ow, cout]`.
///
/// `x` has shape `xs`; `w` is `[cout, xs.c / groups, k, k]`.
pub fn forward(x: &[f32], xs: Nhwc, w: &[f32], cout: usize, g: &ConvGeometry) -> Vec<f32> {
    check(x, xs, w, cout, g);
    let call = ConvCall { input: xs, cout, geometry: *g };
    timed_conv("convolution", call, || match choose(g, xs.c, cout) {
        Algorithm::Winograd => {
            let w = winograd::Weights::new(w, cout, xs.c);
            winograd::forward(x, xs, &w, g.dilation, &Epilogue::default())
        }
        Algorithm::Pointwise => {
            let mut y = recycle::take(xs.pixels() * cout);
            gemm_rows_parallel(&mut y, x, xs.c, Mat::rows(w, cout, xs.c, xs.c).t());
            y
        }
        Algorithm::Depthwise => depthwise::forward(x, xs, w, g),
        Algorithm::Im2col => im2col::forward(x, xs, w, cout, g),
    })
}

/// Gradient by the input: `[n, h, w, cin]` from `gy` of the output's shape.
pub fn input_gradient(gy: &[f32], xs: Nhwc, w: &[f32], cout: usize, g: &ConvGeometry) -> Vec<f32> {
    assert_eq!(gy.len(), g.out_shape(xs, cout).len());
    let call = ConvCall { input: xs, cout, geometry: *g };
    timed_conv("input gradient", call, || match choose(g, xs.c, cout) {
        // A stride-1 "same" convolution's adjoint is the convolution with the flipped kernel.
        Algorithm::Winograd => {
            let ys = Nhwc { c: cout, ..xs };
            let w = winograd::Weights::flipped(w, cout, xs.c);
            winograd::forward(gy, ys, &w, g.dilation, &Epilogue::default())
        }
        Algorithm::Pointwise => {
            let mut gx = recycle::take(xs.len());
            gemm_rows_parallel(&mut gx, gy, cout, Mat::rows(w, cout, xs.c, xs.c));
            gx
        }
        Algorithm::Depthwise => depthwise::input_gradient(gy, xs, w, g),
        Algorithm::Im2col => im2col::input_gradient(gy, xs, w, cout, g),
    })
}

/// Gradient by the weights, `[cout, cin / groups, k, k]`.
pub fn weight_gradient(x: &[f32], xs: Nhwc, gy: &[f32], cout: usize, g: &ConvGeometry) -> Vec<f32> {
    assert_eq!(x.len(), xs.len());
    assert_eq!(gy.len(), g.out_shape(xs, cout).len());
    let call = ConvCall { input: xs, cout, geometry: *g };
    timed_conv("weight gradient", call, || match choose(g, xs.c, cout) {
        Algorithm::Winograd => winograd::weight_gradient(x, xs, gy, cout, g.dilation),
        Algorithm::Pointwise => pointwise_weight_gradient(x, xs, gy, cout),
        Algorithm::Depthwise => depthwise::weight_gradient(x, xs, gy, g),
        Algorithm::Im2col => im2col::weight_gradient(x, xs, gy, cout, g),
    })
}

/// `gw = gyᵀ x`: the output rows (channels) are split over threads, the long sum is not.
fn pointwise_weight_gradient(x: &[f32], xs: Nhwc, gy: &[f32], cout: usize) -> Vec<f32> {
    const CHANNELS_PER_TASK: usize = 32;
    let mut gw = vec![0.0; cout * xs.c];
    gw.par_chunks_mut(CHANNELS_PER_TASK * xs.c).enumerate().for_each(|(i, gw)| {
        let first = i * CHANNELS_PER_TASK;
        let a = Mat::rows(&gy[first..], xs.pixels(), gw.len() / xs.c, cout).t();
        crate::gemm(gw, xs.c, false, a, Mat::rows(x, xs.pixels(), xs.c, xs.c));
    });
    gw
}

fn check(x: &[f32], xs: Nhwc, w: &[f32], cout: usize, g: &ConvGeometry) {
    assert_eq!(x.len(), xs.len(), "input length does not match its shape");
    assert_eq!(w.len(), cout * xs.c / g.groups * g.kernel * g.kernel, "weight length");
}
