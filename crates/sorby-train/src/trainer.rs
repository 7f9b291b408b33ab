//! The training loop.

use crate::checkpoint::{self, Carried, Loaded, Progress};
use crate::error::TrainError;
use crate::grey_choice::{self, GreyRangeSetting};
use crate::identity::{self, ITERATIONS, Identity};
use crate::memory::require_memory;
use crate::recipe::Recipe;
use crate::run_file::RunFile;
use crate::run_folder::{ImageCounts, Metric, RunFolder, State, Status, ValidationRecord};
use crate::split_record::{ImageHash, SplitRecord, hash_of};
use crate::start::{BUILTIN_NAME, Pretrained, load_pretrained};
use crate::step::{StepResult, step};
use crate::validate::validate;
use crate::written::Written;
use burn::tensor::Device;
use serde_json::json;
use sorby_data::{CropSource, DataError, Dataset, Sample};
use sorby_image::ImagePart;
use sorby_infer::{Calibrator, Domain, InferenceOptions, Model, ModelCard, Prediction, SeenImage};
use sorby_nn::Segmentor;
use sorby_nn::device::guarded;
use sorby_nn::weights::LoadedKeys;
use sorby_score::{Confusion, Scores};
use std::borrow::Cow;
use std::path::Path;

/// Masks of a validation that are kept to be looked at.
const MASKS_SHOWN: usize = 6;

/// What the loop reports to its observer.
pub enum Event<'a> {
    /// Before the first step.
    Started {
        /// Iterations that were found in the run folder.
        done: u64,
        /// Images that it learns from.
        train_images: usize,
        /// Images that it is validated on.
        val_images: usize,
    },
    /// What the encoder was filled from.
    Pretrained(LoadedKeys),
    /// Something about the run that its owner should know.
    Note(&'a str),
    /// After each iteration.
    Step(&'a Metric),
    /// After each validation.
    Validated {
        /// Iterations done.
        iteration: u64,
        /// Scores over all validation images.
        scores: &'a Scores,
    },
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Iterations done in all.
    pub iterations: u64,
    /// Scores of the last validation of this start; `None` without one.
    pub last: Option<Scores>,
    /// Best validation of the whole run: (iteration, mIoU).
    pub best: Option<(u64, f64)>,
    /// Whether it was asked to stop before its last iteration.
    pub stopped: bool,
}

/// What changes from step to step.
struct Going {
    model: Model,
    carried: Carried,
    written: Written,
    /// Best validation so far: iteration, mIoU.
    best: Option<(u64, f64)>,
    /// Scores of the last validation.
    last: Option<Scores>,
}

/// A run that is ready to go.
pub struct Trainer<'a> {
    recipe: Recipe,
    run: &'a RunFolder,
    device: Device,
    train: Vec<Sample>,
    val: Vec<Sample>,
    card: ModelCard,
    identity: Identity,
    notes: Vec<String>,
}

impl<'a> Trainer<'a> {
    /// Loads and checks everything before any time is spent: data, classes, memory.
    ///
    /// # Errors
    /// [`TrainError::Data`] when a split, an image or a class cannot be used; [`TrainError::Memory`] when memory
    /// does not suffice; [`TrainError::Run`] when the folder holds a run of another recipe or other data;
    /// [`TrainError::Io`] or [`TrainError::Write`] when a file of the run cannot be read or written.
    pub fn new(
        recipe: Recipe,
        data: &Dataset,
        run: &'a RunFolder,
        device: Device,
    ) -> Result<Self, TrainError> {
        Self::prepare(recipe, data, run, device, false)
    }

    /// Takes a run up again, with the recipe in its folder; `iterations` makes it end at another iteration.
    ///
    /// # Errors
    /// As [`Trainer::new`]; and [`TrainError::Run`] when recipe, classes, split or data are not those that the run began
    /// with (says what differs), [`TrainError::Recipe`] when `iterations` is not in its range.
    pub fn resume(
        data: &Dataset,
        run: &'a RunFolder,
        device: Device,
        iterations: Option<u64>,
    ) -> Result<Self, TrainError> {
        let mut recipe = identity::recipe_of(run)?;
        if let Some(iterations) = iterations {
            recipe.schedule.iterations = iterations;
            recipe.validate()?;
        }
        Self::prepare(recipe, data, run, device, iterations.is_some())
    }

