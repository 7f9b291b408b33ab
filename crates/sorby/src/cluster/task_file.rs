//! `tasks.json`: the commands of a piece of work by number, so that an engine has to know a number and nothing else. No shell
//! reads them, so nothing needs quotes, and an image of one file can start them.

use super::{Task, Work};
use crate::error::{Context as _, refuse};
use crate::shard_task::{self, Variables};
use crate::threads::THREADS;
use crate::{Program, Result};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::process::Command;

/// File name.
pub const NAME: &str = "tasks.json";

#[derive(Serialize, Deserialize)]
struct TaskFile {
    folder: PathBuf,
    tasks: Vec<Line>,
    collect: Line,
}

#[derive(Serialize, Deserialize)]
struct Line {
    id: String,
    arguments: Vec<String>,
}

/// The text of the file.
pub fn text(work: &Work) -> Result<String> {
    let line = |task: &Task| Line { id: task.id.clone(), arguments: task.arguments.clone() };
    let tasks = work.tasks.iter().map(line).collect();
    let file = TaskFile { folder: work.folder.clone(), tasks, collect: line(&work.collect.task) };
    Ok(serde_json::to_string_pretty(&file)? + "\n")
}

/// The command of the task with this number, counted from 0; of the one that comes after all for their count; without a
/// number, of the task that the engine says this process is. It has the threads that the engine gave.
///
/// # Errors
/// When the file cannot be read, no engine says a number, or there is no such task.
pub fn task_command(file: &Path, number: Option<usize>) -> Result<Command> {
    let variable = |name: &str| std::env::var(name).ok();
    let text = fs_err::read_to_string(file)?;
    let of: TaskFile = serde_json::from_str(&text).with_context(|| file.display().to_string())?;
    let number = number.map_or_else(|| shard_task::task_number(&variable), Ok)?;
    let all = of.tasks.len();
    let Some(task) = of.tasks.get(number).or((number == all).then_some(&of.collect)) else {
        refuse!("{}: has no task {number}; the tasks are 0 to {}", file.display(), all.saturating_sub(1));
    };
    let mut command = Program::own()?.command();
    command.args(&task.arguments).current_dir(&of.folder);
    if let (None, Some(threads)) = (variable(THREADS), threads(&variable)) {
        command.env(THREADS, threads.to_string());
    }
    Ok(command)
}

/// Processors that an engine gave to a task, where it says so. Otherwise the limits of the process say it (affinity, cgroup).
fn threads(variable: Variables) -> Option<usize> {
    let slurm = variable("SLURM_CPUS_PER_TASK").and_then(|n| n.parse().ok());
    // HyperQueue lists them: 0,3,4.
    let hyperqueue = || Some(variable("HQ_CPUS")?.split(',').filter(|c| !c.is_empty()).count());
    slurm.or_else(hyperqueue).filter(|n| *n > 0)
}

#[cfg(test)]
mod tests {
    use super::threads;

    #[test]
    fn threads_are_what_the_engine_gave() {
        let of = |name: &'static str, value: &'static str| {
            threads(&move |asked: &str| (asked == name).then(|| value.to_owned()))
        };
        assert_eq!(of("SLURM_CPUS_PER_TASK", "6"), Some(6));
        assert_eq!(of("HQ_CPUS", "0,3,4"), Some(3));
        assert_eq!((of("HQ_CPUS", ""), of("PATH", "6")), (None, None));
    }
}
