//! Every hot operation of the networks, on channels-last activations `[n, h, w, c]`.
//!
//! On the CPU (Burn's Flex backend) an operation runs on [`sorby_kernels`] through a backend
//! extension with a hand-written backward pass; on every other device it is composed of Burn's own
//! operations ([`stock`]). Models call only this module, so an operation can change its
//! implementation without touching a model.

mod backward;
mod cpu;
mod extension;
mod recycled;
mod stock;

use crate::check::{Call, note};
use burn::backend::{Dispatch, DispatchDevice};
use burn::tensor::{Device, Tensor};
use extension::HotOps;
pub use sorby_kernels::ConvGeometry;
use sorby_kernels::FoldedConv;
use sorby_kernels::optimizer::Rule;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Variance offset of every batch norm (PyTorch's default).
pub const BATCH_NORM_EPS: f32 = 1e-5;

static STOCK_ONLY: AtomicBool = AtomicBool::new(false);

/// Makes the whole process use Burn's own operations on the CPU too, to compare against.
pub fn use_stock_operations(yes: bool) {
    STOCK_ONLY.store(yes, Ordering::Relaxed);
}

/// Whether operations on this device run on our kernels.
pub(crate) fn on_kernels(device: &Device) -> bool {
    let inner = device.clone().inner();
    matches!(inner.as_dispatch(), DispatchDevice::Flex(_)) && !STOCK_ONLY.load(Ordering::Relaxed)
}

/// Convolution of `x` with `[cout, cin / groups, k, k]` weights, no bias.
pub fn conv2d(x: Tensor<4>, weight: Tensor<4>, geometry: ConvGeometry) -> Tensor<4> {
    let cout = weight.dims()[0];
    note(x.dims(), |input| Call::Conv { input, cout, geometry });
    if !on_kernels(&x.device()) {
        return stock::conv2d(x, weight, geometry);
    }
    Tensor::from_dispatch(Dispatch::conv2d_nhwc(x.into_dispatch(), weight.into_dispatch(), geometry))
}

/// A convolution with its batch norm folded in, `+ residual`, ReLU if asked. On the CPU kernels only; not
/// differentiable.
pub fn conv2d_folded(
    x: Tensor<4>,
    folded: Arc<FoldedConv>,
    residual: Option<Tensor<4>>,
    relu: bool,
) -> Tensor<4> {
    let x = x.into_dispatch();
    Tensor::from_dispatch(match residual {
        None => Dispatch::conv2d_folded(x, folded, relu),
        Some(residual) => Dispatch::conv2d_folded_add(x, residual.into_dispatch(), folded, relu),
    })
}

/// Batch statistics of a training-mode batch norm: `[2, c]`, mean and biased variance. Not differentiated:
/// [`batch_norm_train`] accounts for their dependence on `x`.
pub fn batch_moments(x: &Tensor<4>) -> Tensor<2> {
    let x = x.clone().without_autodiff();
    if !on_kernels(&x.device()) {
        return stock::batch_moments(x);
    }
    Tensor::from_dispatch(Dispatch::batch_moments(x.into_dispatch()))
}

/// Training-mode batch norm with the given moments of `x`, then `+ residual`, then ReLU if asked.
pub fn batch_norm_train(
    x: Tensor<4>,
    residual: Option<Tensor<4>>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    moments: Tensor<2>,
    relu: bool,
) -> Tensor<4> {
    note(x.dims(), |input| Call::Norm { input, residual: residual.is_some(), relu });
    if !on_kernels(&x.device()) {
        return stock::batch_norm_train(x, residual, gamma, beta, relu);
    }
    let moments = moments.autodiff();
    let (x, gamma, beta, moments) =
        (x.into_dispatch(), gamma.into_dispatch(), beta.into_dispatch(), moments.into_dispatch());
    Tensor::from_dispatch(match residual {
        None => Dispatch::batch_norm(x, gamma, beta, moments, relu),
        Some(residual) => Dispatch::batch_norm_add(x, residual.into_dispatch(), gamma, beta, moments, relu),
    })
}

/// `act(x * scale + shift (+ residual))`: an evaluation-mode batch norm where [`conv2d_folded`] is not to be
/// had. Not differentiable.
pub fn affine(
    x: Tensor<4>,
    residual: Option<Tensor<4>>,
    scale: Tensor<1>,
    shift: Tensor<1>,
    relu: bool,
) -> Tensor<4> {
    stock::affine(x, residual, scale, shift, relu)
}

/// 3x3 max pooling, stride 2, padding 1.
pub fn max_pool(x: Tensor<4>) -> Tensor<4> {
    note(x.dims(), |input| Call::MaxPool { input });
    if !on_kernels(&x.device()) {
        return stock::max_pool(x);
    }
    Tensor::from_dispatch(Dispatch::max_pool(x.into_dispatch()))
}

/// Means over `bins` x `bins` regions (PyTorch's `AdaptiveAvgPool2d`).
pub fn adaptive_average(x: Tensor<4>, bins: usize) -> Tensor<4> {
    note(x.dims(), |input| Call::AdaptiveAverage { input, bins });
    if !on_kernels(&x.device()) {
        return stock::adaptive_average(x, bins);
    }
    Tensor::from_dispatch(Dispatch::adaptive_average(x.into_dispatch(), bins))
}

/// Bilinear resize to `height` x `width`, `align_corners = false`.
pub fn bilinear(x: Tensor<4>, height: usize, width: usize) -> Tensor<4> {
    let [_, h, w, _] = x.dims();
    if (h, w) == (height, width) {
        return x;
    }
    note(x.dims(), |input| Call::Bilinear { input, size: (height, width) });
    if !on_kernels(&x.device()) {
        return stock::bilinear(x, height, width);
    }
    Tensor::from_dispatch(Dispatch::bilinear(x.into_dispatch(), height, width))
}

/// Feature maps of equal size joined channel after channel.
///
/// # Panics
/// If `parts` is empty, or if the maps differ in number, height or width.
pub fn concat_channels(parts: Vec<Tensor<4>>) -> Tensor<4> {
    if !on_kernels(&parts[0].device()) {
        return Tensor::cat(parts, 3);
    }
    Tensor::from_dispatch(match <[Tensor<4>; 5]>::try_from(parts) {
        Ok(five) => {
            let [a, b, c, d, e] = five.map(Tensor::into_dispatch);
            Dispatch::concat5(a, b, c, d, e)
        }
        Err(parts) => match <[Tensor<4>; 2]>::try_from(parts) {
            Ok(two) => {
                let [a, b] = two.map(Tensor::into_dispatch);
                Dispatch::concat2(a, b)
            }
            Err(parts) => return Tensor::cat(parts, 3),
        },
    })
}

/// Which pixel loss trains a head.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PixelLoss {
    /// Sigmoid focal loss (Lin et al. 2017).
    Focal {
        /// Weight of positive entries, 0 to 1; negatives weigh `1 - alpha`.
        alpha: f64,
        /// Focusing exponent; 0 is weighted cross-entropy.
        gamma: f64,
    },
    /// Softmax cross-entropy.
    CrossEntropy,
    /// Cross-entropy plus soft Dice loss, the mean over classes, each counted over the whole batch.
    CrossEntropyDice,
}

