//! `sorby run`.

use crate::args::RunArgs;
use crate::console::Console;
use crate::interrupts;
use sorby::lot::{Lot, run_job, watch_folder};
use std::path::Path;
use std::process::ExitCode;

pub fn run(args: RunArgs) -> anyhow::Result<ExitCode> {
    let (options, console) = (args.options(), Console::default());
    let lot = match &args.watch {
        Some(folder) => watch_folder(&args.job, folder, &options, &args.out, &console)?,
        None => run_job(&args.job, &options, &args.out, &console)?,
    };
    if lot.stopped {
        println!("stopped; the same command goes on with the other images");
        return Ok(interrupts::exit_code());
    }
    lot.warnings.iter().for_each(|line| eprintln!("warning: {line}"));
    if args.json {
        println!("{}", serde_json::to_string_pretty(&lot.record)?);
    } else {
        show(&lot, &args.out);
    }
    Ok(if lot.clean { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn show(lot: &Lot, out: &Path) {
    println!("{} of {} images measured", lot.images.0, lot.images.1);
    lot.results.iter().for_each(|line| println!("{line}"));
    for (limit, verdict) in &lot.limits {
        println!("{}: {limit}", verdict.word().to_uppercase());
    }
    println!("report {}:", lot.report_number);
    lot.reports.iter().for_each(|path| println!("  {}", path.display()));
    println!("seal: {} (sorby verify {} shows it again)", lot.seal_sha256, out.display());
}
