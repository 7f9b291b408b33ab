//! One micrograph to one mask, with optional test-time augmentation, in rows from top to bottom.

use crate::adapt::{self, MIXES};
use crate::model::{Model, ModelCard};
use crate::slide::{Slide, windows, windows_per_batch};
use burn::tensor::Device;
use sorby_data::Normalisation;
use sorby_image::resize::{self, Bilinear};
use sorby_image::{LabelMap, Micrograph, Shot};
use sorby_kernels::resize::RowResize;
use sorby_nn::Segmentor;
use sorby_nn::device::DeviceFailure;
use std::borrow::Cow;

/// Why an image cannot be segmented.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PredictError {
    /// The image's values do not fit the model's grey range; says what can be done to the image.
    #[error(transparent)]
    GreyRange(#[from] sorby_image::GreyRangeError),
    /// The device gave up; says what can be done.
    #[error(transparent)]
    Device(#[from] DeviceFailure),
}

/// Scales of test-time augmentation (MMSegmentation's defaults).
pub const TTA_RATIOS: [f64; 6] = [0.5, 0.75, 1.0, 1.25, 1.5, 1.75];

/// How an image goes through the network.
#[derive(Clone, Debug, PartialEq)]
pub struct InferenceOptions {
    /// Edge of the sliding window.
    pub crop_px: usize,
    /// Step of the sliding window; overlapping windows are averaged.
    pub stride_px: usize,
    /// Scales whose probabilities are averaged; empty for a single pass at the model's own scale.
    pub ratios: Vec<f64>,
    /// Adds a mirrored pass for every scale.
    pub flip: bool,
    /// Enlarges the image by this before all else: brings it to the magnification of the training images.
    pub magnify: f64,
    /// Averages over networks whose batch norms lean towards the image, see [`MIXES`](crate::MIXES).
    pub adapt: bool,
    /// BLAKE3 of the models whose answers are averaged with the first one's.
    pub companions: Vec<String>,
}

impl InferenceOptions {
    /// A single pass of the model alone with its own window.
    pub fn of(card: &ModelCard) -> Self {
        Self {
            crop_px: card.window_px,
            stride_px: card.stride_px,
            ratios: Vec::new(),
            flip: false,
            magnify: 1.0,
            adapt: false,
            companions: Vec::new(),
        }
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

    /// Networks whose answers are averaged.
    fn networks(&self) -> usize {
        (1 + self.companions.len()) * (1 + if self.adapt { MIXES.len() } else { 0 })
    }

    /// Input size (width, height) at the model's own scale.
    pub(crate) fn plain_size(&self, card: &ModelCard, (width, height): (usize, usize)) -> (usize, usize) {
        let scale = self.magnify * card.input_scale;
        (resize::scaled_len(width, scale), resize::scaled_len(height, scale))
    }

    /// Input size (width, height) of a pass. MMCV resizes by exact rounding for a plain scale factor, and keeps
    /// the aspect ratio in test-time augmentation.
    fn pass_size(&self, card: &ModelCard, (width, height): (usize, usize), ratio: f64) -> (usize, usize) {
        if self.is_plain() {
            self.plain_size(card, (width, height))
        } else {
            resize::keep_ratio_size(width, height, ratio * self.magnify * card.input_scale)
        }
    }

    /// Windows that an image of (width, height) takes.
    pub fn window_count(&self, card: &ModelCard, size: (usize, usize)) -> usize {
        let count = |&(ratio, _): &(f64, bool)| {
            let (width, height) = self.pass_size(card, size, ratio);
            windows(height, width, self.crop_px, self.stride_px).len()
        };
        self.networks() * self.passes().iter().map(count).sum::<usize>()
    }

    /// Bytes that the rows under way take at most while an image of (width, height) is segmented.
    pub fn band_bytes(&self, card: &ModelCard, size: (usize, usize)) -> u64 {
        let of_pass = |&(ratio, _): &(f64, bool)| {
            let (width, height) = self.pass_size(card, size, ratio);
            // A batch of a narrow image reaches over several rows of windows.
            let across = windows(self.crop_px.min(height), width, self.crop_px, self.stride_px).len();
            let batch = windows_per_batch(self.crop_px);
            let more = if across < batch { batch.div_ceil(across) } else { 1 };
            let rows = (self.crop_px + more * self.stride_px).min(height);
            (rows * width * (3 + card.classes.len()) * size_of::<f32>()) as u64
        };
        self.networks() as u64 * self.passes().iter().map(of_pass).sum::<u64>()
    }
}

/// Class probabilities per pixel, `[height, width, classes]`.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreMap {
    /// Rows of the image.
    pub height: usize,
    /// Columns of the image.
    pub width: usize,
    /// Values of one pixel.
    pub classes: usize,
    /// Probabilities, 0 to 1; those of a pixel are next to each other and sum to 1.
    pub values: Vec<f32>,
}

/// A mask and the class probabilities behind it.
#[derive(Clone, Debug)]
pub struct Prediction {
    /// The most probable class of each pixel.
    pub labels: LabelMap,
    /// Softmax of the logits, averaged over passes.
    pub probabilities: ScoreMap,
}

/// One scale, mirrored or not, on its way down the image.
struct Pass<'a> {
    image: &'a Micrograph,
    normalisation: &'a Normalisation,
    mirrored: bool,
    input: Bilinear,
    slide: Slide,
    output: RowResize,
}

