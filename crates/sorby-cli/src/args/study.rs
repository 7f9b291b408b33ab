//! Arguments of `sorby study`.

use super::out::new_or_folder;
use super::{DeviceArg, EngineArgs, SimdArg};
use clap::{Args as ClapArgs, Subcommand};
use std::path::PathBuf;

#[derive(Subcommand)]
pub enum StudyCommand {
    /// Train what the study needs; continues where it was left.
    Run(StudyRunArgs),
    /// Say how a study would be laid out, how long it would take and what it could find; with --format: print a command
    /// for each training that can be done now, for other machines.
    Plan(StudyRoundArgs),
    /// Hand the trainings to a cluster's engine: write its scripts into OUT/submit, print the commands, or submit.
    Submit(StudySubmitArgs),
    /// Say which trainings are done, which are missing and which failed.
    Status {
        /// Folder of the study.
        study: PathBuf,
    },
    /// Tables and figures of one or more studies: HTML, CSV, Markdown, LaTeX, PNG, SVG.
    Report(StudyReportArgs),
}

#[derive(ClapArgs)]
pub struct StudyRunArgs {
    #[command(flatten)]
    pub plan: StudyPlanArgs,
    /// Folder of the study; default: studies/<file's name>.
    #[arg(long, value_parser = new_or_folder(), value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Trainings at the same time.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub jobs: u16,
    /// Threads of each training; default: all, shared among the jobs.
    #[arg(long, value_name = "N")]
    pub threads_per_job: Option<usize>,
}

#[derive(ClapArgs)]
pub struct StudyRoundArgs {
    #[command(flatten)]
    pub plan: StudyPlanArgs,
    /// Print a command for each training of the current round: lines for a shell, or json. The folder of the study is
    /// made; when all are done, the same command prints the next round, and nothing when the study is finished.
    #[arg(long, value_enum)]
    pub format: Option<PlanFormat>,
    /// With --format: folder of the study; default: studies/<file's name>.
    #[arg(long, value_parser = new_or_folder(), value_name = "DIR", requires = "format")]
    pub out: Option<PathBuf>,
    /// With --format: threads of each training; default: all that its machine gives it.
    #[arg(long, value_name = "N", requires = "format", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads_per_job: Option<u16>,
    /// With --format, of the trainings.
    #[command(flatten)]
    pub simd: SimdArg,
}

#[derive(ClapArgs)]
pub struct StudySubmitArgs {
    #[command(flatten)]
    pub plan: StudyPlanArgs,
    /// Folder of the study; default: studies/<file's name>.
    #[arg(long, value_parser = new_or_folder(), value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Threads of each training; default: the processors that its task gets.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads_per_job: Option<u16>,
    /// Leave the trainings that failed, instead of starting them again. So the job after each round calls this command.
    #[arg(long)]
    pub leave_failed: bool,
    #[command(flatten)]
    pub simd: SimdArg,
    #[command(flatten)]
    pub engine: EngineArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum PlanFormat {
    /// A command a line.
    Lines,
    /// One object with the words of each command.
    Json,
}

#[derive(ClapArgs)]
pub struct StudyPlanArgs {
    /// Study file.
    pub spec: PathBuf,
    /// Folder with a dataset.toml, or such a file.
    #[arg(long)]
    pub data: PathBuf,
    /// Choose folds, seeds and, if need be, iterations so that the study takes no longer: 6h, 90min.
    #[arg(long, value_parser = parse_time, value_name = "TIME")]
    pub budget: Option<f64>,
    #[command(flatten)]
    pub device: DeviceArg,
}

#[derive(ClapArgs)]
pub struct StudyReportArgs {
    /// Folders of studies; one table row for each and architecture.
    #[arg(required = true)]
    pub studies: Vec<PathBuf>,
    /// Folder for the page, tables and figures; default: `report` in the first study's.
    #[arg(long, value_parser = new_or_folder(), value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Leaves pictures and particles out, which need every model to segment.
    #[arg(long)]
    pub tables_only: bool,
    #[command(flatten)]
    pub device: DeviceArg,
}

/// `6h`, `90min`, `1.5h`, `300s` in seconds.
pub(super) fn parse_time(text: &str) -> Result<f64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_alphabetic());
    let unit = match &text[digits.len()..] {
        "h" => 3600.0,
        "min" | "m" => 60.0,
        "s" => 1.0,
        _ => return Err("write a time such as 6h or 90min".into()),
    };
    match digits.trim().parse::<f64>() {
        Ok(v) if v > 0.0 && v.is_finite() => Ok(v * unit),
        _ => Err("write a time such as 6h or 90min".into()),
    }
}
