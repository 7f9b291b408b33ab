//! The same operations composed of Burn's own, for devices without our kernels (and to compare with).

use super::{BATCH_NORM_EPS, ConvGeometry, PixelLoss};
use burn::tensor::activation::{log_sigmoid, log_softmax, relu as relu_op, sigmoid, softmax};
use burn::tensor::module;
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};
use burn::tensor::{Int, Tensor, TensorData};
use sorby_kernels::dice::SMOOTH;
use sorby_kernels::optimizer::Rule;
use sorby_kernels::pool::bin;
use sorby_kernels::resize::taps;

fn channels_first(x: Tensor<4>) -> Tensor<4> {
    x.permute([0, 3, 1, 2])
}

fn channels_last(x: Tensor<4>) -> Tensor<4> {
    x.permute([0, 2, 3, 1])
}

fn per_channel(x: Tensor<1>) -> Tensor<4> {
    let [c] = x.dims();
    x.reshape([1, 1, 1, c])
}

pub(super) fn conv2d(x: Tensor<4>, weight: Tensor<4>, g: ConvGeometry) -> Tensor<4> {
    let options = ConvOptions::new([g.stride; 2], [g.padding; 2], [g.dilation; 2], g.groups);
    channels_last(module::conv2d(channels_first(x), weight, None, options))
}

pub(super) fn batch_moments(x: Tensor<4>) -> Tensor<2> {
    let [n, h, w, c] = x.dims();
    let x = x.reshape([n * h * w, c]);
    let mean = x.clone().mean_dim(0);
    let var = (x - mean.clone()).powi_scalar(2).mean_dim(0);
    Tensor::cat(vec![mean, var], 0)
}

fn finish(y: Tensor<4>, residual: Option<Tensor<4>>, relu: bool) -> Tensor<4> {
    let y = match residual {
        Some(residual) => y + residual,
        None => y,
    };
    if relu { relu_op(y) } else { y }
}

pub(super) fn batch_norm_train(
    x: Tensor<4>,
    residual: Option<Tensor<4>>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    relu: bool,
) -> Tensor<4> {
    let shape = x.dims();
    let pixels = x.reshape([shape[0] * shape[1] * shape[2], shape[3]]);
    // One node with a gradient of its own: composed of single operations the gradient lost digits, and took twice the
    // memory.
    let y = module::batch_norm_train(pixels, gamma, beta, f64::from(BATCH_NORM_EPS)).output;
    finish(y.reshape(shape), residual, relu)
}

pub(super) fn affine(
    x: Tensor<4>,
    residual: Option<Tensor<4>>,
    scale: Tensor<1>,
    shift: Tensor<1>,
    relu: bool,
) -> Tensor<4> {
    finish(x * per_channel(scale) + per_channel(shift), residual, relu)
}

pub(super) fn max_pool(x: Tensor<4>) -> Tensor<4> {
    let options = MaxPoolOptions::new([3, 3]).with_stride([2, 2]).with_padding([1, 1]);
    channels_last(module::max_pool2d(channels_first(x), options))
}

pub(super) fn adaptive_average(x: Tensor<4>, bins: usize) -> Tensor<4> {
    let [_, h, w, _] = x.dims();
    let weights = |size: usize| {
        let mut weights = vec![0.0; bins * size];
        for (i, row) in weights.chunks_exact_mut(size).enumerate() {
            let bin = bin(i, bins, size);
            let share = 1.0 / bin.len() as f32;
            row[bin].fill(share);
        }
        weights
    };
    weighted(x, [bins, bins], weights(h), weights(w))
}

pub(super) fn bilinear(x: Tensor<4>, height: usize, width: usize) -> Tensor<4> {
    let [_, h, w, _] = x.dims();
    let weights = |from: usize, to: usize| {
        let mut weights = vec![0.0; to * from];
        for (row, (first, next, share)) in weights.chunks_exact_mut(from).zip(taps(from, to)) {
            row[first] += 1.0 - share;
            row[next] += share;
        }
        weights
    };
    weighted(x, [height, width], weights(h, height), weights(w, width))
}