impl<'a> Pass<'a> {
    fn new(
        card: &'a ModelCard,
        image: &'a Micrograph,
        options: &InferenceOptions,
        (ratio, mirrored): (f64, bool),
    ) -> Self {
        let (w, h) = (image.width, image.height);
        let (width, height) = options.pass_size(card, (w, h), ratio);
        let window = (options.crop_px, options.stride_px);
        Self {
            image,
            normalisation: &card.normalisation,
            mirrored,
            input: Bilinear::new((w, h), image.channels(), (width, height)),
            slide: Slide::new((height, width), window, card.classes.len()),
            output: RowResize::new((height, width), card.classes.len(), (h, w)),
        }
    }

    /// Class probabilities of row `y` of the image, `[width, classes]`.
    fn row(
        &mut self,
        y: usize,
        model: &mut Segmentor,
        device: &Device,
        progress: &mut dyn FnMut(usize),
        out: &mut [f32],
    ) -> Result<(), DeviceFailure> {
        let classes = model.spec().classes;
        let (image, input, normalisation, mirrored) =
            (self.image, &self.input, self.normalisation, self.mirrored);
        let mut source = |y: usize| network_row(image, input, normalisation, mirrored, y);
        let (first, second) = self.output.sources(y);
        self.slide.forget_before(first);
        let upper = self.slide.row(first, model, device, &mut source, progress)?.to_vec();
        let lower = self.slide.row(second, model, device, &mut source, progress)?;
        if mirrored {
            let flipped =
                |row: &[f32]| row.chunks_exact(classes).rev().flatten().copied().collect::<Vec<_>>();
            self.output.row(y, (&flipped(&upper), &flipped(lower)), out);
        } else {
            self.output.row(y, (&upper, lower), out);
        }
        softmax(out, classes);
        Ok(())
    }
}

/// A row of the network's input: resized, three channels, normalised.
pub(crate) fn network_row(
    image: &Micrograph,
    resizer: &Bilinear,
    normalisation: &Normalisation,
    mirrored: bool,
    y: usize,
) -> Vec<f32> {
    let (first, second) = resizer.sources(y);
    let (mut upper, mut lower, mut resized) = (Vec::new(), Vec::new(), Vec::new());
    image.row_f32(first, &mut upper);
    image.row_f32(second, &mut lower);
    resizer.row(y, (&upper, &lower), &mut resized);
    let mut rgb: Vec<f32> =
        if image.channels() == 1 { resized.iter().flat_map(|&v| [v; 3]).collect() } else { resized };
    normalisation.apply(&mut rgb);
    if mirrored {
        rgb.reverse();
        // Pixels stay red, green, blue.
        rgb.chunks_exact_mut(3).for_each(|pixel| pixel.reverse());
    }
    rgb
}

/// Takes row `y` of a result: its classes, and its probabilities `[width, classes]`. Says whether to go on.
pub type RowSink<'a> = dyn FnMut(usize, &[u8], &[f32]) -> bool + 'a;