    /// The recipe that is trained by.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// `longer`: the recipe may have other iterations than the run began with.
    fn prepare(
        mut recipe: Recipe,
        data: &Dataset,
        run: &'a RunFolder,
        device: Device,
        longer: bool,
    ) -> Result<Self, TrainError> {
        let mut items = Vec::new();
        for split in &recipe.data.train {
            items.extend(data.split(split)?);
        }
        items.sort_by(|a, b| a.name.cmp(&b.name));
        items.dedup_by(|a, b| a.name == b.name);
        let mut train = data.load(&items)?;
        let val =
            if recipe.data.val.is_empty() { Vec::new() } else { data.load(&data.split(&recipe.data.val)?)? };
        require_classes(data, &train)?;
        if let Some(both) = val.iter().find(|v| train.iter().any(|t| t.name == v.name)) {
            let what = format!("`{}` is in both the training and the validation split", both.name);
            return Err(DataError::one("dataset.toml", what).into());
        }
        require_memory(&recipe, &train)?;
        let (grey_range, chosen) = match recipe.data.grey_range {
            GreyRangeSetting::Given(range) => (range, None),
            GreyRangeSetting::Auto => {
                let (range, why) = grey_choice::choose(&train);
                recipe.data.grey_range = GreyRangeSetting::Given(range);
                (range, Some(why))
            }
        };
        let records = |kind: ImageHash| -> Vec<SplitRecord> {
            let of = |part: &'static str| move |s: &Sample| SplitRecord::hashed(s, part, kind);
            train.iter().map(of("train")).chain(val.iter().map(of("val"))).collect()
        };
        let record = records(ImageHash::StoredPixels);
        let now =
            Identity::of(&recipe, data.manifest.class_names(), record.clone(), train.iter().chain(&val));
        let (identity, mut notes) = identity::require_same(run, &recipe, now, records, longer)?;
        if chosen.is_some() || !run.path(RunFile::Recipe).exists() {
            run.write(RunFile::Recipe, identity.recipe.as_bytes())?;
        }
        notes.extend(chosen);
        let kept = SplitRecord::read_if_any(run.root());
        if kept != Ok(Some(record.clone())) {
            // One of an older version had records of another kind.
            if run.has_checkpoint() && identity.taken_over_at.is_none() {
                let what = if kept == Ok(None) { "was gone" } else { "was not what this run wrote" };
                notes.push(format!("{} {what}; it is written again", run.path(RunFile::Split).display()));
            }
            run.write_json(RunFile::Split, &record)?;
        }
        // Before their values are brought to another range.
        let of = |part: ImagePart| move |s: &Sample| seen(part, s);
        let seen: Vec<SeenImage> =
            train.iter().map(of(ImagePart::Train)).chain(val.iter().map(of(ImagePart::Val))).collect();
        for sample in &mut train {
            let range = grey_range.apply(&sample.shot);
            if let Cow::Owned(seen) = range.map_err(|what| DataError::one(&sample.name, what))? {
                sample.shot = seen;
            }
        }
        let scales: Vec<f64> = train.iter().filter_map(|s| s.shot.nm_per_px()).collect();
        let range = scales.iter().copied().fold(None, |range: Option<(f64, f64)>, s| {
            Some(range.map_or((s, s), |(low, high)| (low.min(s), high.max(s))))
        });
        let card = ModelCard {
            classes: data.manifest.class_names(),
            colours: data.manifest.colours(),
            input_scale: recipe.data.input_scale,
            window_px: recipe.inference.window,
            stride_px: recipe.inference.stride,
            grey_range,
            nm_per_px: range,
            recipe: recipe.to_toml(),
            data_hash: hash_of(&record),
            seen,
            domain: domain(&train),
            ..ModelCard::new(recipe.model_spec(data.manifest.classes.len()))
        };
        Ok(Self { recipe, run, device, train, val, card, identity, notes })
    }

