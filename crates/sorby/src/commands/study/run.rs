//! `sorby study run`: one child process for each training.

use super::super::interrupts;
use super::folder::StudyFolder;
use super::run_state::RunState;
use crate::args::StudyRunArgs;
use crate::console::{Pace, Progress, duration};
use anyhow::{Context as _, bail};
use sorby_image::write::atomically;
use sorby_study::{Run, Stage};
use sorby_train::{Metric, RunFolder};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

pub fn run(args: StudyRunArgs, threads: Option<usize>) -> anyhow::Result<ExitCode> {
    interrupts::listen();
    let spec = super::read_spec(&args.plan.spec)?;
    let root = args
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from("studies").join(super::super::inputs::stem(&args.plan.spec)));
    let device = super::super::inputs::device(&args.plan.device)?;
    for trick in spec.singles() {
        let (_, recipe) = spec.recipe_with(&trick)?;
        // Heads must fit the classes; an encoder fits any.
        let classes = match recipe.pretrained_heads {
            true => super::super::inputs::open(&args.plan.data)?.manifest.classes.len(),
            false => 2,
        };
        sorby_train::check_pretrained(&recipe, classes, &device)?;
    }
    let (spec, planned) = super::plan::within(spec, &args.plan.data, args.plan.budget, &device, &root)?;
    let folder = StudyFolder::create(&root, spec, &args.plan.data)?;
    if let Some(design) = planned {
        super::plan::keep(&root, &design)?;
    }
    let jobs = usize::from(args.jobs);
    let most = super::super::most_threads();
    if let Some(threads) = args.threads_per_job.filter(|n| !(1..=most).contains(n)) {
        bail!("--threads-per-job {threads}: give from 1 to {most}");
    }
    folder.require_memory(jobs)?;
    let all = threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let mut workshop = Workshop {
        folder: &folder,
        jobs,
        threads: args.threads_per_job.unwrap_or((all / jobs).max(1)),
        args: &args,
        done_before: 0,
        at_most: folder.spec.trainings_at_most(),
    };
    let mut failures: Vec<(Run, String)> = Vec::new();
    loop {
        // What failed in an earlier attempt is tried once more.
        let scores = folder.scores(|run| failures.iter().any(|f| f.0 == *run))?;
        let Stage::Train(why, runs) = folder.spec.next(&scores) else { break };
        workshop.done_before = scores.len() as u64;
        failures.extend(workshop.train(why, &runs)?);
        if interrupts::asked() {
            println!("stopped; the same command goes on where this one ended");
            return Ok(interrupts::exit_code());
        }
        let any = folder.scores(|run| failures.iter().any(|f| f.0 == *run))?.values().any(Option::is_some);
        if let (false, Some((run, reason))) = (any, failures.first()) {
            bail!("every training failed, the first ({}) with: {reason}", folder.spec.run_id(run));
        }
    }
    super::status::print(&folder)?;
    println!("next: sorby study report {}", root.display());
    Ok(if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

struct Workshop<'a> {
    folder: &'a StudyFolder,
    jobs: usize,
    threads: usize,
    args: &'a StudyRunArgs,
    /// Trainings that were done before this step, and that the study takes at most.
    done_before: u64,
    at_most: u64,
}

/// A training under way.
struct Job {
    run: Run,
    id: String,
    child: Child,
    began: Instant,
    iterations: u64,
}