/// Sums of rows of `x`, `[height, h]` weights, then of columns, `[width, w]`. Two products are differentiable on every
/// device; Burn's GPU backends have no backward pass of their own bilinear interpolation.
fn weighted(x: Tensor<4>, [height, width]: [usize; 2], rows: Vec<f32>, columns: Vec<f32>) -> Tensor<4> {
    let [n, h, w, c] = x.dims();
    let device = x.device();
    let matrix =
        |weights, shape: [usize; 3]| Tensor::<3>::from_data(TensorData::new(weights, shape), &device);
    let x = matrix(rows, [1, height, h]).matmul(x.reshape([n, h, w * c]));
    let x = matrix(columns, [1, width, w]).matmul(x.reshape([n * height, w, c]));
    x.reshape([n, height, width, c])
}

pub(super) fn pixel_loss(logits: Tensor<4>, labels: &[u8], loss: PixelLoss) -> Tensor<1> {
    let [n, h, w, k] = logits.dims();
    let (pixels, device) = (n * h * w, logits.device());
    let z = logits.reshape([pixels, k]);
    let labels: Vec<i32> = labels.iter().map(|&l| i32::from(l)).collect();
    let labels = Tensor::<2, Int>::from_data(TensorData::new(labels, [pixels, 1]), &device);
    let counted = labels.clone().lower_scalar(k as i32).float();
    let y = Tensor::cat((0..k as i32).map(|class| labels.clone().equal_scalar(class).float()).collect(), 1);
    match loss {
        PixelLoss::Focal { alpha, gamma } => {
            // Logits turned so that "right" is positive: u = (2y - 1) z.
            let u = (y.clone() * 2.0 - 1.0) * z;
            let weight = y * (2.0 * alpha - 1.0) + (1.0 - alpha);
            let entry = weight * sigmoid(-u.clone()).powf_scalar(gamma as f32) * -log_sigmoid(u);
            (entry * counted).mean()
        }
        PixelLoss::CrossEntropy => cross_entropy(z, y, counted, pixels),
        PixelLoss::CrossEntropyDice => {
            let p = softmax(z.clone(), 1) * counted.clone();
            let y = y * counted.clone();
            let both = (p.clone() * y.clone()).sum_dim(0) * 2.0 + SMOOTH as f32;
            let dice = both / (p.sum_dim(0) + y.clone().sum_dim(0) + SMOOTH as f32);
            cross_entropy(z, y, counted, pixels) - dice.mean() + 1.0
        }
    }
}

fn cross_entropy(z: Tensor<2>, y: Tensor<2>, counted: Tensor<2>, pixels: usize) -> Tensor<1> {
    (-(log_softmax(z, 1) * y) * counted).sum() / pixels as f32
}

pub(super) fn optimizer_step(
    weight: Tensor<1>,
    state: Tensor<1>,
    gradient: Tensor<1>,
    rule: Rule,
) -> (Tensor<1>, Tensor<1>) {
    match rule {
        Rule::Sgd { lr, momentum, weight_decay } => {
            let velocity = state * momentum + (gradient + weight.clone() * weight_decay);
            (weight - velocity.clone() * lr, velocity)
        }
        Rule::AdamW { lr, betas: (b1, b2), weight_decay, step } => {
            let count = weight.dims()[0];
            let mean = state.clone().narrow(0, 0, count) * b1 + gradient.clone() * (1.0 - b1);
            let square = state.narrow(0, count, count) * b2 + gradient.powi_scalar(2) * (1.0 - b2);
            let root = (square.clone() / (1.0 - b2.powi(step))).sqrt() + 1e-8;
            let change = mean.clone() / root * (lr / (1.0 - b1.powi(step)));
            (weight * (1.0 - lr * weight_decay) - change, Tensor::cat(vec![mean, square], 0))
        }
    }
}
