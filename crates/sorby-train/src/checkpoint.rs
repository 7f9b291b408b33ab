//! Checkpoints: all that a run needs to go on as if it had never stopped, with a hash of every file.

use crate::error::TrainError;
use crate::identity::Identity;
use crate::recipe::Recipe;
use crate::run_folder::RunFolder;
use crate::seal::{is_sealed, seal, unseal};
use crate::written::Written;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use sorby_image::files::read_regular;
use sorby_image::write::{atomically, sync_folder};
use sorby_infer::Reliability;
use sorby_nn::Segmentor;
use sorby_nn::ema::Average;
use sorby_nn::optimizer::Optimizer;
use sorby_nn::weights::{StateDict, from_safetensors, to_safetensors};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// Checkpoints kept; the one before the newest guards against a damaged disk.
const KEPT: usize = 2;

const MODEL: &str = sorby_infer::MODEL_FILE;
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
    /// What the run had written of its logs and best model; checkpoints of older versions have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    written: Option<Written>,
}

fn folder(root: &Path) -> PathBuf {
    root.join("checkpoints")
}

/// Iterations and folders, oldest first.
fn existing(root: &Path) -> Vec<(u64, PathBuf)> {
    let entries = std::fs::read_dir(folder(root)).into_iter().flatten().flatten().map(|e| e.path());
    let numbered = |path: PathBuf| {
        let name = path.file_name()?.to_str()?;
        Some((name.strip_prefix(PREFIX)?.parse().ok()?, path))
    };
    let mut found: Vec<_> = entries.filter_map(numbered).collect();
    found.sort();
    found
}

/// Iterations of the newest checkpoint, be it whole or not.
pub(crate) fn newest(root: &Path) -> Option<u64> {
    existing(root).last().map(|(iteration, _)| *iteration)
}

/// Whether a checkpoint is of a version that keeps hashes.
pub(crate) fn any_sealed(root: &Path) -> bool {
    existing(root)
        .iter()
        .any(|(_, path)| read_regular(&path.join(STATE)).is_ok_and(|bytes| is_sealed(&bytes)))
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
    written: &Written,
    network: &mut Segmentor,
    carried: &Carried,
) -> Result<(), TrainError> {
    run.require_held()?;
    let name = format!("{PREFIX}{:07}", progress.iteration);
    let (partial, target) =
        (folder(run.root()).join(format!(".partial-{name}")), folder(run.root()).join(name));
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
        written: Some(written.clone()),
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
    sync_folder(&folder(run.root())).map_err(TrainError::io(&target))?;
    let (before, after): (Vec<_>, Vec<_>) =
        existing(run.root()).into_iter().partition(|(iteration, _)| *iteration <= progress.iteration);
    // Later ones are damaged, or the run would have gone on from them.
    let old = before.len().saturating_sub(KEPT);
    before[..old].iter().chain(&after).try_for_each(|(_, path)| remove(path))
}

/// Removes a checkpoint; killed on the way, no half of it keeps its name.
fn remove(path: &Path) -> Result<(), TrainError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let going = path.with_file_name(format!(".partial-old-{name}"));
    fs_err::rename(path, &going).map_err(TrainError::io(path))?;
    let removed = if going.is_dir() { fs_err::remove_dir_all(&going) } else { fs_err::remove_file(&going) };
    removed.map_err(TrainError::io(&going))
}

/// A checkpoint to go on from.
pub(crate) struct Loaded {
    pub progress: Progress,
    pub carried: Carried,
    /// What the run had written by then; `None` in checkpoints of older versions.
    pub written: Option<Written>,
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
    for (iteration, path) in existing(run.root()).into_iter().rev() {
        match read(&path, iteration, identity, recipe, network, device) {
            Ok(Whole { progress, carried, written }) => {
                let line = |(p, what): (PathBuf, String)| {
                    format!("{} is damaged: {what}; an older one is used", p.display())
                };
                return Ok(Some(Loaded {
                    progress,
                    carried,
                    written,
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

/// Loads the checkpoint of an iteration, if there is one and it is whole and of this run.
pub(crate) fn load_at(
    run: &RunFolder,
    at: u64,
    identity: &Identity,
    recipe: &Recipe,
    network: &mut Segmentor,
    device: &Device,
) -> Option<(Progress, Carried)> {
    let (_, path) = existing(run.root()).into_iter().find(|(iteration, _)| *iteration == at)?;
    let found = read(&path, at, identity, recipe, network, device).ok()?;
    Some((found.progress, found.carried))
}

/// What a checkpoint holds besides the network.
struct Whole {
    progress: Progress,
    carried: Carried,
    written: Option<Written>,
}

fn read(
    path: &Path,
    iteration: u64,
    identity: &Identity,
    recipe: &Recipe,
    network: &mut Segmentor,
    device: &Device,
) -> Result<Whole, String> {
    let file = |name: &str| read_regular(&path.join(name)).map_err(|e| format!("{name}: {e}"));
    let bytes = file(STATE)?;
    let unchecked = !is_sealed(&bytes) && identity.taken_over_at.is_some_and(|at| iteration <= at);
    let recorded = if unchecked {
        let progress = serde_json::from_slice(&bytes).map_err(|e| format!("{STATE} cannot be read ({e})"))?;
        Recorded { progress, run: identity.hash(), files: BTreeMap::new(), written: None }
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
    let carried = Carried { optimizer: Optimizer::restore(optimizer, device), average };
    Ok(Whole { progress: recorded.progress, carried, written: recorded.written })
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What `state.json` held before it had hashes of logs and best model.
    #[derive(Serialize)]
    struct Older {
        progress: Progress,
        run: String,
        files: BTreeMap<String, String>,
    }

    #[test]
    fn a_state_of_an_older_version_is_read() {
        let progress = Progress { iteration: 4, best: Some((4, 0.5)), reliability: None };
        let files = BTreeMap::from([(MODEL.to_owned(), "00".to_owned())]);
        let older = Older { progress: progress.clone(), run: "11".into(), files: files.clone() };
        let read: Recorded = unseal(&seal(&older).unwrap()).unwrap();
        assert_eq!(read, Recorded { progress, run: "11".into(), files, written: None });
    }
}
