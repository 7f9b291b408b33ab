//! Trains what a study needs, one job for each training.

use super::folder::StudyFolder;
use super::plan;
use super::run_state::RunState;
use crate::error::refuse;
use crate::words::duration;
use crate::{DeviceOptions, Event, Observer, Result};
use sorby_data::Dataset;
use sorby_study::{Run, Stage, StudySpec};
use sorby_train::{Metric, RunFolder};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// One training to be started somewhere.
#[derive(Clone, Debug)]
pub struct TrainingJob {
    /// Recipe file.
    pub recipe: PathBuf,
    /// Its run folder.
    pub run: PathBuf,
    /// The run has a checkpoint to go on from.
    pub resume: bool,
    /// The study's data set.
    pub data: PathBuf,
    /// Where to compute.
    pub device: DeviceOptions,
    /// Threads that it may use.
    pub threads: usize,
    /// File for what it prints.
    pub log: PathBuf,
    /// File in which it notes why it failed, where nobody waits for it.
    pub failure: PathBuf,
}

/// Starts trainings: as processes on this machine, or elsewhere.
pub trait Launcher {
    /// Starts a training and returns at once.
    ///
    /// # Errors
    /// When it cannot be started.
    fn start(&self, job: &TrainingJob) -> Result<Box<dyn RunningTraining>>;
}

/// A training under way.
pub trait RunningTraining {
    /// How it ended; `None` while it runs.
    ///
    /// # Errors
    /// When that cannot be known.
    fn ended(&mut self) -> Result<Option<Ended>>;

    /// Asks it to write a checkpoint and end.
    fn ask_to_stop(&mut self);

    /// Waits until it has ended.
    ///
    /// # Errors
    /// When that cannot be known.
    fn wait(&mut self) -> Result<()>;
}

/// How a training ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Whether it says that all went well.
    pub success: bool,
    /// What the system says of its end.
    pub status: String,
}

/// How a study is run.
#[derive(Clone, Debug)]
pub struct StudyOptions {
    /// Folder of the study.
    pub root: PathBuf,
    /// Data set: a folder with a dataset.toml, or such a file.
    pub data: PathBuf,
    /// Folds, seeds and iterations are chosen so that the study takes no longer.
    pub budget_s: Option<f64>,
    /// Where to compute.
    pub device: DeviceOptions,
    /// Trainings at the same time.
    pub jobs: usize,
    /// Threads of each training.
    pub threads_per_job: usize,
    /// The one instruction set that trainings on other machines may compute with; `None`: any.
    pub require_simd: Option<String>,
}

/// How a study came to an end, or to a stop.
pub struct StudyOutcome {
    /// The study.
    pub folder: StudyFolder,
    /// It was stopped; the same command goes on where this one ended.
    pub stopped: bool,
    /// Whether a training failed.
    pub failed: bool,
}

/// Trains what a study needs; goes on where an earlier start was left.
///
/// # Errors
/// When spec or data cannot be used, memory does not do, or every training failed.
pub fn run(
    spec: StudySpec,
    options: &StudyOptions,
    launcher: &dyn Launcher,
    observer: &dyn Observer,
) -> Result<StudyOutcome> {
    let folder = laid_out(spec, options, observer)?;
    folder.require_memory(options.jobs)?;
    let at_most = folder.spec.trainings_at_most();
    let mut runner = Runner { folder: &folder, options, launcher, observer, done_before: 0, at_most };
    let mut failures: Vec<(Run, String)> = Vec::new();
    loop {
        // What failed in an earlier attempt is tried once more.
        let scores = folder.scores(|run| failures.iter().any(|f| f.0 == *run))?;
        let Stage::Train(why, runs) = folder.spec.next(&scores) else { break };
        runner.done_before = scores.len() as u64;
        failures.extend(runner.train(why, &runs)?);
        if observer.stop_asked() {
            return Ok(StudyOutcome { folder, stopped: true, failed: false });
        }
        let any = folder.scores(|run| failures.iter().any(|f| f.0 == *run))?.values().any(Option::is_some);
        if let (false, Some((run, reason))) = (any, failures.first()) {
            refuse!("every training failed, the first ({}) with: {reason}", folder.spec.run_id(run));
        }
    }
    Ok(StudyOutcome { folder, stopped: false, failed: !failures.is_empty() })
}

/// The folder of the study, with what was planned for it.
pub(super) fn laid_out(
    spec: StudySpec,
    options: &StudyOptions,
    observer: &dyn Observer,
) -> Result<StudyFolder> {
    let device = options.device.open()?;
    for trick in spec.singles() {
        let (_, recipe) = spec.recipe_with(&trick)?;
        // Heads must fit the classes; an encoder fits any.
        let classes = match recipe.pretrained_heads {
            true => Dataset::open(&options.data)?.manifest.classes.len(),
            false => 2,
        };
        sorby_train::check_pretrained(&recipe, classes, &device)?;
    }
    let root = &options.root;
    let (spec, planned) = plan::within(spec, &options.data, options.budget_s, &device, root, observer)?;
    let folder = StudyFolder::create(root, spec, &options.data, observer)?;
    if let Some(design) = planned {
        plan::keep(root, &design)?;
    }
    Ok(folder)
}

struct Runner<'a> {
    folder: &'a StudyFolder,
    options: &'a StudyOptions,
    launcher: &'a dyn Launcher,
    observer: &'a dyn Observer,
    /// Trainings that were done before this step, and that the study takes at most.
    done_before: u64,
    at_most: u64,
}

struct Job {
    run: Run,
    id: String,
    training: Box<dyn RunningTraining>,
    began: Instant,
    iterations: u64,
}

