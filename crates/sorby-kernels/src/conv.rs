//! 2-D convolution and its two gradients, dispatched to the algorithm of [`crate::choose`].

use crate::epilogue::Epilogue;
use crate::trace::{ConvCall, timed_conv};
use crate::{Algorithm, ConvGeometry, Nhwc, choose, depthwise, im2col, pointwise, winograd};

/// `y = x * w`. Returns `[n, oh, ow, cout]`.
///
/// `x` has shape `xs`; `w` is `[cout, xs.c / groups, k, k]`.
///
/// # Panics
/// If `x` or `w` has another length than its shape, if the kernel is larger than the padded input, or if `g` has
/// groups that are not one for each channel.
pub fn forward(x: &[f32], xs: Nhwc, w: &[f32], cout: usize, g: &ConvGeometry) -> Vec<f32> {
    check(x, xs, w, cout, g);
    let call = ConvCall { input: xs, cout, geometry: *g };
    timed_conv("convolution", call, || match choose(g, xs.c, cout) {
        Algorithm::Winograd => {
            let w = winograd::Weights::new(w, cout, xs.c, false);
            winograd::forward(x, xs, &w, g.dilation, &Epilogue::default())
        }
        Algorithm::Pointwise => {
            pointwise::forward(x, xs.c, &pointwise::weights(w, cout, xs.c), cout, &Epilogue::default())
        }
        Algorithm::Depthwise => depthwise::forward(x, xs, &depthwise::weights(w, g), g, &Epilogue::default()),
        Algorithm::Im2col => {
            im2col::forward(x, xs, &im2col::weights(w, cout, xs.c, g), cout, g, &Epilogue::default())
        }
    })
}

/// Gradient by the input: `[n, h, w, cin]` from `gy` of the output's shape.
///
/// # Panics
/// As [`forward`], with the length of `gy` in place of that of `x`.
pub fn input_gradient(gy: &[f32], xs: Nhwc, w: &[f32], cout: usize, g: &ConvGeometry) -> Vec<f32> {
    assert_eq!(gy.len(), g.out_shape(xs, cout).len());
    check_weights(xs, w, cout, g);
    let call = ConvCall { input: xs, cout, geometry: *g };
    timed_conv("input gradient", call, || match choose(g, xs.c, cout) {
        // A stride-1 "same" convolution's adjoint is the convolution with the flipped kernel.
        Algorithm::Winograd => {
            let ys = Nhwc { c: cout, ..xs };
            let w = winograd::Weights::flipped(w, cout, xs.c);
            winograd::forward(gy, ys, &w, g.dilation, &Epilogue::default())
        }
        Algorithm::Pointwise => pointwise::input_gradient(gy, w, cout, xs.c),
        Algorithm::Depthwise => depthwise::input_gradient(gy, xs, w, g),
        Algorithm::Im2col => im2col::input_gradient(gy, xs, w, cout, g),
    })
}

/// Gradient by the weights, `[cout, cin / groups, k, k]`.
///
/// # Panics
/// As [`forward`], with the length of `gy` in place of that of `w`.
pub fn weight_gradient(x: &[f32], xs: Nhwc, gy: &[f32], cout: usize, g: &ConvGeometry) -> Vec<f32> {
    assert_eq!(x.len(), xs.len());
    assert_eq!(gy.len(), g.out_shape(xs, cout).len());
    let call = ConvCall { input: xs, cout, geometry: *g };
    timed_conv("weight gradient", call, || match choose(g, xs.c, cout) {
        Algorithm::Winograd => winograd::weight_gradient(x, xs, gy, cout, g.dilation),
        Algorithm::Pointwise => pointwise::weight_gradient(x, xs, gy, cout),
        Algorithm::Depthwise => depthwise::weight_gradient(x, xs, gy, g),
        Algorithm::Im2col => im2col::weight_gradient(x, xs, gy, cout, g),
    })
}

fn check(x: &[f32], xs: Nhwc, w: &[f32], cout: usize, g: &ConvGeometry) {
    assert_eq!(x.len(), xs.len(), "input length does not match its shape");
    check_weights(xs, w, cout, g);
}

fn check_weights(xs: Nhwc, w: &[f32], cout: usize, g: &ConvGeometry) {
    assert_eq!(w.len(), cout * xs.c / g.groups * g.kernel * g.kernel, "weight length");
}
