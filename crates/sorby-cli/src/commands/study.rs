//! `sorby study`.

mod submit;

use crate::answer::{Answer, say};
use crate::args::{PlanFormat, StudyCommand, StudyReportArgs, StudyRoundArgs, StudyRunArgs};
use crate::console::Console;
use crate::interrupts;
use anyhow::bail;
use sorby::study::{self, ChildProcesses, StudyFolder, StudyReportOptions, StudyStatus, read_spec};
use std::path::Path;

pub fn run(command: StudyCommand, threads: Option<usize>) -> anyhow::Result<Answer> {
    match command {
        StudyCommand::Run(args) => run_study(args, threads),
        StudyCommand::Plan(args) => plan(args),
        StudyCommand::Submit(args) => submit::run(args),
        StudyCommand::Status { study } => status(&study),
        StudyCommand::Report(args) => report(args),
    }
}

fn run_study(args: StudyRunArgs, threads: Option<usize>) -> anyhow::Result<Answer> {
    let mut answer = Answer::new();
    interrupts::listen();
    let jobs = usize::from(args.jobs);
    let most = sorby::most_threads();
    if let Some(threads) = args.threads_per_job.filter(|n| !(1..=most).contains(n)) {
        bail!("--threads-per-job {threads}: give from 1 to {most}");
    }
    let spec = read_spec(&args.plan.spec)?;
    let all = threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let threads = args.threads_per_job.unwrap_or((all / jobs).max(1));
    let options = args.plan.options(args.out.clone(), jobs, threads);
    let outcome = study::run(spec, &options, &ChildProcesses, &Console::default())?;
    if outcome.stopped {
        say!(answer, "stopped; the same command goes on where this one ended");
        answer.set_all(outcome.folder.status()?.json());
        answer.set("stopped", true);
        return Ok(answer.exit(interrupts::exit_code()));
    }
    show(&mut answer, &outcome.folder.status()?)?;
    say!(answer, "next: sorby study report {}", super::typed_again(&options.root));
    Ok(answer.exit(if outcome.failed { 1 } else { 0 }))
}

fn plan(args: StudyRoundArgs) -> anyhow::Result<Answer> {
    let mut answer = Answer::new();
    let spec = read_spec(&args.plan.spec)?;
    let Some(format) = args.format else {
        let device = args.plan.device.options().open()?;
        let lines = study::plan(spec, &args.plan.data, args.plan.budget, &device)?;
        lines.iter().for_each(|line| answer.line(line));
        answer.set("lines", lines);
        return Ok(answer);
    };
    let threads = args.threads_per_job.map_or(0, usize::from);
    let mut options = args.plan.options(args.out, 1, threads);
    options.require_simd = args.simd.require_simd;
    let round = study::round(spec, &options, false, &Console::default())?;
    match format {
        PlanFormat::Lines => round.tasks.iter().for_each(|task| answer.line(task.line())),
        PlanFormat::Json => answer.text(&(serde_json::to_string_pretty(&round.json())? + "\n")),
    }
    answer.set_all(round.json());
    Ok(answer)
}

fn status(root: &Path) -> anyhow::Result<Answer> {
    let folder = StudyFolder::open(root)?;
    let mut answer = Answer::new();
    show(&mut answer, &folder.status()?)?;
    Ok(answer)
}

fn show(answer: &mut Answer, status: &StudyStatus) -> anyhow::Result<()> {
    answer.set_all(status.json());
    answer.text(&status.table()?.to_text());
    status.lines().iter().for_each(|line| say!(answer, "{line}"));
    Ok(())
}

fn report(args: StudyReportArgs) -> anyhow::Result<Answer> {
    let mut answer = Answer::new();
    let options =
        StudyReportOptions { out: args.out, tables_only: args.tables_only, device: args.device.options() };
    let page = study::report(&args.studies, &options, &Console::default())?;
    super::published(&mut answer, &page, page.parent().unwrap_or(Path::new(".")));
    Ok(answer)
}