    /// Trains to the end, from the newest checkpoint if there is one. When `stop` says so, a checkpoint of the
    /// present iteration is written first, so that not a step is lost.
    ///
    /// # Errors
    /// [`TrainError::Diverged`] when the loss is not finite; [`TrainError::Pretrained`] when the recipe's weights
    /// cannot be used; [`TrainError::Run`] when no checkpoint is whole; [`TrainError::Data`] when a validation
    /// image does not fit the model's grey range; [`TrainError::Device`] when the device fails; [`TrainError::Io`] or [`TrainError::Write`] when a file cannot be
    /// read or written. The run's status then says that it failed.
    pub fn run(
        mut self,
        observer: &mut dyn FnMut(Event),
        stop: &dyn Fn() -> bool,
    ) -> Result<Outcome, TrainError> {
        let result = self.run_inner(observer, stop);
        if result.is_err() {
            // The error itself is what matters to the caller; a status that cannot be written must not hide it.
            let _ = self.mark_failed();
        }
        result
    }

    fn run_inner(
        &mut self,
        observer: &mut dyn FnMut(Event),
        stop: &dyn Fn() -> bool,
    ) -> Result<Outcome, TrainError> {
        let network = Segmentor::new(self.card.spec(), self.recipe.seed, &self.device);
        let mut model = Model::new(self.card.clone(), network);
        let (progress, carried, then) = self.begin(&mut model, observer)?;
        let Progress { iteration: start, reliability, .. } = progress.clone();
        model.card.recipe = self.recipe_text();
        model.card.reliability = reliability;
        let mut written = self.written_before(start, then)?;
        let best = self.best_before(&progress, &mut written)?;
        if start < self.recipe.schedule.iterations {
            // Of an earlier end, where the run goes on beyond it.
            let stale = self.run.path(RunFile::ImageCounts);
            if stale.exists() {
                fs_err::remove_file(&stale).map_err(TrainError::io(&stale))?;
            }
        }
        for note in &self.notes {
            observer(Event::Note(note));
        }
        observer(Event::Started { done: start, train_images: self.train.len(), val_images: self.val.len() });

        let mut going = Going { model, carried, written, best, last: None };
        self.write_status(State::Running, start, going.best, None)?;
        let schedule = &self.recipe.schedule;
        let source = CropSource::new(&self.train, self.recipe.data.input_scale);
        for t in start..schedule.iterations {
            let metric = self.learn(&source, &mut going, t)?;
            observer(Event::Step(&metric));
            let done = t + 1;
            let finished = done == schedule.iterations;
            if !self.val.is_empty() && (finished || done % schedule.validation_interval() == 0) {
                self.look(&mut going, done, observer)?;
            }
            let stopped = !finished && stop();
            if finished || stopped || done % schedule.checkpoint_every == 0 {
                self.save(&mut going, done, stopped)?;
            }
            if stopped {
                return Ok(Outcome { iterations: done, last: going.last, best: going.best, stopped });
            }
        }
        self.finish(going, observer)
    }

    /// One step: learns from the crops of iteration `t` (from 0), and writes its line.
    fn learn(&self, source: &CropSource, going: &mut Going, t: u64) -> Result<Metric, TrainError> {
        let (network, optimizer) = (&mut going.model.network, &mut going.carried.optimizer);
        let StepResult { loss, lr, cost } = guarded(&self.device, || {
            step(&self.recipe, &self.card.normalisation, source, network, optimizer, &self.device, t)
        })??;
        let ema_decay = self.recipe.optimizer.ema_decay;
        if ema_decay > 0.0 {
            going.carried.average.update(&mut going.model.network, ema_decay, t);
        }
        let metric = Metric { iteration: t + 1, loss, lr, seconds: cost.total_s() };
        self.run.append(&metric, &mut going.written.metrics)?;
        Ok(metric)
    }

