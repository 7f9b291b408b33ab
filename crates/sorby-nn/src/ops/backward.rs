//! Backward passes on the CPU kernels. Each holds what it needs of the forward pass as its state.

use super::BATCH_NORM_EPS;
use super::ConvGeometry;
use super::cpu::{Cpu, Values, image, moments_of, shape, tensor};
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex};
use burn_backend::TensorMetadata;
use sorby_kernels::trace::timed;
use sorby_kernels::{Nhwc, channels, conv, norm, pool, resize};
use std::sync::Arc;

/// A convolution: input `[n, h, w, cin]`, weights `[cout, cin / groups, k, k]`.
#[derive(Clone, Debug)]
pub(super) struct Conv {
    pub x: Cpu,
    pub w: Cpu,
    pub g: ConvGeometry,
}

/// A training-mode batch norm: input `[n, h, w, c]`, moments `[2, c]`.
#[derive(Clone, Debug)]
pub(super) struct Norm {
    pub x: Cpu,
    pub gamma: Cpu,
    pub beta: Cpu,
    pub moments: Cpu,
    pub relu: bool,
    /// Output, where a ReLU cut it after a residual was added.
    pub y: Option<Cpu>,
}

impl Norm {
    fn gradients(&self, gy: &Cpu, want_residual: bool) -> norm::NormGradients {
        let m = moments_of(&self.moments, shape(&self.x).pixels());
        let (y, beta) = (self.y.as_ref().map(Values::new), Values::new(&self.beta));
        let (x, gy, gamma) = (Values::new(&self.x), Values::new(gy), Values::new(&self.gamma));
        let passed = match &y {
            Some(y) => norm::Passed::PositiveOutput(y.slice()),
            None if self.relu => norm::Passed::PositiveNormalised { beta: beta.slice() },
            None => norm::Passed::All,
        };
        timed("batch norm backward", || {
            norm::backward(x.slice(), passed, gy.slice(), gamma.slice(), &m, BATCH_NORM_EPS, want_residual)
        })
    }
}

#[derive(Debug)]
pub(super) struct ConvBackward;

impl Backward<Flex, 2> for ConvBackward {
    type State = Conv;

    fn backward(self, ops: Ops<Conv, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gy = grads.consume::<Flex>(&ops.node);
        let Conv { x, w, g } = &ops.state;
        let (xs, cout) = (shape(x), w.shape()[0]);
        let gy = Values::new(&gy);
        let [node_x, node_w] = ops.parents;
        if let Some(node) = node_w {
            let gw = conv::weight_gradient(Values::new(x).slice(), xs, gy.slice(), cout, g);
            grads.register::<Flex>(node.id, tensor(gw, w.shape().as_slice()));
        }
        if let Some(node) = node_x {
            let gx = conv::input_gradient(gy.slice(), xs, Values::new(w).slice(), cout, g);
            grads.register::<Flex>(node.id, image(gx, xs));
        }
    }
}

#[derive(Debug)]
pub(super) struct NormBackward;

impl Backward<Flex, 3> for NormBackward {
    type State = Norm;

    fn backward(self, ops: Ops<Norm, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gy = grads.consume::<Flex>(&ops.node);
        let out = ops.state.gradients(&gy, false);
        let xs = shape(&ops.state.x);
        let [x, gamma, beta] = ops.parents;
        let parts =
            [(x, image(out.x, xs)), (gamma, tensor(out.gamma, &[xs.c])), (beta, tensor(out.beta, &[xs.c]))];
        for (node, gradient) in parts {
            if let Some(node) = node {
                grads.register::<Flex>(node.id, gradient);
            }
        }
    }
}

#[derive(Debug)]
pub(super) struct NormAddBackward;

impl Backward<Flex, 4> for NormAddBackward {
    type State = Norm;

