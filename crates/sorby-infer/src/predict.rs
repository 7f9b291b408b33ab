//! One micrograph to one mask, with optional test-time augmentation.

use crate::model::{Model, ModelCard};
use crate::slide::{ScoreMap, slide, windows};
use burn::tensor::Device;
use sorby_image::{LabelMap, Micrograph, resize};

/// Scales of test-time augmentation (MMSegmentation's defaults).
pub const TTA_RATIOS: [f64; 6] = [0.5, 0.75, 1.0, 1.25, 1.5, 1.75];

#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    pub crop_px: usize,
    pub stride_px: usize,
    /// Scales whose probabilities are averaged; empty for a single pass at the model's own scale.
    pub ratios: Vec<f64>,
    /// Adds a mirrored pass for every scale.
    pub flip: bool,
}

impl Options {
    /// A single pass with the model's own window.
    pub fn of(card: &ModelCard) -> Self {
        Self { crop_px: card.window_px, stride_px: card.stride_px, ratios: Vec::new(), flip: false }
    }

    /// At the model's own scale only.
    fn is_plain(&self) -> bool {
        self.ratios.is_empty()
    }

    /// Every (scale, mirrored) pass.
    fn passes(&self) -> Vec<(f64, bool)> {
        let ratios = if self.ratios.is_empty() { vec![1.0] } else { self.ratios.clone() };
        let flips: &[bool] = if self.flip { &[false, true] } else { &[false] };
        ratios.iter().flat_map(|&r| flips.iter().map(move |&f| (r, f))).collect()
    }
}

/// A mask and the class probabilities behind it.
#[derive(Clone, Debug)]
pub struct Prediction {
    pub labels: LabelMap,
    /// Softmax of the logits, averaged over passes.
    pub probabilities: ScoreMap,
}

/// Input size (width, height) of a pass. MMCV resizes by exact rounding for a plain scale factor, and
/// keeps the aspect ratio in test-time augmentation.
fn pass_size(image: &Micrograph, input_scale: f64, ratio: f64, single: bool) -> (usize, usize) {
    if single {
        (resize::scaled_len(image.width, input_scale), resize::scaled_len(image.height, input_scale))
    } else {
        resize::keep_ratio_size(image.width, image.height, ratio * input_scale)
    }
}

/// Windows that [`predict`] will compute.
pub fn window_count(model: &Model, image: &Micrograph, options: &Options) -> usize {
    let passes = options.passes();
    let single = options.is_plain();
    let count = |&(ratio, _): &(f64, bool)| {
        let (width, height) = pass_size(image, model.card.input_scale, ratio, single);
        windows(height, width, options.crop_px, options.stride_px).len()
    };
    passes.iter().map(count).sum()
}

/// Segments `image`. With several passes, probabilities are averaged; with one, the class with the
/// largest mean logit wins, ties going to the lower index.
pub fn predict(
    model: &mut Model,
    image: &Micrograph,
    options: &Options,
    device: &Device,
    progress: &mut dyn FnMut(usize),
) -> Prediction {
    let passes = options.passes();
    let single = options.is_plain();
    let pixels = image.to_f32();
    let mut mean: Option<ScoreMap> = None;
    for &(ratio, mirrored) in &passes {
        let (width, height) = pass_size(image, model.card.input_scale, ratio, single);
        let resized =
            resize::bilinear(&pixels, (image.width, image.height), image.channels(), (width, height));
        let mut rgb =
            if image.channels() == 1 { resized.iter().flat_map(|&v| [v; 3]).collect() } else { resized };
        model.card.normalisation.apply(&mut rgb);
        if mirrored {
            mirror(&mut rgb, width);
        }
        let window = (options.crop_px, options.stride_px);
        let logits = slide(&mut model.network, &rgb, (height, width), window, device, progress);
        let logits = if mirrored { logits.flipped() } else { logits };
        let probabilities = softmax(logits.resized(image.height, image.width));
        match &mut mean {
            None => mean = Some(probabilities),
            Some(mean) => mean.values.iter_mut().zip(&probabilities.values).for_each(|(m, p)| *m += p),
        }
    }
    let mut probabilities =
        mean.unwrap_or_else(|| ScoreMap::zeros(image.height, image.width, model.card.classes.len()));
    let count = passes.len() as f32;
    probabilities.values.iter_mut().for_each(|p| *p /= count);
    Prediction { labels: argmax(&probabilities), probabilities }
}

fn mirror(rgb: &mut [f32], width: usize) {
    for row in rgb.chunks_exact_mut(3 * width) {
        for x in 0..width / 2 {
            (0..3).for_each(|c| row.swap(3 * x + c, 3 * (width - 1 - x) + c));
        }
    }
}

/// Monotone in each pixel, so the largest logit keeps the largest probability.
fn softmax(mut map: ScoreMap) -> ScoreMap {
    for scores in map.values.chunks_exact_mut(map.classes) {
        let max = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut sum = 0.0;
        for s in scores.iter_mut() {
            *s = (*s - max).exp();
            sum += *s;
        }
        scores.iter_mut().for_each(|s| *s /= sum);
    }
    map
}

fn argmax(map: &ScoreMap) -> LabelMap {
    let best = |scores: &[f32]| {
        let mut best = 0;
        for (c, s) in scores.iter().enumerate() {
            if *s > scores[best] {
                best = c;
            }
        }
        best as u8
    };
    let labels = map.values.chunks_exact(map.classes).map(best).collect();
    LabelMap { width: map.width, height: map.height, labels }
}
