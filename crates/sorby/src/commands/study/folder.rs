//! A study on disk.
//!
//! ```text
//! study.toml     what was asked, paths made absolute     recipes/<run>.toml  resolved recipe of a run
//! base.toml      the base recipe as it was then          runs/<run>/         run folders of `sorby train`
//! dataset.toml   the data set, with the study's folds    logs/<run>.txt      what a run printed
//! lock           held while a process works on it        failures/<run>.json  why a run failed
//! budget.json    folds, seeds and iterations, if planned
//! ```

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use sorby_data::{Dataset, Manifest, Sample};
use sorby_image::write::atomically;
use sorby_infer::Confusion;
use sorby_study::{Part, Protocol, Run, Scores, Stage, StudySpec};
use sorby_train::{
    IMAGE_COUNTS, ImageCounts, Metric, Recipe, RunFolder, SplitRecord, State, Status, file_blake3,
};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};

/// A study that is laid out and can be worked on.
pub struct StudyFolder {
    pub root: PathBuf,
    pub spec: StudySpec,
    pub data: Dataset,
    /// Names of each fold's images; none in the paper's protocol.
    pub folds: Vec<Vec<String>>,
    /// Numbers that all images hold together.
    values: u64,
    /// Content of every image that takes part.
    contents: BTreeMap<String, SplitRecord>,
    /// Hashes of pretrained files, computed once.
    files: RefCell<HashMap<PathBuf, Option<String>>>,
    _lock: Option<File>,
}

/// `failures/<run>.json`.
#[derive(Serialize, Deserialize)]
struct Failure {
    recipe_hash: String,
    reason: String,
}

/// What a run folder says.
pub enum RunState {
    Missing,
    /// Of another recipe or other data.
    Stale,
    Unfinished(Status),
    Done(Vec<(String, Confusion)>),
}

const SPEC: &str = "study.toml";
const BASE: &str = "base.toml";
const DATASET: &str = "dataset.toml";

fn fold_name(fold: usize) -> String {
    format!("study-fold-{}", fold + 1)
}

impl StudyFolder {
    /// Lays a study out in `root`, or takes up the one that is there.
    pub fn create(root: &Path, mut spec: StudySpec, data_path: &Path) -> anyhow::Result<Self> {
        let data = super::super::inputs::open(data_path)?;
        let twins = super::super::inputs::warn_of(&data).twins;
        if spec.title.is_empty() {
            spec.title = title_of(data_path);
        }
        require_same_data(root, &data.manifest, data_path)?;
        fs_err::create_dir_all(root)?;
        let path = root.join("lock");
        let lock = fs_err::File::create(&path)?.into_parts().0;
        if lock.try_lock().is_err() {
            bail!("{}: another process is working on this study", root.display());
        }
        let folds = match spec.protocol {
            Protocol::Paper => Vec::new(),
            Protocol::Sound => {
                let pool = pool(&spec, &data)?;
                let specimens = sorby_study::with_twins(&data.manifest.specimens, &twins);
                for (a, b) in twins.iter().filter(|(a, b)| pool.contains(a) && pool.contains(b)) {
                    eprintln!("note: `{a}` and `{b}` show the same place, so one fold has both");
                }
                sorby_study::assign(&pool, &specimens, spec.folds, 0)
                    .map_err(|what| anyhow::anyhow!("{}: {what}", data_path.display()))?
            }
        };
        let (names, test) = (pool(&spec, &data)?, data.split(&spec.test)?);
        for (specimen, images) in &data.manifest.specimens {
            if names.iter().any(|n| images.contains(n)) && test.iter().any(|i| images.contains(&i.name)) {
                eprintln!(
                    "note: specimen `{specimen}` is learnt from and tested on: the test tells of this specimen, not of another"
                );
            }
        }
        let named: Vec<_> =
            folds.iter().enumerate().map(|(f, names)| (fold_name(f), names.clone())).collect();
        for class in absent(&data, &test)? {
            eprintln!(
                "note: no test image has class `{class}`: its IoU is 0 for a model that finds a pixel of it, and left out of \
                 mIoU for one that does not; gains with intervals leave it out for all"
            );
        }
        let manifest = manifest_with_folds(&data.manifest, data_path, &named)?;
        atomically(&root.join(DATASET), toml::to_string(&manifest)?.as_bytes())?;
        // What the study says later must not depend on a file that is edited, or on a preset of another version.
        let base = toml::to_string(&spec.base_table()?)?;
        if std::fs::read_to_string(root.join(BASE)).is_ok_and(|then| then != base) {
            eprintln!(
                "note: the base recipe ({}) is not what it was when this study began; trainings of the old one are set aside",
                spec.base.display()
            );
        }
        atomically(&root.join(BASE), base.as_bytes())?;
        let kept = StudySpec { base: BASE.into(), ..spec };
        let text = toml::to_string(&kept)?;
        atomically(&root.join(SPEC), text.as_bytes())?;
        let spec = StudySpec::parse(&text, root).with_context(|| root.join(SPEC).display().to_string())?;
        Self::load(root, spec, folds, Some(lock))
    }

