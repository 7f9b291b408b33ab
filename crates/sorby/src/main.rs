//! The `sorby` program: arguments in, one function per verb.

mod args;
mod commands;
mod console;

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    sorby_nn::keep_freed_buffers();
    quit_quietly_when_nobody_reads();
    let args = args::Args::parse();
    match commands::run(args) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// `sorby ... | head` is not a failure: `println!` panics when its reader has gone.
fn quit_quietly_when_nobody_reads() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let message = info.payload_as_str().unwrap_or_default();
        if message.starts_with("failed printing to stdout") {
            if message.contains("Broken pipe") {
                std::process::exit(0);
            }
            eprintln!("error: {message}");
            std::process::exit(2);
        }
        usual(info);
    }));
}
