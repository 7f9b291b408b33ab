//! The backend extension: forward on the CPU kernels, backward written by hand.

use super::cpu::{Cpu, Values, image, shape, tensor};
use super::{BATCH_NORM_EPS, ConvGeometry, PixelLoss};
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Flex, backend_extension};
use burn_backend::TensorMetadata;
use sorby_kernels::sgd::Sgd;
use sorby_kernels::trace::timed;
use sorby_kernels::{Nhwc, conv, focal, norm, pool, resize};
use std::sync::Arc;

#[backend_extension(Flex, Autodiff)]
pub trait HotOps: Backend {
    fn conv2d_nhwc(x: FloatTensor<Self>, w: FloatTensor<Self>, g: ConvGeometry) -> FloatTensor<Self>;
    fn batch_moments(x: FloatTensor<Self>) -> FloatTensor<Self>;
    fn batch_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        moments: FloatTensor<Self>,
        relu: bool,
    ) -> FloatTensor<Self>;
    fn batch_norm_add(
        x: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        moments: FloatTensor<Self>,
        relu: bool,
    ) -> FloatTensor<Self>;
    fn affine(
        x: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        relu: bool,
    ) -> FloatTensor<Self>;
    fn affine_add(
        x: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        relu: bool,
    ) -> FloatTensor<Self>;
    fn max_pool(x: FloatTensor<Self>) -> FloatTensor<Self>;
    fn adaptive_average(x: FloatTensor<Self>, bins: usize) -> FloatTensor<Self>;
    fn bilinear(x: FloatTensor<Self>, height: usize, width: usize) -> FloatTensor<Self>;
    fn pixel_loss(logits: FloatTensor<Self>, labels: Arc<Vec<u8>>, loss: PixelLoss) -> FloatTensor<Self>;
    fn sgd_step(
        w: FloatTensor<Self>,
        v: FloatTensor<Self>,
        g: FloatTensor<Self>,
        step: Sgd,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
}

fn moments_of(t: &Cpu, count: usize) -> norm::Moments {
    let values = Values::new(t);
    let (mean, var) = values.slice().split_at(values.slice().len() / 2);
    norm::Moments { mean: mean.to_vec(), var: var.to_vec(), count }
}

fn normalise(x: &Cpu, residual: Option<&Cpu>, gamma: &Cpu, beta: &Cpu, moments: &Cpu, relu: bool) -> Cpu {
    let xs = shape(x);
    let m = moments_of(moments, xs.pixels());
    let (gamma, beta) = (Values::new(gamma), Values::new(beta));
    let (scale, shift) = norm::fold(gamma.slice(), beta.slice(), &m.mean, &m.var, BATCH_NORM_EPS);
    let residual = residual.map(Values::new);
    let (x, residual) = (Values::new(x), residual.as_ref().map(Values::slice));
    image(timed("batch norm", || norm::affine(x.slice(), residual, &scale, &shift, relu)), xs)
}

fn scaled(x: &Cpu, residual: Option<&Cpu>, scale: &Cpu, shift: &Cpu, relu: bool) -> Cpu {
    let residual = residual.map(Values::new);
    let (scale, shift) = (Values::new(scale), Values::new(shift));
    let (values, residual) = (Values::new(x), residual.as_ref().map(Values::slice));
    let y =
        timed("batch norm", || norm::affine(values.slice(), residual, scale.slice(), shift.slice(), relu));
    image(y, shape(x))
}

/// Loss value and gradient for an upstream gradient of one.
fn loss_and_gradient(logits: &Cpu, labels: &[u8], loss: PixelLoss) -> (f64, Vec<f32>) {
    let z = Values::new(logits);
    assert_eq!(shape(logits).pixels(), labels.len(), "one label per logit pixel");
    timed("loss and its gradient", || match loss {
        PixelLoss::Focal { alpha, gamma } => {
            focal::Focal { alpha, gamma }.mean_with_gradient(z.slice(), labels, 1.0)
        }
        PixelLoss::CrossEntropy => focal::cross_entropy_with_gradient(z.slice(), labels, 1.0),
    })
}

fn max_pool_with_taps(x: &Cpu) -> (Cpu, Vec<u8>) {
    let xs = shape(x);
    let (y, taps) = timed("max pool", || pool::max_pool(Values::new(x).slice(), xs));
    (image(y, pool::max_pool_shape(xs)), taps)
}

impl HotOps for Flex {
    fn conv2d_nhwc(x: Cpu, w: Cpu, g: ConvGeometry) -> Cpu {
        let (xs, cout) = (shape(&x), w.shape()[0]);
        let y = conv::forward(Values::new(&x).slice(), xs, Values::new(&w).slice(), cout, &g);
        image(y, g.out_shape(xs, cout))
    }

