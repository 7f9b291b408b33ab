//! `sorby study`: the n+2 recipe.

mod folder;
mod plan;
mod preconditions;
mod report;
mod run;
mod run_state;
mod status;

pub use folder::manifest_with_folds;

use crate::args::StudyCommand;
use anyhow::Context as _;
use sorby_study::StudySpec;
use std::path::Path;
use std::process::ExitCode;

pub fn run(command: StudyCommand, threads: Option<usize>) -> anyhow::Result<ExitCode> {
    match command {
        StudyCommand::Run(args) => run::run(args, threads),
        StudyCommand::Plan(args) => plan::run(args),
        StudyCommand::Status { study, json } => status::run(&study, json),
        StudyCommand::Report(args) => report::run(args),
    }
}

fn read_spec(path: &Path) -> anyhow::Result<StudySpec> {
    let text = fs_err::read_to_string(path)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    StudySpec::parse(&text, folder).with_context(|| path.display().to_string())
}
