//! Whole images by overlapping windows (MMSegmentation's `slide` mode), from top to bottom: memory grows with the
//! width of an image, not with its height.

use burn::tensor::{Device, Tensor, TensorData};
use sorby_nn::device::{DeviceFailure, guarded};
use sorby_nn::{Segmentor, ops};
use std::collections::VecDeque;

/// A window, half open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// First row.
    pub y1: usize,
    /// Row after the last.
    pub y2: usize,
    /// First column.
    pub x1: usize,
    /// Column after the last.
    pub x2: usize,
}

/// Starts and ends along one side.
fn spans(len: usize, crop: usize, stride: usize) -> Vec<(usize, usize)> {
    let count = len.saturating_sub(crop).div_ceil(stride) + 1;
    (0..count)
        .map(|i| {
            let end = (i * stride + crop).min(len);
            (end.saturating_sub(crop), end)
        })
        .collect()
}

/// Windows of edge `crop` every `stride` pixels, row by row. The last ones are shifted back to the
/// image's edge; an image smaller than the crop gives one smaller window.
///
/// # Panics
/// If `stride` is 0.
pub fn windows(height: usize, width: usize, crop: usize, stride: usize) -> Vec<Window> {
    let columns = spans(width, crop, stride);
    spans(height, crop, stride)
        .into_iter()
        .flat_map(|(y1, y2)| columns.iter().map(move |&(x1, x2)| Window { y1, y2, x1, x2 }))
        .collect()
}

/// Windows through the network at once; of windows beyond 256 pixels fewer, so that they need no more memory.
///
/// # Panics
/// If `crop_px` is 0.
pub fn windows_per_batch(crop_px: usize) -> usize {
    const USUAL: usize = 8;
    (USUAL * 256 * 256 / crop_px.pow(2)).clamp(1, USUAL)
}

/// Logits of `n` windows, `[n, h, w, classes]`, from normalised pixels, `[n, h, w, 3]`.
///
/// # Errors
/// When the device fails.
pub(crate) fn window_logits(
    network: &mut Segmentor,
    pixels: Vec<f32>,
    (n, h, w): (usize, usize, usize),
    device: &Device,
) -> Result<Vec<f32>, DeviceFailure> {
    guarded(device, || {
        let batch = Tensor::<4>::from_data(TensorData::new(pixels, [n, h, w, 3]), &device.clone().inner());
        let logits = ops::bilinear(network.evaluate(batch), h, w).into_data();
        logits.iter::<f32>().collect()
    })
}

/// Rows kept by number, from the first that is still needed.
struct Rows {
    first: usize,
    rows: VecDeque<Vec<f32>>,
}

impl Rows {
    fn end(&self) -> usize {
        self.first + self.rows.len()
    }

    fn forget_before(&mut self, y: usize) {
        while self.first < y && self.rows.pop_front().is_some() {
            self.first += 1;
        }
    }
}

/// Mean logits of all windows over each pixel, row by row from the top.
pub(crate) struct Slide {
    width: usize,
    classes: usize,
    windows: Vec<Window>,
    /// Windows at once.
    batch: usize,
    /// Windows side by side.
    across: usize,
    /// Windows done.
    done: usize,
    /// Normalised input, three values per pixel.
    input: Rows,
    /// Sums of logits; mean logits where `finished`.
    scores: Rows,
    /// Rows before this one are means.
    finished: usize,
    /// Windows over a pixel: the product of those over its column and over its row.
    over_column: Vec<u32>,
    over_row: Vec<u32>,
}

impl Slide {
    pub fn new((height, width): (usize, usize), (crop, stride): (usize, usize), classes: usize) -> Self {
        let over = |len: usize| {
            let mut counts = vec![0u32; len];
            spans(len, crop, stride).iter().for_each(|&(a, b)| counts[a..b].iter_mut().for_each(|n| *n += 1));
            counts
        };
        Self {
            width,
            classes,
            windows: windows(height, width, crop, stride),
            batch: windows_per_batch(crop),
            across: spans(width, crop, stride).len(),
            done: 0,
            input: Rows { first: 0, rows: VecDeque::new() },
            scores: Rows { first: 0, rows: VecDeque::new() },
            finished: 0,
            over_column: over(width),
            over_row: over(height),
        }
    }

    /// Lets go of rows of the result before `y`.
    pub fn forget_before(&mut self, y: usize) {
        // Rows that are still summed up are kept, whoever wants them.
        self.scores.forget_before(y.min(self.finished));
    }

    /// Mean logits of row `y`, `[width, classes]`. `source` gives rows of the input; `progress` gets the number of
    /// windows done. Rows are to be asked for in ascending order, as far as they are not kept.
    ///
    /// # Errors
    /// When the device fails.
    pub fn row(
        &mut self,
        y: usize,
        network: &mut Segmentor,
        device: &Device,
        source: &mut dyn FnMut(usize) -> Vec<f32>,
        progress: &mut dyn FnMut(usize),
    ) -> Result<&[f32], DeviceFailure> {
        while self.finished <= y {
            self.step(network, device, source, progress)?;
        }
        Ok(&self.scores.rows[y - self.scores.first])
    }

    /// One batch of windows.
    fn step(
        &mut self,
        network: &mut Segmentor,
        device: &Device,
        source: &mut dyn FnMut(usize) -> Vec<f32>,
        progress: &mut dyn FnMut(usize),
    ) -> Result<(), DeviceFailure> {
        let mut until = (self.done + self.batch).min(self.windows.len());
        if self.across >= self.batch {
            // A batch of a wide image ends with the row of windows: fewer rows are under way.
            until = until.min((self.done / self.across + 1) * self.across);
        }
        let group = self.windows[self.done..until].to_vec();
        let (h, w) = (group[0].y2 - group[0].y1, group[0].x2 - group[0].x1);
        self.input.forget_before(group[0].y1);
        let bottom = group[group.len() - 1].y2;
        while self.input.end() < bottom {
            self.input.rows.push_back(source(self.input.end()));
        }
        while self.scores.end() < bottom {
            self.scores.rows.push_back(vec![0.0; self.width * self.classes]);
        }
        let mut batch = Vec::with_capacity(group.len() * h * w * 3);
        for window in &group {
            for y in window.y1..window.y2 {
                batch.extend_from_slice(&self.input.rows[y - self.input.first][3 * window.x1..3 * window.x2]);
            }
        }
        let logits = window_logits(network, batch, (group.len(), h, w), device)?;
        let classes = self.classes;
        for (window, logits) in group.iter().zip(logits.chunks_exact(h * w * classes)) {
            for (row, y) in logits.chunks_exact(w * classes).zip(window.y1..) {
                let target = &mut self.scores.rows[y - self.scores.first];
                let target = &mut target[window.x1 * classes..window.x2 * classes];
                target.iter_mut().zip(row).for_each(|(t, v)| *t += v);
            }
        }
        self.done = until;
        let complete = self.windows.get(until).map_or(self.scores.end(), |next| next.y1);
        for y in self.finished..complete {
            let row = &mut self.scores.rows[y - self.scores.first];
            for (scores, over) in row.chunks_exact_mut(classes).zip(&self.over_column) {
                let n = (over * self.over_row[y]) as f32;
                scores.iter_mut().for_each(|s| *s /= n);
            }
        }
        self.finished = self.finished.max(complete);
        progress(group.len());
        Ok(())
    }
}
