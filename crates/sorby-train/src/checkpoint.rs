//! Checkpoints: all that a run needs to go on as if it had never stopped, with a hash of every file.

use crate::error::TrainError;
use crate::identity::Identity;
use crate::recipe::Recipe;
use crate::run_folder::RunFolder;
use crate::seal::{is_sealed, seal, unseal};
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use sorby_image::write::{atomically, sync_folder};
use sorby_infer::Reliability;
use sorby_nn::Segmentor;
use sorby_nn::average::Average;
use sorby_nn::optimizer::Optimizer;
use sorby_nn::weights::{StateDict, from_safetensors, to_safetensors};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// Checkpoints kept; the one before the newest guards against a damaged disk.
const KEPT: usize = 2;

const MODEL: &str = "model.safetensors";
const OPTIMIZER: &str = "optimizer.safetensors";
const AVERAGE: &str = "average.safetensors";
/// Sealed JSON.
const STATE: &str = "state.json";
const PREFIX: &str = "iter_";

/// Where a run stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// Iterations done.
    pub iteration: u64,
    pub best: Option<(u64, f64)>,
    /// Of the last validation; older checkpoints have none.
    #[serde(default)]
    pub reliability: Option<Reliability>,
}

/// `state.json` of a checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Recorded {
    progress: Progress,
    /// Hash of the run's identity.
    run: String,
    /// BLAKE3 of the other files.
    files: BTreeMap<String, String>,
}

fn folder(run: &RunFolder) -> PathBuf {
    run.path("checkpoints")
}

/// Iterations and folders, oldest first.
fn existing(run: &RunFolder) -> Vec<(u64, PathBuf)> {
    let entries = std::fs::read_dir(folder(run)).into_iter().flatten().flatten().map(|e| e.path());
    let numbered = |path: PathBuf| {
        let name = path.file_name()?.to_str()?;
        Some((name.strip_prefix(PREFIX)?.parse().ok()?, path))
    };
    let mut found: Vec<_> = entries.filter_map(numbered).collect();
    found.sort();
    found
}

/// Iterations of the newest checkpoint, be it whole or not.
pub(crate) fn newest(run: &RunFolder) -> Option<u64> {
    existing(run).last().map(|(iteration, _)| *iteration)
}

/// Whether a checkpoint is of a version that keeps hashes.
pub(crate) fn any_sealed(run: &RunFolder) -> bool {
    existing(run).iter().any(|(_, path)| std::fs::read(path.join(STATE)).is_ok_and(|bytes| is_sealed(&bytes)))
}

/// What goes from one iteration to the next next to the network.
#[derive(Default)]
pub(crate) struct Carried {
    pub optimizer: Optimizer,
    /// Empty unless the recipe asks for one.
    pub average: Average,
}

/// Writes a checkpoint under a temporary name, renames it, removes those that it replaces.
pub(crate) fn save(
    run: &RunFolder,
    identity: &Identity,
    progress: &Progress,
    network: &mut Segmentor,
    carried: &Carried,
) -> Result<(), TrainError> {
    let name = format!("{PREFIX}{:07}", progress.iteration);
    let (partial, target) = (folder(run).join(format!(".partial-{name}")), folder(run).join(name));
    let bytes =
        |state: &StateDict| to_safetensors(state, HashMap::new()).map_err(|e| TrainError::run(&target, e));
    let mut files = vec![(MODEL, bytes(&network.state())?), (OPTIMIZER, bytes(&carried.optimizer.state())?)];
    if !carried.average.is_empty() {
        files.push((AVERAGE, bytes(&carried.average.state())?));
    }
    let hash = |bytes: &[u8]| blake3::hash(bytes).to_hex().to_string();
    let recorded = Recorded {
        progress: progress.clone(),
        run: identity.hash(),
        files: files.iter().map(|(name, bytes)| ((*name).to_owned(), hash(bytes))).collect(),
    };
    files.push((STATE, seal(&recorded).map_err(|e| TrainError::run(&target, e))?));
    for (file, bytes) in files {
        atomically(&partial.join(file), &bytes)?;
    }
    // The log of what the checkpoint has seen must not be behind it after a power cut.
    run.sync_logs()?;
    if target.exists() {
        remove(&target)?;
    }
    fs_err::rename(&partial, &target).map_err(TrainError::io(&target))?;
    sync_folder(&folder(run)).map_err(TrainError::io(&target))?;
    let (before, after): (Vec<_>, Vec<_>) =
        existing(run).into_iter().partition(|(iteration, _)| *iteration <= progress.iteration);
    // Later ones are damaged, or the run would have gone on from them.
    let old = before.len().saturating_sub(KEPT);
    before[..old].iter().chain(&after).try_for_each(|(_, path)| remove(path))
}

