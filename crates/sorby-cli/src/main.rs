//! The program `sorby` as a file of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(sorby_cli::run(std::env::args_os().collect()))
}
