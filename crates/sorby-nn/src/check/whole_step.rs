//! Two whole training steps: what single layers do not show, such as too little memory.

use super::replay::values;
use super::{CheckedNetwork, Deviation, LayerCheck};
use crate::device::guarded;
use crate::optimizer::{Optimizer, Rule};
use crate::segmentor::Segmentor;
use burn::tensor::{Device, Tensor, TensorData};
use std::sync::Arc;
use std::time::{Duration, Instant};

const STEPS: usize = 2;

/// Trains the same crops on both.
pub(super) fn check(network: &CheckedNetwork, device: &Device) -> LayerCheck {
    let (cpu, cpu_time) = losses(network, &Device::flex());
    crate::release_buffers();
    let found = guarded(device, || losses(network, device));
    let (results, device_time) = match found {
        Err(failure) => (Err(failure), Duration::ZERO),
        Ok((losses, time)) => (Ok(vec![("loss", Deviation::between(&losses, &cpu))]), time),
    };
    let CheckedNetwork { batch, crop_px, .. } = network;
    let layer = format!(
        "{STEPS} whole training steps of {}, {batch} crops of {crop_px} x {crop_px}",
        network.spec.arch.title()
    );
    LayerCheck { layer, results, device_time, cpu_time }
}

/// Losses before the first step and after each, and the time of the last step.
fn losses(network: &CheckedNetwork, device: &Device) -> (Vec<f32>, Duration) {
    let (n, edge) = (network.batch, network.crop_px);
    let mut segmentor = Segmentor::new(network.spec, 1, device);
    let mut optimizer = Optimizer::default();
    let image = TensorData::new(values(n * edge * edge * 3, 8), [n, edge, edge, 3]);
    // Blocks of 16 pixels: something that can be learnt.
    let classes = network.spec.classes;
    let label = |i: usize| ((i / 16 + i / edge / 16) % classes) as u8;
    let labels = Arc::new((0..n * edge * edge).map(label).collect::<Vec<_>>());
    let (mut losses, mut time) = (Vec::new(), Duration::ZERO);
    for step in 0..=STEPS {
        let started = Instant::now();
        let image = Tensor::from_data(image.clone(), &device.clone().autodiff());
        let total = crate::loss::total(segmentor.train(image, None), &labels, (edge, edge), network.loss);
        losses.push(total.clone().without_autodiff().into_scalar::<f32>());
        if step == STEPS {
            break;
        }
        let rule = Rule::Sgd { lr: 0.01, momentum: 0.9, weight_decay: 5e-4 };
        optimizer.step(&mut segmentor, &mut total.backward(), rule);
        time = started.elapsed();
    }
    (losses, time)
}
