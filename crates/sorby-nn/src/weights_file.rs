//! Weight files of any origin: safetensors, and PyTorch's `.pth` of every era (read, never executed).

use crate::weights::{Array, StateDict, WeightsError, floats, from_safetensors};
use pytorch_reader::{DType, PickleValue, PytorchReader};
use safetensors::tensor::Dtype;
use std::collections::HashMap;
use std::path::Path;

/// Names under which checkpoints nest their weights.
const NESTS: [&str; 5] = ["state_dict", "model_state_dict", "model_state", "model", "net"];

/// What wrappers put before every key: data-parallel training, compilers, training frameworks.
const WRAPPERS: [&str; 5] = ["module.", "_orig_mod.", "model.", "net.", "segmentor."];

/// What trainings keep next to the network's own tensors, by the beginning of its key.
const TRAINING: [&str; 6] =
    ["optimizer", "optim_wrapper", "param_scheduler", "lr_scheduler", "ema_", "data_preprocessor."];

/// A weight file's arrays, and what else it holds.
#[derive(Debug, Default)]
pub struct Checkpoint {
    /// The arrays, with the prefixes of wrappers taken off their keys.
    pub state: StateDict,
    /// Text entries of a safetensors file's header; empty for PyTorch files.
    pub metadata: HashMap<String, String>,
    /// Tensors of the training (optimiser state and the like) that were left out.
    pub left_out: usize,
    /// What MMSegmentation says of the training.
    pub training: Training,
}

/// MMSegmentation's `meta`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Training {
    /// Names of the classes in index order; empty where the file names none.
    pub classes: Vec<String>,
    /// Colours of the classes; as many as classes, or none.
    pub palette: Vec<[u8; 3]>,
    /// The configuration, as Python text.
    pub config: Option<String>,
    /// Iterations trained.
    pub iteration: Option<u64>,
}

/// Reads a file's arrays and its metadata (of safetensors). Its content decides what kind of file it is, not its name.
///
/// # Errors
/// [`WeightsError::Format`] when the file cannot be opened, is damaged or holds no tensors; PyTorch files of other things
/// than plain tensors are refused. [`WeightsError::Type`] when a tensor does not hold floating-point numbers.
pub fn read_weights(path: &Path) -> Result<(StateDict, HashMap<String, String>), WeightsError> {
    read_checkpoint(path).map(|checkpoint| (checkpoint.state, checkpoint.metadata))
}

/// Whether a file begins as PyTorch's do, new or old.
pub fn is_pytorch(path: &Path) -> bool {
    let mut head = [0u8; 2];
    let read = std::fs::File::open(path).and_then(|mut f| std::io::Read::read_exact(&mut f, &mut head));
    read.is_ok() && matches!(head, [b'P', b'K'] | [0x80, 1..=5])
}

/// Reads a file's arrays and what it says of them.
///
/// # Errors
/// As [`read_weights`].
pub fn read_checkpoint(path: &Path) -> Result<Checkpoint, WeightsError> {
    let io = |e: std::io::Error| WeightsError::Format(e.to_string());
    let mut head = [0u8; 9];
    let length = std::fs::metadata(path).map_err(io)?.len();
    let whole = std::io::Read::read(&mut std::fs::File::open(path).map_err(io)?, &mut head).map_err(io)? == 9;
    // A safetensors file begins with the length of its JSON header.
    let header = u64::from_le_bytes([head[0], head[1], head[2], head[3], head[4], head[5], head[6], head[7]]);
    let (state, metadata, training, beside) = if whole && head[8] == b'{' && header < length {
        let (state, metadata) = from_safetensors(&std::fs::read(path).map_err(io)?)?;
        (state, metadata, Training::default(), 0)
    } else {
        let (state, training, beside) = from_pytorch(path)?;
        (state, HashMap::new(), training, beside)
    };
    let all = state.len();
    let mut state = unwrapped(state);
    state.retain(|key, _| !TRAINING.iter().any(|part| key.starts_with(part)));
    if state.is_empty() {
        return Err(WeightsError::Format("holds no tensors".into()));
    }
    let left_out = beside + all - state.len();
    Ok(Checkpoint { state, metadata, left_out, training })
}

