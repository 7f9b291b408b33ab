//! `sorby model`: what a weight file holds, and weights for other programs.

use crate::args::ModelCommand;
use anyhow::{Context as _, bail};
use sorby_image::write::atomically;
use sorby_infer::ModelCard;
use sorby_nn::weights::{StateDict, to_safetensors};
use sorby_nn::weights_file::{encoder_key, read_weights};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub fn run(command: ModelCommand) -> anyhow::Result<ExitCode> {
    match command {
        ModelCommand::Info { file } => info(&weights(&file)),
        ModelCommand::Convert { file, out, encoder } => convert(&weights(&file), &out, encoder),
    }
}

/// The file itself, or a run folder's model.
fn weights(path: &Path) -> PathBuf {
    if path.is_dir() { path.join("model.safetensors") } else { path.to_owned() }
}

fn info(file: &Path) -> anyhow::Result<ExitCode> {
    let (state, metadata) = read_weights(file).with_context(|| file.display().to_string())?;
    let values: usize = state.values().map(|a| a.values.len()).sum();
    println!("{}: {} tensors, {values} values", file.display(), state.len());
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
            if let Some((low, high)) = card.nm_per_px {
                println!("trained on images of {low:.4} to {high:.4} nm per pixel");
            }
        }
        None => println!("no model of Sorby; it may serve as a recipe's `pretrained`"),
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

fn convert(file: &Path, out: &Path, encoder: bool) -> anyhow::Result<ExitCode> {
    let (state, metadata) = read_weights(file).with_context(|| file.display().to_string())?;
    let (state, metadata) = if encoder { (encoder_of(state), HashMap::new()) } else { (state, metadata) };
    if state.is_empty() {
        bail!("{}: holds no tensor of a ResNet", file.display());
    }
    atomically(out, &to_safetensors(&state, metadata)?)?;
    println!("{} tensors by the names of MMSegmentation: {}", state.len(), out.display());
    Ok(ExitCode::SUCCESS)
}
