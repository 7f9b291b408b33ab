//! SGD with momentum and coupled weight decay over all parameters of a network, as PyTorch's.

use crate::ops;
use crate::segmentor::Segmentor;
use crate::state::{Role, StateVisitor};
use crate::weights::StateDict;
use burn::tensor::{Gradients, Tensor};
use sorby_kernels::sgd::Sgd as Step;
use std::collections::HashMap;

/// Optimiser state: one velocity per parameter, by key.
#[derive(Default)]
pub struct Sgd {
    velocities: HashMap<String, Tensor<1>>,
}

/// Coefficients of one step.
#[derive(Clone, Copy, Debug)]
pub struct SgdCoefficients {
    pub lr: f64,
    pub momentum: f64,
    pub weight_decay: f64,
}

impl Sgd {
    /// Applies gradients to every parameter that has one.
    pub fn step(&mut self, network: &mut Segmentor, gradients: &mut Gradients, c: SgdCoefficients) {
        let step = Step { lr: c.lr as f32, momentum: c.momentum as f32, weight_decay: c.weight_decay as f32 };
        network.walk_all(&mut Update { optimizer: self, gradients, step });
    }

    /// Velocities by parameter key.
    pub fn state(&self) -> StateDict {
        let sorted: std::collections::BTreeMap<_, _> = self.velocities.iter().collect();
        sorted.into_iter().map(|(key, v)| (key.clone(), crate::weights::Array::from_tensor(v))).collect()
    }

    /// Restores what [`Sgd::state`] gave.
    pub fn restore(state: StateDict, device: &burn::tensor::Device) -> Self {
        Self { velocities: state.into_iter().map(|(key, array)| (key, array.into_tensor(device))).collect() }
    }
}

struct Update<'a> {
    optimizer: &'a mut Sgd,
    gradients: &'a mut Gradients,
    step: Step,
}

impl StateVisitor for Update<'_> {
    fn visit<const D: usize>(&mut self, key: &str, role: Role, tensor: &mut Tensor<D>) {
        if role != Role::Parameter {
            return;
        }
        let Some(gradient) = tensor.grad_remove(self.gradients) else { return };
        let gradient = gradient.without_autodiff();
        let shape = tensor.dims();
        let count = shape.iter().product::<usize>();
        let velocity = match self.optimizer.velocities.remove(key) {
            Some(velocity) => velocity,
            None => Tensor::zeros([count], &gradient.device()),
        };
        // The old tensor is moved out so that its memory is free to be updated in place.
        let weight = std::mem::replace(tensor, Tensor::zeros([0; D], &gradient.device()));
        let weight = weight.without_autodiff().reshape([count]);
        let (weight, velocity) = ops::sgd_step(weight, velocity, gradient.reshape([count]), self.step);
        *tensor = weight.reshape(shape).autodiff().require_grad();
        self.optimizer.velocities.insert(key.to_owned(), velocity);
    }
}