/// One step of a study: several trainings that do not wait for each other.
#[derive(Default)]
struct Step {
    working: Vec<Job>,
    failures: Vec<(Run, String)>,
    /// Seconds of those that were finished.
    took: Vec<f64>,
    done: usize,
}

impl Runner<'_> {
    /// Trains `runs`; gives those that failed, with the reason.
    fn train(&self, why: &str, runs: &[Run]) -> Result<Vec<(Run, String)>> {
        self.observer.event(Event::Begin { total: runs.len(), unit: "trainings" });
        self.observer.say(format!("{why}: {} to train", runs.len()));
        let (mut waiting, mut step) = (runs.iter(), Step::default());
        loop {
            while step.working.len() < self.options.jobs
                && let Some(run) = waiting.next()
            {
                match self.start(run)? {
                    Some(job) => step.working.push(job),
                    None => {
                        self.folder.tidy(run)?;
                        step.done += 1;
                        self.observer.event(Event::Advance(1));
                    }
                }
            }
            if step.working.is_empty() {
                break;
            }
            std::thread::sleep(Duration::from_millis(200));
            if self.observer.stop_asked() {
                stop(step.working)?;
                break;
            }
            self.look_after(&mut step, runs.len())?;
            if !step.working.is_empty() {
                let text = self.at_work(&step, runs.len() - step.done);
                self.observer.event(Event::At { done: step.done as u64, text });
            }
        }
        self.observer.event(Event::End);
        Ok(step.failures)
    }

    /// Takes the trainings out that have ended.
    fn look_after(&self, step: &mut Step, all: usize) -> Result<()> {
        for mut job in std::mem::take(&mut step.working) {
            let Some(ended) = job.training.ended()? else {
                step.working.push(job);
                continue;
            };
            step.done += 1;
            self.observer.event(Event::Advance(1));
            let seconds = job.began.elapsed().as_secs_f64();
            let place = format!("[{}/{all}] {}", step.done, job.id);
            match self.folder.state(&job.run)? {
                RunState::Done(images) if ended.success => {
                    step.took.push(seconds);
                    self.folder.tidy(&job.run)?;
                    let scores = [(job.run.clone(), Some(images))].into();
                    let miou = self.folder.spec.miou(&scores, std::slice::from_ref(&job.run));
                    let miou = miou.map_or(String::new(), |m| format!("mIoU {m:.2} %, "));
                    self.observer.say(format!("{place}: {miou}{}", duration(seconds)));
                }
                RunState::Stale if ended.success => {
                    refuse!("{}: was trained, but not as its recipe says; this is a fault of Sorby", job.id);
                }
                _ => {
                    let reason = self.last_words(&job.id, &ended);
                    self.folder.record_failure(&job.run, &reason)?;
                    self.observer.say(format!("{place} failed: {reason}"));
                    step.failures.push((job.run, reason));
                }
            }
        }
        Ok(())
    }

    /// Starts a training; `None` if a child of an attempt that was killed has brought it to its end meanwhile.
    fn start(&self, run: &Run) -> Result<Option<Job>> {
        let (folder, id) = (self.folder, self.folder.spec.run_id(run));
        let on = (&self.options.device, self.options.threads_per_job);
        let Some(job) = folder.ready_job(run, on, self.observer)? else { return Ok(None) };
        fs_err::create_dir_all(job.log.parent().unwrap_or(&job.log))?;
        let training = self.launcher.start(&job)?;
        let iterations = folder.recipe(run)?.schedule.iterations;
        Ok(Some(Job { run: run.clone(), id, training, began: Instant::now(), iterations }))
    }

    fn last_words(&self, id: &str, ended: &Ended) -> String {
        let text = std::fs::read_to_string(self.folder.log(id)).unwrap_or_default();
        let line = text.lines().rev().find(|l| l.starts_with("error: "));
        line.map_or_else(
            || format!("it was ended from outside ({})", ended.status),
            |l| l["error: ".len()..].to_owned(),
        )
    }

    /// What is being trained, and how long the step will yet take.
    fn at_work(&self, step: &Step, left: usize) -> String {
        let mut whole = step.took.clone();
        let mut jobs = Vec::new();
        for job in &step.working {
            let metrics: Vec<Metric> = RunFolder::read_lines(&self.folder.run_path(&job.run));
            let at = metrics.last().map_or(0, |m| m.iteration);
            jobs.push(format!("{} {at}/{}", job.id, job.iterations));
            if step.took.is_empty() && at > 0 {
                whole.push(job.began.elapsed().as_secs_f64() / at as f64 * job.iterations as f64);
            }
        }
        let at_once = self.options.jobs as f64;
        let mean = whole.iter().sum::<f64>() / whole.len() as f64;
        let running: f64 = step.working.iter().map(|j| j.began.elapsed().as_secs_f64().min(mean)).sum();
        let seconds = (mean * left as f64 - running).max(0.0) / at_once;
        let time = if whole.is_empty() {
            String::new()
        } else {
            // What later steps need is not known yet, only how much it can be.
            let known = self.done_before + step.took.len() as u64 + left as u64;
            let study = seconds + mean * self.at_most.saturating_sub(known) as f64 / at_once;
            format!(
                " · about {} left of this step, at most {} of the study",
                duration(seconds),
                duration(study)
            )
        };
        format!("{}{time}", jobs.join(", "))
    }
}

/// Lets trainings write their checkpoints and end.
fn stop(mut working: Vec<Job>) -> Result<()> {
    working.iter_mut().for_each(|job| job.training.ask_to_stop());
    working.iter_mut().try_for_each(|job| job.training.wait())
}