    /// Scores the model on the validation images, keeps it if it is the best so far, and learns from them what can be
    /// expected of its masks.
    fn look(&self, going: &mut Going, done: u64, observer: &mut dyn FnMut(Event)) -> Result<(), TrainError> {
        let Going { model, carried, written, best, last } = going;
        let schedule = &self.recipe.schedule;
        model.card.iteration = done;
        carried.average.swap(&mut model.network);
        let options = InferenceOptions::of(&model.card);
        // Buffers of a training step are no use to inference, nor the other way round.
        sorby_nn::release_buffers();
        let (mut images, mut masks) = (Vec::new(), Vec::new());
        let mut calibrator = Calibrator::new(model.card.classes.len());
        let each = &mut |sample: &Sample, prediction: &Prediction, counts: &Confusion| {
            images.push(ImageCounts { name: sample.name.clone(), matrix: counts.matrix().to_vec() });
            calibrator.add(&prediction.probabilities, &sample.label);
            if masks.len() < MASKS_SHOWN {
                masks.push((sample.name.clone(), prediction.labels.clone()));
            }
        };
        let scores = validate(model, &self.val, &options, &self.device, each)?.scores();
        for (name, mask) in &masks {
            let path = self.run.path(RunFile::ValidationMasks).join(format!("{name}.png"));
            mask.write_png(&path, &model.card.colours)?;
        }
        model.card.reliability = calibrator.finish();
        self.run.append(&ValidationRecord::new(done, &scores), &mut written.validations)?;
        observer(Event::Validated { iteration: done, scores: &scores });
        if scores.mean_iou.is_some_and(|m| best.is_none_or(|(_, b)| m > b)) {
            *best = scores.mean_iou.map(|m| (done, m));
            // With one validation there was nothing to choose between.
            model.card.chosen_by_validation = schedule.validation_interval() < schedule.iterations;
            written.best = Some(self.write_model(RunFile::Best, model)?);
            model.card.chosen_by_validation = false;
        }
        // Back to what learns.
        carried.average.swap(&mut model.network);
        model.network.release_folded();
        sorby_nn::release_buffers();
        *last = Some(scores);
        if done == schedule.iterations {
            self.run.write_json(RunFile::ImageCounts, &images)?;
        }
        Ok(())
    }

    /// Writes a checkpoint, and then the state of the run.
    fn save(&self, going: &mut Going, done: u64, stopped: bool) -> Result<(), TrainError> {
        let reliability = going.model.card.reliability.clone();
        let progress = Progress { iteration: done, best: going.best, reliability };
        let network = &mut going.model.network;
        guarded(&self.device, || {
            checkpoint::save(self.run, &self.identity, &progress, &going.written, network, &going.carried)
        })??;
        let state = if stopped { State::Stopped } else { State::Running };
        self.write_status(state, done, going.best, None)
    }

    /// Writes the last model, and that the run is done.
    fn finish(&self, going: Going, observer: &mut dyn FnMut(Event)) -> Result<Outcome, TrainError> {
        let Going { mut model, mut carried, mut written, mut best, last } = going;
        let iterations = self.recipe.schedule.iterations;
        model.card.iteration = iterations;
        carried.average.swap(&mut model.network);
        written.model = Some(self.write_model(RunFile::Model, &mut model)?);
        written.counts = file_blake3(&self.run.path(RunFile::ImageCounts));
        if let Some((at, _)) = best.filter(|_| file_blake3(&self.run.path(RunFile::Best)) != written.best) {
            let path = self.run.path(RunFile::Best);
            observer(Event::Note(&format!(
                "{} is not the model that this run wrote at iteration {at}; {} is its last",
                path.display(),
                RunFile::Model
            )));
            best = None;
        }
        self.write_status(State::Done, iterations, best, Some(written))?;
        Ok(Outcome { iterations, last, best, stopped: false })
    }

    /// The newest whole checkpoint, or a new network.
    fn begin(
        &mut self,
        model: &mut Model,
        observer: &mut dyn FnMut(Event),
    ) -> Result<(Progress, Carried, Option<Written>), TrainError> {
        let Self { run, identity, recipe, device, .. } = &*self;
        if let Some(found) = checkpoint::load(run, identity, recipe, &mut model.network, device)? {
            let Loaded { progress, carried, written, damaged } = found;
            self.notes.extend(damaged);
            self.take_iterations(progress.iteration)?;
            return Ok((progress, carried, written));
        }
        if let Some(done) = run.status().map(|s| s.iteration).filter(|done| !run.is_new() && *done > 0) {
            let reason = format!("had done {done} iterations, but its checkpoints are gone; start a new run");
            return Err(TrainError::run(run.root(), reason));
        }
        self.take_iterations(0)?;
        if let Some(keys) = load_pretrained(&self.recipe, &mut model.network)? {
            self.run.write_json(
                RunFile::Pretrained,
                &json!({
                    "file": self.recipe.pretrained,
                    "name": matches!(self.recipe.pretrained, Some(Pretrained::Builtin)).then_some(BUILTIN_NAME),
                    "blake3": self.recipe.pretrained.as_ref().and_then(Pretrained::blake3),
                    "loaded": keys.loaded,
                    "skipped": keys.skipped,
                    "missing": keys.missing,
                }),
            )?;
            observer(Event::Pretrained(keys));
        }
        Ok((Progress::default(), Carried::default(), Some(Written::default())))
    }

