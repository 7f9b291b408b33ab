//! `sorby threshold`.

use crate::answer::{Answer, say};
use crate::args::ThresholdArgs;
use crate::console::Console;
use crate::made_by::typed;
use sorby::threshold::thresholds;

pub fn run(args: ThresholdArgs) -> anyhow::Result<Answer> {
    let mut answer = Answer::new();
    let found =
        thresholds(&args.images, &args.out, &args.options(), typed("threshold"), &Console::default())?;
    answer.text(&found.table.to_text());
    if let Some(verdict) = &found.verdict {
        say!(answer, "\n{verdict}");
    }
    say!(answer, "binary images, curves (SVG, CSV): {}", args.out.display());
    answer.set("methods", found.table.to_json());
    answer.set("verdict", &found.verdict);
    answer.set("problems", found.problems.to_json());
    answer.set_path("out", &args.out);
    Ok(answer.exit(if found.problems.rows.is_empty() { 0 } else { 1 }))
}