    /// A study to look at.
    pub fn open(root: &Path) -> anyhow::Result<Self> {
        let path = root.join(SPEC);
        if !path.is_file() {
            bail!("{}: is not a study's folder (no {SPEC})", root.display());
        }
        let text = fs_err::read_to_string(&path)?;
        let spec = StudySpec::parse(&text, root).with_context(|| path.display().to_string())?;
        let manifest = Manifest::read(&root.join(DATASET))?;
        let folds = (0..).map_while(|f| manifest.folds.get(&fold_name(f)).cloned()).collect();
        Self::load(root, spec, folds, None)
    }

    fn load(
        root: &Path,
        spec: StudySpec,
        folds: Vec<Vec<String>>,
        lock: Option<File>,
    ) -> anyhow::Result<Self> {
        let data = super::super::inputs::open(&root.join(DATASET))?;
        let mut items = data.split(&spec.test)?;
        for split in &spec.train {
            items.extend(data.split(split)?);
        }
        items.sort_by(|a, b| a.name.cmp(&b.name));
        items.dedup_by(|a, b| a.name == b.name);
        let samples = data.load(&items)?;
        require_classes(&data, &samples, &folds)?;
        let values =
            samples.iter().map(|s| (s.image.width * s.image.height * s.image.channels()) as u64).sum();
        let record = |s: &Sample| (s.name.clone(), SplitRecord::of(s, ""));
        let contents = samples.iter().map(record).collect();
        Ok(Self {
            root: root.to_owned(),
            spec,
            data,
            folds,
            values,
            contents,
            files: RefCell::default(),
            _lock: lock,
        })
    }

    /// Refuses what would end with the system killing one of `jobs` trainings at once.
    pub fn require_memory(&self, jobs: usize) -> anyhow::Result<()> {
        let Some(available) = sorby_train::available_bytes() else { return Ok(()) };
        let mut needed = 0;
        for trick in std::iter::once(Vec::new()).chain(self.spec.tricks.iter().map(|t| vec![t.clone()])) {
            let (_, recipe) = self.spec.recipe_with(&trick)?;
            needed = needed.max(sorby_train::estimated_bytes(&recipe, self.values));
        }
        let (needed_mb, available_mb) = (needed >> 20, available >> 20);
        if needed.saturating_mul(jobs as u64) > available {
            bail!(
                "{jobs} trainings at once need about {jobs} x {needed_mb} MB of memory and {available_mb} MB are free; \
                 take fewer --jobs or a smaller data.batch or data.crop"
            );
        }
        Ok(())
    }

    pub fn dataset_path(&self) -> PathBuf {
        self.root.join(DATASET)
    }

    pub fn run_path(&self, run: &Run) -> PathBuf {
        self.root.join("runs").join(self.spec.run_id(run))
    }

