//! The backend extension: forward on the CPU kernels, backward written by hand.

use super::backward::{
    Average, Bilinear, ConcatBackward, Conv, ConvBackward, Loss, MaxPool, Norm, NormAddBackward,
    NormBackward, unary,
};
use super::cpu::{Cpu, Values, contiguous, image, moments_of, shape, tensor};
use super::{BATCH_NORM_EPS, ConvGeometry, PixelLoss};
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::ops::{Backward as _, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Flex, backend_extension};
use burn_backend::TensorMetadata;
use sorby_kernels::optimizer::Rule;
use sorby_kernels::trace::timed;
use sorby_kernels::{FoldedConv, Nhwc, channels, conv, dice, focal, norm, pool, resize};
use std::sync::Arc;

#[backend_extension(Flex, Autodiff)]
pub trait HotOps: Backend {
    fn conv2d_nhwc(x: FloatTensor<Self>, w: FloatTensor<Self>, g: ConvGeometry) -> FloatTensor<Self>;
    fn conv2d_folded(x: FloatTensor<Self>, folded: Arc<FoldedConv>, relu: bool) -> FloatTensor<Self>;
    fn conv2d_folded_add(
        x: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        folded: Arc<FoldedConv>,
        relu: bool,
    ) -> FloatTensor<Self>;
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
    fn max_pool(x: FloatTensor<Self>) -> FloatTensor<Self>;
    fn adaptive_average(x: FloatTensor<Self>, bins: usize) -> FloatTensor<Self>;
    fn bilinear(x: FloatTensor<Self>, height: usize, width: usize) -> FloatTensor<Self>;
    fn concat2(a: FloatTensor<Self>, b: FloatTensor<Self>) -> FloatTensor<Self>;
    fn concat5(
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        c: FloatTensor<Self>,
        d: FloatTensor<Self>,
        e: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
    fn pixel_loss(logits: FloatTensor<Self>, labels: Arc<Vec<u8>>, loss: PixelLoss) -> FloatTensor<Self>;
    fn optimizer_step(
        w: FloatTensor<Self>,
        v: FloatTensor<Self>,
        g: FloatTensor<Self>,
        rule: Rule,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
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

/// Feature maps of equal size, channel after channel.
fn join(parts: &[&Cpu]) -> Cpu {
    let widths: Vec<usize> = parts.iter().map(|p| shape(p).c).collect();
    let s = shape(parts[0]);
    assert!(parts.iter().all(|p| Nhwc { c: s.c, ..shape(p) } == s), "feature maps of equal size");
    let values: Vec<Values> = parts.iter().map(|p| Values::new(p)).collect();
    let parts: Vec<(&[f32], usize)> = values.iter().map(Values::slice).zip(widths.iter().copied()).collect();
    image(timed("concatenation", || channels::concat(&parts)), Nhwc { c: widths.iter().sum(), ..s })
}

/// [`join`] of N maps, recorded for the backward pass.
fn joined<const N: usize, C: CheckpointStrategy>(
    parts: [FloatTensor<Autodiff<Flex, C>>; N],
) -> FloatTensor<Autodiff<Flex, C>> {
    let maps = parts.each_ref().map(|p| p.primitive());
    let state = maps.map(|m| shape(m).c);
    let y = join(&maps);
    let nodes = parts.each_ref().map(|p| p.node());
    match ConcatBackward::<N>.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish(state, y),
        OpsKind::UnTracked(prep) => prep.finish(y),
    }
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
        PixelLoss::CrossEntropyDice => {
            let entropy = focal::cross_entropy_with_gradient(z.slice(), labels, 1.0);
            dice::add_with_gradient(entropy, z.slice(), labels)
        }
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

    fn conv2d_folded(x: Cpu, folded: Arc<FoldedConv>, relu: bool) -> Cpu {
        let xs = shape(&x);
        image(folded.forward(Values::new(&x).slice(), xs, None, relu), folded.out_shape(xs))
    }

    fn conv2d_folded_add(x: Cpu, residual: Cpu, folded: Arc<FoldedConv>, relu: bool) -> Cpu {
        let (xs, residual) = (shape(&x), Values::new(&residual));
        let y = folded.forward(Values::new(&x).slice(), xs, Some(residual.slice()), relu);
        image(y, folded.out_shape(xs))
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

    fn concat2(a: Cpu, b: Cpu) -> Cpu {
        join(&[&a, &b])
    }

    fn concat5(a: Cpu, b: Cpu, c: Cpu, d: Cpu, e: Cpu) -> Cpu {
        join(&[&a, &b, &c, &d, &e])
    }

    fn pixel_loss(logits: Cpu, labels: Arc<Vec<u8>>, loss: PixelLoss) -> Cpu {
        tensor(vec![loss_and_gradient(&logits, &labels, loss).0 as f32], &[1])
    }

    fn optimizer_step(w: Cpu, v: Cpu, g: Cpu, rule: Rule) -> (Cpu, Cpu) {
        // Both are uniquely owned here in a training step, so this writes in place.
        let (mut w, mut v) = (contiguous(w), contiguous(v));
        timed("optimizer", || rule.step(w.storage_mut(), v.storage_mut(), Values::new(&g).slice()));
        (w, v)
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

    fn conv2d_folded(x: FloatTensor<Self>, folded: Arc<FoldedConv>, relu: bool) -> FloatTensor<Self> {
        FloatTensor::<Self>::new(Flex::conv2d_folded(x.into_primitive(), folded, relu))
    }

    fn conv2d_folded_add(
        x: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        folded: Arc<FoldedConv>,
        relu: bool,
    ) -> FloatTensor<Self> {
        let (x, residual) = (x.into_primitive(), residual.into_primitive());
        FloatTensor::<Self>::new(Flex::conv2d_folded_add(x, residual, folded, relu))
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
            beta: beta.primitive().clone(),
            relu,
            y: None,
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
            beta: beta.primitive().clone(),
            relu,
            y: relu.then(|| y.clone()),
        };
        let parents = [x.node(), residual.node(), gamma.node(), beta.node()];
        match NormAddBackward.prepare::<C>(parents).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(state, y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
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

    fn concat2(a: FloatTensor<Self>, b: FloatTensor<Self>) -> FloatTensor<Self> {
        joined::<2, C>([a, b])
    }

    fn concat5(
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        c: FloatTensor<Self>,
        d: FloatTensor<Self>,
        e: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        joined::<5, C>([a, b, c, d, e])
    }

    fn pixel_loss(logits: FloatTensor<Self>, labels: Arc<Vec<u8>>, loss: PixelLoss) -> FloatTensor<Self> {
        unary::<_, C>(logits, |logits| {
            let (value, gradient) = loss_and_gradient(logits, &labels, loss);
            (tensor(vec![value as f32], &[1]), Loss(shape(logits), Arc::new(gradient)))
        })
    }

    fn optimizer_step(
        w: FloatTensor<Self>,
        v: FloatTensor<Self>,
        g: FloatTensor<Self>,
        rule: Rule,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (w, v) = Flex::optimizer_step(w.into_primitive(), v.into_primitive(), g.into_primitive(), rule);
        (FloatTensor::<Self>::new(w), FloatTensor::<Self>::new(v))
    }
}