    fn backward(self, ops: Ops<Norm, 4>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gy = grads.consume::<Flex>(&ops.node);
        let out = ops.state.gradients(&gy, true);
        let xs = shape(&ops.state.x);
        let [x, residual, gamma, beta] = ops.parents;
        let parts = [
            (x, Some(image(out.x, xs))),
            (residual, out.residual.map(|r| image(r, xs))),
            (gamma, Some(tensor(out.gamma, &[xs.c]))),
            (beta, Some(tensor(out.beta, &[xs.c]))),
        ];
        for (node, gradient) in parts {
            if let (Some(node), Some(gradient)) = (node, gradient) {
                grads.register::<Flex>(node.id, gradient);
            }
        }
    }
}

/// Maps joined channel by channel; the state is their numbers of channels.
#[derive(Debug)]
pub(super) struct ConcatBackward<const N: usize>;

impl<const N: usize> Backward<Flex, N> for ConcatBackward<N> {
    type State = [usize; N];

    fn backward(self, ops: Ops<[usize; N], N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gy = grads.consume::<Flex>(&ops.node);
        let s = shape(&gy);
        let gy = Values::new(&gy);
        let mut from = 0;
        for (node, c) in ops.parents.into_iter().zip(ops.state) {
            if let Some(node) = node {
                let part = timed("concatenation backward", || channels::slice(gy.slice(), s.c, from, c));
                grads.register::<Flex>(node.id, image(part, Nhwc { c, ..s }));
            }
            from += c;
        }
    }
}

/// An operation of one input whose backward pass is a function of the state and the gradient.
pub(super) trait Unary: Clone + Send + std::fmt::Debug + 'static {
    fn gradient(&self, gy: &Cpu) -> Cpu;
}

#[derive(Debug)]
pub(super) struct UnaryBackward<S>(std::marker::PhantomData<fn() -> S>);

impl<S: Unary> Backward<Flex, 1> for UnaryBackward<S> {
    type State = S;

    fn backward(self, ops: Ops<S, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gy = grads.consume::<Flex>(&ops.node);
        if let [Some(node)] = ops.parents {
            grads.register::<Flex>(node.id, ops.state.gradient(&gy));
        }
    }
}

/// Records a unary operation computed by `forward`, which returns its output and state.
pub(super) fn unary<S: Unary, C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<Flex, C>>,
    forward: impl FnOnce(&Cpu) -> (Cpu, S),
) -> FloatTensor<Autodiff<Flex, C>> {
    let (y, state) = forward(x.primitive());
    match UnaryBackward::<S>(std::marker::PhantomData).prepare::<C>([x.node()]).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish(state, y),
        OpsKind::UnTracked(prep) => prep.finish(y),
    }
}

/// Input shape, and the tap each output value came from.
#[derive(Clone, Debug)]
pub(super) struct MaxPool(pub Nhwc, pub Vec<u8>);

impl Unary for MaxPool {
    fn gradient(&self, gy: &Cpu) -> Cpu {
        let gy = Values::new(gy);
        image(timed("max pool backward", || pool::max_pool_gradient(gy.slice(), &self.1, self.0)), self.0)
    }
}

/// Input shape and bins along each axis.
#[derive(Clone, Debug)]
pub(super) struct Average(pub Nhwc, pub usize);

impl Unary for Average {
    fn gradient(&self, gy: &Cpu) -> Cpu {
        let gy = Values::new(gy);
        let gx =
            timed("adaptive pool backward", || pool::adaptive_average_gradient(gy.slice(), self.0, self.1));
        image(gx, self.0)
    }
}

/// Input shape, output height and width.
#[derive(Clone, Debug)]
pub(super) struct Bilinear(pub Nhwc, pub usize, pub usize);

impl Unary for Bilinear {
    fn gradient(&self, gy: &Cpu) -> Cpu {
        let gy = Values::new(gy);
        let gx = timed("resize backward", || resize::bilinear_gradient(gy.slice(), self.0, self.1, self.2));
        image(gx, self.0)
    }
}

/// The loss's gradient is found with its value; backward only scales it.
#[derive(Clone, Debug)]
pub(super) struct Loss(pub Nhwc, pub Arc<Vec<f32>>);

impl Unary for Loss {
    fn gradient(&self, gy: &Cpu) -> Cpu {
        let factor = Values::new(gy).slice()[0];
        image(self.1.iter().map(|g| g * factor).collect(), self.0)
    }
}
