//! Checkpoints: all that a run needs to go on as if it had never stopped.

use crate::error::TrainError;
use crate::run_folder::RunFolder;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use sorby_image::write::{atomically, sync_folder};
use sorby_infer::Reliability;
use sorby_nn::Segmentor;
use sorby_nn::average::Average;
use sorby_nn::optimizer::Optimizer;
use sorby_nn::weights::{StateDict, from_safetensors, to_safetensors};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Checkpoints kept; the one before the newest guards against a damaged disk.
const KEPT: usize = 2;

const AVERAGE: &str = "average.safetensors";

/// `state.json` of a checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// Iterations done.
    pub iteration: u64,
    pub best: Option<(u64, f64)>,
    /// Of the last validation; older checkpoints have none.
    #[serde(default)]
    pub reliability: Option<Reliability>,
}

fn folder(run: &RunFolder) -> PathBuf {
    run.path("checkpoints")
}

/// Complete checkpoints, oldest first.
fn existing(run: &RunFolder) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder(run)).into_iter().flatten().flatten().map(|e| e.path());
    let complete = |p: &PathBuf| {
        let named = p.file_name().is_some_and(|n| n.to_string_lossy().starts_with("iter_"));
        named && p.join("state.json").is_file()
    };
    let mut found: Vec<_> = entries.filter(complete).collect();
    found.sort();
    found
}

/// What goes from one iteration to the next beside the network.
#[derive(Default)]
pub(crate) struct Carried {
    pub optimizer: Optimizer,
    /// Empty unless the recipe asks for one.
    pub average: Average,
}

/// Writes a checkpoint under a temporary name, renames it, removes old ones.
pub(crate) fn save(
    run: &RunFolder,
    progress: &Progress,
    network: &mut Segmentor,
    carried: &Carried,
) -> Result<(), TrainError> {
    let name = format!("iter_{:07}", progress.iteration);
    let (partial, target) = (folder(run).join(format!(".partial-{name}")), folder(run).join(name));
    let bytes =
        |state: &StateDict| to_safetensors(state, HashMap::new()).map_err(|e| TrainError::run(&target, e));
    let mut files = vec![
        ("model.safetensors", bytes(&network.state())?),
        ("optimizer.safetensors", bytes(&carried.optimizer.state())?),
        ("state.json", serde_json::to_vec(progress).map_err(|e| TrainError::run(&target, e))?),
    ];
    if !carried.average.is_empty() {
        files.push((AVERAGE, bytes(&carried.average.state())?));
    }
    for (file, bytes) in files {
        atomically(&partial.join(file), &bytes)?;
    }
    if target.exists() {
        fs_err::remove_dir_all(&target).map_err(TrainError::io(&target))?;
    }
    fs_err::rename(&partial, &target).map_err(TrainError::io(&target))?;
    sync_folder(&folder(run)).map_err(TrainError::io(&target))?;
    let found = existing(run);
    for old in &found[..found.len().saturating_sub(KEPT)] {
        fs_err::remove_dir_all(old).map_err(TrainError::io(old))?;
    }
    Ok(())
}

/// Loads the newest checkpoint that can be read; `None` when there is none.
pub(crate) fn load(
    run: &RunFolder,
    network: &mut Segmentor,
    device: &Device,
) -> Result<Option<(Progress, Carried)>, TrainError> {
    let mut failure = None;
    for path in existing(run).into_iter().rev() {
        match read(&path, network, device) {
            Ok(found) => return Ok(Some(found)),
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    failure.map_or(Ok(None), Err)
}

fn read(path: &Path, network: &mut Segmentor, device: &Device) -> Result<(Progress, Carried), TrainError> {
    let file = |name: &str| {
        let path = path.join(name);
        std::fs::read(&path).map_err(TrainError::io(&path))
    };
    let state = |name: &str| from_safetensors(&file(name)?).map_err(|e| TrainError::run(&path.join(name), e));
    let progress = serde_json::from_slice(&file("state.json")?).map_err(|e| TrainError::run(path, e))?;
    let optimizer = Optimizer::restore(state("optimizer.safetensors")?.0, device);
    network.load(state("model.safetensors")?.0).map_err(|e| TrainError::run(path, e))?;
    let average = match path.join(AVERAGE).exists() {
        true => Average::restore(state(AVERAGE)?.0, device),
        false => Average::default(),
    };
    Ok((progress, Carried { optimizer, average }))
}
