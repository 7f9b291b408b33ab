//! Inference with random weights, timed.

use crate::model::{Model, ModelCard};
use crate::predict::{InferenceOptions, PredictError, predict};
use crate::slide::window_logits;
use burn::tensor::Device;
use sorby_image::Shot;
use sorby_nn::{ModelSpec, Segmentor};
use std::time::Instant;

fn untrained(spec: ModelSpec, window_px: usize, stride_px: usize, device: &Device) -> Model {
    let card = ModelCard { window_px, stride_px, ..ModelCard::new(spec) };
    Model::new(card, Segmentor::new(spec, 0, device))
}

/// Runs `work` once, says that it is `warm`, and times `repeats` more runs.
fn timed(
    repeats: usize,
    warm: &mut dyn FnMut(),
    mut work: impl FnMut() -> Result<(), PredictError>,
) -> Result<Vec<f64>, PredictError> {
    work()?;
    warm();
    let timed = |_| {
        let started = Instant::now();
        work()?;
        Ok(started.elapsed().as_secs_f64())
    };
    (0..repeats).map(timed).collect()
}

/// Seconds of each of `repeats` passes over a batch of `count` windows, after one that is not counted; `warm` is
/// called between.
///
/// # Errors
/// When the device fails.
pub fn bench_windows(
    spec: ModelSpec,
    (count, window_px): (usize, usize),
    repeats: usize,
    device: &Device,
    warm: &mut dyn FnMut(),
) -> Result<Vec<f64>, PredictError> {
    let mut model = untrained(spec, window_px, window_px, device);
    let pixels = count * window_px * window_px * 3;
    let batch: Vec<f32> = (0..pixels).map(|i| (i * 7919 % 1009) as f32 / 504.0 - 1.0).collect();
    timed(repeats, warm, || {
        let logits = window_logits(&mut model.network, batch.clone(), (count, window_px, window_px), device)?;
        std::hint::black_box(logits);
        Ok(())
    })
}

/// Seconds of each of `repeats` segmentations of `shot`, taken at `input_scale`, after one that is not counted;
/// `warm` is called between.
///
/// # Errors
/// When the device fails.
pub fn bench_image(
    spec: ModelSpec,
    shot: &Shot,
    (window_px, stride_px): (usize, usize),
    input_scale: f64,
    repeats: usize,
    device: &Device,
    warm: &mut dyn FnMut(),
) -> Result<Vec<f64>, PredictError> {
    let mut model = untrained(spec, window_px, stride_px, device);
    model.card.input_scale = input_scale;
    let options = InferenceOptions::of(&model.card);
    timed(repeats, warm, || {
        std::hint::black_box(predict(&mut model, shot, &options, device, &mut |_| ())?);
        Ok(())
    })
}
