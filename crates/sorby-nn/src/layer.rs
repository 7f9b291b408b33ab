//! Layers shared by backbone and heads.

use crate::Init;
use crate::ops::{self, BATCH_NORM_EPS, ConvGeometry};
use crate::state::{Role, StateVisitor, Walk, key};
use burn::tensor::Tensor;
use sorby_kernels::{FoldedConv, norm};
use std::sync::Arc;

/// Fewer values than these, such as those of a pooled image, have no statistics that could be adopted.
const FEWEST_TO_ADOPT: f32 = 256.0;

/// Share of the batch in a running statistic (PyTorch's `momentum`).
const BATCH_NORM_MOMENTUM: f32 = 0.1;

/// Whether batch norms use the batch (and learn from it) or their running statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Normalise by the batch's own statistics, and update the running ones.
    Train,
    /// Normalise by the running statistics; nothing is learnt or changed.
    Evaluate,
    /// As [`Phase::Evaluate`], after the batch's own statistics have taken the place of the running ones.
    Adopt,
}

/// Convolution without bias.
#[derive(Clone, Debug)]
pub(crate) struct Conv2d {
    weight: Tensor<4>,
    geometry: ConvGeometry,
}

impl Conv2d {
    /// Kaiming normal, fan out, gain sqrt(2); grouped convolutions count `cout * k * k` too.
    pub fn new(init: &Init, cin: usize, cout: usize, geometry: ConvGeometry) -> Self {
        let k = geometry.kernel;
        let std = (2.0 / (cout * k * k) as f64).sqrt();
        Self { weight: init.normal("weight", [cout, cin / geometry.groups, k, k], std), geometry }
    }

    pub fn forward(&self, x: Tensor<4>, phase: Phase) -> Tensor<4> {
        let weight = match phase {
            Phase::Train => self.weight.clone(),
            Phase::Evaluate | Phase::Adopt => self.weight.clone().without_autodiff(),
        };
        ops::conv2d(x, weight, self.geometry)
    }
}

impl Walk for Conv2d {
    fn walk(&mut self, prefix: &str, visitor: &mut impl StateVisitor) {
        visitor.visit(&key(prefix, "weight"), Role::Parameter, &mut self.weight);
    }
}

/// Batch normalisation over `[n, h, w]`.
#[derive(Clone, Debug)]
pub(crate) struct BatchNorm {
    gamma: Tensor<1>,
    beta: Tensor<1>,
    running_mean: Tensor<1>,
    running_var: Tensor<1>,
}

impl BatchNorm {
    /// With another initial scale: 0 makes a residual block start as the identity.
    pub fn with_gamma(init: &Init, channels: usize, gamma: f32) -> Self {
        Self {
            gamma: init.constant(gamma, channels),
            beta: init.constant(0.0, channels),
            running_mean: init.buffer(0.0, channels).without_autodiff(),
            running_var: init.buffer(1.0, channels).without_autodiff(),
        }
    }

    /// Normalises `x`, adds `residual`, applies a ReLU if asked.
    pub fn forward(
        &mut self,
        x: Tensor<4>,
        residual: Option<Tensor<4>>,
        relu: bool,
        phase: Phase,
    ) -> Tensor<4> {
        match phase {
            Phase::Train => {
                let moments = ops::batch_moments(&x);
                self.update(&x, &moments, BATCH_NORM_MOMENTUM);
                ops::batch_norm_train(x, residual, self.gamma.clone(), self.beta.clone(), moments, relu)
            }
            Phase::Evaluate | Phase::Adopt => {
                let [n, h, w, _] = x.dims();
                if phase == Phase::Adopt && (n * h * w) as f32 >= FEWEST_TO_ADOPT {
                    let moments = ops::batch_moments(&x);
                    self.update(&x, &moments, 1.0);
                }
                let (gamma, beta) =
                    (self.gamma.clone().without_autodiff(), self.beta.clone().without_autodiff());
                let scale = gamma / (self.running_var.clone() + BATCH_NORM_EPS).sqrt();
                let shift = beta - self.running_mean.clone() * scale.clone();
                ops::affine(x, residual, scale, shift, relu)
            }
        }
    }