    /// What the run wrote of its logs up to iteration `start`. What of them is another now is reported, and stays.
    fn written_before(&mut self, start: u64, then: Option<Written>) -> Result<Written, TrainError> {
        let older = then.is_none();
        let (metrics, told) = self.run.cut_log::<Metric>(start, then.as_ref().map(|w| w.metrics.clone()))?;
        self.notes.extend(told);
        let validations = then.as_ref().map(|w| w.validations.clone());
        let (validations, told) = self.run.cut_log::<ValidationRecord>(start, validations)?;
        self.notes.extend(told);
        // Where the checkpoint cannot be checked, that is said once.
        if older && self.identity.taken_over_at.is_none_or(|at| at < start) {
            self.notes.push(
                "its checkpoint is of a version of Sorby that kept no hashes of logs and best model; that they are as \
                 they were cannot be checked"
                    .into(),
            );
        }
        Ok(Written { metrics, validations, best: then.and_then(|w| w.best), ..Written::default() })
    }

    /// The best validation before this start, if its model is still what was written, or can be had from a checkpoint.
    /// A file that is another now is never taken for it.
    fn best_before(
        &mut self,
        progress: &Progress,
        written: &mut Written,
    ) -> Result<Option<(u64, f64)>, TrainError> {
        let Some((at, miou)) = progress.best else { return Ok(None) };
        let path = self.run.path(RunFile::Best);
        let now = file_blake3(&path);
        if now.is_some() && now == written.best {
            return Ok(progress.best);
        }
        let card = ModelCard::read(&path).filter(|card| self.identity.disowns(card).is_none());
        match card.map(|card| card.iteration) {
            // What was killed after the checkpoint had found a better one; it will be found again.
            Some(later)
                if later > progress.iteration && progress.iteration < self.recipe.schedule.iterations =>
            {
                return Ok(progress.best);
            }
            Some(same) if same == at && written.best.is_none() => {
                written.best = now;
                return Ok(progress.best);
            }
            _ => {}
        }
        let mut told = format!("{} (mIoU {:.2} % at iteration {at}) ", path.display(), 100.0 * miou);
        if path.exists() {
            let aside = self.run.free_name("best-changed");
            fs_err::rename(&path, &aside).map_err(TrainError::io(&path))?;
            let name = aside.file_name().unwrap_or_default().to_string_lossy();
            told += &format!("is not what this run wrote, and is now {name}; ");
        } else {
            told += "is gone; ";
        }
        let again = self.write_best_again(at)?;
        told += match again {
            Some(_) => "it is written again from a checkpoint",
            None if progress.iteration < self.recipe.schedule.iterations => {
                "the best of the validations to come takes its place"
            }
            None => "this run has its last model only",
        };
        self.notes.push(told);
        written.best = again.clone();
        Ok(progress.best.filter(|_| again.is_some()))
    }

    /// The best model from the checkpoint of its iteration, if there is one; gives its hash.
    fn write_best_again(&self, at: u64) -> Result<Option<String>, TrainError> {
        let mut network = Segmentor::new(self.card.spec(), self.recipe.seed, &self.device);
        let found =
            checkpoint::load_at(self.run, at, &self.identity, &self.recipe, &mut network, &self.device);
        let Some((progress, mut carried)) = found else { return Ok(None) };
        let mut model = Model::new(self.card.clone(), network);
        model.card.recipe = self.recipe_text();
        model.card.iteration = at;
        model.card.reliability = progress.reliability;
        let schedule = &self.recipe.schedule;
        model.card.chosen_by_validation = schedule.validation_interval() < schedule.iterations;
        carried.average.swap(&mut model.network);
        self.write_model(RunFile::Best, &mut model).map(Some)
    }

