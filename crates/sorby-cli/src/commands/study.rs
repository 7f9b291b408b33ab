//! `sorby study`.

use crate::args::{StudyCommand, StudyPlanArgs, StudyReportArgs, StudyRunArgs};
use crate::console::Console;
use crate::interrupts;
use crate::launcher::ChildProcesses;
use anyhow::bail;
use sorby::listing;
use sorby::study::{self, StudyFolder, StudyOptions, StudyReportOptions, StudyStatus, read_spec};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub fn run(command: StudyCommand, threads: Option<usize>) -> anyhow::Result<ExitCode> {
    match command {
        StudyCommand::Run(args) => run_study(args, threads),
        StudyCommand::Plan(args) => plan(&args),
        StudyCommand::Status { study, json } => status(&study, json),
        StudyCommand::Report(args) => report(args),
    }
}

fn run_study(args: StudyRunArgs, threads: Option<usize>) -> anyhow::Result<ExitCode> {
    interrupts::listen();
    let jobs = usize::from(args.jobs);
    let most = super::most_threads();
    if let Some(threads) = args.threads_per_job.filter(|n| !(1..=most).contains(n)) {
        bail!("--threads-per-job {threads}: give from 1 to {most}");
    }
    let spec = read_spec(&args.plan.spec)?;
    let name = || PathBuf::from("studies").join(listing::stem(&args.plan.spec));
    let all = threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let options = StudyOptions {
        root: args.out.clone().unwrap_or_else(name),
        data: args.plan.data.clone(),
        budget_s: args.plan.budget,
        device: args.plan.device.options(),
        jobs,
        threads_per_job: args.threads_per_job.unwrap_or((all / jobs).max(1)),
    };
    let outcome = study::run(spec, &options, &ChildProcesses, &Console::default())?;
    if outcome.stopped {
        println!("stopped; the same command goes on where this one ended");
        return Ok(interrupts::exit_code());
    }
    show(&outcome.folder.status()?)?;
    println!("next: sorby study report {}", options.root.display());
    Ok(if outcome.failed { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn plan(args: &StudyPlanArgs) -> anyhow::Result<ExitCode> {
    let device = args.device.options().open()?;
    let lines = study::plan(read_spec(&args.spec)?, &args.data, args.budget, &device)?;
    lines.iter().for_each(|line| println!("{line}"));
    Ok(ExitCode::SUCCESS)
}

fn status(root: &Path, json: bool) -> anyhow::Result<ExitCode> {
    let folder = StudyFolder::open(root)?;
    let status = folder.status()?;
    if json {
        println!("{}", serde_json::to_string_pretty(&status.json())?);
    } else {
        show(&status)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn show(status: &StudyStatus) -> anyhow::Result<()> {
    print!("{}", status.table()?.to_text());
    status.lines().iter().for_each(|line| println!("{line}"));
    Ok(())
}

fn report(args: StudyReportArgs) -> anyhow::Result<ExitCode> {
    let options =
        StudyReportOptions { out: args.out, tables_only: args.tables_only, device: args.device.options() };
    let page = study::report(&args.studies, &options, &Console::default())?;
    super::published(&page, page.parent().unwrap_or(Path::new(".")));
    Ok(ExitCode::SUCCESS)
}
