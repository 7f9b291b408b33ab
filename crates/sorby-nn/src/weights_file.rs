//! Weight files of any origin: safetensors, and PyTorch's `.pth` of every era (read, never executed).

use crate::weights::{Array, StateDict, WeightsError, floats, from_safetensors};
use pytorch_reader::{DType, PytorchReader};
use safetensors::tensor::Dtype;
use std::collections::HashMap;
use std::path::Path;

/// Names under which checkpoints nest their weights.
const NESTS: [&str; 5] = ["state_dict.", "model_state_dict.", "model_state.", "model.", "net."];

/// Reads a file's arrays and its metadata (of safetensors). What a file is, its content tells, not its name.
///
/// # Errors
/// Names what is wrong with the file; PyTorch files of other things than plain tensors are refused.
pub fn read_weights(path: &Path) -> Result<(StateDict, HashMap<String, String>), WeightsError> {
    let io = |e: std::io::Error| WeightsError::Format(e.to_string());
    let mut head = [0u8; 9];
    let length = std::fs::metadata(path).map_err(io)?.len();
    let whole = std::io::Read::read(&mut std::fs::File::open(path).map_err(io)?, &mut head).map_err(io)? == 9;
    // A safetensors file begins with the length of its JSON header.
    let header = u64::from_le_bytes([head[0], head[1], head[2], head[3], head[4], head[5], head[6], head[7]]);
    if whole && head[8] == b'{' && header < length {
        return from_safetensors(&std::fs::read(path).map_err(io)?);
    }
    let reader = PytorchReader::new(path).map_err(|e| {
        WeightsError::Format(format!("neither safetensors nor a PyTorch file of tensors ({e})"))
    })?;
    let mut state = StateDict::new();
    for (name, tensor) in reader.into_tensors() {
        // Counters of batch norms are integers and of no use here.
        if name.ends_with("num_batches_tracked") || matches!(tensor.dtype(), DType::I64 | DType::I32) {
            continue;
        }
        let (shape, dtype) = (tensor.shape().to_vec(), tensor.dtype());
        let bytes = tensor.read().map_err(io)?;
        let values = float_type(dtype)
            .and_then(|dtype| floats(&bytes, dtype))
            .ok_or_else(|| WeightsError::Type { key: name.clone(), dtype: format!("{dtype:?}") })?;
        let key = NESTS.iter().find_map(|nest| name.strip_prefix(nest)).unwrap_or(&name);
        state.insert(key.to_owned(), Array { shape, values });
    }
    if state.is_empty() {
        return Err(WeightsError::Format("holds no tensors".into()));
    }
    Ok((state, HashMap::new()))
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
