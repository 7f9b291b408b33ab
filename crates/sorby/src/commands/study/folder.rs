//! A study on disk.
//!
//! ```text
//! study.toml     what was asked, paths made absolute     recipes/<run>.toml  resolved recipe of a run
//! dataset.toml   the data set, with the study's folds    runs/<run>/         run folders of `sorby train`
//! lock           held while a process works on it        logs/<run>.txt      what a run printed
//! ```

use anyhow::{Context as _, bail};
use sorby_data::{Dataset, Manifest, Sample};
use sorby_image::write::atomically;
use sorby_infer::Confusion;
use sorby_study::{Part, Protocol, Run, Scores, StudySpec};
use sorby_train::{IMAGE_COUNTS, ImageCounts, Metric, Recipe, RunFolder, SplitRecord, State, Status};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

/// A study that is laid out and can be worked on.
pub struct StudyFolder {
    pub root: PathBuf,
    pub spec: StudySpec,
    pub data: Dataset,
    /// Names of each fold's images; none in the paper's protocol.
    pub folds: Vec<Vec<String>>,
    /// Content of every image that takes part.
    contents: BTreeMap<String, SplitRecord>,
    _lock: Option<File>,
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
const DATASET: &str = "dataset.toml";

fn fold_name(fold: usize) -> String {
    format!("study-fold-{}", fold + 1)
}

impl StudyFolder {
    /// Lays a study out in `root`, or takes up the one that is there.
    pub fn create(root: &Path, mut spec: StudySpec, data_path: &Path) -> anyhow::Result<Self> {
        let data = super::super::inputs::open(data_path)?;
        if spec.title.is_empty() {
            spec.title = title_of(data_path);
        }
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
                sorby_study::assign(&pool, &data.manifest.specimens, spec.folds, 0)
                    .map_err(|what| anyhow::anyhow!("{}: {what}", data_path.display()))?
            }
        };
        data.split(&spec.test)?;
        let manifest = manifest_with_folds(&data.manifest, data_path, &folds)?;
        atomically(&root.join(DATASET), toml::to_string(&manifest)?.as_bytes())?;
        atomically(&root.join(SPEC), toml::to_string(&spec)?.as_bytes())?;
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
        let record = |s: &Sample| (s.name.clone(), SplitRecord::of(s, ""));
        let contents = data.load(&items)?.iter().map(record).collect();
        Ok(Self { root: root.to_owned(), spec, data, folds, contents, _lock: lock })
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
        let root = self.run_path(run);
        let Ok(text) = std::fs::read(root.join("status.json")) else {
            // Killed before its first step, a run leaves nothing worth keeping.
            let begun = root.join("checkpoints").exists() || root.join("model.safetensors").exists();
            return Ok(if begun { RunState::Stale } else { RunState::Missing });
        };
        let Ok(status) = serde_json::from_slice::<Status>(&text) else { return Ok(RunState::Stale) };
        if status.recipe_hash != self.recipe(run)?.hash() || !self.same_images(run, &root)? {
            return Ok(RunState::Stale);
        }
        if status.state != State::Done {
            return Ok(RunState::Unfinished(status));
        }
        let images: Option<Vec<ImageCounts>> =
            std::fs::read(root.join(IMAGE_COUNTS)).ok().and_then(|t| serde_json::from_slice(&t).ok());
        let scored: Option<Vec<(String, Confusion)>> =
            images.into_iter().flatten().map(|i| Some((i.name, Confusion::from_matrix(i.matrix)?))).collect();
        Ok(scored.filter(|s| !s.is_empty()).map_or(RunState::Stale, RunState::Done))
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

    /// Scores of all finished runs that the study knows of, reaching as far as its stages can be told.
    pub fn scores(&self, failed: &[Run]) -> anyhow::Result<Scores> {
        let mut scores: Scores = failed.iter().map(|run| (run.clone(), None)).collect();
        loop {
            let sorby_study::Stage::Train(_, runs) = self.spec.next(&scores) else { break };
            let before = scores.len();
            for run in runs {
                if let RunState::Done(images) = self.state(&run)? {
                    scores.insert(run, Some(images));
                }
            }
            if scores.len() == before {
                break;
            }
        }
        Ok(scores)
    }

    /// Wall time of a run's steps in seconds.
    pub fn seconds(&self, run: &Run) -> f64 {
        let metrics: Vec<Metric> = RunFolder::read_lines(&self.run_path(run), "metrics.jsonl");
        metrics.iter().map(|m| m.seconds).sum()
    }
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

fn manifest_with_folds(manifest: &Manifest, path: &Path, folds: &[Vec<String>]) -> anyhow::Result<Manifest> {
    let mut manifest = manifest.clone();
    let root = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new("")) };
    for folder in &mut manifest.folders {
        for place in [&mut folder.images, &mut folder.labels] {
            *place = std::path::absolute(root.join(&place))?.to_string_lossy().into_owned();
        }
    }
    manifest.folds.extend(folds.iter().enumerate().map(|(f, names)| (fold_name(f), names.clone())));
    Ok(manifest)
}
