//! Studies: the n+2 recipe, with error bars.

mod at_work;
mod contents;
mod create;
mod folder;
mod plan;
mod preconditions;
mod processes;
mod ready;
mod report;
mod run_state;
mod runner;
mod status;
mod submit;
mod tasks;

pub use at_work::Whereabouts;
pub use create::{NewStudy, create_study};
pub(crate) use folder::manifest_with_folds;
pub use folder::{StudyFolder, note_failure};
pub use plan::plan;
pub use processes::{ChildProcesses, task_arguments, training_arguments};
pub use report::{StudyReportOptions, report};
pub use run_state::RunState;
pub(crate) use run_state::same_recipe;
pub use runner::{Ended, Launcher, RunningTraining, StudyOptions, StudyOutcome, TrainingJob, run};
pub use status::StudyStatus;
pub use submit::{SubmittedStudy, submit};
pub use tasks::{StudyRound, round};

use crate::Result;
use crate::error::Context as _;
use sorby_study::StudySpec;
use std::path::Path;

/// Reads a study file.
///
/// # Errors
/// When there is none, or a key or value is wrong.
pub fn read_spec(path: &Path) -> Result<StudySpec> {
    let text = fs_err::read_to_string(path)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    StudySpec::parse(&text, folder).with_context(|| path.display().to_string())
}
