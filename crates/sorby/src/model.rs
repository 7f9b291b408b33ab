//! What a weight file holds, and weights for other programs.

mod export;

pub use export::{ExportFormat, ExportOptions, Exported, export};

use crate::Result;
use crate::error::{Context as _, refuse, refused};
use crate::words::quoted;
use sorby_image::ImagePart;
use sorby_image::write::atomically;
use sorby_image::{OutputKind, require_replaceable};
pub use sorby_infer::foreign::Given;
use sorby_infer::foreign::model_of;
use sorby_infer::{Backend, Device, Model, ModelCard, model_file};
use sorby_nn::weights::{CLASSIFIER, StateDict, to_safetensors};
use sorby_nn::weights_file::{Checkpoint, encoder_key, read_checkpoint};
use sorby_train::{RunFile, file_blake3};
use std::collections::HashMap;
use std::path::Path;

fn read(file: &Path) -> Result<Checkpoint> {
    read_checkpoint(file).with_context(|| file.display().to_string())
}

/// Reads a model file, or that of a run folder, for every job.
pub(crate) fn open_model(path: &Path, device: &Device) -> Result<Model> {
    if path.is_dir() && !model_file(path).exists() && path.join(RunFile::Recipe.name()).is_file() {
        let run = path.display().to_string();
        refuse!(
            "{run}: this training is not finished and has no model yet; go on with: sorby train --resume {}",
            quoted(&run)
        );
    }
    Ok(Model::read(path, device)?)
}

/// What a weight file or run folder holds, a line for each thing.
///
/// # Errors
/// When the file cannot be read as weights.
pub fn describe(file: &Path) -> Result<Vec<String>> {
    let file = &model_file(file);
    let Checkpoint { state, metadata, left_out, training } = read(file)?;
    let mut lines = Vec::new();
    let values: usize = state.values().map(|a| a.values.len()).sum();
    lines.push(format!("{}: {} tensors, {values} values", file.display(), state.len()));
    if let Some(hash) = file_blake3(file) {
        lines.push(format!("BLAKE3 {hash} (masks made with it carry this as model_blake3)"));
    }
    match ModelCard::of(&metadata) {
        Some(card) => {
            lines.push(format!(
                "model of Sorby {}: {}, {} iterations",
                card.sorby_version,
                card.arch.title(),
                card.iteration
            ));
            lines.push(format!("classes: {}", card.classes.join(", ")));
            lines.push(format!(
                "window {} px, step {} px, input scale {}",
                card.window_px, card.stride_px, card.input_scale
            ));
            lines.push(format!("grey range: {}", card.grey_range));
            let count = |part| card.seen.iter().filter(|s| s.part == part).count();
            let (train, val) = (count(ImagePart::Train), count(ImagePart::Val));
            if train > 0 {
                lines.push(format!("trained on {train} images, validated on {val}; data {}", card.data_hash));
            }
            if card.chosen_by_validation {
                lines.push(
                    "chosen among the iterations because it scored best on the validation images".to_string(),
                );
            }
            if let Some((low, high)) = card.nm_per_px {
                lines.push(format!("trained on images of {low:.4} to {high:.4} nm per pixel"));
            }
        }
        None => lines.push("no model of Sorby; it may serve as a recipe's `pretrained`".to_string()),
    }
    if left_out > 0 {
        lines.push(format!("{left_out} further tensors are of a training (optimiser and the like)"));
    }
    if !training.classes.is_empty() {
        lines.push(format!("classes named by the file: {}", training.classes.join(", ")));
    }
    if let (Some(classifier), true) = (state.get(CLASSIFIER), !metadata.contains_key("sorby")) {
        lines.push(format!(
            "a whole network of {} classes; `sorby model convert --classes NAMES` makes it a model",
            classifier.shape.first().copied().unwrap_or(0)
        ));
    }
    let encoder = encoder_of(state);
    let stem = match () {
        () if encoder.contains_key("backbone.stem.0.weight") => "stem = \"v1c\"",
        () if encoder.contains_key("backbone.conv1.weight") => "stem = \"v1\"",
        () => "no stem of a ResNet",
    };
    let blocks = encoder.keys().filter(|k| k.starts_with("backbone.layer")).count();
    lines.push(format!("encoder: {stem}, {blocks} tensors in its four stages (a ResNet-18 has 95)"));
    Ok(lines)
}

