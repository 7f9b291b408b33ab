//! `sorby scale`.

use crate::args::ScaleArgs;
use sorby::{listing, report_scales};
use std::process::ExitCode;

pub fn run(args: ScaleArgs) -> anyhow::Result<ExitCode> {
    let report = report_scales(&listing::images(&args.images)?);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report.records)?);
    } else {
        print!("{}", report.table.to_text());
        if !report.all_known {
            println!(
                "where nothing reliable is found, give the pixel size (--nm-per-px, or [scale] in dataset.toml) or the \
                 length written next to the scale bar (--bar-nm)"
            );
        }
    }
    Ok(if report.all_known { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
