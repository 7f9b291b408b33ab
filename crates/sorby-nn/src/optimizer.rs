//! Optimisers over all parameters of a network, as PyTorch's.

use crate::ops;
use crate::segmentor::Segmentor;
use crate::state::{Role, StateVisitor};
use crate::weights::StateDict;
use burn::tensor::{Gradients, Tensor};
pub use sorby_kernels::optimizer::Rule;
use std::collections::HashMap;

/// Optimiser state: velocities (SGD), or means and mean squares one after the other (AdamW), by key.
#[derive(Default)]
pub struct Optimizer {
    states: HashMap<String, Tensor<1>>,
}

impl Optimizer {
    /// Applies gradients to every parameter that has one.
    pub fn step(&mut self, network: &mut Segmentor, gradients: &mut Gradients, rule: Rule) {
        network.walk_all(&mut Update { optimizer: self, gradients, rule });
    }

    /// State by parameter key.
    pub fn state(&self) -> StateDict {
        let sorted: std::collections::BTreeMap<_, _> = self.states.iter().collect();
        sorted.into_iter().map(|(key, v)| (key.clone(), crate::weights::Array::from_tensor(v))).collect()
    }

    /// Restores what [`Optimizer::state`] gave.
    pub fn restore(state: StateDict, device: &burn::tensor::Device) -> Self {
        Self { states: state.into_iter().map(|(key, array)| (key, array.into_tensor(device))).collect() }
    }
}

struct Update<'a> {
    optimizer: &'a mut Optimizer,
    gradients: &'a mut Gradients,
    rule: Rule,
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
        let state = match self.optimizer.states.remove(key) {
            Some(state) => state,
            None => Tensor::zeros([count * self.rule.state_per_weight()], &gradient.device()),
        };
        // The old tensor is moved out so that its memory is free to be updated in place.
        let weight = std::mem::replace(tensor, Tensor::zeros([0; D], &gradient.device()));
        let weight = weight.without_autodiff().reshape([count]);
        let (weight, state) = ops::optimizer_step(weight, state, gradient.reshape([count]), self.rule);
        *tensor = weight.reshape(shape).autodiff().require_grad();
        self.optimizer.states.insert(key.to_owned(), state);
    }
}