fn from_pytorch(path: &Path) -> Result<(StateDict, Training, usize), WeightsError> {
    let damaged = |e: &dyn std::fmt::Display| {
        WeightsError::Format(format!("neither safetensors nor a PyTorch file of tensors ({e})"))
    };
    let reader = PytorchReader::new(path).map_err(|e| damaged(&e))?;
    // What is no plain value becomes a note of its kind here, and is never executed.
    let root = PytorchReader::read_pickle_data(path, None).map_err(|e| damaged(&e))?;
    let nest = NESTS.iter().find(|nest| matches!(field(&root, nest), Some(PickleValue::Dict(_))));
    let prefix = nest.map(|nest| format!("{nest}.")).unwrap_or_default();
    let (mut state, mut beside) = (StateDict::new(), 0);
    for (name, tensor) in reader.into_tensors() {
        let Some(key) = name.strip_prefix(&prefix) else {
            beside += 1;
            continue;
        };
        // Counters of batch norms are integers and of no use here.
        if name.ends_with("num_batches_tracked") || matches!(tensor.dtype(), DType::I64 | DType::I32) {
            continue;
        }
        let (shape, dtype) = (tensor.shape().to_vec(), tensor.dtype());
        let bytes = tensor.read().map_err(|e| WeightsError::Format(e.to_string()))?;
        let values = float_type(dtype)
            .and_then(|dtype| floats(&bytes, dtype))
            .ok_or_else(|| WeightsError::Type { key: name.clone(), dtype: format!("{dtype:?}") })?;
        state.insert(key.to_owned(), Array { shape, values });
    }
    Ok((state, training_of(&root), beside))
}

/// Without what wrappers put before all keys.
fn unwrapped(mut state: StateDict) -> StateDict {
    let own = |key: &String| TRAINING.iter().any(|part| key.starts_with(part));
    while let Some(wrapper) = WRAPPERS.iter().find(|wrapper| {
        let mut network = state.keys().filter(|key| !own(key)).peekable();
        network.peek().is_some() && network.all(|key| key.starts_with(**wrapper))
    }) {
        state = state
            .into_iter()
            .map(|(key, array)| (key.strip_prefix(wrapper).map(str::to_owned).unwrap_or(key), array))
            .collect();
    }
    state
}

fn field<'a>(value: &'a PickleValue, name: &str) -> Option<&'a PickleValue> {
    match value {
        PickleValue::Dict(fields) => fields.get(name),
        _ => None,
    }
}

/// `meta` of MMSegmentation 1 (`dataset_meta`, `cfg`) and of its predecessor (`CLASSES`, `config`).
fn training_of(root: &PickleValue) -> Training {
    let Some(meta) = field(root, "meta") else { return Training::default() };
    let of = |new: &str, old: &str| {
        field(meta, "dataset_meta").and_then(|d| field(d, new)).or_else(|| field(meta, old)).and_then(list)
    };
    let text = |v: &PickleValue| match v {
        PickleValue::String(text) => Some(text.clone()),
        _ => None,
    };
    let whole = |v: &PickleValue| match v {
        PickleValue::Int(i) => u64::try_from(*i).ok(),
        _ => None,
    };
    let colour = |v: &PickleValue| {
        let parts: Option<Vec<u8>> = list(v)?.iter().map(|v| u8::try_from(whole(v)?).ok()).collect();
        <[u8; 3]>::try_from(parts?).ok()
    };
    let classes: Vec<String> =
        of("classes", "CLASSES").and_then(|l| l.iter().map(text).collect()).unwrap_or_default();
    let palette: Vec<[u8; 3]> =
        of("palette", "PALETTE").and_then(|l| l.iter().map(colour).collect()).unwrap_or_default();
    Training {
        palette: if palette.len() == classes.len() { palette } else { Vec::new() },
        classes,
        config: ["cfg", "config"].iter().find_map(|key| field(meta, key).and_then(text)),
        iteration: field(meta, "iter").and_then(whole),
    }
}

