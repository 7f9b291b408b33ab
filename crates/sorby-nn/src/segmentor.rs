//! A whole network: backbone, decode head, auxiliary head.

use crate::Init;
use crate::backbone::ResNet18;
use crate::geometry::aspp_dilations;
use crate::head::{AsppPlusHead, FcnHead, PspHead};
use crate::layer::{Dropout, Phase};
use crate::state::{Census, Role, StateVisitor, Walk};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Architecture of the decode head; both stand on the same backbone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arch {
    /// Pyramid pooling (Zhao et al. 2017).
    PspNet,
    /// Atrous pyramid with a decoder (Chen et al. 2018).
    DeepLabV3Plus,
}

impl Arch {
    /// As texts and tables print it.
    pub fn title(&self) -> &'static str {
        match self {
            Arch::PspNet => "PSPNet",
            Arch::DeepLabV3Plus => "DeepLabV3+",
        }
    }

    /// As recipes spell it.
    pub fn name(&self) -> &'static str {
        match self {
            Arch::PspNet => "pspnet",
            Arch::DeepLabV3Plus => "deeplabv3plus",
        }
    }
}

/// First layers of the backbone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stem {
    /// Three 3x3 convolutions (MMSegmentation's default).
    V1c,
    /// One 7x7 convolution (torchvision's ResNet).
    V1,
}

/// What to build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelSpec {
    /// Which decode head.
    pub arch: Arch,
    /// Which first layers.
    pub stem: Stem,
    /// Number of classes, the background included.
    pub classes: usize,
    /// Pixels of the image per pixel of the last features: 8 (the paper's), 16 or 32. Weights fit all three.
    pub output_stride: usize,
}

#[derive(Clone, Debug)]
enum DecodeHead {
    Psp(Box<PspHead>),
    AsppPlus(Box<AsppPlusHead>),
}

/// Logits at the heads' own resolutions, `[n, h, w, classes]`.
pub struct Output {
    /// Of the decode head.
    pub logits: Tensor<4>,
    /// Of the auxiliary head; `None` outside of training.
    pub auxiliary: Option<Tensor<4>>,
}

/// Backbone, decode head and auxiliary head, with all their tensors.
#[derive(Clone, Debug)]
pub struct Segmentor {
    spec: ModelSpec,
    /// The encoder that both heads take their features from.
    pub backbone: ResNet18,
    decode_head: DecodeHead,
    auxiliary_head: FcnHead,
}

impl Segmentor {
    /// A network with random initial weights drawn from `seed`, ready to train on `device`.
    ///
    /// # Panics
    /// If `spec.output_stride` is not 8, 16 or 32.
    pub fn new(spec: ModelSpec, seed: u64, device: &Device) -> Self {
        let init = Init::new(seed, &device.clone().autodiff());
        let head = init.at("decode_head");
        Self {
            spec,
            backbone: ResNet18::new(&init.at("backbone"), spec.stem, spec.output_stride),
            decode_head: match spec.arch {
                Arch::PspNet => DecodeHead::Psp(Box::new(PspHead::new(&head, spec.classes))),
                Arch::DeepLabV3Plus => {
                    let dilations = aspp_dilations(spec.output_stride);
                    DecodeHead::AsppPlus(Box::new(AsppPlusHead::new(&head, spec.classes, dilations)))
                }
            },
            auxiliary_head: FcnHead::new(&init.at("auxiliary_head"), spec.classes),
        }
    }

    /// What it was built as.
    pub fn spec(&self) -> ModelSpec {
        self.spec
    }

    /// A training pass on `[n, h, w, 3]`: batch statistics, running statistics updated.
    pub fn train(&mut self, x: Tensor<4>, dropout: Option<Dropout>) -> Output {
        let stages = self.backbone.forward(x, Phase::Train);
        Output {
            logits: self.decode(&stages, Phase::Train, dropout),
            auxiliary: Some(self.auxiliary_head.forward(&stages, Phase::Train, dropout)),
        }
    }

    /// An inference pass on `[n, h, w, 3]`: logits at the decode head's resolution.
    pub fn evaluate(&mut self, x: Tensor<4>) -> Tensor<4> {
        let stages = self.backbone.forward(x.without_autodiff(), Phase::Evaluate);
        self.decode(&stages, Phase::Evaluate, None)
    }

    /// Takes the statistics of `[n, h, w, 3]` for the running ones of every batch norm that sees enough of it (adaptive
    /// batch normalisation, Li et al. 2018, <https://doi.org/10.1016/j.patcog.2018.03.005>).
    pub fn adopt_statistics(&mut self, x: Tensor<4>) {
        let stages = self.backbone.forward(x.without_autodiff(), Phase::Adopt);
        self.decode(&stages, Phase::Adopt, None);
    }

    /// Mixes the running statistics of another network of this kind into its own; `share` is that of the other.
    pub fn mix_statistics(&mut self, other: &mut Segmentor, share: f32) {
        let mut statistics = Statistics::default();
        other.walk_all(&mut statistics);
        self.walk_all(&mut Mix { statistics, share });
    }

    fn decode(&mut self, stages: &[Tensor<4>; 4], phase: Phase, dropout: Option<Dropout>) -> Tensor<4> {
        match &mut self.decode_head {
            DecodeHead::Psp(head) => head.forward(stages, phase, dropout),
            DecodeHead::AsppPlus(head) => head.forward(stages, phase, dropout),
        }
    }

    /// Drops what evaluation keeps next to the parameters: weights laid out for inference, some 200 MB.
    pub fn release_folded(&mut self) {
        // Every visit drops them, as parameters may change in it.
        self.walk_all(&mut Census::default());
    }

    /// Visits every tensor under its key.
    pub fn walk_all(&mut self, visitor: &mut impl StateVisitor) {
        self.walk_inference(visitor);
        self.auxiliary_head.walk("auxiliary_head", visitor);
    }

    /// Visits all but the auxiliary head.
    pub fn walk_inference(&mut self, visitor: &mut impl StateVisitor) {
        self.backbone.walk("backbone", visitor);
        match &mut self.decode_head {
            DecodeHead::Psp(head) => head.walk("decode_head", visitor),
            DecodeHead::AsppPlus(head) => head.walk("decode_head", visitor),
        }
    }

    /// Counts with and without the auxiliary head.
    pub fn census(&mut self) -> (Census, Census) {
        let (mut all, mut inference) = (Census::default(), Census::default());
        self.walk_all(&mut all);
        self.walk_inference(&mut inference);
        (all, inference)
    }
}

/// Running statistics by key, flat.
#[derive(Default)]
struct Statistics(HashMap<String, Tensor<1>>);

impl StateVisitor for Statistics {
    fn visit<const D: usize>(&mut self, key: &str, role: Role, tensor: &mut Tensor<D>) {
        if role == Role::Buffer {
            let count = tensor.dims().iter().product::<usize>();
            self.0.insert(key.to_owned(), tensor.clone().reshape([count]));
        }
    }
}

struct Mix {
    statistics: Statistics,
    share: f32,
}

impl StateVisitor for Mix {
    fn visit<const D: usize>(&mut self, key: &str, role: Role, tensor: &mut Tensor<D>) {
        if role == Role::Buffer
            && let Some(other) = self.statistics.0.remove(key)
        {
            let other: Tensor<D> = other.reshape(tensor.dims());
            *tensor = tensor.clone() * (1.0 - self.share) + other * self.share;
        }
    }
}
