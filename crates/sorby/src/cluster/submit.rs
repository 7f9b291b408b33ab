//! Scripts are written and handed over.

use super::{EngineOptions, Executor, Work, hyperqueue, kubernetes, local, slurm, task_file};
use crate::Result;
use sorby_image::write::atomically;
use std::path::PathBuf;

/// What was written, and what is to be typed.
#[derive(Clone, Debug, Default)]
pub struct Submission {
    /// Files with their texts.
    pub files: Vec<(PathBuf, String)>,
    /// Commands that submit the work.
    pub submit: Vec<String>,
    /// Commands that say how far it is.
    pub watch: Vec<String>,
    /// Commands that collect the results where the engine does not do it.
    pub collect: Vec<String>,
    /// The engine's number or name of the job, if it was submitted.
    pub job: Option<String>,
}

/// Writes the scripts of the work, and submits it where that is wanted.
///
/// # Errors
/// When the engine's words do not do, a file cannot be written, or the engine is not there or refuses.
pub fn submit(work: &Work, options: &EngineOptions) -> Result<Submission> {
    let mut submission = match options.executor {
        Executor::Local => local::plan(work, options),
        Executor::Slurm => slurm::plan(work, options),
        Executor::HyperQueue => hyperqueue::plan(work, options)?,
        Executor::Kubernetes => kubernetes::plan(work, options)?,
    };
    let lines: String = work.tasks.iter().map(|task| task.line() + "\n").collect();
    submission.files.push((work.task_file(), task_file::text(work)?));
    submission.files.push((work.scripts().join("tasks.txt"), lines));
    if options.dry_run {
        return Ok(submission);
    }
    for (path, text) in &submission.files {
        atomically(path, text.as_bytes())?;
    }
    fs_err::create_dir_all(work.logs())?;
    if options.run {
        submission.job = Some(match options.executor {
            Executor::Local => local::run(work)?,
            Executor::Slurm => slurm::run(work, options)?,
            Executor::HyperQueue => hyperqueue::run(work, options)?,
            Executor::Kubernetes => kubernetes::run(work, &submission)?,
        });
    }
    Ok(submission)
}
