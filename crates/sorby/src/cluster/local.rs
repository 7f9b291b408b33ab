//! This machine: a shell script.

use super::submit::Submission;
use super::task::line;
use super::{EngineOptions, Work};
use crate::Result;
use crate::error::{Context as _, refuse};
use crate::threads::THREADS;
use crate::words::quoted;
use std::path::PathBuf;
use std::process::Command;

/// The script and the commands.
pub fn plan(work: &Work, options: &EngineOptions) -> Submission {
    let file = script(work);
    let (at_once, starter, all) = (options.at_once.unwrap_or(1), line(&work.starter()), work.tasks.len());
    let threads = options.cpus.map_or(String::new(), |n| format!("export {THREADS}={n}\n"));
    let after = if work.collect.even_if_some_failed { "" } else { " &&" };
    let text = format!(
        "#!/bin/sh\n# {all} tasks, {at_once} at a time, and what comes after them.\n{threads}seq 0 {last} | xargs -P \
         {at_once} -I NUMBER sh -c 'exec {starter} --number NUMBER > {logs}/NUMBER.txt 2>&1'{after}\nexec {starter} \
         --number {all}\n",
        last = all.saturating_sub(1),
        starter = starter.replace('\'', "'\\''"),
        logs = quoted(&work.logs().display().to_string()).replace('\'', "'\\''"),
    );
    Submission {
        submit: vec![format!("sh {}", quoted(&file.display().to_string()))],
        watch: work.watched_by(&[]),
        collect: vec![work.collect.task.line()],
        files: vec![(file, text)],
        ..Submission::default()
    }
}

fn script(work: &Work) -> PathBuf {
    work.scripts().join("local.sh")
}

/// Runs the script, and waits for it.
///
/// # Errors
/// When there is no shell, or the script fails.
pub fn run(work: &Work) -> Result<String> {
    let status = Command::new("sh").arg(script(work)).status();
    let status = status.context("--run: no shell (sh) can be started on this machine")?;
    // 1 is done with problems, which the results name.
    if !matches!(status.code(), Some(0 | 1)) {
        refuse!("some tasks failed ({status}); what they said: {}", work.logs().display());
    }
    Ok("local".to_owned())
}