/// Segments all rows of `shot` and gives each row's classes and probabilities, `[width, classes]`, to `sink`, from the
/// top. `progress` gets the number of windows that were just done.
///
/// With several passes, and with companions, probabilities are averaged; the class with the largest wins, ties going to the lower index.
///
/// # Errors
/// [`PredictError::GreyRange`] when the image's values do not fit the model's grey range; [`PredictError::Device`] when
/// the device fails.
pub fn predict_rows(
    model: &mut Model,
    shot: &Shot,
    options: &InferenceOptions,
    device: &Device,
    progress: &mut dyn FnMut(usize),
    sink: &mut RowSink,
) -> Result<(), PredictError> {
    let Model { card, network, companions, .. } = model;
    let classes = card.classes.len();
    let mut members = vec![(&*card, network)];
    members.extend(companions.iter_mut().map(|m| (&m.card, &mut m.network)));
    let seen: Vec<Cow<Shot>> =
        members.iter().map(|(card, _)| card.grey_range.apply_as_trained(shot)).collect::<Result<_, _>>()?;
    let mut mixes: Vec<Vec<Segmentor>> = members
        .iter()
        .zip(&seen)
        .map(|((card, network), seen)| match options.adapt {
            true => adapt::mixes(network, card, seen, options, device),
            false => Ok(Vec::new()),
        })
        .collect::<Result<_, _>>()?;
    let mut networks: Vec<&mut Segmentor> = Vec::new();
    let mut passes: Vec<(usize, Pass)> = Vec::new();
    for (((card, network), mixes), seen) in members.into_iter().zip(&mut mixes).zip(&seen) {
        for network in std::iter::once(network).chain(mixes) {
            let pass = |pass| (networks.len(), Pass::new(card, &seen.image, options, pass));
            passes.extend(options.passes().into_iter().map(pass));
            networks.push(network);
        }
    }
    let count = passes.len() as f32;
    let (width, height) = (shot.image.width, shot.image.height);
    let mut mean = vec![0.0; width * classes];
    let mut own = mean.clone();
    let mut labels = vec![0; width];
    for y in 0..height {
        mean.fill(0.0);
        for (n, pass) in &mut passes {
            pass.row(y, networks[*n], device, progress, &mut own)?;
            mean.iter_mut().zip(&own).for_each(|(m, p)| *m += p);
        }
        mean.iter_mut().for_each(|p| *p /= count);
        for (label, scores) in labels.iter_mut().zip(mean.chunks_exact(classes)) {
            *label = largest(scores);
        }
        if !sink(y, &labels, &mean) {
            break;
        }
    }
    Ok(())
}

/// [`predict_rows`] with all of it kept.
///
/// # Errors
/// As [`predict_rows`].
pub fn predict(
    model: &mut Model,
    shot: &Shot,
    options: &InferenceOptions,
    device: &Device,
    progress: &mut dyn FnMut(usize),
) -> Result<Prediction, PredictError> {
    let (width, height, classes) = (shot.image.width, shot.image.height, model.card.classes.len());
    let mut labels = Vec::with_capacity(width * height);
    let mut values = Vec::with_capacity(width * height * classes);
    predict_rows(model, shot, options, device, progress, &mut |_, row, scores| {
        labels.extend_from_slice(row);
        values.extend_from_slice(scores);
        true
    })?;
    Ok(Prediction {
        labels: LabelMap { width, height, labels },
        probabilities: ScoreMap { height, width, classes, values },
    })
}

/// Monotone in each pixel, so the largest logit keeps the largest probability.
fn softmax(scores: &mut [f32], classes: usize) {
    for scores in scores.chunks_exact_mut(classes) {
        let max = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut sum = 0.0;
        for s in scores.iter_mut() {
            *s = (*s - max).exp();
            sum += *s;
        }
        scores.iter_mut().for_each(|s| *s /= sum);
    }
}

fn largest(scores: &[f32]) -> u8 {
    let mut best = 0;
    for (c, s) in scores.iter().enumerate() {
        if *s > scores[best] {
            best = c;
        }
    }
    best as u8
}
