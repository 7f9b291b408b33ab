//! ResNet-18 with output stride 8, 16 or 32.
//!
//! MMSegmentation's `ResNetV1c` / `ResNet` with `contract_dilation`: the first block of a dilated
//! stage uses half the stage's dilation, and only a block's first convolution is dilated.

use crate::Init;
use crate::geometry::{STAGE_CHANNELS, strides_and_dilations};
use crate::layer::{ConvNorm, Phase};
use crate::ops::{self, ConvGeometry};
use crate::segmentor::Stem;
use crate::state::{StateVisitor, Walk, key};
use burn::tensor::Tensor;

/// Two 3x3 convolutions around an identity.
#[derive(Clone, Debug)]
struct BasicBlock {
    first: ConvNorm,
    second: ConvNorm,
    downsample: Option<ConvNorm>,
}

impl BasicBlock {
    fn new(init: &Init, cin: usize, cout: usize, stride: usize, dilation: usize) -> Self {
        let first = ConvGeometry::new(3, stride, dilation, dilation);
        let downsample = (stride != 1 || cin != cout).then(|| {
            ConvNorm::named(
                &init.at("downsample"),
                ("0", "1"),
                cin,
                cout,
                ConvGeometry::new(1, stride, 0, 1),
                1.0,
            )
        });
        Self {
            first: ConvNorm::named(init, ("conv1", "bn1"), cin, cout, first, 1.0),
            // Zero scale: without pretrained weights every block starts as its identity.
            second: ConvNorm::named(init, ("conv2", "bn2"), cout, cout, ConvGeometry::new(3, 1, 1, 1), 0.0),
            downsample,
        }
    }

    fn forward(&mut self, x: Tensor<4>, phase: Phase) -> Tensor<4> {
        let y = self.first.forward(x.clone(), phase);
        let identity = match &mut self.downsample {
            Some(downsample) => downsample.forward_with(x, None, false, phase),
            None => x,
        };
        self.second.forward_with(y, Some(identity), true, phase)
    }
}

impl Walk for BasicBlock {
    fn walk(&mut self, prefix: &str, visitor: &mut impl StateVisitor) {
        self.first.walk(prefix, visitor);
        self.second.walk(prefix, visitor);
        if let Some(downsample) = &mut self.downsample {
            downsample.walk(&key(prefix, "downsample"), visitor);
        }
    }
}

/// ResNet-18 (He et al. 2016) as the encoder of both architectures.
#[derive(Clone, Debug)]
pub struct ResNet18 {
    stem: Vec<ConvNorm>,
    deep: bool,
    stages: Vec<Vec<BasicBlock>>,
}

impl ResNet18 {
    pub(crate) fn new(init: &Init, stem: Stem, output_stride: usize) -> Self {
        let (strides, dilations) = strides_and_dilations(output_stride);
        let deep = stem == Stem::V1c;
        let stem = if deep {
            let init = init.at("stem");
            vec![
                ConvNorm::named(&init, ("0", "1"), 3, 32, ConvGeometry::new(3, 2, 1, 1), 1.0),
                ConvNorm::named(&init, ("3", "4"), 32, 32, ConvGeometry::new(3, 1, 1, 1), 1.0),
                ConvNorm::named(&init, ("6", "7"), 32, 64, ConvGeometry::new(3, 1, 1, 1), 1.0),
            ]
        } else {
            vec![ConvNorm::named(init, ("conv1", "bn1"), 3, 64, ConvGeometry::new(7, 2, 3, 1), 1.0)]
        };
        let mut cin = 64;
        let stages = (0..4)
            .map(|stage| {
                let (init, cout) = (init.at(format_args!("layer{}", stage + 1)), STAGE_CHANNELS[stage]);
                let contracted = (dilations[stage] / 2).max(1);
                let first = BasicBlock::new(&init.at(0), cin, cout, strides[stage], contracted);
                cin = cout;
                vec![first, BasicBlock::new(&init.at(1), cout, cout, 1, dilations[stage])]
            })
            .collect();
        Self { stem, deep, stages }
    }

    /// Outputs of the four stages for images `[n, h, w, 3]`, with 64, 128, 256 and 512 channels. The first stage has one
    /// pixel for 4 x 4 pixels of the image, the last one for a square as wide as the output stride.
    pub fn forward(&mut self, x: Tensor<4>, phase: Phase) -> [Tensor<4>; 4] {
        let mut x = self.stem_and_pool(x, phase);
        std::array::from_fn(|stage| {
            for block in &mut self.stages[stage] {
                x = block.forward(x.clone(), phase);
            }
            x.clone()
        })
    }

    /// Features after the stem and its pooling.
    fn stem_and_pool(&mut self, x: Tensor<4>, phase: Phase) -> Tensor<4> {
        ops::max_pool(self.stem.iter_mut().fold(x, |x, layer| layer.forward(x, phase)))
    }
}

impl Walk for ResNet18 {
    fn walk(&mut self, prefix: &str, visitor: &mut impl StateVisitor) {
        let stem_prefix = if self.deep { key(prefix, "stem") } else { prefix.to_owned() };
        for layer in &mut self.stem {
            layer.walk(&stem_prefix, visitor);
        }
        for (stage, blocks) in self.stages.iter_mut().enumerate() {
            for (i, block) in blocks.iter_mut().enumerate() {
                block.walk(&format!("{prefix}.layer{}.{i}", stage + 1), visitor);
            }
        }
    }
}
