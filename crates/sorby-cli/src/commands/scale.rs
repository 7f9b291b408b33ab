//! `sorby scale`.

use crate::answer::Answer;
use crate::args::ScaleArgs;
use sorby::{listing, report_scales};

pub fn run(args: ScaleArgs) -> anyhow::Result<Answer> {
    let mut answer = Answer::new();
    let report = report_scales(&listing::images(&args.images)?);
    answer.text(&report.table.to_text());
    if !report.all_known {
        answer.line(
            "where nothing reliable is found, give the pixel size (--nm-per-px, or [scale] in dataset.toml) or the \
             length written next to the scale bar (--bar-nm)",
        );
    }
    answer.set("all_known", report.all_known);
    answer.set("images", report.records);
    Ok(answer.exit(if report.all_known { 0 } else { 1 }))
}
