//! `sorby measure`.

mod words;

use crate::answer::{Answer, say};
use crate::args::MeasureArgs;
use crate::console::Console;
use crate::made_by::typed;
use anyhow::bail;
use sorby::measure::measure;
use sorby::{OutFolder, listing, tables};

pub fn run(args: MeasureArgs) -> anyhow::Result<Answer> {
    let mut answer = Answer::new();
    let options = args.options();
    options.check()?;
    let files = listing::images(&args.masks)?;
    let made_by = typed("measure").with_files("masks", &files);
    let mut out = OutFolder::check_or_put_aside(&args.out, made_by, &[], args.put_aside.as_deref())?;
    let console = Console::default();
    let measured = measure(&files, &options, &console)?;
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
