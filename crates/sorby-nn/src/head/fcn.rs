//! The auxiliary head: one 3x3 convolution on stage 3, for deep supervision in training only.

use crate::Init;
use crate::geometry::STAGE_CHANNELS;
use crate::layer::{Classifier, ConvNorm, Dropout, Phase};
use crate::ops::ConvGeometry;
use crate::state::{StateVisitor, Walk, key};
use burn::tensor::Tensor;

const CHANNELS: usize = 64;

#[derive(Clone, Debug)]
pub(crate) struct FcnHead {
    conv: ConvNorm,
    conv_seg: Classifier,
}

impl FcnHead {
    pub fn new(init: &Init, classes: usize) -> Self {
        let conv = ConvGeometry::new(3, 1, 1, 1);
        Self {
            conv: ConvNorm::new(&init.at("convs").at(0), STAGE_CHANNELS[2], CHANNELS, conv),
            conv_seg: Classifier::new(&init.at("conv_seg"), CHANNELS, classes),
        }
    }

    /// Logits at the resolution of `stages[2]`.
    pub fn forward(&mut self, stages: &[Tensor<4>; 4], phase: Phase, dropout: Option<Dropout>) -> Tensor<4> {
        let y = self.conv.forward(stages[2].clone(), phase);
        let y = dropout.map_or(y.clone(), |d| d.apply(y, "auxiliary_head"));
        self.conv_seg.forward(y, phase)
    }
}

impl Walk for FcnHead {
    fn walk(&mut self, prefix: &str, visitor: &mut impl StateVisitor) {
        self.conv.walk(&key(prefix, "convs.0"), visitor);
        self.conv_seg.walk(&key(prefix, "conv_seg"), visitor);
    }
}