fn list(value: &PickleValue) -> Option<&[PickleValue]> {
    match value {
        PickleValue::List(list) => Some(list),
        _ => None,
    }
}

/// The same type by safetensors' name, for those that hold floating-point values.
fn float_type(dtype: DType) -> Option<Dtype> {
    match dtype {
        DType::F32 => Some(Dtype::F32),
        DType::F64 => Some(Dtype::F64),
        DType::F16 => Some(Dtype::F16),
        DType::BF16 => Some(Dtype::BF16),
        _ => None,
    }
}

/// MMSegmentation's key of an encoder's tensor that may have any of these names: MMSegmentation's own, torchvision's
/// and timm's (the same without `backbone.`), with or without `module.`; Hugging Face's ResNet.
pub fn encoder_key(key: &str) -> String {
    let key = key.strip_prefix("module.").unwrap_or(key);
    if key.starts_with("backbone.") {
        return key.to_owned();
    }
    format!("backbone.{}", hugging_face(key).unwrap_or_else(|| key.to_owned()))
}

/// `resnet.encoder.stages.0.layers.1.layer.0.convolution.weight` is `layer1.1.conv1.weight`.
fn hugging_face(key: &str) -> Option<String> {
    let key = key.strip_prefix("resnet.").unwrap_or(key);
    if let Some(rest) = key.strip_prefix("embedder.embedder.") {
        let (part, leaf) = rest.split_once('.')?;
        return Some(format!("{}.{leaf}", if part == "convolution" { "conv1" } else { "bn1" }));
    }
    let mut parts = key.strip_prefix("encoder.stages.")?.split('.');
    let stage: usize = parts.next()?.parse().ok()?;
    let block = parts.nth(1)?;
    let rest: Vec<&str> = parts.collect();
    let name = match rest.as_slice() {
        ["layer", i, "convolution", leaf] => format!("conv{}.{leaf}", i.parse::<usize>().ok()? + 1),
        ["layer", i, "normalization", leaf] => format!("bn{}.{leaf}", i.parse::<usize>().ok()? + 1),
        ["shortcut", "convolution", leaf] => format!("downsample.0.{leaf}"),
        ["shortcut", "normalization", leaf] => format!("downsample.1.{leaf}"),
        _ => return None,
    };
    Some(format!("layer{}.{block}.{name}", stage + 1))
}

#[cfg(test)]
mod tests {
    use super::encoder_key;

    #[test]
    fn names_of_every_library() {
        for (theirs, ours) in [
            ("backbone.layer1.0.conv1.weight", "backbone.layer1.0.conv1.weight"),
            ("module.backbone.stem.0.weight", "backbone.stem.0.weight"),
            ("conv1.weight", "backbone.conv1.weight"),
            ("layer4.1.bn2.running_var", "backbone.layer4.1.bn2.running_var"),
            ("resnet.embedder.embedder.convolution.weight", "backbone.conv1.weight"),
            ("resnet.embedder.embedder.normalization.bias", "backbone.bn1.bias"),
            ("resnet.encoder.stages.0.layers.1.layer.1.convolution.weight", "backbone.layer1.1.conv2.weight"),
            (
                "encoder.stages.3.layers.0.shortcut.convolution.weight",
                "backbone.layer4.0.downsample.0.weight",
            ),
            (
                "encoder.stages.1.layers.0.shortcut.normalization.running_mean",
                "backbone.layer2.0.downsample.1.running_mean",
            ),
        ] {
            assert_eq!(encoder_key(theirs), ours);
        }
    }
}
