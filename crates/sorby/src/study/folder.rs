//! A study on disk.
//!
//! ```text
//! study.toml     what was asked, paths made absolute     recipes/<run>.toml  resolved recipe of a run
//! base.toml      the base recipe as it was then          runs/<run>/         run folders of `sorby train`
//! dataset.toml   the data set, with the study's folds    logs/<run>.txt      what a run printed
//! lock           held while a process works on it        failures/<run>.json  why a run failed
//! budget.json    folds, seeds and iterations, if planned  contents.json      hashes of images and labels
//! ```

use super::contents::{Contents, fingerprint, pool};
use super::preconditions::require_same_data;
use super::run_state::RunState;
use crate::data::warn_of_problems;
use crate::error::{Context as _, refuse, refused};
use crate::{Observer, Result, listing};
use serde::{Deserialize, Serialize};
use sorby_data::{Dataset, Manifest};
use sorby_image::held::{self, Held};
use sorby_image::write::atomically;
use sorby_study::{Part, Protocol, Run, RunScores, Stage, StudySpec};
use sorby_train::{Metric, Pretrained, Recipe, RunFolder};
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A study that is laid out and can be worked on.
pub struct StudyFolder {
    /// The folder.
    pub root: PathBuf,
    /// What was asked.
    pub spec: StudySpec,
    /// Of the data set, with the folds of the study.
    pub manifest: Manifest,
    /// Names of each fold's images; none in the paper's protocol.
    pub folds: Vec<Vec<String>>,
    /// What its images and labels hold.
    pub(super) contents: Contents,
    /// Hashes of pretrained files, computed once.
    pub(super) files: RefCell<HashMap<Pretrained, Option<String>>>,
    _lock: Option<Held>,
}

/// `failures/<run>.json`.
#[derive(Serialize, Deserialize)]
struct Failure {
    recipe_hash: String,
    reason: String,
}

const SPEC: &str = "study.toml";
const BASE: &str = "base.toml";
pub const DATASET: &str = "dataset.toml";
pub const FAILURES: &str = "failures";

fn fold_name(fold: usize) -> String {
    format!("study-fold-{}", fold + 1)
}

impl StudyFolder {
    /// Lays a study out in `root`, or takes up the one that is there.
    ///
    /// # Errors
    /// When the data cannot be used, the folder holds the study of other data, or another process works on it.
    pub fn create(
        root: &Path,
        mut spec: StudySpec,
        data_path: &Path,
        observer: &dyn Observer,
    ) -> Result<Self> {
        let data = Dataset::open(data_path)?;
        let found = warn_of_problems(&data, observer);
        if spec.title.is_empty() {
            spec.title = title_of(data_path);
        }
        require_same_data(root, &data.manifest, data_path)?;
        fs_err::create_dir_all(root)?;
        let lock = held::take(&root.join("lock"), Duration::ZERO, sorby_nn::simd_level().word())?;
        let Ok(lock) = lock else {
            refuse!("{}: another process is working on this study", root.display());
        };
        let (names, test) = (pool(&spec, &data)?, data.split(&spec.test)?);
        let folds = match spec.protocol {
            Protocol::Paper => Vec::new(),
            Protocol::Sound => {
                let specimens =
                    sorby_study::with_near_duplicates(&data.manifest.specimens, &found.near_duplicates);
                for (a, b) in
                    found.near_duplicates.iter().filter(|(a, b)| names.contains(a) && names.contains(b))
                {
                    observer.note(format!("`{a}` and `{b}` show the same place, so one fold has both"));
                }
                sorby_study::assign(&names, &specimens, spec.folds, 0)
                    .map_err(|what| refused!("{}: {what}", data_path.display()))?
            }
        };
        for (specimen, images) in &data.manifest.specimens {
            if names.iter().any(|n| images.contains(n)) && test.iter().any(|i| images.contains(&i.name)) {
                observer.note(format!(
                    "specimen `{specimen}` is learnt from and tested on: the test holds for this specimen, not for another"
                ));
            }
        }
        let named: Vec<_> =
            folds.iter().enumerate().map(|(f, names)| (fold_name(f), names.clone())).collect();
        for (_, class) in found.absent.iter().filter(|(split, _)| *split == spec.test) {
            observer.note(format!(
                "no test image has class `{class}`: its IoU is 0 for a model that finds a pixel of it, and left out of \
                 mIoU for one that does not; gains with intervals leave it out for all"
            ));
        }
        let manifest = manifest_with_folds(&data.manifest, data_path, &named)?;
        atomically(&root.join(DATASET), toml::to_string(&manifest)?.as_bytes())?;
        // What the study says later must not depend on a file that is edited, or on a preset of another version.
        let base = toml::to_string(&spec.base_table()?)?;
        if std::fs::read_to_string(root.join(BASE)).is_ok_and(|then| then != base) {
            observer.note(format!(
                "the base recipe ({}) is not what it was when this study began; trainings of the old one are set aside",
                spec.base.display()
            ));
        }
        atomically(&root.join(BASE), base.as_bytes())?;
        let kept = StudySpec { base: BASE.into(), ..spec };
        let text = toml::to_string(&kept)?;
        atomically(&root.join(SPEC), text.as_bytes())?;
        let spec = StudySpec::parse(&text, root).with_context(|| root.join(SPEC).display().to_string())?;
        Self::load(root, spec, folds, Some(lock))
    }

