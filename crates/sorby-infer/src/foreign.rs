//! A model from a whole network that MMSegmentation trained: names and shapes of its tensors are ours, so what is
//! missing is the card. Its configuration says how images come in and how far apart the filters reach; what it says
//! that these networks cannot do is refused.

use crate::{Model, ModelCard};
use burn::tensor::Device;
use sorby_data::Normalisation;
use sorby_nn::geometry::{aspp_dilations, strides_and_dilations};
use sorby_nn::weights::{CLASSIFIER, StateDict};
use sorby_nn::weights_file::{Checkpoint, Training};
use sorby_nn::{Arch, ModelSpec, Segmentor, Stem};

/// What a user may say of a network whose file does not.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// Names in index order; empty: those in the file.
    pub classes: Vec<String>,
    /// Pixels of the image per pixel of the last features: 8, 16 or 32; `None`: as the file says, else 8.
    pub output_stride: Option<usize>,
}

/// Why a network cannot become a model, in words that follow the name of its file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ForeignError(pub String);

/// Makes a model; also gives a line for each thing that the file stated, that had to be assumed or that was left out.
///
/// # Errors
/// When the weights are not those of a whole PSPNet or DeepLabV3+ on a ResNet-18, hold values that are no numbers, do not
/// fit what `given` says, or come with a configuration that these networks cannot follow.
pub fn model_of(
    checkpoint: Checkpoint,
    given: &Given,
    device: &Device,
) -> Result<(Model, Vec<String>), ForeignError> {
    made_of(checkpoint, given, device).map_err(ForeignError)
}

fn made_of(checkpoint: Checkpoint, given: &Given, device: &Device) -> Result<(Model, Vec<String>), String> {
    let Checkpoint { state, training, left_out, .. } = checkpoint;
    let mut told = Vec::new();
    if left_out > 0 {
        told.push(format!("{left_out} tensors of the training (optimiser and the like) are left out"));
    }
    let (arch, stem) = architecture(&state)?;
    require_numbers(&state)?;
    let config = training.config.as_deref().map(Config::of).transpose()?;
    let stride = output_stride(given, config.as_ref(), &mut told)?;
    if let Some(config) = &config {
        config.require_dilations(arch, stride)?;
    }
    let classes = classes(&state, given, &training, &mut told)?;
    let spec = ModelSpec { arch, stem, classes: classes.len(), output_stride: stride };
    let mut card = ModelCard::new(spec);
    if !training.palette.is_empty() && training.palette.len() == classes.len() {
        card.colours = training.palette;
    }
    card.classes = classes;
    card.iteration = training.iteration.unwrap_or(0);
    match config.as_ref().and_then(|c| c.normalisation) {
        Some(normalisation) => card.normalisation = normalisation,
        None => {
            told.push("the file does not say how images are normalised: ImageNet's mean and deviation".into())
        }
    }
    match config.as_ref().and_then(|c| c.window) {
        Some((window, step)) => (card.window_px, card.stride_px) = (window, step),
        None => told.push(format!(
            "the file names no sliding window: {} px, step {} px",
            card.window_px, card.stride_px
        )),
    }
    let mut network = Segmentor::new(spec, 0, device);
    let keys = network.load_whole(state).map_err(|e| e.to_string())?;
    if !keys.missing.is_empty() || !keys.skipped.is_empty() {
        told.push("its auxiliary head is not taken over; masks do not need it".into());
    }
    Ok((Model::new(card, network), told))
}

/// The architecture, by its tensors.
fn architecture(state: &StateDict) -> Result<(Arch, Stem), String> {
    let has = |key: &str| state.contains_key(key);
    let any = |part: &str| state.keys().any(|key| key.starts_with(part));
    if !any("decode_head.") {
        return Err(
            "holds no decode head, so it is no whole network; it may serve as a recipe's `pretrained`".into(),
        );
    }
    if has("backbone.layer1.0.conv3.weight") || has("backbone.layer1.2.conv1.weight") {
        return Err("its encoder is larger than a ResNet-18, the only one there is here".into());
    }
    let stem = match (has("backbone.stem.0.weight"), has("backbone.conv1.weight")) {
        (true, _) => Stem::V1c,
        (_, true) => Stem::V1,
        _ => return Err("its encoder is no ResNet-18".into()),
    };
    let arch = match (any("decode_head.psp_modules."), any("decode_head.aspp_modules.")) {
        (true, _) => Arch::PspNet,
        (_, true) if any("decode_head.c1_bottleneck.") => Arch::DeepLabV3Plus,
        (_, true) => return Err("its decode head is DeepLabV3's; DeepLabV3+ and PSPNet are read".into()),
        _ => return Err("its decode head is none of PSPNet and DeepLabV3+".into()),
    };
    Ok((arch, stem))
}

