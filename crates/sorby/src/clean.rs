//! Space given back by finished trainings.

use crate::Result;
use crate::error::{Context, refuse};
use sorby_train::{RunFile, RunFolder, State};
use std::path::Path;

/// Removes the checkpoints of a finished run: the state of the optimiser, which only a run that goes on needs. Model, curves
/// and records stay. Gives the bytes that were freed.
///
/// # Errors
/// When the folder is no run, another process works on it, or the run is not finished: it then needs its checkpoints.
pub fn clean(run: &Path) -> Result<u64> {
    let folder = RunFolder::open(run)?;
    if folder.status().is_none_or(|s| s.state != State::Done) {
        refuse!(
            "{}: is not finished and needs its checkpoints; go on with `sorby train --resume`",
            run.display()
        );
    }
    if !folder.path(RunFile::Model).is_file() {
        refuse!("{}: has no {}; its checkpoints are all there is", run.display(), RunFile::Model);
    }
    let checkpoints = folder.path(RunFile::Checkpoints);
    let mut freed = 0;
    for entry in walk(&checkpoints) {
        freed += std::fs::symlink_metadata(&entry).map_or(0, |m| m.len());
    }
    if checkpoints.exists() {
        std::fs::remove_dir_all(&checkpoints).with_context(|| checkpoints.display().to_string())?;
    }
    Ok(freed)
}

/// Files below a folder; links are not followed.
fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(walk(&entry.path())),
            _ => found.push(entry.path()),
        }
    }
    found
}