    /// Writes down that the run ends at another iteration than it was begun with, if so.
    fn take_iterations(&mut self, done: u64) -> Result<(), TrainError> {
        let wanted = self.recipe.schedule.iterations;
        let then = crate::recipe::parse(&self.identity.recipe, &[])?.schedule.iterations;
        if then == wanted {
            return Ok(());
        }
        if wanted <= done {
            let reason = format!("has done {done} iterations; --iterations must be more than that");
            return Err(TrainError::run(self.run.root(), reason));
        }
        self.identity.change(done, ITERATIONS, then.to_string(), wanted.to_string());
        self.identity.recipe = self.recipe.to_toml();
        // First the recipe: whoever is killed in between gives the same command again.
        self.run.write(RunFile::Recipe, self.recipe_text().as_bytes())?;
        self.identity.write(self.run)?;
        self.notes.push(format!(
            "{wanted} iterations instead of {then}: the learning rate goes on as in a run of {wanted}, from iteration {done}"
        ));
        Ok(())
    }

    /// The recipe, and what was changed on the way as remarks.
    fn recipe_text(&self) -> String {
        let changed = self.identity.changes.iter().filter(|c| c.key == ITERATIONS);
        let remark = |c: &identity::Change| format!("# {} was {} until iteration {}\n", c.key, c.from, c.at);
        changed.map(remark).collect::<String>() + &self.recipe.to_toml()
    }

    /// Gives the file's BLAKE3.
    fn write_model(&self, file: RunFile, model: &mut Model) -> Result<String, TrainError> {
        let bytes = model.to_bytes(&self.device).map_err(|e| TrainError::run(&self.run.path(file), e))?;
        self.run.write(file, &bytes)?;
        Ok(blake3::hash(&bytes).to_hex().to_string())
    }

    fn mark_failed(&self) -> Result<(), TrainError> {
        match self.run.status() {
            Some(status) => self.run.write_status(&Status { state: State::Failed, ..status }),
            None => self.write_status(State::Failed, 0, None, None),
        }
    }

    fn write_status(
        &self,
        state: State,
        iteration: u64,
        best: Option<(u64, f64)>,
        written: Option<Written>,
    ) -> Result<(), TrainError> {
        self.run.write_status(&Status {
            state,
            iteration,
            iterations: self.recipe.schedule.iterations,
            best,
            recipe_hash: self.recipe.hash(),
            identity: Some(self.identity.hash()),
            written,
        })
    }
}

/// What the model says of an image that it was made with.
fn seen(part: ImagePart, sample: &Sample) -> SeenImage {
    let image = &sample.shot.image;
    let size_px = (image.width, image.height);
    SeenImage { name: sample.name.clone(), part, image_blake3: image.pixels_blake3(), size_px }
}

/// What the training images look like.
fn domain(train: &[Sample]) -> Option<Domain> {
    let shots: Vec<_> = train.iter().map(|s| &s.shot).collect();
    Domain::of(&shots)
}

/// BLAKE3 of a file's bytes; `None` when it cannot be read.
pub fn file_blake3(path: &Path) -> Option<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(sorby_image::files::open_regular(path).ok()?).ok()?;
    Some(hasher.finalize().to_hex().to_string())
}

/// Every class must be learnable.
fn require_classes(data: &Dataset, train: &[Sample]) -> Result<(), DataError> {
    let mut pixels = vec![0u64; data.manifest.classes.len()];
    for sample in train {
        let histogram = sample.label.histogram();
        pixels.iter_mut().enumerate().for_each(|(c, n)| *n += histogram[c]);
    }
    let absent = data.manifest.classes.iter().zip(&pixels).filter(|(_, n)| **n == 0);
    let names: Vec<_> = absent.map(|(c, _)| format!("`{}`", c.name)).collect();
    if names.is_empty() {
        return Ok(());
    }
    let what = format!(
        "no pixel of class {} in the training images; label some or remove the class",
        names.join(", ")
    );
    Err(DataError::one("dataset.toml", what))
}