    /// The resolved recipe of a run.
    pub fn recipe(&self, run: &Run) -> anyhow::Result<Recipe> {
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
    pub fn scored_on(&self, part: Part) -> anyhow::Result<Vec<String>> {
        match part {
            Part::Fold(fold) => Ok(self.folds[fold].clone()),
            Part::All => Ok(self.data.split(&self.spec.test)?.iter().map(|i| i.name.clone()).collect()),
        }
    }

    fn learnt_from(&self, part: Part) -> anyhow::Result<Vec<String>> {
        match part {
            Part::Fold(fold) => {
                let others = self.folds.iter().enumerate().filter(|(f, _)| *f != fold);
                Ok(others.flat_map(|(_, names)| names.clone()).collect())
            }
            Part::All => pool(&self.spec, &self.data),
        }
    }

    /// What a run's folder holds. Only the same recipe on the same images counts as that run.
    pub fn state(&self, run: &Run) -> anyhow::Result<RunState> {
        self.state_at(run, &self.run_path(run))
    }

    /// What a folder holds, taken as that run's.
    fn state_at(&self, run: &Run, root: &Path) -> anyhow::Result<RunState> {
        let Ok(text) = std::fs::read(root.join("status.json")) else {
            // Killed before its first step, a run leaves nothing worth keeping.
            let begun = root.join("checkpoints").exists() || root.join("model.safetensors").exists();
            return Ok(if begun { RunState::Stale } else { RunState::Missing });
        };
        let Ok(status) = serde_json::from_slice::<Status>(&text) else { return Ok(RunState::Stale) };
        let recipe = self.recipe(run)?;
        if !same_recipe(&recipe, &status, root)
            || !self.same_images(run, root)?
            || !self.same_start(&recipe, root)
        {
            return Ok(RunState::Stale);
        }
        if status.state != State::Done {
            return Ok(RunState::Unfinished(status));
        }
        let images: Option<Vec<ImageCounts>> =
            std::fs::read(root.join(IMAGE_COUNTS)).ok().and_then(|t| serde_json::from_slice(&t).ok());
        let classes = self.data.manifest.classes.len();
        let scored: Option<Vec<(String, Confusion)>> = images
            .into_iter()
            .flatten()
            .map(|i| {
                Some((i.name, Confusion::from_matrix(i.matrix).filter(|c| c.matrix().len() == classes)?))
            })
            .collect();
        Ok(scored.filter(|s| !s.is_empty()).map_or(RunState::Stale, RunState::Done))
    }

    /// Makes way for a run whose folder holds another recipe's: it is renamed, never deleted. If what was set aside
    /// earlier is this very run, it is taken back.
    pub fn set_aside(&self, run: &Run) -> anyhow::Result<RunState> {
        let place = self.run_path(run);
        let old = |i: u32| PathBuf::from(format!("{}.old-{i}", place.display()));
        if place.exists() {
            let free = (1..).map(old).find(|p| !p.exists()).context("no free name")?;
            fs_err::rename(&place, free)?;
        }
        for earlier in (1..).map(old).take_while(|p| p.exists()) {
            let state = self.state_at(run, &earlier)?;
            if matches!(state, RunState::Done(_) | RunState::Unfinished(_)) {
                fs_err::rename(&earlier, &place)?;
                return Ok(state);
            }
        }
        Ok(RunState::Missing)
    }

    /// Whether the file that filled the encoder is still what it was.
    fn same_start(&self, recipe: &Recipe, root: &Path) -> bool {
        let Some(file) = &recipe.pretrained else { return true };
        let keys: Option<serde_json::Value> =
            std::fs::read(root.join("pretrained.json")).ok().and_then(|t| serde_json::from_slice(&t).ok());
        let then = keys.as_ref().and_then(|k| k["blake3"].as_str());
        let mut known = self.files.borrow_mut();
        let now = known.entry(file.clone()).or_insert_with(|| file_blake3(file));
        // A file that is gone since cannot have changed what was trained.
        then.is_none() || now.is_none() || then == now.as_deref()
    }

    fn same_images(&self, run: &Run, root: &Path) -> anyhow::Result<bool> {
        let Some(mut then) = std::fs::read(root.join("split.json"))
            .ok()
            .and_then(|t| serde_json::from_slice::<Vec<SplitRecord>>(&t).ok())
        else {
            return Ok(false);
        };
        let part = |names: Vec<String>, part: &str| {
            let of = |name: String| {
                self.contents.get(&name).map(|r| SplitRecord { part: part.to_owned(), ..r.clone() })
            };
            names.into_iter().filter_map(of).collect::<Vec<_>>()
        };
        let mut now = part(self.learnt_from(run.part)?, "train");
        now.extend(part(self.scored_on(run.part)?, "val"));
        then.sort();
        now.sort();
        Ok(then == now)
    }

    fn failure_path(&self, run: &Run) -> PathBuf {
        self.root.join("failures").join(format!("{}.json", self.spec.run_id(run)))
    }

    /// Writes down why a run failed.
    pub fn record_failure(&self, run: &Run, reason: &str) -> anyhow::Result<()> {
        let failure = Failure { recipe_hash: self.recipe(run)?.hash(), reason: reason.to_owned() };
        Ok(atomically(&self.failure_path(run), serde_json::to_string_pretty(&failure)?.as_bytes())?)
    }

    /// Why a run failed, if that was the last that was heard of it.
    pub fn failure(&self, run: &Run) -> Option<String> {
        let text = std::fs::read(self.failure_path(run)).ok()?;
        let failure: Failure = serde_json::from_slice(&text).ok()?;
        (failure.recipe_hash == self.recipe(run).ok()?.hash()).then_some(failure.reason)
    }

    /// Scores of all runs that were tried, reaching as far as the study's stages can be told. `failed` says which of
    /// the runs that are not done count as tried.
    pub fn scores(&self, failed: impl Fn(&Run) -> bool) -> anyhow::Result<Scores> {
        let mut scores = Scores::new();
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
    pub fn tried_scores(&self) -> anyhow::Result<Scores> {
        self.scores(|run| self.failure(run).is_some())
    }

    /// Wall time of a run's steps in seconds.
    pub fn seconds(&self, run: &Run) -> f64 {
        let metrics: Vec<Metric> = RunFolder::read_lines(&self.run_path(run), "metrics.jsonl");
        metrics.iter().map(|m| m.seconds).sum()
    }
}

/// Whether a run was trained by this recipe. The path of the pretrained file may differ: what is in it is compared
/// elsewhere, and a project that moves must not train anew.
fn same_recipe(recipe: &Recipe, status: &Status, root: &Path) -> bool {
    if status.recipe_hash == recipe.hash() {
        return true;
    }
    let text = std::fs::read_to_string(root.join("recipe.toml")).unwrap_or_default();
    let Ok(mut then) = sorby_train::parse(&text, &[]) else { return false };
    let known = root.join("pretrained.json").is_file();
    let ours = then.hash() == status.recipe_hash && then.pretrained.is_some() && recipe.pretrained.is_some();
    then.pretrained.clone_from(&recipe.pretrained);
    known && ours && then == *recipe
}

/// A folder that holds the study of other data is not taken over. Data that moved are the same.
fn require_same_data(root: &Path, manifest: &Manifest, data_path: &Path) -> anyhow::Result<()> {
    let Ok(before) = Manifest::read(&root.join(DATASET)) else { return Ok(()) };
    let real = |folder: &str| std::fs::canonicalize(folder).ok();
    let now = manifest_with_folds(manifest, data_path, &[])?;
    let now: Vec<_> = now.folders.iter().filter_map(|f| real(&f.images)).collect();
    let mut then = before.folders.iter().filter_map(|f| real(&f.images));
    match then.find(|folder| !now.contains(folder)) {
        Some(other) => {
            bail!("{}: holds a study of {}; give this one another --out", root.display(), other.display())
        }
        None => Ok(()),
    }
}

/// Classes that no label of these images has.
fn absent(data: &Dataset, items: &[&sorby_data::Item]) -> anyhow::Result<Vec<String>> {
    let mut counts = vec![0u64; data.manifest.classes.len()];
    for item in items {
        let label = data.load_label(item).map_err(|problem| sorby_data::DataError(vec![problem]))?;
        counts.iter_mut().zip(label.histogram()).for_each(|(c, n)| *c += n);
    }
    let names = data.manifest.class_names();
    Ok(names.into_iter().zip(counts).filter(|(_, n)| *n == 0).map(|(name, _)| name).collect())
}

/// Every class must be learnable without any one fold.
fn require_classes(data: &Dataset, samples: &[Sample], folds: &[Vec<String>]) -> anyhow::Result<()> {
    for (c, class) in data.manifest.classes.iter().enumerate() {
        let with: Vec<&String> =
            samples.iter().filter(|s| s.label.histogram()[c] > 0).map(|s| &s.name).collect();
        for (f, fold) in folds.iter().enumerate() {
            let elsewhere = folds.iter().enumerate().filter(|(g, _)| *g != f).flat_map(|(_, names)| names);
            if !elsewhere.into_iter().any(|name| with.contains(&name)) {
                bail!(
                    "class `{}` is only in images of fold {} ({}), so that nothing is left to learn it from; use more \
                     folds, label it in other images, or give up [specimens]",
                    class.name,
                    f + 1,
                    fold.join(", ")
                );
            }
        }
    }
    Ok(())
}

/// Names of the images that are learnt from.
pub fn pool(spec: &StudySpec, data: &Dataset) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for split in &spec.train {
        names.extend(data.split(split)?.iter().map(|i| i.name.clone()));
    }
    names.sort();
    names.dedup();
    let test = data.split(&spec.test)?;
    if let Some(both) = test.iter().find(|i| names.contains(&i.name)) {
        bail!("`{}` is both a test image and learnt from", both.name);
    }
    Ok(names)
}

/// The name of a data set's folder, or of its manifest.
fn title_of(path: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or(path.to_owned());
    let named =
        if path.file_name().is_some_and(|n| n == DATASET) { path.parent() } else { Some(path.as_path()) };
    named.map(super::super::inputs::stem).unwrap_or_default()
}

/// `manifest` of the data set at `path` for a file elsewhere, with these folds added.
pub fn manifest_with_folds(
    manifest: &Manifest,
    path: &Path,
    folds: &[(String, Vec<String>)],
) -> anyhow::Result<Manifest> {
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
