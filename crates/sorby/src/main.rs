//! The `sorby` program: arguments in, one function per verb.

mod args;
mod commands;
mod console;

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    sorby_nn::keep_freed_buffers();
    let args = args::Args::parse();
    match commands::run(args) {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// `sorby ... | head` is not a failure.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|e| e.downcast_ref::<std::io::Error>())
        .any(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
}
