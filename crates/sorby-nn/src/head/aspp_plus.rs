//! DeepLabV3+'s head (Chen et al. 2018): atrous pyramid with separable convolutions, then a decoder
//! that joins low-level features. MMSegmentation's `DepthwiseSeparableASPPHead`.

use super::CHANNELS;
use crate::Init;
use crate::geometry::STAGE_CHANNELS;
use crate::layer::{Classifier, ConvNorm, Dropout, Phase, SeparableConv};
use crate::ops::{self, ConvGeometry};
use crate::state::{StateVisitor, Walk, key};
use burn::tensor::Tensor;

/// Channels of the low-level branch (12 for ResNet-18, not the paper's 48).
const LOW_LEVEL_CHANNELS: usize = 12;

#[derive(Clone, Debug)]
pub(crate) struct AsppPlusHead {
    image_pool: ConvNorm,
    pointwise: ConvNorm,
    atrous: Vec<SeparableConv>,
    bottleneck: ConvNorm,
    low_level: ConvNorm,
    refine: Vec<SeparableConv>,
    conv_seg: Classifier,
}

impl AsppPlusHead {
    pub fn new(init: &Init, classes: usize, dilations: [usize; 3]) -> Self {
        let cin = STAGE_CHANNELS[3];
        let pointwise = ConvGeometry::new(1, 1, 0, 1);
        let aspp = init.at("aspp_modules");
        let refine = init.at("sep_bottleneck");
        let branches = dilations.len() + 2;
        let bottleneck = ConvGeometry::new(3, 1, 1, 1);
        Self {
            image_pool: ConvNorm::new(&init.at("image_pool").at(1), cin, CHANNELS, pointwise),
            pointwise: ConvNorm::new(&aspp.at(0), cin, CHANNELS, pointwise),
            atrous: (1..)
                .zip(dilations)
                .map(|(i, d)| SeparableConv::new(&aspp.at(i), cin, CHANNELS, d))
                .collect(),
            bottleneck: ConvNorm::new(&init.at("bottleneck"), branches * CHANNELS, CHANNELS, bottleneck),
            low_level: ConvNorm::new(
                &init.at("c1_bottleneck"),
                STAGE_CHANNELS[0],
                LOW_LEVEL_CHANNELS,
                pointwise,
            ),
            refine: vec![
                SeparableConv::new(&refine.at(0), CHANNELS + LOW_LEVEL_CHANNELS, CHANNELS, 1),
                SeparableConv::new(&refine.at(1), CHANNELS, CHANNELS, 1),
            ],
            conv_seg: Classifier::new(&init.at("conv_seg"), CHANNELS, classes),
        }
    }

    /// Logits at the resolution of `stages[0]`.
    pub fn forward(&mut self, stages: &[Tensor<4>; 4], phase: Phase, dropout: Option<Dropout>) -> Tensor<4> {
        let x = &stages[3];
        let [_, h, w, _] = x.dims();
        let image = self.image_pool.forward(ops::adaptive_average(x.clone(), 1), phase);
        let mut branches = vec![ops::bilinear(image, h, w), self.pointwise.forward(x.clone(), phase)];
        for branch in &mut self.atrous {
            branches.push(branch.forward(x.clone(), phase));
        }
        let y = self.bottleneck.forward(ops::concat_channels(branches), phase);
        let low_level = self.low_level.forward(stages[0].clone(), phase);
        let [_, h, w, _] = low_level.dims();
        let mut y = ops::concat_channels(vec![ops::bilinear(y, h, w), low_level]);
        for conv in &mut self.refine {
            y = conv.forward(y, phase);
        }
        let y = dropout.map_or(y.clone(), |d| d.apply(y, "decode_head"));
        self.conv_seg.forward(y, phase)
    }
}

impl Walk for AsppPlusHead {
    fn walk(&mut self, prefix: &str, visitor: &mut impl StateVisitor) {
        self.image_pool.walk(&key(prefix, "image_pool.1"), visitor);
        self.pointwise.walk(&key(prefix, "aspp_modules.0"), visitor);
        for (i, branch) in self.atrous.iter_mut().enumerate() {
            branch.walk(&format!("{prefix}.aspp_modules.{}", i + 1), visitor);
        }
        self.bottleneck.walk(&key(prefix, "bottleneck"), visitor);
        self.low_level.walk(&key(prefix, "c1_bottleneck"), visitor);
        for (i, conv) in self.refine.iter_mut().enumerate() {
            conv.walk(&format!("{prefix}.sep_bottleneck.{i}"), visitor);
        }
        self.conv_seg.walk(&key(prefix, "conv_seg"), visitor);
    }
}
