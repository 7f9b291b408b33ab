//! Whether a device computes what the CPU's kernels compute, layer by layer: drivers and tuned kernels of graphics cards
//! have been wrong for single shapes, in silence.

mod calls;
mod deviation;
mod replay;
mod whole_step;

pub use calls::Call;
pub(crate) use calls::note;
pub use deviation::{Deviation, Tolerance};

use crate::device::{Backend, DeviceFailure, guarded};
use crate::ops::PixelLoss;
use crate::segmentor::{ModelSpec, Segmentor};
use burn::tensor::{Device, Tensor, TensorData};
use std::sync::Arc;
use std::time::Duration;

/// What is checked: all shapes of one network in training and in inference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CheckedNetwork {
    /// The network.
    pub spec: ModelSpec,
    /// The loss it is trained with.
    pub loss: PixelLoss,
    /// Crops at once.
    pub batch: usize,
    /// Edge of a crop in pixels.
    pub crop_px: usize,
}

/// What a device made of one layer shape.
#[derive(Clone, Debug)]
pub struct LayerCheck {
    /// The layer, such as `convolution 3x3, dilation 4, 512 to 512 channels, on 8 x 32 x 32`.
    pub layer: String,
    /// How far each result is from the CPU's; or that the device gave up.
    pub results: Result<Vec<(&'static str, Deviation)>, DeviceFailure>,
    /// Time of forward and backward pass on the device, after a first that is not counted; zero where it was not asked
    /// for.
    pub device_time: Duration,
    /// The same on the CPU.
    pub cpu_time: Duration,
}

impl LayerCheck {
    /// What is wrong, in one line; `None` for a layer that is right.
    pub fn wrong(&self, tolerance: Tolerance) -> Option<String> {
        match &self.results {
            Err(failure) => Some(format!("{}: {failure}", self.layer)),
            Ok(results) => {
                let off = results.iter().find(|(_, deviation)| !tolerance.allows(deviation));
                off.map(|(part, deviation)| format!("{}: its {part} is off by {deviation}", self.layer))
            }
        }
    }
}

/// The layer shapes of a network, in the order of their first use. Their batch is that of `network`.
pub fn calls_of(network: &CheckedNetwork) -> Vec<Call> {
    let (edge, cpu) = (network.crop_px, Device::flex());
    let mut segmentor = Segmentor::new(network.spec, 0, &cpu);
    // One crop shows all shapes but for its number.
    let image = replay::values(edge * edge * 3, 0);
    let labels = Arc::new(vec![0; edge * edge]);
    let recorded = calls::recorded(|| {
        let image = Tensor::from_data(TensorData::new(image, [1, edge, edge, 3]), &cpu.autodiff());
        let output = segmentor.train(image, None);
        crate::loss::total(output, &labels, (edge, edge), network.loss);
    });
    recorded.into_iter().map(|call| call.with_batch(network.batch)).collect()
}

/// Checks every layer shape of a network on a device, then two whole training steps. `each` gets every result; `timed`
/// adds how long the layers take.
pub fn check_network(
    network: &CheckedNetwork,
    device: &Device,
    timed: bool,
    each: &mut dyn FnMut(&LayerCheck),
) -> Vec<LayerCheck> {
    let calls = calls_of(network);
    let mut checks: Vec<LayerCheck> = Vec::with_capacity(calls.len() + 1);
    for call in &calls {
        let check = check_call(call, device, timed);
        each(&check);
        checks.push(check);
        crate::release_buffers();
    }
    let steps = whole_step::check(network, device);
    each(&steps);
    checks.push(steps);
    checks
}

/// One layer shape.
fn check_call(call: &Call, device: &Device, timed: bool) -> LayerCheck {
    let inputs = replay::Inputs::of(call);
    let cpu = replay::run(call, &inputs, &Device::flex());
    let found = guarded(device, || {
        let first = replay::run(call, &inputs, device);
        let time = if timed { replay::run(call, &inputs, device).time } else { Duration::ZERO };
        (first, time)
    });
    let (results, device_time) = match found {
        Err(failure) => (Err(failure), Duration::ZERO),
        Ok((first, time)) => {
            let pairs = first.parts.iter().zip(&cpu.parts);
            let compared = pairs.map(|((part, got), (_, want))| (*part, Deviation::between(got, want)));
            (Ok(compared.collect()), time)
        }
    };
    LayerCheck { layer: call.to_string(), results, device_time, cpu_time: cpu.time }
}

impl Backend {
    /// How far its results may be from the CPU's.
    pub fn tolerance(&self) -> Tolerance {
        match self {
            // Convolutions and products round their inputs to 11 bits there (TF32), and nothing turns that off.
            Backend::Cuda => Tolerance { rms: 2e-3, largest: 4e-2 },
            _ => Tolerance { rms: 1e-4, largest: 2e-3 },
        }
    }
}

#[cfg(test)]
mod tests;
