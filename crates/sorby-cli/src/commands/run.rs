//! `sorby run`.

use crate::answer::{Answer, say};
use crate::args::RunArgs;
use crate::console::Console;
use crate::interrupts;
use sorby::SegmentedFolder;
use sorby::lot::{Lot, run_job, run_job_shard, share_job, watch_folder};
use std::path::Path;

pub fn run(args: RunArgs) -> anyhow::Result<Answer> {
    let (options, console) = (args.options(), Console::default());
    if let Some(engine) = args.engine.engine.options() {
        share_job(&args.job, &options, &args.out)?;
        return super::cluster::submit_shards(&args.out, &args.engine, &engine);
    }
    args.simd.check()?;
    if args.part.shard.is_some() {
        return Ok(of_shard(&run_job_shard(&args.job, &options, &args.out, &console)?));
    }
    let mut answer = Answer::new();
    let lot = match &args.watch {
        Some(folder) => watch_folder(&args.job, folder, &options, &args.out, &console)?,
        None => run_job(&args.job, &options, &args.out, &console)?,
    };
    if lot.stopped {
        say!(answer, "stopped; the same command goes on with the other images");
        answer.set("stopped", true);
        return Ok(answer.exit(interrupts::exit_code()));
    }
    lot.warnings.iter().for_each(|line| eprintln!("warning: {line}"));
    answer.set_all(&lot.record);
    show(&mut answer, &lot, &args.out);
    Ok(answer.exit(if lot.clean { 0 } else { 1 }))
}

fn of_shard(done: &SegmentedFolder) -> Answer {
    let mut answer = Answer::new();
    say!(answer, "{} of {} images segmented: {}", done.segmented, done.images, done.out.display());
    say!(answer, "when all shards are finished: the same command with --merge instead of --shard");
    answer.set_path("out", &done.out);
    answer.set("images", done.images);
    answer.set("segmented", done.segmented);
    answer.set("problems", done.problems.to_json());
    answer.set("stopped", done.stopped);
    answer.exit(if done.stopped { interrupts::exit_code() } else { 0 })
}

fn show(answer: &mut Answer, lot: &Lot, out: &Path) {
    say!(answer, "{} of {} images measured", lot.images.0, lot.images.1);
    lot.results.iter().for_each(|line| say!(answer, "{line}"));
    for (limit, verdict) in &lot.limits {
        say!(answer, "{}: {limit}", verdict.word().to_uppercase());
    }
    say!(answer, "report {}:", lot.report_number);
    lot.reports.iter().for_each(|path| say!(answer, "  {}", path.display()));
    say!(answer, "seal: {} (sorby verify {} shows it again)", lot.seal_sha256, super::typed_again(out));
}
