//! `sorby clean`.

use std::path::PathBuf;
use std::process::ExitCode;

pub fn run(runs: &[PathBuf]) -> anyhow::Result<ExitCode> {
    let mut refused = false;
    for run in runs {
        match sorby::clean(run) {
            Ok(bytes) => println!("{}: {:.1} MB freed", run.display(), bytes as f64 / 1e6),
            Err(error) => {
                eprintln!("error: {error}");
                refused = true;
            }
        }
    }
    Ok(if refused { ExitCode::from(2) } else { ExitCode::SUCCESS })
}
