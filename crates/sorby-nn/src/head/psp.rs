//! PSPNet's pyramid pooling head (Zhao et al. 2017).

use super::CHANNELS;
use crate::Init;
use crate::geometry::{POOL_SCALES, STAGE_CHANNELS};
use crate::layer::{Classifier, ConvNorm, Dropout, Phase};
use crate::ops::{self, ConvGeometry};
use crate::state::{StateVisitor, Walk, key};
use burn::tensor::Tensor;

#[derive(Clone, Debug)]
pub(crate) struct PspHead {
    pyramid: Vec<ConvNorm>,
    bottleneck: ConvNorm,
    conv_seg: Classifier,
}

impl PspHead {
    pub fn new(init: &Init, classes: usize) -> Self {
        let cin = STAGE_CHANNELS[3];
        let level = |i| {
            let init = init.at("psp_modules").at(i).at(1);
            ConvNorm::new(&init, cin, CHANNELS, ConvGeometry::new(1, 1, 0, 1))
        };
        let wide = cin + POOL_SCALES.len() * CHANNELS;
        Self {
            pyramid: (0..POOL_SCALES.len()).map(level).collect(),
            bottleneck: ConvNorm::new(&init.at("bottleneck"), wide, CHANNELS, ConvGeometry::new(3, 1, 1, 1)),
            conv_seg: Classifier::new(&init.at("conv_seg"), CHANNELS, classes),
        }
    }

    /// Logits at the resolution of `stages[3]`.
    pub fn forward(&mut self, stages: &[Tensor<4>; 4], phase: Phase, dropout: Option<Dropout>) -> Tensor<4> {
        let x = &stages[3];
        let [_, h, w, _] = x.dims();
        let mut features = vec![x.clone()];
        for (level, bins) in self.pyramid.iter_mut().zip(POOL_SCALES) {
            let pooled = level.forward(ops::adaptive_average(x.clone(), bins), phase);
            features.push(ops::bilinear(pooled, h, w));
        }
        let y = self.bottleneck.forward(ops::concat_channels(features), phase);
        let y = dropout.map_or(y.clone(), |d| d.apply(y, "decode_head"));
        self.conv_seg.forward(y, phase)
    }
}

impl Walk for PspHead {
    fn walk(&mut self, prefix: &str, visitor: &mut impl StateVisitor) {
        for (i, level) in self.pyramid.iter_mut().enumerate() {
            level.walk(&format!("{prefix}.psp_modules.{i}.1"), visitor);
        }
        self.bottleneck.walk(&key(prefix, "bottleneck"), visitor);
        self.conv_seg.walk(&key(prefix, "conv_seg"), visitor);
    }
}