/// A training that diverged leaves such weights.
fn require_numbers(state: &StateDict) -> Result<(), String> {
    for (key, array) in state {
        if let Some(bad) = array.values.iter().find(|v| !v.is_finite()) {
            return Err(format!(
                "tensor `{key}` holds {bad}, so its network gives no answers; take an earlier checkpoint"
            ));
        }
        if key.ends_with("running_var") && array.values.iter().any(|v| *v < 0.0) {
            return Err(format!("tensor `{key}` holds a negative variance: the file is damaged"));
        }
    }
    Ok(())
}

fn classes(
    state: &StateDict,
    given: &Given,
    training: &Training,
    told: &mut Vec<String>,
) -> Result<Vec<String>, String> {
    let count = state.get(CLASSIFIER).and_then(|a| a.shape.first()).copied();
    let count = count.ok_or("has no classifier (decode_head.conv_seg)")?;
    if count == 1 {
        return Err(
            "has a single output (a sigmoid), which these networks do not have: they have one for each class"
                .into(),
        );
    }
    let known = match training.classes.len() {
        0 => String::new(),
        _ => format!("; the file names them {}", training.classes.join(", ")),
    };
    let classes = match given.classes.is_empty() {
        false => given.classes.clone(),
        true if training.classes.is_empty() => {
            return Err(format!("does not name its {count} classes; give --classes, in index order"));
        }
        true => {
            told.push(format!("classes are named by the file: {}", training.classes.join(", ")));
            training.classes.clone()
        }
    };
    if classes.len() != count {
        return Err(format!("has {count} classes, not {}{known}", classes.len()));
    }
    if classes.iter().any(|c| c.trim().is_empty()) {
        return Err("a class has no name; give the names with commas between them".into());
    }
    if let Some(i) = (1..count).find(|i| classes[..*i].contains(&classes[*i])) {
        return Err(format!("class `{}` is named twice", classes[i]));
    }
    Ok(classes)
}

fn output_stride(given: &Given, config: Option<&Config>, told: &mut Vec<String>) -> Result<usize, String> {
    let stated = config.and_then(|c| c.output_stride);
    let stride = match (given.output_stride, stated) {
        (Some(given), Some(stated)) if given != stated => {
            return Err(format!("its configuration says output stride {stated}, not {given}"));
        }
        (Some(stride), _) | (None, Some(stride)) => stride,
        (None, None) => {
            told.push("the file does not say its output stride: 8; else give --output-stride".into());
            8
        }
    };
    if [8, 16, 32].contains(&stride) {
        Ok(stride)
    } else {
        Err(format!("its output stride is {stride}, not 8, 16 or 32"))
    }
}

/// What a configuration says, as far as it matters to a network's answers.
#[derive(Debug, PartialEq)]
struct Config {
    output_stride: Option<usize>,
    normalisation: Option<Normalisation>,
    window: Option<(usize, usize)>,
    dilations: Vec<Vec<f64>>,
}

impl Config {
    /// Reads the text of a configuration, Python's, without running it.
    ///
    /// # Errors
    /// Names what these networks cannot do.
    fn of(text: &str) -> Result<Self, String> {
        let bare: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        for (word, what) in [
            ("align_corners=True", "aligns the corners of its maps (align_corners)"),
            ("contract_dilation=False", "does not contract dilations"),
            ("bgr_to_rgb=False", "takes colours as blue, green, red"),
            ("to_rgb=False", "takes colours as blue, green, red"),
        ] {
            // `bgr_to_rgb=False` holds `to_rgb=False` too; both say the same.
            if bare.contains(word) {
                return Err(format!("its network {what}, which these do not"));
            }
        }
        let numbers = |key: &str| all_numbers(&bare, key).into_iter().next();
        let three = |key: &str| {
            <[f32; 3]>::try_from(numbers(key)?.iter().map(|v| *v as f32).collect::<Vec<_>>()).ok()
        };
        let scales = numbers("pool_scales");
        if scales.is_some_and(|s| s != [1.0, 2.0, 3.0, 6.0]) {
            return Err("its pyramid has other scales than 1, 2, 3, 6".into());
        }
        let test = bare.split("test_cfg=dict(").skip(1).find(|test| test.contains("mode='slide'"));
        let pair = |key: &str| match all_numbers(test?, key).into_iter().next()?[..] {
            [a, b] if a == b && a >= 1.0 => Some(a as usize),
            _ => None,
        };
        Ok(Self {
            // The stem and the pooling behind it halve twice.
            output_stride: numbers("strides").map(|s| 4 * s.iter().product::<f64>() as usize),
            normalisation: three("mean").zip(three("std")).map(|(mean, std)| Normalisation { mean, std }),
            window: pair("crop_size").zip(pair("stride")),
            dilations: all_numbers(&bare, "dilations"),
        })
    }

