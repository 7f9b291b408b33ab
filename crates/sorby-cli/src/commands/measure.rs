//! `sorby measure`.

mod words;

use crate::answer::{Answer, say};
use crate::args::MeasureArgs;
use crate::console::Console;
use crate::made_by::typed;
use anyhow::bail;
use sorby::measure::{MeasuredShard, measure, measure_shard, merge_shards};
use sorby::{OutFolder, Part, listing, tables};

pub fn run(args: MeasureArgs) -> anyhow::Result<Answer> {
    let mut answer = Answer::new();
    let options = args.options();
    options.check()?;
    let files = listing::images(&args.masks)?;
    let made_by = typed("measure").with_files("masks", &files);
    let console = Console::default();
    if let Part::Shard(shard) = args.part.part() {
        return Ok(of_shard(&measure_shard(&files, &options, (&args.out, shard), made_by, &console)?));
    }
    let mut out = OutFolder::check_or_put_aside(&args.out, made_by.clone(), &[], args.put_aside.as_deref())?;
    let measured = match args.part.part() {
        Part::Merge(count) => merge_shards(&files, &options, (&args.out, count), &made_by, &console)?,
        _ => measure(&files, &options, &console)?,
    };
    if measured.fields.is_empty() && !out.again {
        // Without a result the folder stays free for a better command.
        bail!("no mask could be measured");
    }
    out.claim()?;
    tables::write_problems(&args.out, &measured.problems)?;
    if measured.fields.is_empty() {
        bail!("no mask could be measured");
    }
    let results = measured.results();
    results.report_doubts(&console);
    let calibration = results.write(&args.out)?;
    answer.set_all(results.summary());
    words::show(&mut answer, &measured, &results, &options, calibration.as_deref());
    let particles = args.out.join("particles.csv");
    say!(answer, "every {} particle: {}", measured.class, particles.display());
    Ok(answer.exit(if measured.problems.rows.is_empty() { 0 } else { 1 }))
}

fn of_shard(done: &MeasuredShard) -> Answer {
    let mut answer = Answer::new();
    say!(answer, "{} of {} masks measured: {}", done.measured, done.masks, done.out.display());
    say!(answer, "when all shards are finished: the same command with --merge instead of --shard");
    answer.set_path("out", &done.out);
    answer.set("masks", done.masks);
    answer.set("measured", done.measured);
    answer.set("problems", done.problems.to_json());
    // Done, problems and all: an engine would start it again. The merge says what could not be measured.
    answer
}