impl Workshop<'_> {
    /// Trains `runs`; gives those that failed, with the reason.
    fn train(&self, why: &str, runs: &[Run]) -> anyhow::Result<Vec<(Run, String)>> {
        let progress = Progress::new(runs.len(), "trainings");
        progress.line(&format!("{why}: {} to train", runs.len()));
        let (mut waiting, mut working, mut failures) = (runs.iter(), Vec::<Job>::new(), Vec::new());
        let (mut took, mut pace, mut done) = (Vec::<f64>::new(), Pace::new(), 0);
        loop {
            while working.len() < self.jobs
                && let Some(run) = waiting.next()
            {
                match self.start(run)? {
                    Some(job) => working.push(job),
                    None => {
                        self.tidy(run)?;
                        done += 1;
                        progress.advance(1);
                    }
                }
            }
            if working.is_empty() {
                break;
            }
            std::thread::sleep(Duration::from_millis(200));
            if interrupts::asked() {
                stop(working)?;
                break;
            }
            let mut still = Vec::new();
            for mut job in working {
                let Some(status) = job.child.try_wait()? else {
                    still.push(job);
                    continue;
                };
                done += 1;
                progress.advance(1);
                let seconds = job.began.elapsed().as_secs_f64();
                let place = format!("[{done}/{}] {}", runs.len(), job.id);
                match self.folder.state(&job.run)? {
                    RunState::Done(images) if status.success() => {
                        took.push(seconds);
                        self.tidy(&job.run)?;
                        let scores = [(job.run.clone(), Some(images))].into();
                        let miou = self.folder.spec.miou(&scores, std::slice::from_ref(&job.run));
                        let miou = miou.map_or(String::new(), |m| format!("mIoU {m:.2} %, "));
                        progress.line(&format!("{place}: {miou}{}", duration(seconds)));
                    }
                    RunState::Stale if status.success() => {
                        bail!(
                            "{}: was trained, but not as its recipe says; this is a fault of Sorby",
                            job.id
                        );
                    }
                    _ => {
                        let reason = self.last_words(&job.id, status);
                        self.folder.record_failure(&job.run, &reason)?;
                        progress.line(&format!("{place} failed: {reason}"));
                        failures.push((job.run, reason));
                    }
                }
            }
            working = still;
            let text = self.at_work(&working, &took, runs.len() - done);
            progress.set(done as u64, text.clone());
            if !progress.on_terminal() && pace.due() && !working.is_empty() {
                progress.line(&text);
            }
        }
        progress.finish();
        Ok(failures)
    }

    /// Starts a training; `None` if a child of an attempt that was killed has brought it to its end meanwhile.
    fn start(&self, run: &Run) -> anyhow::Result<Option<Job>> {
        let (folder, id) = (self.folder, self.folder.spec.run_id(run));
        let recipe = folder.recipe(run)?;
        // Absolute: a name that begins with `-` must not become an option.
        let root = std::path::absolute(&folder.root)?;
        let out = std::path::absolute(folder.run_path(run))?;
        let recipe_path = root.join("recipes").join(format!("{id}.toml"));
        atomically(&recipe_path, recipe.to_toml().as_bytes())?;
        let mut command =
            Command::new(std::env::current_exe().context("cannot find this program's own file")?);
        command
            .arg("--threads")
            .arg(self.threads.to_string())
            .arg("train")
            .args(["--stop-with-parent", "--looked"]);
        // A child of an attempt that was killed may not have ended yet.
        let limit = Instant::now() + Duration::from_secs(60);
        while RunFolder::is_held(&out) && Instant::now() < limit {
            std::thread::sleep(Duration::from_millis(100));
        }
        let mut state = folder.state(run)?;
        if let RunState::Damaged(what) = &state {
            eprintln!("warning: {what}: it is set aside and trained again");
            state = RunState::Stale;
        }
        if matches!(state, RunState::Stale) {
            folder.set_aside(run)?;
            state = RunState::Missing;
        }
        if matches!(state, RunState::Missing) {
            state = folder.take_back(run)?;
        }
        let resumable = match state {
            RunState::Done(_) => return Ok(None),
            RunState::Unfinished(_) => out.join("checkpoints").is_dir(),
            RunState::Stale | RunState::Damaged(_) | RunState::Missing => false,
        };
        if resumable {
            command.arg("--resume").arg(&out);
        } else {
            command.arg(&recipe_path).arg("--out").arg(&out);
        }
        // Of a run that goes on too: the study may have been moved.
        command.arg("--data").arg(std::path::absolute(folder.dataset_path())?);
        command.arg("--device").arg(&self.args.plan.device.device);
        if self.args.plan.device.stock_operations {
            command.arg("--stock-operations");
        }
        let log = folder.root.join("logs").join(format!("{id}.txt"));
        fs_err::create_dir_all(log.parent().unwrap_or(&log))?;
        let log = fs_err::File::create(&log)?.into_parts().0;
        // Its standard input stays open for as long as this process lives.
        command.stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log);
        let child = command.spawn().context("cannot start a training")?;
        let iterations = recipe.schedule.iterations;
        Ok(Some(Job { run: run.clone(), id, child, began: Instant::now(), iterations }))
    }

    /// A finished run needs no checkpoints, and its last model is the one that was scored.
    fn tidy(&self, run: &Run) -> anyhow::Result<()> {
        let root = self.folder.run_path(run);
        let checkpoints = root.join("checkpoints");
        if checkpoints.is_dir() {
            fs_err::remove_dir_all(checkpoints)?;
        }
        let best = root.join("best.safetensors");
        if best.is_file() {
            fs_err::remove_file(best)?;
        }
        Ok(())
    }

    fn last_words(&self, id: &str, status: std::process::ExitStatus) -> String {
        let path = self.folder.root.join("logs").join(format!("{id}.txt"));
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().rev().find(|l| l.starts_with("error: "));
        line.map_or_else(
            || format!("it was ended from outside ({status})"),
            |l| l["error: ".len()..].to_owned(),
        )
    }

    /// What is being trained, and how long the step will yet take.
    fn at_work(&self, working: &[Job], took: &[f64], left: usize) -> String {
        let mut whole = took.to_vec();
        let mut jobs = Vec::new();
        for job in working {
            let metrics: Vec<Metric> = RunFolder::read_lines(&self.folder.run_path(&job.run));
            let at = metrics.last().map_or(0, |m| m.iteration);
            jobs.push(format!("{} {at}/{}", job.id, job.iterations));
            if took.is_empty() && at > 0 {
                whole.push(job.began.elapsed().as_secs_f64() / at as f64 * job.iterations as f64);
            }
        }
        let mean = whole.iter().sum::<f64>() / whole.len() as f64;
        let running: f64 = working.iter().map(|j| j.began.elapsed().as_secs_f64().min(mean)).sum();
        let seconds = (mean * left as f64 - running).max(0.0) / self.jobs as f64;
        let time = if whole.is_empty() {
            String::new()
        } else {
            // What later steps need is not known yet, only how much it can be.
            let later =
                (self.at_most.saturating_sub(self.done_before + took.len() as u64 + left as u64)) as f64;
            let study = seconds + mean * later / self.jobs as f64;
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
fn stop(mut working: Vec<Job>) -> anyhow::Result<()> {
    working.iter_mut().for_each(|job| drop(job.child.stdin.take()));
    for mut job in working {
        job.child.wait().context("cannot wait for a training")?;
    }
    Ok(())
}
