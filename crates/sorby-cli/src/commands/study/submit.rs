//! `sorby study submit`.

use crate::answer::{Answer, say};
use crate::args::StudySubmitArgs;
use crate::commands::cluster::show;
use crate::commands::{published, typed_again};
use crate::console::Console;
use anyhow::Context as _;
use sorby::study::{self, StudyReportOptions, read_spec};
use std::ffi::OsString;

pub fn run(args: StudySubmitArgs) -> anyhow::Result<Answer> {
    let mut answer = Answer::new();
    let engine = args.engine.options().context("say with --executor who starts the trainings")?;
    let spec = read_spec(&args.plan.spec)?;
    let threads = args.threads_per_job.map_or(0, usize::from);
    let mut options = args.plan.options(args.out.clone(), 1, threads);
    options.require_simd = args.simd.require_simd;
    let again = again(crate::typed().collect(), args.leave_failed);
    let done = study::submit(spec, &options, &engine, (args.leave_failed, &again), &Console::default())?;
    let root = typed_again(&options.root);
    match (&done.submission, done.round.why) {
        (Some(submission), Some(why)) => {
            say!(answer, "{why}: {} to train, {} at work", done.round.tasks.len(), done.round.working.len());
            show(&mut answer, submission, &engine);
        }
        (_, Some(_)) => {
            say!(answer, "nothing to submit: {} trainings are at work", done.round.working.len());
        }
        // The engine has come to the end.
        (_, None) if args.leave_failed => {
            let options = StudyReportOptions { device: options.device, ..StudyReportOptions::default() };
            let page = study::report(std::slice::from_ref(&done.root), &options, &Console::default())?;
            published(&mut answer, &page, page.parent().unwrap_or(&done.root));
        }
        (_, None) => say!(answer, "the study is finished; next: sorby study report {root}"),
    }
    answer.set_all(done.round.json());
    Ok(answer)
}

/// The command of the next round: as typed, but that what failed is left.
fn again(typed: Vec<OsString>, already: bool) -> Vec<OsString> {
    let mut words: Vec<OsString> = typed.into_iter().skip(1).collect();
    if !already {
        let end = words.iter().position(|word| word == "--").unwrap_or(words.len());
        words.insert(end, "--leave-failed".into());
        if !words[..end].iter().any(|word| word == "--run") {
            words.insert(end, "--run".into());
        }
    }
    words
}