    /// A study to look at.
    ///
    /// # Errors
    /// When the folder is no study's, or its data cannot be read.
    pub fn open(root: &Path) -> Result<Self> {
        let path = root.join(SPEC);
        if !path.is_file() {
            refuse!("{}: is not a study's folder (no {SPEC})", root.display());
        }
        let text = fs_err::read_to_string(&path)?;
        let spec = StudySpec::parse(&text, root).with_context(|| path.display().to_string())?;
        let manifest = Manifest::read(&root.join(DATASET))?;
        let folds = (0..).map_while(|f| manifest.folds.get(&fold_name(f)).cloned()).collect();
        Self::load(root, spec, folds, None)
    }

    fn load(root: &Path, spec: StudySpec, folds: Vec<Vec<String>>, lock: Option<Held>) -> Result<Self> {
        let manifest = Manifest::read(&root.join(DATASET))?;
        let before = fingerprint(root, &manifest);
        let contents = match before.as_deref().and_then(|now| Contents::kept(root, now)) {
            Some(kept) => kept,
            None => {
                let data = Dataset::open(&root.join(DATASET))?;
                let read = Contents::read(&data, &spec, &folds)?;
                // Who only looks writes nothing.
                if lock.is_some() { read.keep(root, &manifest, before)? } else { read }
            }
        };
        let (root, files) = (root.to_owned(), RefCell::default());
        Ok(Self { root, spec, manifest, folds, contents, files, _lock: lock })
    }

    /// The data set with the folds of the study.
    pub fn dataset_path(&self) -> PathBuf {
        self.root.join(DATASET)
    }

    /// Run folder of a training.
    pub fn run_path(&self, run: &Run) -> PathBuf {
        self.root.join("runs").join(self.spec.run_id(run))
    }

    /// The resolved recipe of a run.
    ///
    /// # Errors
    /// When the study file is wrong.
    pub fn recipe(&self, run: &Run) -> Result<Recipe> {
        let (_, mut recipe) = self.spec.recipe_with(&run.tricks)?;
        recipe.arch = self.spec.archs[run.arch];
        recipe.seed = run.seed;
        match run.part {
            Part::All => {
                recipe.data.train = self.spec.train.clone();
                recipe.data.val = self.spec.test.clone();
                if self.spec.protocol == Protocol::Sound {
                    // The test images are looked at once.
                    recipe.schedule.validate_every = recipe.schedule.iterations;
                }
            }
            Part::Fold(fold) => {
                let others = (0..self.folds.len()).filter(|f| *f != fold);
                recipe.data.train = others.map(fold_name).collect();
                recipe.data.val = fold_name(fold);
            }
        }
        Ok(recipe)
    }