    /// Filters that reach farther or less far would make another network of the same weights.
    fn require_dilations(&self, arch: Arch, stride: usize) -> Result<(), String> {
        let floats = |d: &[usize]| d.iter().map(|d| *d as f64).collect::<Vec<f64>>();
        let backbone = floats(&strides_and_dilations(stride).1);
        let head = [vec![1.0], floats(&aspp_dilations(stride))].concat();
        let known = |d: &Vec<f64>| *d == backbone || arch == Arch::DeepLabV3Plus && *d == head;
        match self.dilations.iter().find(|d| !known(d)) {
            Some(other) => Err(format!(
                "its network has dilations {other:?}, which these have not at output stride {stride}"
            )),
            None => Ok(()),
        }
    }
}

/// The numbers after each `key=(` or `key=[`.
fn all_numbers(text: &str, key: &str) -> Vec<Vec<f64>> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices(&format!("{key}=")) {
        // Not the end of a longer key.
        let before = text[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &text[at + key.len() + 1..];
        let Some(inner) = rest.strip_prefix(['(', '[']).and_then(|r| r.split([')', ']']).next()) else {
            continue;
        };
        let numbers: Option<Vec<f64>> =
            inner.split(',').filter(|n| !n.is_empty()).map(|n| n.parse().ok()).collect();
        found.extend(numbers);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parts of MMSegmentation's `deeplabv3plus_r18-d8` that matter.
    const CONFIG: &str = "
crop_size = (512, 512)
data_preprocessor = dict(
    bgr_to_rgb=True,
    mean=[123.675, 116.28, 103.53],
    size=(256, 256),
    std=[58.395, 57.12, 57.375], type='SegDataPreProcessor')
model = dict(
    auxiliary_head=dict(align_corners=False, num_classes=2),
    backbone=dict(
        contract_dilation=True, depth=18,
        dilations=(1, 1, 2, 4,),
        strides=(1, 2, 1, 1)),
    decode_head=dict(c1_channels=12, dilations=(1, 12, 24, 36), num_classes=2),
    test_cfg=dict(crop_size=(256, 256), mode='slide', stride=(170, 170)))
test_cfg = dict(type='TestLoop')
";

    #[test]
    fn configurations_say_what_matters() {
        let config = Config::of(CONFIG).unwrap();
        assert_eq!(config.output_stride, Some(8));
        assert_eq!(config.normalisation, Some(Normalisation::default()));
        assert_eq!(config.window, Some((256, 170)));
        assert!(config.require_dilations(Arch::DeepLabV3Plus, 8).is_ok());
        assert!(config.require_dilations(Arch::DeepLabV3Plus, 16).is_err());
        assert!(config.require_dilations(Arch::PspNet, 8).unwrap_err().contains("12.0"));
        let d16 = CONFIG.replace("(1, 2, 1, 1)", "(1, 2, 2, 1)");
        assert_eq!(Config::of(&d16).unwrap().output_stride, Some(16));
        for (from, to, word) in [
            ("align_corners=False", "align_corners=True", "align_corners"),
            ("bgr_to_rgb=True", "bgr_to_rgb=False", "blue, green, red"),
            ("contract_dilation=True", "contract_dilation=False", "contract"),
            ("c1_channels=12", "pool_scales=(1, 2, 4, 8)", "scales"),
        ] {
            assert!(Config::of(&CONFIG.replace(from, to)).unwrap_err().contains(word), "{to}");
        }
        let bare = Config::of("").unwrap();
        assert_eq!(
            bare,
            Config { output_stride: None, normalisation: None, window: None, dilations: vec![] }
        );
        let whole = CONFIG.replace("mode='slide'", "mode='whole'");
        assert_eq!(Config::of(&whole).unwrap().window, None);
    }
}
