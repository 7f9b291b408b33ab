//! `sorby cluster`, and what verbs answer that hand work to an engine.

use crate::answer::{Answer, say};
use crate::args::{ClusterCommand, ShardedEngineArgs, SimulateArgs, without_engine};
use anyhow::{Context as _, bail};
use serde_json::json;
use sorby::cluster::{self, EngineOptions, Submission};
use std::path::Path;
use std::process::Command;

pub fn run(command: ClusterCommand) -> anyhow::Result<Answer> {
    match command {
        ClusterCommand::Task { file, number } => start(cluster::task_command(&file, number)?),
        ClusterCommand::Simulate(args) => simulate(&args),
    }
}

fn simulate(args: &SimulateArgs) -> anyhow::Result<Answer> {
    let mut answer = Answer::new();
    let rows = args.forecast()?.rows()?;
    let table = cluster::forecast_table(&rows);
    answer.text(&table.to_text());
    answer.set("rows", table.to_json());
    if let Some(out) = &args.out {
        let [csv, svg] = cluster::write_forecast(&rows, out)?;
        say!(answer, "{}, {}", csv.display(), svg.display());
    }
    Ok(answer)
}

/// This process becomes the task, so that signals reach it.
#[cfg(unix)]
fn start(mut command: Command) -> anyhow::Result<Answer> {
    use std::os::unix::process::CommandExt as _;
    Err(command.exec()).context("the task cannot be started")
}

#[cfg(not(unix))]
fn start(mut command: Command) -> anyhow::Result<Answer> {
    let status = command.status().context("the task cannot be started")?;
    Ok(Answer::new().exit(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(2)))
}

/// Hands the shards of the command that was typed to an engine. `out`: folder of its results.
pub fn submit_shards(out: &Path, args: &ShardedEngineArgs, engine: &EngineOptions) -> anyhow::Result<Answer> {
    let Some(shards) = args.shards else {
        bail!("--executor: say with --shards into how many parts the images are divided");
    };
    let typed = without_engine(crate::typed());
    let submission = cluster::submit_shards(out, &typed, shards as usize, engine)?;
    let mut answer = Answer::new();
    show(&mut answer, &submission, engine);
    Ok(answer)
}

/// The scripts that were written, or their texts, and what is to be typed.
pub fn show(answer: &mut Answer, submission: &Submission, engine: &EngineOptions) {
    for (path, text) in &submission.files {
        match engine.dry_run {
            true => say!(answer, "--- {}\n{text}", path.display()),
            false => say!(answer, "wrote {}", path.display()),
        }
    }
    match &submission.job {
        Some(job) => say!(answer, "submitted as job {job}"),
        None => {
            say!(answer, "submit:");
            submission.submit.iter().for_each(|line| say!(answer, "  {line}"));
        }
    }
    say!(answer, "watch:");
    submission.watch.iter().for_each(|line| say!(answer, "  {line}"));
    say!(answer, "collect, where the engine does not come to it (some task failed):");
    submission.collect.iter().for_each(|line| say!(answer, "  {line}"));
    let files: Vec<String> = submission.files.iter().map(|f| f.0.display().to_string()).collect();
    answer.set_all(json!({
        "files": files,
        "submit": submission.submit,
        "watch": submission.watch,
        "collect": submission.collect,
        "job": submission.job,
    }));
}