/// Removes a checkpoint; killed on the way, no half of it keeps its name.
fn remove(path: &Path) -> Result<(), TrainError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let going = path.with_file_name(format!(".partial-old-{name}"));
    fs_err::rename(path, &going).map_err(TrainError::io(path))?;
    fs_err::remove_dir_all(&going).map_err(TrainError::io(&going))
}

/// A checkpoint to go on from.
pub(crate) struct Loaded {
    pub progress: Progress,
    pub carried: Carried,
    /// A line for each newer checkpoint that is damaged.
    pub damaged: Vec<String>,
}

/// Loads the newest checkpoint that is whole and of this run; `None` when there is none at all.
///
/// # Errors
/// When every checkpoint is damaged; names the newest and what is wrong with it.
pub(crate) fn load(
    run: &RunFolder,
    identity: &Identity,
    recipe: &Recipe,
    network: &mut Segmentor,
    device: &Device,
) -> Result<Option<Loaded>, TrainError> {
    let mut damaged: Vec<(PathBuf, String)> = Vec::new();
    for (iteration, path) in existing(run).into_iter().rev() {
        match read(&path, iteration, identity, recipe, network, device) {
            Ok((progress, carried)) => {
                let line = |(p, what): (PathBuf, String)| {
                    format!("{} is damaged: {what}; an older one is used", p.display())
                };
                return Ok(Some(Loaded {
                    progress,
                    carried,
                    damaged: damaged.into_iter().map(line).collect(),
                }));
            }
            Err(what) => damaged.push((path, what)),
        }
    }
    match damaged.into_iter().next() {
        None => Ok(None),
        Some((path, what)) => {
            let reason = format!("{what}, and no older checkpoint is whole; start a new run");
            Err(TrainError::run(&path, reason))
        }
    }
}

fn read(
    path: &Path,
    iteration: u64,
    identity: &Identity,
    recipe: &Recipe,
    network: &mut Segmentor,
    device: &Device,
) -> Result<(Progress, Carried), String> {
    let file = |name: &str| std::fs::read(path.join(name)).map_err(|e| format!("{name}: {e}"));
    let bytes = file(STATE)?;
    let unchecked = !is_sealed(&bytes) && identity.taken_over_at.is_some_and(|at| iteration <= at);
    let recorded = if unchecked {
        let progress = serde_json::from_slice(&bytes).map_err(|e| format!("{STATE} cannot be read ({e})"))?;
        Recorded { progress, run: identity.hash(), files: BTreeMap::new() }
    } else {
        unseal(&bytes).map_err(|what| format!("{STATE} {what}"))?
    };
    if recorded.progress.iteration != iteration {
        return Err(format!("{STATE} is of iteration {}", recorded.progress.iteration));
    }
    if !identity.is_named(&recorded.run) {
        return Err("it is of another run".into());
    }
    let state = |name: &str| {
        let bytes = file(name)?;
        let now = blake3::hash(&bytes).to_hex().to_string();
        if !unchecked && recorded.files.get(name) != Some(&now) {
            return Err(format!("{name} is not what was written (its BLAKE3 differs)"));
        }
        let state = from_safetensors(&bytes).map_err(|e| format!("{name}: {e}"))?.0;
        match state.iter().find(|(_, array)| array.values.iter().any(|v| !v.is_finite())) {
            Some((key, _)) => Err(format!("{name}: {key} has a value that is no number")),
            None => Ok(state),
        }
    };
    let (model, optimizer) = (state(MODEL)?, state(OPTIMIZER)?);
    require_state_for_weights(&model, &optimizer, recipe)?;
    let average = if recipe.optimizer.ema_decay > 0.0 {
        Average::restore(state(AVERAGE)?, device)
    } else {
        Average::default()
    };
    network.load(model).map_err(|e| format!("{MODEL}: {e}"))?;
    Ok((recorded.progress, Carried { optimizer: Optimizer::restore(optimizer, device), average }))
}

/// The optimiser must have what its kind keeps of every weight that it has seen.
fn require_state_for_weights(
    model: &StateDict,
    optimizer: &StateDict,
    recipe: &Recipe,
) -> Result<(), String> {
    let each = recipe.optimizer.rule(recipe.optimizer.lr, 0).state_per_weight();
    let fits = |(key, array): &(&String, &sorby_nn::weights::Array)| {
        model.get(*key).is_some_and(|weight| array.values.len() == each * weight.values.len())
    };
    match optimizer.iter().find(|entry| !fits(entry)) {
        Some((key, _)) => Err(format!("{OPTIMIZER}: {key} does not fit the recipe's optimizer.kind")),
        None => Ok(()),
    }
}
