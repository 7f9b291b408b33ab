//! `sorby threshold`.

use crate::args::ThresholdArgs;
use crate::console::Console;
use crate::made_by::typed;
use sorby::threshold::thresholds;
use std::process::ExitCode;

pub fn run(args: ThresholdArgs) -> anyhow::Result<ExitCode> {
    let found =
        thresholds(&args.images, &args.out, &args.options(), typed("threshold"), &Console::default())?;
    print!("{}", found.table.to_text());
    if let Some(verdict) = &found.verdict {
        println!("\n{verdict}");
    }
    println!("binary images, curves (SVG, CSV): {}", args.out.display());
    Ok(if found.problems.rows.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
