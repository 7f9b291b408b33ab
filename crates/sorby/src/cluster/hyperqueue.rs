//! HyperQueue: a job file with resources and dependencies.

use super::submit::Submission;
use super::{EngineOptions, Submitted, Work, site};
use crate::Result;
use crate::error::refuse;
use crate::words::quoted;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;

/// Workers that may be lost under a task before it counts as failed.
const CRASH_LIMIT: usize = 100;

/// For machines with HyperQueue's Python module and without `hq`.
const BY_PYTHON: &str = include_str!("submit.py");

/// The job file and the commands.
///
/// # Errors
/// When a path cannot be written.
pub fn plan(work: &Work, options: &EngineOptions) -> Result<Submission> {
    let [job, script] = files(work);
    let shown = |path: &PathBuf| quoted(&path.display().to_string());
    let arguments: String = options.engine_arguments.iter().map(|a| format!(" {}", quoted(a))).collect();
    Ok(Submission {
        submit: vec![
            format!("hq{arguments} job submit-file {}", shown(&job)),
            format!("# or, without hq: python3 {}{arguments}", shown(&script)),
        ],
        watch: work.watched_by(&[&format!("hq{arguments} job progress last")]),
        collect: vec![work.collect.task.line()],
        files: vec![(job, job_file(work, options)?), (script, BY_PYTHON.to_owned())],
        ..Submission::default()
    })
}

fn files(work: &Work) -> [PathBuf; 2] {
    ["job.toml", "submit.py"].map(|name| work.scripts().join(name))
}

/// Submits the job file; gives the job's number.
///
/// # Errors
/// When there is no HyperQueue, or it refuses.
pub fn run(work: &Work, options: &EngineOptions) -> Result<String> {
    let [job, script] = files(work);
    let printed = if site::answers("hq", &["--version"]) {
        let words = ["--output-mode=quiet", "job", "submit-file"];
        site::output(Command::new("hq").args(&options.engine_arguments).args(words).arg(job))?
    } else if site::answers("python3", &["-c", "import hyperqueue"]) {
        site::output(Command::new("python3").arg(script).args(&options.engine_arguments))?
    } else {
        refuse!(
            "--run: neither hq nor Python's module hyperqueue is on this machine; type the commands that are printed \
             without --run where one is"
        );
    };
    let number = printed.split_whitespace().last().unwrap_or_default().to_owned();
    Submitted::note(work, "hq", &number)?;
    Ok(number)
}

fn job_file(work: &Work, options: &EngineOptions) -> Result<String> {
    let log = work.logs().join("hq-%{JOB_ID}-%{TASK_ID}.txt").display().to_string();
    let all = work.tasks.len();
    let task = |number: usize| {
        let command = [work.starter(), vec!["--number".to_owned(), number.to_string()]].concat();
        let mut task = json!({
            "id": number,
            "command": command,
            "cwd": work.folder,
            "stdout": log,
            "stderr": log.replace(".txt", "-errors.txt"),
            "crash_limit": CRASH_LIMIT,
        });
        if let Some(cpus) = options.cpus.filter(|_| number < all) {
            task["request"] = json!([{"resources": {"cpus": cpus}}]);
        }
        if number == all {
            task["deps"] = (0..all).collect::<Vec<_>>().into();
        }
        task
    };
    let tasks: Vec<Value> = (0..=all).map(task).collect();
    Ok(toml::to_string(&json!({"name": work.name, "task": tasks}))?)
}

#[cfg(test)]
mod tests {
    use super::super::Executor;
    use super::super::tests::{options, work};
    use super::*;

    #[test]
    fn the_last_task_waits_for_all_others() {
        let text = job_file(&work(2), &options(Executor::HyperQueue)).unwrap();
        let file: toml::Value = toml::from_str(&text).unwrap();
        let tasks = file["task"].as_array().unwrap();
        assert_eq!(tasks.len(), 3);
        assert_eq!(tasks[0]["request"][0]["resources"]["cpus"].as_integer(), Some(3));
        assert_eq!(tasks[1]["command"].as_array().unwrap().last().unwrap().as_str(), Some("1"));
        assert!(tasks[1].get("deps").is_none());
        assert_eq!(tasks[2]["deps"].as_array().unwrap().len(), 2);
    }
}
