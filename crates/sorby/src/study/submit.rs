//! A study handed to an engine, round by round: after the trainings of a round comes the same command again.

use super::runner::StudyOptions;
use super::tasks::{StudyRound, round};
use crate::cluster::{self, Collect, EngineOptions, Submission, Task, Work};
use crate::words::quoted;
use crate::{Observer, Result, listing};
use sorby_image::write::safe_name;
use sorby_study::StudySpec;
use std::ffi::OsString;
use std::path::PathBuf;

/// What became of a study's round.
pub struct SubmittedStudy {
    /// The round.
    pub round: StudyRound,
    /// Folder of the study.
    pub root: PathBuf,
    /// Its scripts and commands; `None` where nothing can be trained now.
    pub submission: Option<Submission>,
}

/// Hands the current round to an engine. `again`: the arguments of this command that leaves what failed, for the next round.
///
/// # Errors
/// As [`round`] and [`cluster::submit`].
pub fn submit(
    spec: StudySpec,
    options: &StudyOptions,
    engine: &EngineOptions,
    (leave_failed, again): (bool, &[OsString]),
    observer: &dyn Observer,
) -> Result<SubmittedStudy> {
    let round = round(spec, options, leave_failed, observer)?;
    let root = options.root.clone();
    if round.tasks.is_empty() {
        return Ok(SubmittedStudy { round, root, submission: None });
    }
    let out = std::path::absolute(&options.root)?;
    let watch = vec![format!("sorby study status {}", quoted(&out.display().to_string()))];
    let work = Work {
        name: safe_name(&listing::stem(&out)),
        folder: std::env::current_dir()?,
        tasks: round.tasks.clone(),
        collect: Collect { task: Task::of("next-round", again)?, even_if_some_failed: true },
        watch,
        out,
    };
    let submission = cluster::submit(&work, engine)?;
    Ok(SubmittedStudy { round, root, submission: Some(submission) })
}
