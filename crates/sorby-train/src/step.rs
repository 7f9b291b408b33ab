//! One training step, and what its parts cost.

use crate::error::TrainError;
use crate::recipe::Recipe;
use burn::tensor::{Device, Tensor, TensorData};
use sorby_data::{CropRule, CropSource, Normalisation, batch};
use sorby_nn::layer::Dropout;
use sorby_nn::optimizer::Optimizer;
use sorby_nn::{Segmentor, loss};
use std::sync::Arc;
use std::time::Instant;

/// Wall time of a step's parts.
#[derive(Clone, Copy, Debug, Default)]
pub struct StepCost {
    /// Drawing, augmenting and normalising the crops.
    pub data_s: f64,
    /// Networks and losses.
    pub forward_s: f64,
    /// Gradients.
    pub backward_s: f64,
    /// Update of the weights.
    pub optimizer_s: f64,
}

impl StepCost {
    /// Sum of the parts.
    pub fn total_s(&self) -> f64 {
        self.data_s + self.forward_s + self.backward_s + self.optimizer_s
    }
}

/// What a step gives.
pub(crate) struct StepResult {
    pub loss: f32,
    pub lr: f64,
    pub cost: StepCost,
}

/// Draws the batch of iteration `t` (from 0) and learns from it.
///
/// # Errors
/// [`TrainError::Diverged`] when the loss is not finite; the network is then as it was, apart from its
/// running statistics.
pub(crate) fn step(
    recipe: &Recipe,
    normalisation: &Normalisation,
    source: &CropSource,
    network: &mut Segmentor,
    optimizer: &mut Optimizer,
    device: &Device,
    t: u64,
) -> Result<StepResult, TrainError> {
    let r = recipe;
    let mut cost = StepCost::default();
    let mut clock = Instant::now();
    let mut lap = || std::mem::replace(&mut clock, Instant::now()).elapsed().as_secs_f64();

    let rule = CropRule { size_px: r.data.crop, max_class_share: r.data.max_class_share };
    let drawn = batch(source, rule, r.augment, normalisation, r.seed, t, r.data.batch);
    cost.data_s = lap();

    let size = drawn.size_px;
    let images = TensorData::new(drawn.images, [drawn.count, size, size, 3]);
    let images = Tensor::<4>::from_data(images, &device.clone().autodiff());
    let dropout = Dropout { rate: r.model.dropout, seed: r.seed, iteration: t };
    let output = network.train(images, Some(dropout));
    let total = loss::total(output, &Arc::new(drawn.labels), (size, size), r.loss.pixel_loss());
    let loss = total.clone().without_autodiff().into_scalar::<f32>();
    let lr = r.schedule.rate(t, r.optimizer.lr);
    if !loss.is_finite() {
        return Err(TrainError::Diverged { iteration: t + 1, loss, lr });
    }
    cost.forward_s = lap();

    let mut gradients = total.backward();
    cost.backward_s = lap();

    optimizer.step(network, &mut gradients, r.optimizer.rule(lr, t));
    cost.optimizer_s = lap();
    Ok(StepResult { loss, lr, cost })
}
