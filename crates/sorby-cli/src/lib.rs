//! The program `sorby`: arguments in, one function per verb. A library, so that whatever starts Sorby (its own binary, the
//! Python package) starts the same program.

mod answer;
mod args;
mod commands;
mod console;
mod interrupts;
mod made_by;
#[cfg(test)]
mod started;
mod train_console;

use clap::{CommandFactory as _, FromArgMatches as _};
use std::ffi::OsString;
use std::io::Write as _;
use std::sync::OnceLock;

/// The program's name and its arguments, as they were typed.
static TYPED: OnceLock<Vec<OsString>> = OnceLock::new();

/// Runs the program as typed, its name first, and gives its exit code. Once in a process: it takes over Ctrl-C, the threads
/// and what is printed of panics, and a second Ctrl-C ends the process.
pub fn run(typed: Vec<OsString>) -> u8 {
    sorby_nn::keep_freed_buffers();
    quit_quietly_when_nobody_reads();
    let code = match parsed(TYPED.get_or_init(|| typed)) {
        Ok((args, verb)) => answered(args, &verb),
        Err(code) => code,
    };
    // In a process that goes on, nobody else would write out what is left.
    let _ = std::io::stdout().flush();
    code
}

fn answered(args: args::Args, verb: &str) -> u8 {
    let json = args.json;
    match commands::run(args) {
        Ok(answer) => answer.print(verb, json),
        Err(error) => {
            // One line, whatever names of files hold.
            let line = format!("{error:#}").replace(['\n', '\r'], " ");
            eprintln!("error: {line}");
            if json {
                answer::print_refusal(verb, &line);
            }
            2
        }
    }
}

/// What was typed, the program's name first.
fn typed_words() -> impl Iterator<Item = String> {
    typed().map(|a| a.to_string_lossy().into_owned())
}

/// The same, also what is no Unicode.
fn typed() -> impl Iterator<Item = OsString> {
    TYPED.get().into_iter().flatten().cloned()
}

/// The arguments, and the verb as it was typed; a value such as `-5` is a value, which is refused by its option's name.
/// Else the exit code: help and refusals are printed.
fn parsed(typed: &[OsString]) -> Result<(args::Args, String), u8> {
    let matches = negative_values(args::Args::command()).try_get_matches_from(typed);
    let parsed = matches.and_then(|m| Ok((args::Args::from_arg_matches(&m)?, verb_of(&m))));
    parsed.map_err(|error| {
        if error.kind() == clap::error::ErrorKind::ValueValidation {
            let text = error.render().to_string();
            let line = text.lines().next().unwrap_or_default();
            let line = line.replace("invalid digit found in string", "give a whole number, from 0 up");
            eprintln!("{}", line.replace("invalid float literal", "give a number, such as 2.5"));
            return 2;
        }
        // Where nobody reads, there is nobody to tell.
        let _ = error.print();
        u8::try_from(error.exit_code()).unwrap_or(2)
    })
}

/// `data check`.
fn verb_of(matches: &clap::ArgMatches) -> String {
    let words = std::iter::successors(matches.subcommand(), |(_, below)| below.subcommand());
    words.map(|(word, _)| word).collect::<Vec<_>>().join(" ")
}

fn negative_values(command: clap::Command) -> clap::Command {
    let command = command.mut_args(|a| {
        let takes_values = a.get_action().takes_values();
        if takes_values { a.allow_negative_numbers(true) } else { a }
    });
    let names: Vec<String> = command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
    names.into_iter().fold(command, |command, name| command.mut_subcommand(name, negative_values))
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
