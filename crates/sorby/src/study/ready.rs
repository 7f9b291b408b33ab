//! What a training of a study needs before it starts, and what it leaves: its recipe file, a place for its run folder.

use super::folder::{FAILURES, StudyFolder};
use super::run_state::RunState;
use super::runner::TrainingJob;
use crate::{DeviceOptions, Observer, Result};
use sorby_image::write::atomically;
use sorby_study::Run;
use sorby_train::{RunFile, RunFolder};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

impl StudyFolder {
    /// The job of a training, with all that it reads; `None` if a child of an attempt that was killed has brought the
    /// training to its end meanwhile.
    pub(super) fn ready_job(
        &self,
        run: &Run,
        (device, threads): (&DeviceOptions, usize),
        observer: &dyn Observer,
    ) -> Result<Option<TrainingJob>> {
        let id = self.spec.run_id(run);
        let recipe = self.recipe(run)?;
        // Absolute: a name that begins with `-` must not become an option.
        let root = std::path::absolute(&self.root)?;
        let out = std::path::absolute(self.run_path(run))?;
        let recipe_path = root.join("recipes").join(format!("{id}.toml"));
        atomically(&recipe_path, recipe.to_toml().as_bytes())?;
        let Some(resume) = self.made_ready(run, &out, observer)? else { return Ok(None) };
        Ok(Some(TrainingJob {
            recipe: recipe_path,
            run: out,
            resume,
            // Of a run that goes on too: the study may have been moved.
            data: std::path::absolute(self.dataset_path())?,
            device: device.clone(),
            threads,
            log: self.log(&id),
            failure: root.join(FAILURES).join(format!("{id}.json")),
        }))
    }

    /// Makes the place of a run ready for a training, and says whether the training goes on from a checkpoint; `None` where
    /// the run is done.
    fn made_ready(&self, run: &Run, out: &Path, observer: &dyn Observer) -> Result<Option<bool>> {
        // A child of an attempt that was killed may not have ended yet.
        let limit = Instant::now() + Duration::from_secs(60);
        while RunFolder::is_held(out) && Instant::now() < limit {
            std::thread::sleep(Duration::from_millis(100));
        }
        let mut state = self.state(run)?;
        if let RunState::Damaged(what) = &state {
            observer.warn(format!("{what}: it is set aside and trained again"));
            state = RunState::Stale;
        }
        if matches!(state, RunState::Stale) {
            self.set_aside(run)?;
            state = RunState::Missing;
        }
        if matches!(state, RunState::Missing) {
            state = self.take_back(run)?;
        }
        Ok(match state {
            RunState::Done(_) => None,
            RunState::Unfinished(_) => Some(out.join("checkpoints").is_dir()),
            RunState::Stale | RunState::Damaged(_) | RunState::Missing => Some(false),
        })
    }

    pub(super) fn log(&self, id: &str) -> PathBuf {
        self.root.join("logs").join(format!("{id}.txt"))
    }

    /// A finished run needs no checkpoints, and its last model is the one that was scored.
    pub(super) fn tidy(&self, run: &Run) -> Result<()> {
        let root = self.run_path(run);
        let checkpoints = root.join("checkpoints");
        if checkpoints.is_dir() {
            fs_err::remove_dir_all(checkpoints)?;
        }
        let best = RunFile::Best.path_in(&root);
        if best.is_file() {
            fs_err::remove_file(best)?;
        }
        Ok(())
    }
}
