//! Depthwise convolution: each channel has its own k x k kernel.
//!
//! Taps that fall outside the image are skipped, so the dilation-36 branch of the ASPP on a 32 x 32
//! map costs one tap instead of nine.

use crate::dispatch::dispatched;
use crate::epilogue::Epilogue;
use crate::{ConvGeometry, Nhwc, recycle};
use rayon::prelude::*;

/// Weights `[c, 1, k, k]` as one contiguous channel row per tap.
pub(crate) fn weights(w: &[f32], g: &ConvGeometry) -> Vec<f32> {
    let (c, taps) = (g.groups, g.kernel * g.kernel);
    let mut out = vec![0.0; w.len()];
    for ch in 0..c {
        for t in 0..taps {
            out[t * c + ch] = w[ch * taps + t];
        }
    }
    out
}

dispatched! {
    fn add_product(acc: &mut [f32], a: &[f32], b: &[f32]) {
        for ((acc, a), b) in acc.iter_mut().zip(a).zip(b) {
            *acc += a * b;
        }
    }
}

/// `w` as from [`weights`].
pub(crate) fn forward(x: &[f32], xs: Nhwc, w: &[f32], g: &ConvGeometry, epilogue: &Epilogue) -> Vec<f32> {
    let ys = g.out_shape(xs, xs.c);
    let mut y = recycle::take(ys.len());
    y.par_chunks_mut(ys.w * ys.c).enumerate().for_each(|(row, out)| {
        let (n, oy) = (row / ys.h, row % ys.h);
        out.fill(0.0);
        for ky in 0..g.kernel {
            let Some(iy) = g.tap(oy, ky, xs.h) else { continue };
            for kx in 0..g.kernel {
                let wt = &w[(ky * g.kernel + kx) * xs.c..][..xs.c];
                for (ox, out) in out.chunks_mut(ys.c).enumerate() {
                    if let Some(ix) = g.tap(ox, kx, xs.w) {
                        add_product(out, &x[xs.offset(n, iy, ix)..][..xs.c], wt);
                    }
                }
            }
        }
        epilogue.apply(out, 0, row * ys.w * ys.c);
    });
    y
}

pub(crate) fn input_gradient(gy: &[f32], xs: Nhwc, w: &[f32], g: &ConvGeometry) -> Vec<f32> {
    let ys = g.out_shape(xs, xs.c);
    let w = weights(w, g);
    let mut gx = recycle::take(xs.len());
    gx.par_chunks_mut(xs.h * xs.w * xs.c).enumerate().for_each(|(n, gx)| {
        gx.fill(0.0);
        for oy in 0..ys.h {
            for ky in 0..g.kernel {
                let Some(iy) = g.tap(oy, ky, xs.h) else { continue };
                for kx in 0..g.kernel {
                    let wt = &w[(ky * g.kernel + kx) * xs.c..][..xs.c];
                    for ox in 0..ys.w {
                        if let Some(ix) = g.tap(ox, kx, xs.w) {
                            let out = &mut gx[(iy * xs.w + ix) * xs.c..][..xs.c];
                            add_product(out, &gy[ys.offset(n, oy, ox)..][..xs.c], wt);
                        }
                    }
                }
            }
        }
    });
    gx
}

pub(crate) fn weight_gradient(x: &[f32], xs: Nhwc, gy: &[f32], g: &ConvGeometry) -> Vec<f32> {
    let (ys, taps, c) = (g.out_shape(xs, xs.c), g.kernel * g.kernel, xs.c);
    // One row of sums per (image, tap); images are added in order afterwards.
    let mut parts = vec![0.0; xs.n * taps * c];
    parts.par_chunks_mut(c).enumerate().for_each(|(part, sum)| {
        let (n, tap) = (part / taps, part % taps);
        for oy in 0..ys.h {
            let Some(iy) = g.tap(oy, tap / g.kernel, xs.h) else { continue };
            for ox in 0..ys.w {
                if let Some(ix) = g.tap(ox, tap % g.kernel, xs.w) {
                    add_product(sum, &x[xs.offset(n, iy, ix)..][..c], &gy[ys.offset(n, oy, ox)..][..c]);
                }
            }
        }
    });
    let mut gw = recycle::take(c * taps);
    gw.fill(0.0);
    for part in parts.chunks(taps * c) {
        for t in 0..taps {
            for ch in 0..c {
                gw[ch * taps + t] += part[t * c + ch];
            }
        }
    }
    gw
}
