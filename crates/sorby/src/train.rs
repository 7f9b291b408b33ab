//! Training: from a recipe and a data set to a run folder with its models.

use crate::budget::{self, Costs};
use crate::data::{learnt_from, warn_of_problems};
use crate::device_check::require_right;
use crate::error::{Context as _, refuse};
use crate::study::same_recipe;
use crate::words::duration;
use crate::{DeviceOptions, Event, Observer, Result, listing};
use serde_json::{Value, json};
use sorby_data::Dataset;
use sorby_infer::Device;
use sorby_train::{
    Outcome, PRESETS, Pretrained, Recipe, RunFile, RunFolder, State, Status, Trainer, parse, preset,
};
use std::path::{Path, PathBuf};

/// Its key for the starts before.
const EARLIER: &str = "earlier_starts";

/// A recipe, and the text that it was made of.
#[derive(Clone, Debug)]
pub struct NamedRecipe {
    /// Name of the file, or of the built-in recipe.
    pub name: String,
    /// As it was written.
    pub source: String,
    /// As it is used.
    pub recipe: Recipe,
}

impl NamedRecipe {
    /// Reads a recipe file or takes a built-in recipe (`coffee`, `lunch`, `overnight`, `paper`), with keys changed by
    /// `KEY=VALUE`.
    ///
    /// # Errors
    /// When there is no such recipe, or a key or value is wrong.
    pub fn read(path: &Path, overrides: &[String]) -> Result<Self> {
        let source = match path.to_str().and_then(preset) {
            Some(text) if !path.is_file() => text.to_owned(),
            _ => fs_err::read_to_string(path).with_context(|| {
                format!("built-in recipes are {}", PRESETS.map(|(name, _)| name).join(", "))
            })?,
        };
        let mut recipe = parse(&source, overrides).with_context(|| path.display().to_string())?;
        // Kept whole in the run folder, so that it can be resumed from anywhere.
        if let Some(Pretrained::File(weights)) = &mut recipe.pretrained {
            *weights = std::path::absolute(&weights)?;
        }
        Ok(Self { name: listing::stem(path), source, recipe })
    }
}

/// How a training is started.
#[derive(Clone, Debug, Default)]
pub struct TrainOptions {
    /// Run folder; default: `runs/` and the recipe's name, with a number if it is taken.
    pub out: Option<PathBuf>,
    /// As many iterations as take so many seconds here.
    pub time_s: Option<f64>,
    /// Where to compute.
    pub device: DeviceOptions,
    /// The data set has been checked already.
    pub data_is_checked: bool,
    /// What was typed, to be kept in the run folder.
    pub arguments: Vec<String>,
}

/// A run folder with its data set, ready to be trained.
pub struct Training {
    run: RunFolder,
    data: PathBuf,
    dataset: Dataset,
    device: Device,
    on: DeviceOptions,
    start: Start,
    environment: Value,
}

enum Start {
    New(Box<Recipe>),
    /// With another number of iterations, if that is wanted.
    Again(Option<u64>),
}

impl Training {
    /// Makes the run folder of a new run.
    ///
    /// # Errors
    /// When recipe or data cannot be used; then there is no folder.
    pub fn begin(
        mut named: NamedRecipe,
        data: &Path,
        options: &TrainOptions,
        observer: &dyn Observer,
    ) -> Result<Self> {
        let device = options.device.open()?;
        let recipe = &mut named.recipe;
        // Opened before the folder is made: a mistake in the data should leave nothing behind.
        let dataset = Dataset::open(data)?;
        for split in recipe.data.train.iter().chain((!recipe.data.val.is_empty()).then_some(&recipe.data.val))
        {
            dataset.require_scales(&dataset.split(split)?)?;
        }
        if !options.data_is_checked {
            warn_of_problems(&dataset, observer);
        }
        require_right(&options.device, recipe, dataset.manifest.classes.len(), observer)?;
        if let Some(time_s) = options.time_s {
            fit(recipe, time_s, &dataset, &device, observer)?;
        }
        let root = options.out.clone().unwrap_or_else(|| free_name(&Path::new("runs").join(&named.name)));
        let run = RunFolder::create(&root)?;
        run.write(RunFile::Source, named.source.as_bytes())?;
        run.write(RunFile::DataPath, &noted_path(&std::path::absolute(data)?))?;
        let environment = environment(options);
        run.write_json(RunFile::Environment, &environment)?;
        run.write(RunFile::Recipe, named.recipe.to_toml().as_bytes())?;
        let start = Start::New(Box::new(named.recipe));
        let (data, on) = (data.to_owned(), options.device.clone());
        Ok(Self { run, data, dataset, device, on, start, environment })
    }

