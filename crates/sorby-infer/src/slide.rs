//! Whole images by overlapping windows (MMSegmentation's `slide` mode).

use burn::tensor::{Device, Tensor, TensorData};
use sorby_nn::{Segmentor, ops};

/// A window, half open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub y1: usize,
    pub y2: usize,
    pub x1: usize,
    pub x2: usize,
}

/// Windows of edge `crop` every `stride` pixels, row by row. The last ones are shifted back to the
/// image's edge; an image smaller than the crop gives one smaller window.
pub fn windows(height: usize, width: usize, crop: usize, stride: usize) -> Vec<Window> {
    let starts = |len: usize| -> Vec<(usize, usize)> {
        let count = len.saturating_sub(crop).div_ceil(stride) + 1;
        (0..count)
            .map(|i| {
                let end = (i * stride + crop).min(len);
                (end.saturating_sub(crop), end)
            })
            .collect()
    };
    let columns = starts(width);
    starts(height)
        .into_iter()
        .flat_map(|(y1, y2)| columns.iter().map(move |&(x1, x2)| Window { y1, y2, x1, x2 }))
        .collect()
}

/// A score per pixel and class, `[height, width, classes]`.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreMap {
    pub height: usize,
    pub width: usize,
    pub classes: usize,
    pub values: Vec<f32>,
}

impl ScoreMap {
    pub(crate) fn zeros(height: usize, width: usize, classes: usize) -> Self {
        Self { height, width, classes, values: vec![0.0; height * width * classes] }
    }

    /// Bilinear resize, `align_corners = false`.
    pub(crate) fn resized(self, height: usize, width: usize) -> Self {
        if (height, width) == (self.height, self.width) {
            return self;
        }
        let shape = sorby_kernels::Nhwc::new(1, self.height, self.width, self.classes);
        let values = sorby_kernels::resize::bilinear(&self.values, shape, height, width);
        Self { height, width, classes: self.classes, values }
    }

    /// Mirrors left and right.
    pub(crate) fn flipped(mut self) -> Self {
        let k = self.classes;
        for row in self.values.chunks_exact_mut(self.width * k) {
            for x in 0..self.width / 2 {
                let other = self.width - 1 - x;
                (0..k).for_each(|c| row.swap(x * k + c, other * k + c));
            }
        }
        self
    }
}

/// Windows through the network at once.
pub const WINDOWS_PER_BATCH: usize = 8;

/// Logits of `n` windows, `[n, h, w, classes]`, from normalised pixels, `[n, h, w, 3]`.
pub(crate) fn window_logits(
    network: &mut Segmentor,
    pixels: Vec<f32>,
    (n, h, w): (usize, usize, usize),
    device: &Device,
) -> Vec<f32> {
    let batch = Tensor::<4>::from_data(TensorData::new(pixels, [n, h, w, 3]), &device.clone().inner());
    let logits = ops::bilinear(network.evaluate(batch), h, w).into_data();
    logits.iter::<f32>().collect()
}

/// Mean logits over all windows that cover a pixel. `input` is `[height, width, 3]`, normalised;
/// `progress` is told the number of windows done.
pub fn slide(
    network: &mut Segmentor,
    input: &[f32],
    (height, width): (usize, usize),
    (crop, stride): (usize, usize),
    device: &Device,
    progress: &mut dyn FnMut(usize),
) -> ScoreMap {
    assert_eq!(input.len(), height * width * 3);
    let classes = network.spec().classes;
    let mut sum = ScoreMap::zeros(height, width, classes);
    let mut covers = vec![0u32; height * width];
    for group in windows(height, width, crop, stride).chunks(WINDOWS_PER_BATCH) {
        let (h, w) = (group[0].y2 - group[0].y1, group[0].x2 - group[0].x1);
        let mut batch = Vec::with_capacity(group.len() * h * w * 3);
        for window in group {
            for y in window.y1..window.y2 {
                batch.extend_from_slice(&input[3 * (y * width + window.x1)..3 * (y * width + window.x2)]);
            }
        }
        let logits = window_logits(network, batch, (group.len(), h, w), device);
        for (window, logits) in group.iter().zip(logits.chunks_exact(h * w * classes)) {
            for (row, y) in logits.chunks_exact(w * classes).zip(window.y1..) {
                let start = y * width + window.x1;
                let target = &mut sum.values[start * classes..(start + w) * classes];
                target.iter_mut().zip(row).for_each(|(t, v)| *t += v);
                covers[start..start + w].iter_mut().for_each(|n| *n += 1);
            }
        }
        progress(group.len());
    }
    for (scores, n) in sum.values.chunks_exact_mut(classes).zip(covers) {
        scores.iter_mut().for_each(|s| *s /= n as f32);
    }
    sum
}
