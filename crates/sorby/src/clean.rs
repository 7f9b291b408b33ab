//! Space given back by finished trainings.

use crate::Result;
use crate::error::{Context, refuse};
use sorby_image::folders;
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
    if !checkpoints.exists() {
        return Ok(0);
    }
    folders::remove_with_contents(&checkpoints).with_context(|| checkpoints.display().to_string())
}