    /// Begins the run in the folder of the options, or goes on with the one that is there; `None` where that is finished.
    ///
    /// # Errors
    /// As [`Training::begin`] and [`Training::resume`]; also when the folder holds a run of another recipe.
    pub fn begin_or_resume(
        named: NamedRecipe,
        data: &Path,
        options: &TrainOptions,
        observer: &dyn Observer,
    ) -> Result<Option<Self>> {
        let root = options.out.as_deref().context("--continue: name the run folder with --out")?;
        let status = std::fs::read(RunFile::Status.path_in(root)).ok();
        let status = status.and_then(|text| serde_json::from_slice::<Status>(&text).ok());
        if let Some(status) = &status
            && !same_recipe(&named.recipe, status, root)
        {
            refuse!("{}: holds a run of another recipe; name another --out", root.display());
        }
        if status.is_some_and(|s| s.state == State::Done) {
            return Ok(None);
        }
        if RunFile::Checkpoints.path_in(root).is_dir() {
            return Self::resume(root, Some(data), None, options, observer).map(Some);
        }
        Self::begin(named, data, options, observer).map(Some)
    }

    /// Takes a run up again, with the recipe, classes and data it began with; `iterations` makes it end at another
    /// iteration.
    ///
    /// # Errors
    /// When the folder is no run's, another process works on it, or the data set cannot be read.
    pub fn resume(
        root: &Path,
        data: Option<&Path>,
        iterations: Option<u64>,
        options: &TrainOptions,
        observer: &dyn Observer,
    ) -> Result<Self> {
        let device = options.device.open()?;
        if let Some(holder) = RunFolder::left_elsewhere(root) {
            observer.say(format!(
                "{}: process {} of {} was at work here and did not say that it ended; looking on for up to a minute whether it lives",
                root.display(),
                holder.pid,
                holder.host
            ));
        }
        let run = RunFolder::open(root)?;
        let data = match data {
            Some(data) => data.to_owned(),
            None => path_noted(fs_err::read(run.path(RunFile::DataPath))?),
        };
        let dataset = Dataset::open(&data)?;
        let (start, on) = (Start::Again(iterations), options.device.clone());
        Ok(Self { run, data, dataset, device, on, start, environment: environment(options) })
    }

    /// Loads and checks all that the training needs, before time is spent.
    ///
    /// # Errors
    /// When data, classes or memory do not do, or a run that goes on is not what it began as.
    pub fn trainer(&self) -> Result<Trainer<'_>> {
        Ok(match &self.start {
            Start::New(recipe) => {
                Trainer::new((**recipe).clone(), &self.dataset, &self.run, self.device.clone())?
            }
            Start::Again(iterations) => {
                let trainer = Trainer::resume(&self.dataset, &self.run, self.device.clone(), *iterations)?;
                // On another machine than before, perhaps.
                require_right(&self.on, trainer.recipe(), self.classes().len(), &())?;
                self.run.write_json(RunFile::Environment, &self.with_earlier_starts())?;
                trainer
            }
        })
    }

    /// The environment of this start, which keeps those of the starts before.
    fn with_earlier_starts(&self) -> Value {
        let mut now = self.environment.clone();
        let file = sorby_image::files::read_regular(&self.run.path(RunFile::Environment)).ok();
        if let Some(mut before) = file.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok()) {
            let taken = before.as_object_mut().and_then(|b| b.remove(EARLIER));
            let mut earlier = taken.and_then(|e| e.as_array().cloned()).unwrap_or_default();
            earlier.push(before);
            now[EARLIER] = earlier.into();
        }
        now
    }

    /// Trains until the end, or until the observer asks to stop: then [`Training::resume`] goes on.
    ///
    /// # Errors
    /// As [`Training::trainer`]; also when the loss is no number any more, or a file cannot be written.
    pub fn finish(&self, observer: &dyn Observer) -> Result<Outcome> {
        let trainer = self.trainer()?;
        let total = trainer.recipe().schedule.iterations as usize;
        observer.begin_stopping();
        observer.event(Event::Begin { total, unit: "it" });
        let mut show = |event: sorby_train::Event| match event {
            sorby_train::Event::Note(note) => observer.note(note.to_owned()),
            sorby_train::Event::Step(m) => {
                let text = format!("loss {:.4}", m.loss);
                observer.event(Event::At { done: m.iteration, text });
            }
            _ => {}
        };
        let outcome = trainer.run(&mut show, &|| observer.stop_asked());
        observer.event(Event::End);
        Ok(outcome?)
    }

    /// The run's folder.
    pub fn run(&self) -> &RunFolder {
        &self.run
    }

    /// The data set's place.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Names of the classes in index order.
    pub fn classes(&self) -> Vec<String> {
        self.dataset.manifest.class_names()
    }
}