    fn batch_moments(x: Cpu) -> Cpu {
        let c = shape(&x).c;
        let m = timed("batch norm moments", || norm::moments(Values::new(&x).slice(), c));
        tensor([m.mean, m.var].concat(), &[2, c])
    }

    fn batch_norm(x: Cpu, gamma: Cpu, beta: Cpu, moments: Cpu, relu: bool) -> Cpu {
        normalise(&x, None, &gamma, &beta, &moments, relu)
    }

    fn batch_norm_add(x: Cpu, residual: Cpu, gamma: Cpu, beta: Cpu, moments: Cpu, relu: bool) -> Cpu {
        normalise(&x, Some(&residual), &gamma, &beta, &moments, relu)
    }

    fn affine(x: Cpu, scale: Cpu, shift: Cpu, relu: bool) -> Cpu {
        scaled(&x, None, &scale, &shift, relu)
    }

    fn affine_add(x: Cpu, residual: Cpu, scale: Cpu, shift: Cpu, relu: bool) -> Cpu {
        scaled(&x, Some(&residual), &scale, &shift, relu)
    }

    fn max_pool(x: Cpu) -> Cpu {
        max_pool_with_taps(&x).0
    }

    fn adaptive_average(x: Cpu, bins: usize) -> Cpu {
        let xs = shape(&x);
        let y = timed("adaptive pool", || pool::adaptive_average(Values::new(&x).slice(), xs, bins));
        image(y, Nhwc { h: bins, w: bins, ..xs })
    }

    fn bilinear(x: Cpu, height: usize, width: usize) -> Cpu {
        let xs = shape(&x);
        let y = timed("resize", || resize::bilinear(Values::new(&x).slice(), xs, height, width));
        image(y, Nhwc { h: height, w: width, ..xs })
    }

    fn pixel_loss(logits: Cpu, labels: Arc<Vec<u8>>, loss: PixelLoss) -> Cpu {
        tensor(vec![loss_and_gradient(&logits, &labels, loss).0 as f32], &[1])
    }

    fn sgd_step(w: Cpu, v: Cpu, g: Cpu, step: Sgd) -> (Cpu, Cpu) {
        // Both are uniquely owned here in a training step, so this writes in place.
        let (mut w, mut v) = (w.to_contiguous(), v.to_contiguous());
        timed("SGD", || step.step(w.storage_mut(), v.storage_mut(), Values::new(&g).slice()));
        (w, v)
    }
}

/// Backward passes. Each holds what it needs of the forward pass as its state.
#[derive(Clone, Debug)]
struct Conv {
    x: Cpu,
    w: Cpu,
    g: ConvGeometry,
}

#[derive(Clone, Debug)]
struct Norm {
    x: Cpu,
    gamma: Cpu,
    moments: Cpu,
    /// Output, where a ReLU cut it.
    y: Option<Cpu>,
}

impl Norm {
    fn gradients(&self, gy: &Cpu, want_residual: bool) -> norm::NormGradients {
        let m = moments_of(&self.moments, shape(&self.x).pixels());
        let y = self.y.as_ref().map(Values::new);
        let (x, gy, gamma) = (Values::new(&self.x), Values::new(gy), Values::new(&self.gamma));
        let y = y.as_ref().map(Values::slice);
        timed("batch norm backward", || {
            norm::backward(x.slice(), y, gy.slice(), gamma.slice(), &m, BATCH_NORM_EPS, want_residual)
        })
    }
}

#[derive(Debug)]
struct ConvBackward;

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
struct NormBackward;

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
struct NormAddBackward;

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

/// An operation of one input whose backward pass is a function of the state and the gradient.
trait Unary: Clone + Send + std::fmt::Debug + 'static {
    fn gradient(&self, gy: &Cpu) -> Cpu;
}

#[derive(Debug)]
struct UnaryBackward<S>(std::marker::PhantomData<fn() -> S>);

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
fn unary<S: Unary, C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<Flex, C>>,
    forward: impl FnOnce(&Cpu) -> (Cpu, S),
) -> FloatTensor<Autodiff<Flex, C>> {
    let (y, state) = forward(x.primitive());
    match UnaryBackward::<S>(std::marker::PhantomData).prepare::<C>([x.node()]).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish(state, y),
        OpsKind::UnTracked(prep) => prep.finish(y),
    }
}

#[derive(Clone, Debug)]
struct MaxPool(Nhwc, Vec<u8>);

impl Unary for MaxPool {
    fn gradient(&self, gy: &Cpu) -> Cpu {
        let gy = Values::new(gy);
        image(timed("max pool backward", || pool::max_pool_gradient(gy.slice(), &self.1, self.0)), self.0)
    }
}

#[derive(Clone, Debug)]
struct Average(Nhwc, usize);