    /// `conv` followed by this norm in its evaluation mode.
    fn fold_into(&self, conv: &Conv2d) -> FoldedConv {
        let (mean, var) = (values(&self.running_mean), values(&self.running_var));
        let (scale, shift) =
            norm::fold(&values(&self.gamma), &values(&self.beta), &mean, &var, BATCH_NORM_EPS);
        let [_, cin_per_group, _, _] = conv.weight.dims();
        let cin = cin_per_group * conv.geometry.groups;
        FoldedConv::new(&values(&conv.weight), cin, conv.geometry, &scale, shift)
    }

    /// `share` is that of the batch in the new running statistics.
    fn update(&mut self, x: &Tensor<4>, moments: &Tensor<2>, share: f32) {
        let [n, h, w, c] = x.dims();
        let count = (n * h * w) as f32;
        // The running variance is unbiased, unlike the one that normalises.
        let unbiased = count / (count - 1.0).max(1.0);
        let mean: Tensor<1> = moments.clone().slice([0..1, 0..c]).reshape([c]);
        let var: Tensor<1> = moments.clone().slice([1..2, 0..c]).reshape([c]);
        let blend = |old: &Tensor<1>, new: Tensor<1>| old.clone() * (1.0 - share) + new * share;
        self.running_mean = blend(&self.running_mean, mean);
        self.running_var = blend(&self.running_var, var * unbiased);
    }
}

fn values<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    tensor.clone().without_autodiff().into_data().iter::<f32>().collect()
}

impl Walk for BatchNorm {
    fn walk(&mut self, prefix: &str, visitor: &mut impl StateVisitor) {
        visitor.visit(&key(prefix, "weight"), Role::Parameter, &mut self.gamma);
        visitor.visit(&key(prefix, "bias"), Role::Parameter, &mut self.beta);
        visitor.visit(&key(prefix, "running_mean"), Role::Buffer, &mut self.running_mean);
        visitor.visit(&key(prefix, "running_var"), Role::Buffer, &mut self.running_var);
    }
}

/// Convolution and batch norm under two sibling names; a residual and a ReLU may follow.
#[derive(Clone, Debug)]
pub(crate) struct ConvNorm {
    conv: Conv2d,
    bn: BatchNorm,
    names: (&'static str, &'static str),
    /// Both in one for inference on the CPU, made when first needed; gone whenever the parameters may change.
    folded: Option<Arc<FoldedConv>>,
}

impl ConvNorm {
    /// Under MMSegmentation's usual names.
    pub fn new(init: &Init, cin: usize, cout: usize, geometry: ConvGeometry) -> Self {
        Self::named(init, ("conv", "bn"), cin, cout, geometry, 1.0)
    }

    /// With the batch norm's initial scale.
    pub fn named(
        init: &Init,
        names: (&'static str, &'static str),
        cin: usize,
        cout: usize,
        geometry: ConvGeometry,
        gamma: f32,
    ) -> Self {
        Self {
            conv: Conv2d::new(&init.at(names.0), cin, cout, geometry),
            bn: BatchNorm::with_gamma(&init.at(names.1), cout, gamma),
            names,
            folded: None,
        }
    }

    /// Convolution, batch norm, ReLU.
    pub fn forward(&mut self, x: Tensor<4>, phase: Phase) -> Tensor<4> {
        self.forward_with(x, None, true, phase)
    }

    /// Convolution, batch norm, `+ residual`, ReLU if asked.
    pub fn forward_with(
        &mut self,
        x: Tensor<4>,
        residual: Option<Tensor<4>>,
        relu: bool,
        phase: Phase,
    ) -> Tensor<4> {
        if phase != Phase::Evaluate {
            self.folded = None;
        } else if ops::on_kernels(&x.device()) {
            let folded = self.folded.get_or_insert_with(|| Arc::new(self.bn.fold_into(&self.conv)));
            return ops::conv2d_folded(x, folded.clone(), residual, relu);
        }
        self.bn.forward(self.conv.forward(x, phase), residual, relu, phase)
    }
}

