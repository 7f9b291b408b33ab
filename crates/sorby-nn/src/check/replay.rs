//! One call on one device: its results, its gradients, its time.

use super::Call;
use crate::ops;
use burn::tensor::{Device, Gradients, Tensor, TensorData};
use sorby_kernels::Nhwc;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Units nearer than this to a ReLU's kink have no gradient here: rounding may put them on either side.
const KINK: f32 = 1e-3;

/// Bits in which values differ.
const BITS: u32 = 24;

/// Values in -1..1 that look random; no two of 16 million are equal, so that the largest of a few is never in doubt.
pub(super) fn values(count: usize, stream: u32) -> Vec<f32> {
    const MASK: u32 = (1 << BITS) - 1;
    let value = |i: usize| {
        // Each step maps 24 bits to 24 bits, one to one.
        let mut v = (i as u32).wrapping_add(stream.wrapping_mul(0x9E_3779)) & MASK;
        for factor in [0xD1_E995, 0x1B_3C6D, 0x7A_2D39] {
            v = (v ^ (v >> 11)).wrapping_mul(factor | 1) & MASK;
            v ^= v >> 13;
        }
        (v as f32 - (MASK / 2) as f32) / (MASK / 2) as f32
    };
    (0..count).map(value).collect()
}

/// All that goes into a call.
pub(super) struct Inputs {
    x: Vec<f32>,
    residual: Vec<f32>,
    /// Weights; of a batch norm scale, shift, running mean and running variance.
    weights: Vec<Vec<f32>>,
    labels: Arc<Vec<u8>>,
    /// Upstream gradient.
    gy: Vec<f32>,
}

/// What a device made of a call.
pub(super) struct Results {
    pub parts: Vec<(&'static str, Vec<f32>)>,
    /// Of forward and backward pass.
    pub time: Duration,
}

impl Inputs {
    pub fn of(call: &Call) -> Self {
        let input = call.input();
        let mut inputs = Self {
            x: values(input.len(), 1),
            residual: Vec::new(),
            weights: Vec::new(),
            labels: Arc::default(),
            gy: values(output(call).len(), 2),
        };
        match *call {
            Call::Conv { cout, geometry: g, .. } => {
                inputs.weights = vec![values(cout * (input.c / g.groups) * g.kernel * g.kernel, 3)];
            }
            Call::Norm { residual, relu, .. } => {
                let vector = |stream, middle: f32, spread: f32| -> Vec<f32> {
                    values(input.c, stream).iter().map(|v| middle + spread * v).collect()
                };
                inputs.weights = vec![vector(3, 1.0, 0.5), vector(4, 0.0, 0.5), vector(5, 0.0, 0.3)];
                inputs.weights.push(vector(6, 1.0, 0.5));
                if residual {
                    inputs.residual = values(input.len(), 7);
                }
                if relu {
                    inputs.leave_out_the_kink(call);
                }
            }
            Call::Loss { .. } => {
                let classes = input.c as u8;
                let label =
                    |i: usize| if i.is_multiple_of(97) { 255 } else { (i / 5 % classes as usize) as u8 };
                inputs.labels = Arc::new((0..input.pixels()).map(label).collect());
                inputs.x.iter_mut().for_each(|v| *v *= 3.0);
                inputs.gy = vec![1.0];
            }
            Call::MaxPool { .. } | Call::AdaptiveAverage { .. } | Call::Bilinear { .. } => {}
        }
        inputs
    }

    fn leave_out_the_kink(&mut self, call: &Call) {
        let &Call::Norm { input, residual, .. } = call else { return };
        let open = Call::Norm { input, residual, relu: false };
        let before = run(&open, self, &Device::flex());
        for (gy, y) in self.gy.iter_mut().zip(&before.parts[0].1) {
            if y.abs() < KINK {
                *gy = 0.0;
            }
        }
    }
}

/// Shape of what a call gives; of a loss `[1, 1, 1, 1]`.
fn output(call: &Call) -> Nhwc {
    let input = call.input();
    match *call {
        Call::Conv { cout, geometry, .. } => geometry.out_shape(input, cout),
        Call::Norm { .. } => input,
        Call::MaxPool { .. } => Nhwc { h: input.h.div_ceil(2), w: input.w.div_ceil(2), ..input },
        Call::AdaptiveAverage { bins, .. } => Nhwc { h: bins, w: bins, ..input },
        Call::Bilinear { size: (h, w), .. } => Nhwc { h, w, ..input },
        Call::Loss { .. } => Nhwc::new(1, 1, 1, 1),
    }
}

fn tensor<const D: usize>(values: &[f32], shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), device)
}