/// What a training came to, for other programs: iterations, `stopped`, `best`, and the scores of the last validation (`null`
/// without one).
pub fn outcome_json(outcome: &Outcome, classes: &[String]) -> Value {
    let best =
        outcome.best.map(|(iteration, mean_iou)| json!({"iteration": iteration, "mean_iou": mean_iou}));
    json!({
        "iterations": outcome.iterations,
        "stopped": outcome.stopped,
        "best": best,
        "scores": outcome.last.as_ref().map(|s| scores_json(s, classes)),
    })
}

/// Scores whose classes have their `name`.
pub fn scores_json(scores: &sorby_score::Scores, classes: &[String]) -> Value {
    let mut value = json!(scores);
    for (name, class) in classes.iter().zip(value["classes"].as_array_mut().into_iter().flatten()) {
        class["name"] = json!(name);
    }
    value
}

/// Trains a new run to its end; gives its folder and its scores.
///
/// # Errors
/// As [`Training::begin`] and [`Training::trainer`]; also when the loss is no number any more, or a file cannot be
/// written.
pub fn train(
    recipe: NamedRecipe,
    data: &Path,
    options: &TrainOptions,
    observer: &dyn Observer,
) -> Result<(PathBuf, Outcome)> {
    let training = Training::begin(recipe, data, options, observer)?;
    Ok((training.run.root().to_owned(), training.finish(observer)?))
}

/// Sets the iterations that fit into the time.
fn fit(
    recipe: &mut Recipe,
    time_s: f64,
    dataset: &Dataset,
    device: &Device,
    observer: &dyn Observer,
) -> Result<()> {
    let samples = dataset.load(&learnt_from(dataset, recipe)?)?;
    let val_images = if recipe.data.val.is_empty() { 0 } else { dataset.split(&recipe.data.val)?.len() };
    let costs = Costs::measure(recipe, &samples, dataset.manifest.classes.len(), device)?;
    budget::fit(recipe, time_s, costs, val_images)?;
    observer.say(format!(
        "{} iterations fit into {}: {:.2} s for each, {:.1} s for a validation",
        recipe.schedule.iterations,
        duration(time_s),
        costs.step_s,
        costs.image_s * val_images as f64
    ));
    Ok(())
}

/// A path as a file holds it, also one that is no UTF-8.
fn noted_path(path: &Path) -> Vec<u8> {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        path.as_os_str().as_bytes().to_vec()
    }
    #[cfg(not(unix))]
    path.to_string_lossy().into_owned().into_bytes()
}

fn path_noted(bytes: Vec<u8>) -> PathBuf {
    let end = bytes.iter().rposition(|b| !b.is_ascii_whitespace()).map_or(0, |last| last + 1);
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        PathBuf::from(std::ffi::OsStr::from_bytes(&bytes[..end]))
    }
    #[cfg(not(unix))]
    PathBuf::from(String::from_utf8_lossy(&bytes[..end]).into_owned())
}

/// `name`, or `name-2`, `name-3`, ... if taken.
fn free_name(name: &Path) -> PathBuf {
    let numbered = |i: u32| PathBuf::from(format!("{}-{i}", name.display()));
    std::iter::once(name.to_owned())
        .chain((2..).map(numbered))
        .find(|p| !p.exists())
        .unwrap_or(name.to_owned())
}

fn environment(options: &TrainOptions) -> Value {
    json!({
        "sorby": env!("CARGO_PKG_VERSION"),
        "arguments": options.arguments,
        "device": options.device.name,
        "stock_operations": options.device.stock_operations,
        "threads": rayon::current_num_threads(),
        "system": std::env::consts::OS,
        "architecture": std::env::consts::ARCH,
        "simd": format!("{:?}", sorby_nn::simd_level()),
    })
}