/// Mean loss of `logits` (`[n, h, w, k]`) against `labels` (`n * h * w`, 255 ignored). Shape `[1]`.
///
/// # Panics
/// If there is not one label for each pixel of the logits.
pub fn pixel_loss(logits: Tensor<4>, labels: Arc<Vec<u8>>, loss: PixelLoss) -> Tensor<1> {
    note(logits.dims(), |input| Call::Loss { input, loss });
    if !on_kernels(&logits.device()) {
        return stock::pixel_loss(logits, &labels, loss);
    }
    Tensor::from_dispatch(Dispatch::pixel_loss(logits.into_dispatch(), labels, loss))
}

/// One optimiser step of a parameter: `(weight, state)` after it. All tensors without autodiff.
pub fn optimizer_step(
    weight: Tensor<1>,
    state: Tensor<1>,
    gradient: Tensor<1>,
    rule: Rule,
) -> (Tensor<1>, Tensor<1>) {
    if !on_kernels(&weight.device()) {
        return stock::optimizer_step(weight, state, gradient, rule);
    }
    let (w, s) = Dispatch::optimizer_step(
        weight.into_dispatch(),
        state.into_dispatch(),
        gradient.into_dispatch(),
        rule,
    );
    (Tensor::from_dispatch(w), Tensor::from_dispatch(s))
}
