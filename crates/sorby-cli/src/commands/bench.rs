//! `sorby bench`.

use crate::args::BenchArgs;
use serde::Serialize;
use sorby::bench::{bench, bench_measure, write_pictures};
use std::process::ExitCode;

pub fn run(args: BenchArgs) -> anyhow::Result<ExitCode> {
    match args.options() {
        Some(options) => {
            let timed = bench(&options)?;
            show(&args, &timed, || timed.text())
        }
        None => {
            if let Some(folder) = &args.write {
                write_pictures(args.size, folder)?;
            }
            let timed = bench_measure(args.size, args.repeats.into());
            show(&args, &timed, || timed.text())
        }
    }
}

fn show(args: &BenchArgs, value: &impl Serialize, text: impl Fn() -> String) -> anyhow::Result<ExitCode> {
    if args.json {
        println!("{}", serde_json::to_string(value)?);
    } else {
        print!("{}", text());
    }
    Ok(ExitCode::SUCCESS)
}