impl Walk for ConvNorm {
    fn walk(&mut self, prefix: &str, visitor: &mut impl StateVisitor) {
        self.folded = None;
        self.conv.walk(&key(prefix, self.names.0), visitor);
        self.bn.walk(&key(prefix, self.names.1), visitor);
    }
}

/// Depthwise 3x3 then pointwise 1x1, each with batch norm and ReLU.
#[derive(Clone, Debug)]
pub(crate) struct SeparableConv {
    depthwise: ConvNorm,
    pointwise: ConvNorm,
}

impl SeparableConv {
    pub fn new(init: &Init, cin: usize, cout: usize, dilation: usize) -> Self {
        let depthwise = ConvGeometry::new(3, 1, dilation, dilation).grouped(cin);
        Self {
            depthwise: ConvNorm::new(&init.at("depthwise_conv"), cin, cin, depthwise),
            pointwise: ConvNorm::new(&init.at("pointwise_conv"), cin, cout, ConvGeometry::new(1, 1, 0, 1)),
        }
    }

    pub fn forward(&mut self, x: Tensor<4>, phase: Phase) -> Tensor<4> {
        let x = self.depthwise.forward(x, phase);
        self.pointwise.forward(x, phase)
    }
}

impl Walk for SeparableConv {
    fn walk(&mut self, prefix: &str, visitor: &mut impl StateVisitor) {
        self.depthwise.walk(&key(prefix, "depthwise_conv"), visitor);
        self.pointwise.walk(&key(prefix, "pointwise_conv"), visitor);
    }
}

/// Whole channels of a sample dropped in training, the others scaled up (PyTorch's `Dropout2d`).
#[derive(Clone, Copy, Debug)]
pub struct Dropout {
    /// Chance of a channel to be dropped, from 0 up to, but not, 1.
    pub rate: f64,
    /// The run's seed.
    pub seed: u64,
    /// The present iteration, from 0: each one drops other channels.
    pub iteration: u64,
}

impl Dropout {
    /// The mask is a pure function of (seed, iteration, `place`).
    pub fn apply(&self, x: Tensor<4>, place: &str) -> Tensor<4> {
        if self.rate == 0.0 {
            return x;
        }
        let [n, _, _, c] = x.dims();
        let mut stream = sorby_random::Stream::new(
            self.seed,
            &[b"dropout", &self.iteration.to_le_bytes(), place.as_bytes()],
        );
        let keep = (1.0 / (1.0 - self.rate)) as f32;
        let mask: Vec<f32> = (0..n * c).map(|_| if stream.chance(self.rate) { 0.0 } else { keep }).collect();
        let mask = Tensor::<4>::from_data(burn::tensor::TensorData::new(mask, [n, 1, 1, c]), &x.device());
        x * mask
    }
}

/// `conv_seg`: 1x1 convolution with bias, from features to class logits.
#[derive(Clone, Debug)]
pub(crate) struct Classifier {
    weight: Tensor<4>,
    bias: Tensor<1>,
}

impl Classifier {
    pub fn new(init: &Init, cin: usize, classes: usize) -> Self {
        Self { weight: init.normal("weight", [classes, cin, 1, 1], 0.01), bias: init.constant(0.0, classes) }
    }

    pub fn forward(&self, x: Tensor<4>, phase: Phase) -> Tensor<4> {
        let (weight, bias) = match phase {
            Phase::Train => (self.weight.clone(), self.bias.clone()),
            Phase::Evaluate | Phase::Adopt => {
                (self.weight.clone().without_autodiff(), self.bias.clone().without_autodiff())
            }
        };
        let [classes] = bias.dims();
        ops::conv2d(x, weight, ConvGeometry::new(1, 1, 0, 1)) + bias.reshape([1, 1, 1, classes])
    }
}

impl Walk for Classifier {
    fn walk(&mut self, prefix: &str, visitor: &mut impl StateVisitor) {
        visitor.visit(&key(prefix, "weight"), Role::Parameter, &mut self.weight);
        visitor.visit(&key(prefix, "bias"), Role::Parameter, &mut self.bias);
    }
}
