//! One file per verb. Each returns the exit code: 0 done, 1 done with problems, errors are 2.

mod bench;
mod clean;
mod cluster;
mod compare;
mod data;
mod demo;
mod evaluate;
mod help_files;
mod job;
mod label;
mod measure;
mod model;
mod report;
mod run;
mod scale;
mod segment;
mod serve;
mod sign;
mod study;
mod synth;
mod system;
mod threshold;
mod train;
mod verify;

use crate::answer::{Answer, say};
use crate::args::{Args, Command};
use anyhow::Context as _;
use sorby::THREADS;
use sorby::words::quoted;
use std::path::Path;

pub fn run(args: Args) -> anyhow::Result<Answer> {
    // Without the option this variable is what counts, and is held to the same limit.
    let variable = || std::env::var(THREADS).ok()?.parse::<usize>().ok().filter(|n| *n > 0);
    if let Some(threads) = args.threads.or_else(variable) {
        let said = if args.threads.is_some() { "--threads" } else { THREADS };
        sorby::check_threads(said, threads)?;
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build_global()
            .context("cannot start threads")?;
    }
    args.exit_code_for_more.into_iter().for_each(crate::interrupts::set_exit_code);
    match args.command {
        Command::Completions { shell } => help_files::completions(shell),
        Command::Man { out } => help_files::man(&out),
        Command::Data(command) => data::run(command),
        Command::Demo(demo_args) => demo::run(&demo_args, args.json),
        Command::Serve(serve_args) => serve::run(serve_args, args.threads, args.json),
        Command::Label(command) => label::run(command),
        Command::Train(args) => train::run(args),
        Command::Study(command) => study::run(command, args.threads),
        Command::Cluster(command) => cluster::run(command),
        Command::Evaluate(args) => evaluate::run(args),
        Command::Segment(args) => segment::run(args),
        Command::Measure(args) => measure::run(args),
        Command::Job(command) => job::run(command),
        Command::Run(args) => run::run(args),
        Command::Verify(args) => verify::run(&args),
        Command::Sign(args) => sign::run(args),
        Command::Threshold(args) => threshold::run(args),
        Command::Synth(args) => synth::run(args),
        Command::Model(command) => model::run(command),
        Command::Report(args) => report::run(args),
        Command::Clean { runs } => clean::run(&runs),
        Command::Compare(args) => compare::run(args),
        Command::Replay(args) => report::replay(args),
        Command::Bench(args) => bench::run(args),
        Command::Scale(args) => scale::run(args),
        Command::System(args) => system::run(&args),
    }
}

/// Says where a page is, and what lies next to it.
fn published(answer: &mut Answer, page: &Path, out: &Path) {
    say!(answer, "report: {}", page.display());
    say!(answer, "tables (CSV, Markdown, LaTeX) and figures (PNG, SVG): {}", out.display());
    answer.set_path("page", page);
    answer.set_path("out", out);
}

/// A path in a command that can be typed as it is shown.
fn typed_again(path: &Path) -> String {
    quoted(&path.display().to_string())
}
