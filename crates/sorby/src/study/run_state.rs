//! What is in a run's folder, and whether it is the run that the study wants.

use super::folder::StudyFolder;
use crate::Result;
use crate::error::Context as _;
use sorby_score::Confusion;
use sorby_study::Run;
use sorby_train::{
    BegunWith, GreyRangeSetting, ImageHash, PastRun, Recipe, RunFile, SplitRecord, State, Status,
};
use std::path::{Path, PathBuf};

/// Runs of one name that are kept aside.
const MOST_ASIDE: u32 = 999;

/// What a run folder says.
pub enum RunState {
    /// There is no run yet.
    Missing,
    /// Of another recipe or other data.
    Stale,
    /// Begun, and not at its end.
    Unfinished(Box<Status>),
    /// Done, but its counts are not those of its validation: what is wrong, in one line.
    Damaged(String),
    /// Finished: counts by image.
    Done(Vec<(String, Confusion)>),
}

impl StudyFolder {
    /// What a run's folder holds. Only the same recipe on the same images counts as that run.
    ///
    /// # Errors
    /// When a recipe or split of the study cannot be read.
    pub fn state(&self, run: &Run) -> Result<RunState> {
        self.state_at(run, &self.run_path(run))
    }

    /// What a folder holds, taken as that run's.
    fn state_at(&self, run: &Run, root: &Path) -> Result<RunState> {
        let Ok(text) = std::fs::read(RunFile::Status.path_in(root)) else {
            // Killed before its first step, a run leaves nothing worth keeping.
            let begun = RunFile::Checkpoints.path_in(root).exists() || RunFile::Model.path_in(root).exists();
            return Ok(if begun { RunState::Stale } else { RunState::Missing });
        };
        let Ok(status) = serde_json::from_slice::<Status>(&text) else { return Ok(RunState::Stale) };
        let recipe = self.recipe(run)?;
        if !same_recipe(&recipe, &status, root) {
            return Ok(RunState::Stale);
        }
        let past = match status.state {
            State::Done => match PastRun::open(root, None) {
                Ok(past) => Some(past),
                Err(what) => return Ok(RunState::Damaged(what.to_string())),
            },
            _ => None,
        };
        let records = past.as_ref().map_or_else(|| SplitRecord::read(root), |past| past.split.clone());
        if !self.same_images(run, records) || !self.same_start(&recipe, root) {
            return Ok(RunState::Stale);
        }
        let Some(past) = past else { return Ok(RunState::Unfinished(Box::new(status))) };
        // Runs of older versions kept no labels to compare their counts with.
        if past.unchecked.is_some()
            && let Err(what) = PastRun::open(root, Some(&self.contents.label_px))
        {
            return Ok(RunState::Damaged(what.to_string()));
        }
        Ok(past.counts.map_or(RunState::Stale, RunState::Done))
    }

    /// Makes way for a run whose folder holds another recipe's: it is renamed, never deleted.
    ///
    /// # Errors
    /// When the folder cannot be renamed.
    pub fn set_aside(&self, run: &Run) -> Result<()> {
        let free = self.asides(run).find(|p| !p.exists()).context("no free name")?;
        Ok(fs_err::rename(self.run_path(run), free)?)
    }

    /// If one of those that were set aside is this very run, it is taken back to its empty place.
    ///
    /// # Errors
    /// When a folder cannot be read or renamed.
    pub fn take_back(&self, run: &Run) -> Result<RunState> {
        let place = self.run_path(run);
        for earlier in self.asides(run).filter(|p| p.exists() && !place.exists()) {
            let state = self.state_at(run, &earlier)?;
            if matches!(state, RunState::Done(_) | RunState::Unfinished(_)) {
                fs_err::rename(&earlier, &place)?;
                return Ok(state);
            }
        }
        Ok(RunState::Missing)
    }

    fn asides(&self, run: &Run) -> impl Iterator<Item = PathBuf> + use<> {
        let place = self.run_path(run);
        (1..=MOST_ASIDE).map(move |i| PathBuf::from(format!("{}.old-{i}", place.display())))
    }

    /// Whether the file that filled the encoder is still what it was.
    fn same_start(&self, recipe: &Recipe, root: &Path) -> bool {
        let Some(start) = &recipe.pretrained else { return true };
        let then = BegunWith::read(root).and_then(|begun| begun.blake3);
        let mut known = self.files.borrow_mut();
        let now = known.entry(start.clone()).or_insert_with(|| start.blake3());
        // A file that is gone since cannot have changed what was trained.
        then.is_none() || now.is_none() || then == *now
    }

    fn same_images(&self, run: &Run, mut then: Vec<SplitRecord>) -> bool {
        // A run of an older version is compared by the hashes it wrote.
        let kind = then.first().map_or(ImageHash::StoredPixels, |r| r.image_hash);
        let part = |names: Vec<String>, part: &str| {
            let of = |name: String| {
                let record = self.contents.records.get(&name)?.iter().find(|r| r.image_hash == kind)?;
                Some(SplitRecord { part: part.to_owned(), ..record.clone() })
            };
            names.into_iter().filter_map(of).collect::<Vec<_>>()
        };
        let mut now = part(self.learnt_from(run.part), "train");
        now.extend(part(self.scored_on(run.part), "val"));
        then.sort();
        now.sort();
        then == now
    }
}

/// Whether a run was trained by this recipe. The path of the pretrained file may differ: what is in it is compared
/// elsewhere, and a project that moves must not train anew. A grey range that was left to the data is what came of it.
pub(crate) fn same_recipe(recipe: &Recipe, status: &Status, root: &Path) -> bool {
    if status.recipe_hash == recipe.hash() {
        return true;
    }
    let text = std::fs::read_to_string(RunFile::Recipe.path_in(root)).unwrap_or_default();
    let Ok(mut then) = sorby_train::parse(&text, &[]) else { return false };
    if then.hash() != status.recipe_hash {
        return false;
    }
    if recipe.data.grey_range == GreyRangeSetting::Auto {
        then.data.grey_range = GreyRangeSetting::Auto;
    }
    let both = then.pretrained.is_some() && recipe.pretrained.is_some();
    if both && RunFile::Pretrained.path_in(root).is_file() {
        then.pretrained.clone_from(&recipe.pretrained);
    }
    then == *recipe
}
