//! Both networks as operations of ONNX, layer by layer as in `sorby-nn`, under the same names.

use super::file::Setting;
use super::graph::{Geometry, Graph, Maps, Size};
use super::pooling::adaptive_average;
use crate::ExportError;
use crate::fold::{classifier, folded};
use sorby_nn::geometry::{POOL_SCALES, aspp_dilations, strides_and_dilations};
use sorby_nn::weights::StateDict;
use sorby_nn::{Arch, ModelSpec, Stem};

type Result<T> = std::result::Result<T, ExportError>;

/// A network under way.
pub(crate) struct Network<'a> {
    pub graph: &'a mut Graph,
    pub state: &'a StateDict,
    pub spec: ModelSpec,
}

impl Network<'_> {
    /// Logits of the decode head at its own resolution, from normalised images of three channels.
    pub fn logits(&mut self, image: Maps) -> Result<Maps> {
        let stages = self.backbone(image)?;
        let features = match self.spec.arch {
            Arch::PspNet => self.pyramid(&stages[3])?,
            Arch::DeepLabV3Plus => self.atrous_pyramid(&stages)?,
        };
        let key = "decode_head.conv_seg";
        Ok(self.graph.convolution(key, &features, classifier(self.state, key)?, Geometry::PLAIN))
    }

    /// Convolution and batch norm by their keys.
    fn conv_norm(&mut self, x: &Maps, conv: &str, bn: &str, geometry: Geometry) -> Result<Maps> {
        Ok(self.graph.convolution(conv, x, folded(self.state, conv, bn)?, geometry))
    }

    /// Convolution, batch norm and ReLU under MMSegmentation's usual names.
    fn conv_module(&mut self, x: &Maps, key: &str, geometry: Geometry) -> Result<Maps> {
        let y = self.conv_norm(x, &format!("{key}.conv"), &format!("{key}.bn"), geometry)?;
        Ok(self.graph.relu(y))
    }

    fn separable(&mut self, x: &Maps, key: &str, dilation: usize) -> Result<Maps> {
        let depthwise = Geometry { stride: 1, dilation, groups: x.channels };
        let y = self.conv_module(x, &format!("{key}.depthwise_conv"), depthwise)?;
        self.conv_module(&y, &format!("{key}.pointwise_conv"), Geometry::PLAIN)
    }

    /// Outputs of the four stages.
    fn backbone(&mut self, image: Maps) -> Result<Vec<Maps>> {
        let layers: &[(&str, &str, usize)] = match self.spec.stem {
            Stem::V1c => &[("stem.0", "stem.1", 2), ("stem.3", "stem.4", 1), ("stem.6", "stem.7", 1)],
            Stem::V1 => &[("conv1", "bn1", 2)],
        };
        let mut x = image;
        for (conv, bn, stride) in layers {
            let geometry = Geometry { stride: *stride, ..Geometry::PLAIN };
            let y = self.conv_norm(&x, &format!("backbone.{conv}"), &format!("backbone.{bn}"), geometry)?;
            x = self.graph.relu(y);
        }
        x = self.max_pool(x);
        let (strides, dilations) = strides_and_dilations(self.spec.output_stride);
        let mut stages = Vec::new();
        for (i, (stride, dilation)) in strides.into_iter().zip(dilations).enumerate() {
            let key = format!("backbone.layer{}", i + 1);
            x = self.block(x, &format!("{key}.0"), stride, (dilation / 2).max(1))?;
            x = self.block(x, &format!("{key}.1"), 1, dilation)?;
            stages.push(x.clone());
        }
        Ok(stages)
    }

    /// 3x3 at every second pixel; what lies outside counts as less than all.
    fn max_pool(&mut self, x: Maps) -> Maps {
        let settings = vec![
            ("kernel_shape", Setting::Ints(vec![3, 3])),
            ("strides", Setting::Ints(vec![2, 2])),
            ("pads", Setting::Ints(vec![1; 4])),
        ];
        let name = self.graph.add("MaxPool", "backbone.maxpool", &[&x.name], settings);
        Maps { name, channels: x.channels, side_px: x.side_px.map(|side| side.div_ceil(2)) }
    }

    /// Two convolutions around an identity.
    fn block(&mut self, x: Maps, key: &str, stride: usize, dilation: usize) -> Result<Maps> {
        let at = |part: &str| format!("{key}.{part}");
        let first = Geometry { stride, dilation, groups: 1 };
        let y = self.conv_norm(&x, &at("conv1"), &at("bn1"), first)?;
        let y = self.graph.relu(y);
        let y = self.conv_norm(&y, &at("conv2"), &at("bn2"), Geometry::PLAIN)?;
        let identity = if self.state.contains_key(&at("downsample.0.weight")) {
            let geometry = Geometry { stride, ..Geometry::PLAIN };
            self.conv_norm(&x, &at("downsample.0"), &at("downsample.1"), geometry)?
        } else {
            x
        };
        let name = self.graph.add("Add", at("add"), &[&y.name, &identity.name], vec![]);
        Ok(self.graph.relu(Maps { name, ..y }))
    }

    /// PSPNet's head.
    fn pyramid(&mut self, x: &Maps) -> Result<Maps> {
        let size = self.graph.size_of(x);
        let mut parts = vec![x.clone()];
        for (i, bins) in POOL_SCALES.into_iter().enumerate() {
            let key = format!("decode_head.psp_modules.{i}");
            let pooled = adaptive_average(self.graph, &format!("{key}.0"), x, bins);
            let level = self.conv_module(&pooled, &format!("{key}.1"), Geometry::PLAIN)?;
            parts.push(self.enlarged(&level, &size));
        }
        let joined = self.graph.concat("decode_head.concat", &parts);
        self.conv_module(&joined, "decode_head.bottleneck", Geometry::PLAIN)
    }

    /// A single value spreads; all else is interpolated.
    fn enlarged(&mut self, x: &Maps, size: &Size) -> Maps {
        if x.side_px == Some(1) { self.graph.spread(x, size) } else { self.graph.resize(x, size) }
    }

    /// DeepLabV3+'s head.
    fn atrous_pyramid(&mut self, stages: &[Maps]) -> Result<Maps> {
        let x = &stages[3];
        let size = self.graph.size_of(x);
        let pooled = adaptive_average(self.graph, "decode_head.image_pool.0", x, 1);
        let image = self.conv_module(&pooled, "decode_head.image_pool.1", Geometry::PLAIN)?;
        let mut parts = vec![self.enlarged(&image, &size)];
        parts.push(self.conv_module(x, "decode_head.aspp_modules.0", Geometry::PLAIN)?);
        for (i, dilation) in aspp_dilations(self.spec.output_stride).into_iter().enumerate() {
            parts.push(self.separable(x, &format!("decode_head.aspp_modules.{}", i + 1), dilation)?);
        }
        let joined = self.graph.concat("decode_head.concat", &parts);
        let y = self.conv_module(&joined, "decode_head.bottleneck", Geometry::PLAIN)?;
        let low = self.conv_module(&stages[0], "decode_head.c1_bottleneck", Geometry::PLAIN)?;
        let size = self.graph.size_of(&low);
        let y = self.graph.resize(&y, &size);
        let mut y = self.graph.concat("decode_head.concat_low", &[y, low]);
        for i in 0..2 {
            y = self.separable(&y, &format!("decode_head.sep_bottleneck.{i}"), 1)?;
        }
        Ok(y)
    }
}
