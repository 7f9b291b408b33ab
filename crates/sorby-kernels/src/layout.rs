//! Moving between PyTorch's `[n, c, h, w]` and this crate's `[n, h, w, c]`.

use crate::Nhwc;
use rayon::prelude::*;

/// `[n, c, h, w]` to `[n, h, w, c]`.
pub fn to_channels_last(x: &[f32], s: Nhwc) -> Vec<f32> {
    let plane = s.h * s.w;
    let mut out = vec![0.0; s.len()];
    out.par_chunks_mut(s.w * s.c).enumerate().for_each(|(row, out)| {
        let (n, y) = (row / s.h, row % s.h);
        for c in 0..s.c {
            let line = &x[(n * s.c + c) * plane + y * s.w..][..s.w];
            out[c..].iter_mut().step_by(s.c).zip(line).for_each(|(o, v)| *o = *v);
        }
    });
    out
}

/// `[n, h, w, c]` to `[n, c, h, w]`.
pub fn to_channels_first(x: &[f32], s: Nhwc) -> Vec<f32> {
    let plane = s.h * s.w;
    let mut out = vec![0.0; s.len()];
    out.par_chunks_mut(plane).enumerate().for_each(|(i, out)| {
        let (n, c) = (i / s.c, i % s.c);
        let first = n * plane * s.c + c;
        out.iter_mut().zip(x[first..].iter().step_by(s.c)).for_each(|(o, v)| *o = *v);
    });
    out
}