/// Keys of the encoder by MMSegmentation's names.
fn encoder_of(state: StateDict) -> StateDict {
    let parts = ["conv1.", "bn1.", "stem.", "layer1.", "layer2.", "layer3.", "layer4."];
    let named = state.into_iter().map(|(key, a)| (encoder_key(&key), a));
    named
        .filter(|(k, _)| parts.iter().any(|p| k.strip_prefix("backbone.").is_some_and(|k| k.starts_with(p))))
        .collect()
}

/// What a training has made is not made again in a second.
fn require_not_trained(out: &Path) -> Result<()> {
    let there = if out.exists() { read(out).ok() } else { None };
    match there.and_then(|c| ModelCard::of(&c.metadata)).filter(|card| !card.recipe.is_empty()) {
        Some(_) => {
            refuse!("{}: is a trained model; it is not overwritten, choose another name", out.display())
        }
        None => Ok(()),
    }
}

/// Writes weights as safetensors by MMSegmentation's names; a whole network of MMSegmentation becomes a model. With
/// `encoder`, only that part is written. Gives what was done, a line for each thing.
///
/// # Errors
/// When the file cannot be read or converted, or `out` is a trained model or something else.
pub fn convert(file: &Path, out: &Path, encoder: bool, given: &Given) -> Result<Vec<String>> {
    let file = &model_file(file);
    require_replaceable(out, OutputKind::Weights)?;
    require_not_trained(out)?;
    let checkpoint = read(file)?;
    let named = !given.classes.is_empty() || given.output_stride.is_some();
    let foreign = ModelCard::of(&checkpoint.metadata).is_none();
    if !foreign && named {
        refuse!("{}: is a model of Sorby already; its classes and output stride stand in it", file.display());
    }
    // What a file says of its classes it says of a whole network.
    let whole = checkpoint.state.contains_key(CLASSIFIER) && !checkpoint.training.classes.is_empty();
    if foreign && !encoder && (named || whole) {
        return convert_whole(file, checkpoint, out, given);
    }
    let Checkpoint { state, metadata, left_out, .. } = checkpoint;
    let (state, metadata) = if encoder { (encoder_of(state), HashMap::new()) } else { (state, metadata) };
    if state.is_empty() {
        refuse!("{}: holds no tensor of a ResNet", file.display());
    }
    let mut lines = Vec::new();
    let bare = foreign && !encoder && state.contains_key(CLASSIFIER);
    atomically(out, &to_safetensors(&state, metadata)?)?;
    if left_out > 0 {
        lines.push(format!("{left_out} tensors of the training (optimiser and the like) are left out"));
    }
    if bare {
        lines.push("weights alone: give --classes to make a model that segments".to_string());
    }
    lines.push(format!("{} tensors by the names of MMSegmentation: {}", state.len(), out.display()));
    Ok(lines)
}

fn convert_whole(file: &Path, checkpoint: Checkpoint, out: &Path, given: &Given) -> Result<Vec<String>> {
    let device = Backend::Cpu.open().context("the CPU is always there")?;
    let (mut model, told) =
        model_of(checkpoint, given, &device).map_err(|what| refused!("{}: {what}", file.display()))?;
    let mut lines: Vec<String> = told.iter().map(|what| format!("look at: {what}")).collect();
    atomically(out, &model.to_bytes(&device)?)?;
    lines.push(format!(
        "model of {} classes ({}), {} at output stride {}: {}",
        model.card.classes.len(),
        model.card.classes.join(", "),
        model.card.arch.title(),
        model.card.output_stride,
        out.display()
    ));
    Ok(lines)
}