    /// Names of the images that a run is scored on.
    pub fn scored_on(&self, part: Part) -> Vec<String> {
        match part {
            Part::Fold(fold) => self.folds[fold].clone(),
            Part::All => self.contents.test.clone(),
        }
    }

    pub(super) fn learnt_from(&self, part: Part) -> Vec<String> {
        match part {
            Part::Fold(fold) => {
                let others = self.folds.iter().enumerate().filter(|(f, _)| *f != fold);
                others.flat_map(|(_, names)| names.clone()).collect()
            }
            Part::All => self.contents.pool.clone(),
        }
    }

    fn failure_path(&self, run: &Run) -> PathBuf {
        self.root.join(FAILURES).join(format!("{}.json", self.spec.run_id(run)))
    }

    /// Writes down why a run failed.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn record_failure(&self, run: &Run, reason: &str) -> Result<()> {
        note_failure(&self.failure_path(run), &self.recipe(run)?, reason)
    }

    /// Why a run failed, if that was the last that was heard of it.
    pub fn failure(&self, run: &Run) -> Option<String> {
        let text = std::fs::read(self.failure_path(run)).ok()?;
        let failure: Failure = serde_json::from_slice(&text).ok()?;
        (failure.recipe_hash == self.recipe(run).ok()?.hash()).then_some(failure.reason)
    }

    /// Scores of all runs that were tried, reaching as far as the study's stages can be told. `failed` says which of
    /// the runs that are not done count as tried.
    ///
    /// # Errors
    /// When a recipe or split of the study cannot be read.
    pub fn scores(&self, failed: impl Fn(&Run) -> bool) -> Result<RunScores> {
        let mut scores = RunScores::new();
        while let Stage::Train(_, runs) = self.spec.next(&scores) {
            let before = scores.len();
            for run in runs {
                if let RunState::Done(images) = self.state(&run)? {
                    scores.insert(run, Some(images));
                } else if failed(&run) {
                    scores.insert(run, None);
                }
            }
            if scores.len() == before {
                break;
            }
        }
        Ok(scores)
    }

    /// Scores of all runs that were tried, in this attempt or an earlier one.
    ///
    /// # Errors
    /// When a recipe or split of the study cannot be read.
    pub fn tried_scores(&self) -> Result<RunScores> {
        self.scores(|run| self.failure(run).is_some())
    }

    /// Wall time of a run's steps in seconds.
    pub fn seconds(&self, run: &Run) -> f64 {
        let metrics: Vec<Metric> = RunFolder::read_lines(&self.run_path(run));
        metrics.iter().map(|m| m.seconds).sum()
    }
}

/// Writes down why the training of a recipe failed.
///
/// # Errors
/// When the file cannot be written.
pub fn note_failure(file: &Path, recipe: &Recipe, reason: &str) -> Result<()> {
    let failure = Failure { recipe_hash: recipe.hash(), reason: reason.to_owned() };
    Ok(atomically(file, serde_json::to_string_pretty(&failure)?.as_bytes())?)
}

/// The name of a data set's folder, or of its manifest.
fn title_of(path: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or(path.to_owned());
    let named =
        if path.file_name().is_some_and(|n| n == DATASET) { path.parent() } else { Some(path.as_path()) };
    named.map(listing::stem).unwrap_or_default()
}

/// `manifest` of the data set at `path` for a file elsewhere, with these folds added.
pub fn manifest_with_folds(
    manifest: &Manifest,
    path: &Path,
    folds: &[(String, Vec<String>)],
) -> Result<Manifest> {
    let mut manifest = manifest.clone();
    let root = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new("")) };
    for folder in &mut manifest.folders {
        for place in [&mut folder.images, &mut folder.labels] {
            *place = std::path::absolute(root.join(&place))?.to_string_lossy().into_owned();
        }
    }
    manifest.folds.extend(folds.iter().cloned());
    Ok(manifest)
}