impl Unary for Average {
    fn gradient(&self, gy: &Cpu) -> Cpu {
        let gy = Values::new(gy);
        let gx =
            timed("adaptive pool backward", || pool::adaptive_average_gradient(gy.slice(), self.0, self.1));
        image(gx, self.0)
    }
}

#[derive(Clone, Debug)]
struct Bilinear(Nhwc, usize, usize);

impl Unary for Bilinear {
    fn gradient(&self, gy: &Cpu) -> Cpu {
        let gy = Values::new(gy);
        let gx = timed("resize backward", || resize::bilinear_gradient(gy.slice(), self.0, self.1, self.2));
        image(gx, self.0)
    }
}

/// The loss's gradient is found with its value; backward only scales it.
#[derive(Clone, Debug)]
struct Loss(Nhwc, Arc<Vec<f32>>);

impl Unary for Loss {
    fn gradient(&self, gy: &Cpu) -> Cpu {
        let factor = Values::new(gy).slice()[0];
        image(self.1.iter().map(|g| g * factor).collect(), self.0)
    }
}

impl<C: CheckpointStrategy> HotOps for Autodiff<Flex, C> {
    fn conv2d_nhwc(x: FloatTensor<Self>, w: FloatTensor<Self>, g: ConvGeometry) -> FloatTensor<Self> {
        let state = Conv { x: x.primitive().clone(), w: w.primitive().clone(), g };
        let y = Flex::conv2d_nhwc(state.x.clone(), state.w.clone(), g);
        match ConvBackward.prepare::<C>([x.node(), w.node()]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(state, y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn batch_moments(x: FloatTensor<Self>) -> FloatTensor<Self> {
        FloatTensor::<Self>::new(Flex::batch_moments(x.into_primitive()))
    }

    fn batch_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        moments: FloatTensor<Self>,
        relu: bool,
    ) -> FloatTensor<Self> {
        let y =
            normalise(x.primitive(), None, gamma.primitive(), beta.primitive(), moments.primitive(), relu);
        let state = Norm {
            x: x.primitive().clone(),
            gamma: gamma.primitive().clone(),
            moments: moments.into_primitive(),
            y: relu.then(|| y.clone()),
        };
        match NormBackward.prepare::<C>([x.node(), gamma.node(), beta.node()]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(state, y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn batch_norm_add(
        x: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        moments: FloatTensor<Self>,
        relu: bool,
    ) -> FloatTensor<Self> {
        let r = residual.primitive();
        let y =
            normalise(x.primitive(), Some(r), gamma.primitive(), beta.primitive(), moments.primitive(), relu);
        let state = Norm {
            x: x.primitive().clone(),
            gamma: gamma.primitive().clone(),
            moments: moments.into_primitive(),
            y: relu.then(|| y.clone()),
        };
        let parents = [x.node(), residual.node(), gamma.node(), beta.node()];
        match NormAddBackward.prepare::<C>(parents).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(state, y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn affine(
        x: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        relu: bool,
    ) -> FloatTensor<Self> {
        let y = scaled(x.primitive(), None, scale.primitive(), shift.primitive(), relu);
        FloatTensor::<Self>::new(y)
    }

    fn affine_add(
        x: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        relu: bool,
    ) -> FloatTensor<Self> {
        let y = scaled(x.primitive(), Some(residual.primitive()), scale.primitive(), shift.primitive(), relu);
        FloatTensor::<Self>::new(y)
    }

    fn max_pool(x: FloatTensor<Self>) -> FloatTensor<Self> {
        unary::<_, C>(x, |x| {
            let (y, taps) = max_pool_with_taps(x);
            (y, MaxPool(shape(x), taps))
        })
    }

    fn adaptive_average(x: FloatTensor<Self>, bins: usize) -> FloatTensor<Self> {
        unary::<_, C>(x, |x| (Flex::adaptive_average(x.clone(), bins), Average(shape(x), bins)))
    }

    fn bilinear(x: FloatTensor<Self>, height: usize, width: usize) -> FloatTensor<Self> {
        unary::<_, C>(x, |x| (Flex::bilinear(x.clone(), height, width), Bilinear(shape(x), height, width)))
    }

    fn pixel_loss(logits: FloatTensor<Self>, labels: Arc<Vec<u8>>, loss: PixelLoss) -> FloatTensor<Self> {
        unary::<_, C>(logits, |logits| {
            let (value, gradient) = loss_and_gradient(logits, &labels, loss);
            (tensor(vec![value as f32], &[1]), Loss(shape(logits), Arc::new(gradient)))
        })
    }

    fn sgd_step(
        w: FloatTensor<Self>,
        v: FloatTensor<Self>,
        g: FloatTensor<Self>,
        step: Sgd,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (w, v) = Flex::sgd_step(w.into_primitive(), v.into_primitive(), g.into_primitive(), step);
        (FloatTensor::<Self>::new(w), FloatTensor::<Self>::new(v))
    }
}
