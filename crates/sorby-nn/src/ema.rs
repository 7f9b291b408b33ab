//! The moving average of a network's weights over its training.

use crate::segmentor::Segmentor;
use crate::state::{Role, StateVisitor};
use crate::weights::{Array, StateDict};
use burn::tensor::{Device, Tensor};
use std::collections::HashMap;

/// Exponential moving average of all tensors, running statistics included (Polyak and Juditsky 1992). Training
/// does not depend on it.
#[derive(Default)]
pub struct Average {
    /// Flat, without autodiff, by key.
    tensors: HashMap<String, Tensor<1>>,
}

impl Average {
    /// The share of the past that iteration `t` (from 0) keeps: `decay`, less in the first iterations, so that
    /// the random start is soon forgotten.
    fn kept(decay: f64, t: u64) -> f64 {
        decay.min((1.0 + t as f64) / (10.0 + t as f64))
    }

    /// Takes in the network as it is after iteration `t` (from 0).
    pub fn update(&mut self, network: &mut Segmentor, decay: f64, t: u64) {
        network.walk_all(&mut Update { average: self, kept: Self::kept(decay, t) as f32 });
    }

    /// Whether nothing was taken in yet.
    pub fn is_empty(&self) -> bool {
        self.tensors.is_empty()
    }

    /// Exchanges the average with the network's own tensors; a second call undoes the first. Before the first
    /// [`Average::update`] nothing changes.
    pub fn swap(&mut self, network: &mut Segmentor) {
        network.walk_all(&mut Swap(self));
    }

    /// Flat tensors by key.
    pub fn state(&self) -> StateDict {
        self.tensors.iter().map(|(key, tensor)| (key.clone(), Array::from_tensor(tensor))).collect()
    }

    /// Restores what [`Average::state`] gave.
    pub fn restore(state: StateDict, device: &Device) -> Self {
        Self { tensors: state.into_iter().map(|(key, array)| (key, array.into_tensor(device))).collect() }
    }
}

fn flat<const D: usize>(tensor: &Tensor<D>) -> Tensor<1> {
    let count = tensor.dims().iter().product::<usize>();
    tensor.clone().without_autodiff().reshape([count])
}

struct Update<'a> {
    average: &'a mut Average,
    kept: f32,
}

impl StateVisitor for Update<'_> {
    fn visit<const D: usize>(&mut self, key: &str, _: Role, tensor: &mut Tensor<D>) {
        let now = flat(tensor);
        let mean = match self.average.tensors.remove(key) {
            Some(mean) => mean.mul_scalar(self.kept).add(now.mul_scalar(1.0 - self.kept)),
            None => now,
        };
        self.average.tensors.insert(key.to_owned(), mean);
    }
}

struct Swap<'a>(&'a mut Average);

impl StateVisitor for Swap<'_> {
    fn visit<const D: usize>(&mut self, key: &str, role: Role, tensor: &mut Tensor<D>) {
        let Some(mean) = self.0.tensors.get_mut(key) else { return };
        let own = std::mem::replace(mean, flat(tensor));
        let own = own.reshape(tensor.dims());
        *tensor = match role {
            Role::Parameter => own.autodiff().require_grad(),
            Role::Buffer => own,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Arch, ModelSpec, Stem};

    fn network(seed: u64) -> Segmentor {
        let spec = ModelSpec { arch: Arch::DeepLabV3Plus, stem: Stem::V1, classes: 2, output_stride: 16 };
        Segmentor::new(spec, seed, &Device::flex())
    }

    #[test]
    fn the_average_follows_its_definition_and_swaps_back() {
        let states: Vec<StateDict> = (0..3).map(|seed| network(seed).state()).collect();
        let mut average = Average::default();
        let mut last = network(0);
        // Kept after iterations 1 and 2: 2/11, and 3/12 held down to the decay of 0.2.
        for (t, state) in states.iter().enumerate() {
            last.load(state.clone()).unwrap();
            average.update(&mut last, 0.2, t as u64);
        }
        average.swap(&mut last);
        let key = "backbone.conv1.weight";
        let [a, b, c] = [0, 1, 2].map(|i: usize| f64::from(states[i][key].values[5]));
        let want = 0.2 * (2.0 / 11.0 * a + 9.0 / 11.0 * b) + 0.8 * c;
        let got = f64::from(last.state()[key].values[5]);
        assert!((got - want).abs() < 1e-7 && (got - c).abs() > 1e-4, "{got}, expected {want}");
        assert_eq!(last.state()[key].shape, states[2][key].shape);
        average.swap(&mut last);
        assert_eq!(last.state(), states[2]);
    }

    #[test]
    fn a_restored_average_goes_on_to_the_byte() {
        let mut average = Average::default();
        average.update(&mut network(0), 0.99, 50);
        let mut restored = Average::restore(average.state(), &Device::flex());
        for average in [&mut average, &mut restored] {
            average.update(&mut network(1), 0.99, 51);
        }
        assert_eq!(average.state(), restored.state());
    }
}
