//! `sorby model`: what a weight file holds, and weights for other programs.

use crate::args::ModelCommand;
use anyhow::{Context as _, bail};
use sorby_image::ImagePart;
use sorby_image::write::atomically;
use sorby_image::{OutputKind, require_replaceable};
use sorby_infer::foreign::{Given, model_of};
use sorby_infer::{Backend, ModelCard};
use sorby_nn::weights::{CLASSIFIER, StateDict, to_safetensors};
use sorby_nn::weights_file::{Checkpoint, encoder_key, read_checkpoint};
use sorby_train::file_blake3;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub fn run(command: ModelCommand) -> anyhow::Result<ExitCode> {
    match command {
        ModelCommand::Info { file } => info(&weights(&file)),
        ModelCommand::Convert { file, out, encoder, classes, output_stride } => {
            let classes = classes.iter().map(|name| name.trim().to_owned()).collect();
            convert(&weights(&file), &out, encoder, &Given { classes, output_stride })
        }
    }
}

/// The file itself, or a run folder's model.
fn weights(path: &Path) -> PathBuf {
    if path.is_dir() { path.join("model.safetensors") } else { path.to_owned() }
}

fn read(file: &Path) -> anyhow::Result<Checkpoint> {
    read_checkpoint(file).with_context(|| file.display().to_string())
}

fn info(file: &Path) -> anyhow::Result<ExitCode> {
    let Checkpoint { state, metadata, left_out, training } = read(file)?;
    let values: usize = state.values().map(|a| a.values.len()).sum();
    println!("{}: {} tensors, {values} values", file.display(), state.len());
    if let Some(hash) = file_blake3(file) {
        println!("BLAKE3 {hash} (masks made with it carry this as model_blake3)");
    }
    match ModelCard::of(&metadata) {
        Some(card) => {
            println!(
                "model of Sorby {}: {}, {} iterations",
                card.sorby_version,
                card.arch.title(),
                card.iteration
            );
            println!("classes: {}", card.classes.join(", "));
            println!(
                "window {} px, step {} px, input scale {}",
                card.window_px, card.stride_px, card.input_scale
            );
            let count = |part| card.seen.iter().filter(|s| s.part == part).count();
            let (train, val) = (count(ImagePart::Train), count(ImagePart::Val));
            if train > 0 {
                println!("trained on {train} images, validated on {val}; data {}", card.data_hash);
            }
            if card.chosen_by_validation {
                println!("chosen among the iterations because it scored best on the validation images");
            }
            if let Some((low, high)) = card.nm_per_px {
                println!("trained on images of {low:.4} to {high:.4} nm per pixel");
            }
        }
        None => println!("no model of Sorby; it may serve as a recipe's `pretrained`"),
    }
    if left_out > 0 {
        println!("{left_out} further tensors are of a training (optimiser and the like)");
    }
    if !training.classes.is_empty() {
        println!("classes named by the file: {}", training.classes.join(", "));
    }
    if let (Some(classifier), true) = (state.get(CLASSIFIER), !metadata.contains_key("sorby")) {
        println!(
            "a whole network of {} classes; `sorby model convert --classes NAMES` makes it a model",
            classifier.shape.first().copied().unwrap_or(0)
        );
    }
    let encoder = encoder_of(state);
    let stem = match () {
        () if encoder.contains_key("backbone.stem.0.weight") => "stem = \"v1c\"",
        () if encoder.contains_key("backbone.conv1.weight") => "stem = \"v1\"",
        () => "no stem of a ResNet",
    };
    let blocks = encoder.keys().filter(|k| k.starts_with("backbone.layer")).count();
    println!("encoder: {stem}, {blocks} tensors in its four stages (a ResNet-18 has 95)");
    Ok(ExitCode::SUCCESS)
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
fn require_not_trained(out: &Path) -> anyhow::Result<()> {
    let there = if out.exists() { read(out).ok() } else { None };
    match there.and_then(|c| ModelCard::of(&c.metadata)).filter(|card| !card.recipe.is_empty()) {
        Some(_) => bail!("{}: is a trained model; it is not overwritten, choose another name", out.display()),
        None => Ok(()),
    }
}

fn convert(file: &Path, out: &Path, encoder: bool, given: &Given) -> anyhow::Result<ExitCode> {
    require_replaceable(out, OutputKind::Weights)?;
    require_not_trained(out)?;
    let checkpoint = read(file)?;
    let named = !given.classes.is_empty() || given.output_stride.is_some();
    let foreign = ModelCard::of(&checkpoint.metadata).is_none();
    if !foreign && named {
        bail!("{}: is a model of Sorby already; its classes and output stride stand in it", file.display());
    }
    // What a file says of its classes it says of a whole network.
    let whole = checkpoint.state.contains_key(CLASSIFIER) && !checkpoint.training.classes.is_empty();
    if foreign && !encoder && (named || whole) {
        return convert_whole(file, checkpoint, out, given);
    }
    let Checkpoint { state, metadata, left_out, .. } = checkpoint;
    let (state, metadata) = if encoder { (encoder_of(state), HashMap::new()) } else { (state, metadata) };
    if state.is_empty() {
        bail!("{}: holds no tensor of a ResNet", file.display());
    }
    let bare = foreign && !encoder && state.contains_key(CLASSIFIER);
    atomically(out, &to_safetensors(&state, metadata)?)?;
    if left_out > 0 {
        println!("{left_out} tensors of the training (optimiser and the like) are left out");
    }
    if bare {
        println!("weights alone: give --classes to make a model that segments");
    }
    println!("{} tensors by the names of MMSegmentation: {}", state.len(), out.display());
    Ok(ExitCode::SUCCESS)
}

fn convert_whole(file: &Path, checkpoint: Checkpoint, out: &Path, given: &Given) -> anyhow::Result<ExitCode> {
    let device = Backend::Cpu.open().context("the CPU is always there")?;
    let (mut model, told) =
        model_of(checkpoint, given, &device).map_err(|what| anyhow::anyhow!("{}: {what}", file.display()))?;
    told.iter().for_each(|what| println!("look at: {what}"));
    atomically(out, &model.to_bytes(&device)?)?;
    println!(
        "model of {} classes ({}), {} at output stride {}: {}",
        model.card.classes.len(),
        model.card.classes.join(", "),
        model.card.arch.title(),
        model.card.output_stride,
        out.display()
    );
    Ok(ExitCode::SUCCESS)
}