fn image(values: &[f32], s: Nhwc, device: &Device) -> Tensor<4> {
    tensor(values, [s.n, s.h, s.w, s.c], device)
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.without_autodiff().into_data().iter::<f32>().collect()
}

/// Waits until a device has done all that was asked of it.
fn wait(device: &Device) {
    device.sync().expect("the device answers");
}

/// Runs a call forward and backward.
pub(super) fn run(call: &Call, inputs: &Inputs, device: &Device) -> Results {
    let tracked = device.clone().autodiff();
    let x = image(&inputs.x, call.input(), &tracked).require_grad();
    match *call {
        Call::Conv { input, cout, geometry: g } => {
            let shape = [cout, input.c / g.groups, g.kernel, g.kernel];
            let w = tensor::<4>(&inputs.weights[0], shape, &tracked).require_grad();
            let (mut results, gradients) =
                passes(device, inputs, call, || ops::conv2d(x.clone(), w.clone(), g));
            // Nothing learns from the gradient of the image itself.
            if input.c != 3 {
                results.add("gradient of the input", x.grad(&gradients));
            }
            results.add("gradient of the weights", w.grad(&gradients));
            results
        }
        Call::Norm { .. } => norm(call, inputs, device, x),
        Call::MaxPool { .. } => unary(call, inputs, device, x, ops::max_pool),
        Call::AdaptiveAverage { bins, .. } => {
            unary(call, inputs, device, x, |x| ops::adaptive_average(x, bins))
        }
        Call::Bilinear { size: (h, w), .. } => unary(call, inputs, device, x, |x| ops::bilinear(x, h, w)),
        Call::Loss { loss, .. } => unary(call, inputs, device, x, |x| {
            ops::pixel_loss(x, inputs.labels.clone(), loss).reshape([1, 1, 1, 1])
        }),
    }
}

/// Forward and backward, with the time of both.
fn passes(
    device: &Device,
    inputs: &Inputs,
    call: &Call,
    forward: impl FnOnce() -> Tensor<4>,
) -> (Results, Gradients) {
    let gy = image(&inputs.gy, output(call), &device.clone().autodiff());
    wait(device);
    let started = Instant::now();
    let y = forward();
    let gradients = (y.clone() * gy).sum().backward();
    wait(device);
    let time = started.elapsed();
    (Results { parts: vec![("output", numbers(y))], time }, gradients)
}

impl Results {
    fn add<const D: usize>(&mut self, part: &'static str, gradient: Option<Tensor<D>>) {
        self.parts.push((part, gradient.map(numbers).unwrap_or_default()));
    }
}

fn unary(
    call: &Call,
    inputs: &Inputs,
    device: &Device,
    x: Tensor<4>,
    forward: impl Fn(Tensor<4>) -> Tensor<4>,
) -> Results {
    let (mut results, gradients) = passes(device, inputs, call, || forward(x.clone()));
    results.add("gradient of the input", x.grad(&gradients));
    results
}

fn norm(call: &Call, inputs: &Inputs, device: &Device, x: Tensor<4>) -> Results {
    let &Call::Norm { input, relu, .. } = call else { unreachable!("a batch norm") };
    let tracked = device.clone().autodiff();
    let vector = |i: usize| tensor::<1>(&inputs.weights[i], [input.c], &tracked);
    let (gamma, beta) = (vector(0).require_grad(), vector(1).require_grad());
    let residual =
        (!inputs.residual.is_empty()).then(|| image(&inputs.residual, input, &tracked).require_grad());
    let mut statistics = Vec::new();
    let (mut results, gradients) = passes(device, inputs, call, || {
        let moments = ops::batch_moments(&x);
        statistics.push(moments.clone());
        ops::batch_norm_train(x.clone(), residual.clone(), gamma.clone(), beta.clone(), moments, relu)
    });
    results.add("batch statistics", statistics.pop());
    results.add("gradient of the input", x.grad(&gradients));
    results.add("gradient of the scale", gamma.grad(&gradients));
    results.add("gradient of the shift", beta.grad(&gradients));
    if let Some(residual) = &residual {
        results.add("gradient of the sum's other part", residual.grad(&gradients));
    }
    let scale = vector(0) / (vector(3) + ops::BATCH_NORM_EPS).sqrt();
    let shift = vector(1) - vector(2) * scale.clone();
    let y = ops::affine(x.without_autodiff(), residual.map(Tensor::without_autodiff), scale, shift, relu);
    results.add("output by running statistics", Some(y));
    results
}
