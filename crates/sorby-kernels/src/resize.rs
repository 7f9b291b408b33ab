//! Bilinear resizing of feature maps, PyTorch's `align_corners = false`, never antialiased.

use crate::dispatch::dispatched;
use crate::{Nhwc, recycle};
use rayon::prelude::*;

/// Two source indices and the weight of the second, for every output index.
pub fn taps(input: usize, output: usize) -> Vec<(usize, usize, f32)> {
    let scale = input as f32 / output as f32;
    (0..output)
        .map(|o| {
            let at = ((o as f32 + 0.5) * scale - 0.5).max(0.0);
            let first = (at as usize).min(input - 1);
            (first, (first + 1).min(input - 1), at - first as f32)
        })
        .collect()
}

dispatched! {
    fn blend(y: &mut [f32], a: &[f32], b: &[f32], t: f32) {
        for ((y, a), b) in y.iter_mut().zip(a).zip(b) {
            *y = (1.0 - t) * a + t * b;
        }
    }
}

dispatched! {
    fn add_scaled(y: &mut [f32], x: &[f32], t: f32) {
        for (y, x) in y.iter_mut().zip(x) {
            *y += t * x;
        }
    }
}

/// Resizes `[n, h, w, c]` to `[n, oh, ow, c]`.
pub fn bilinear(x: &[f32], xs: Nhwc, oh: usize, ow: usize) -> Vec<f32> {
    let (rows, columns) = (taps(xs.h, oh), taps(xs.w, ow));
    let mut y = recycle::take(xs.n * oh * ow * xs.c);
    let line = xs.w * xs.c;
    y.par_chunks_mut(ow * xs.c).enumerate().for_each_init(
        || vec![0.0; line],
        |mixed, (r, y)| {
            let (n, (y0, y1, t)) = (r / oh, rows[r % oh]);
            blend(mixed, &x[xs.offset(n, y0, 0)..][..line], &x[xs.offset(n, y1, 0)..][..line], t);
            mix_columns(mixed, &columns, xs.c, y);
        },
    );
    y
}

/// [`bilinear`] of one image row by row.
pub struct RowResize {
    channels: usize,
    rows: Vec<(usize, usize, f32)>,
    columns: Vec<(usize, usize, f32)>,
    mixed: Vec<f32>,
}

impl RowResize {
    /// For an image of (height, width) `(h, w)` that becomes `(oh, ow)`; a pixel has `channels` values.
    pub fn new((h, w): (usize, usize), channels: usize, (oh, ow): (usize, usize)) -> Self {
        Self { channels, rows: taps(h, oh), columns: taps(w, ow), mixed: vec![0.0; w * channels] }
    }

    /// The two rows that row `y` of the result is made of.
    pub fn sources(&self, y: usize) -> (usize, usize) {
        (self.rows[y].0, self.rows[y].1)
    }

    /// Row `y` of the result, from the rows that [`RowResize::sources`] names.
    pub fn row(&mut self, y: usize, (first, second): (&[f32], &[f32]), out: &mut [f32]) {
        blend(&mut self.mixed, first, second, self.rows[y].2);
        mix_columns(&self.mixed, &self.columns, self.channels, out);
    }
}

fn mix_columns(mixed: &[f32], columns: &[(usize, usize, f32)], channels: usize, out: &mut [f32]) {
    for (y, &(x0, x1, t)) in out.chunks_mut(channels).zip(columns) {
        for (c, y) in y.iter_mut().enumerate() {
            *y = (1.0 - t) * mixed[x0 * channels + c] + t * mixed[x1 * channels + c];
        }
    }
}

/// Gradient of [`bilinear`] by its input of shape `xs`.
pub fn bilinear_gradient(gy: &[f32], xs: Nhwc, oh: usize, ow: usize) -> Vec<f32> {
    let (rows, columns) = (taps(xs.h, oh), taps(xs.w, ow));
    let line = xs.w * xs.c;
    let mut gx = recycle::take(xs.len());
    gx.par_chunks_mut(xs.h * line).enumerate().for_each(|(n, gx)| {
        gx.fill(0.0);
        let mut mixed = vec![0.0; line];
        for (r, &(y0, y1, t)) in rows.iter().enumerate() {
            mixed.fill(0.0);
            let gy = &gy[(n * oh + r) * ow * xs.c..][..ow * xs.c];
            for (gy, &(x0, x1, t)) in gy.chunks(xs.c).zip(&columns) {
                for (c, g) in gy.iter().enumerate() {
                    mixed[x0 * xs.c + c] += (1.0 - t) * g;
                    mixed[x1 * xs.c + c] += t * g;
                }
            }
            add_scaled(&mut gx[y0 * line..][..line], &mixed, 1.0 - t);
            add_scaled(&mut gx[y1 * line..][..line], &mixed, t);
        }
    });
    gx
}
