//! Work handed to an engine that the institute has: its scripts, and the commands that submit, watch and collect them. Sorby
//! schedules nothing: tasks are commands that may be started again and again.

mod forecast;
mod hyperqueue;
mod kubernetes;
mod local;
mod record;
mod shards;
mod simulate;
mod site;
mod slurm;
mod submit;
mod task;
mod task_file;

pub use forecast::{Forecast, ForecastRow, ForecastWork, forecast_chart, forecast_table, write_forecast};
pub use record::Submitted;
pub(crate) use shards::EXIT_CODE_FOR_MORE;
pub use shards::submit_shards;
pub use simulate::{ClusterModel, Round, Simulated, best_shards, simulate, simulate_mean};
pub use submit::{Submission, submit};
pub use task::Task;
pub use task_file::task_command;

use std::path::PathBuf;

/// Who starts the tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Executor {
    /// A shell on this machine.
    Local,
    /// Slurm, by `sbatch`.
    Slurm,
    /// HyperQueue, by `hq` or its Python module.
    HyperQueue,
    /// Kubernetes, by `kubectl`.
    Kubernetes,
}

/// How work is handed to an engine.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// The engine.
    pub executor: Executor,
    /// Show the scripts and write nothing.
    pub dry_run: bool,
    /// Submit it now.
    pub run: bool,
    /// Tasks at the same time; `None`: as many as the engine starts, and one on this machine.
    pub at_once: Option<usize>,
    /// Processors of each task; `None`: the engine's default.
    pub cpus: Option<usize>,
    /// Words that are handed to the engine as they are.
    pub engine_arguments: Vec<String>,
}

/// Work for an engine.
pub struct Work {
    /// A short name.
    pub name: String,
    /// Folder of the results; the scripts go into `submit` in it.
    pub out: PathBuf,
    /// The folder that the commands are started in.
    pub folder: PathBuf,
    /// Commands, in any order and at any time.
    pub tasks: Vec<Task>,
    /// What comes after the tasks.
    pub collect: Collect,
    /// Commands that say how far the work is.
    pub watch: Vec<String>,
}

/// The command after the tasks.
pub struct Collect {
    /// The command.
    pub task: Task,
    /// Also when some tasks failed.
    pub even_if_some_failed: bool,
}

/// Folder of the scripts within the folder of the results.
pub const FOLDER: &str = "submit";

impl Work {
    fn scripts(&self) -> PathBuf {
        self.out.join(FOLDER)
    }

    fn task_file(&self) -> PathBuf {
        self.scripts().join(task_file::NAME)
    }

    fn logs(&self) -> PathBuf {
        self.scripts().join("logs")
    }

    /// What the engine says, and what the results say.
    fn watched_by(&self, engine: &[&str]) -> Vec<String> {
        engine.iter().map(|line| line.to_string()).chain(self.watch.clone()).collect()
    }

    /// `sorby cluster task FILE`, as words.
    fn starter(&self) -> Vec<String> {
        let file = self.task_file().display().to_string();
        let words = ["cluster".to_owned(), "task".to_owned(), file];
        self.collect.task.program.iter().cloned().chain(words).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn work(tasks: usize) -> Work {
        let task = |id: String| Task { id, program: vec!["sorby".into()], arguments: vec!["train".into()] };
        Work {
            name: "a study".replace(' ', "_"),
            out: "/share/study".into(),
            folder: "/share".into(),
            tasks: (0..tasks).map(|i| task(i.to_string())).collect(),
            collect: Collect { task: task("collect".into()), even_if_some_failed: true },
            watch: vec!["sorby study status /share/study".into()],
        }
    }

    pub(super) fn options(executor: Executor) -> EngineOptions {
        let (at_once, cpus) = (Some(4), Some(3));
        let engine_arguments = Vec::new();
        EngineOptions { executor, dry_run: false, run: false, at_once, cpus, engine_arguments }
    }
}
