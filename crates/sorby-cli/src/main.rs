//! The `sorby` program: arguments in, one function per verb.

mod answer;
mod args;
mod commands;
mod console;
mod interrupts;
mod launcher;
mod made_by;
mod train_console;

use clap::{CommandFactory as _, FromArgMatches as _};
use std::process::ExitCode;

fn main() -> ExitCode {
    sorby_nn::keep_freed_buffers();
    quit_quietly_when_nobody_reads();
    let (args, verb) = arguments();
    let json = args.json;
    match commands::run(args) {
        Ok(answer) => answer.print(&verb, json),
        Err(error) => {
            // One line, whatever names of files hold.
            let line = format!("{error:#}").replace(['\n', '\r'], " ");
            eprintln!("error: {line}");
            if json {
                answer::print_refusal(&verb, &line);
            }
            ExitCode::from(2)
        }
    }
}

/// The arguments, and the verb as it was typed; a value such as `-5` is a value, which is refused by its option's name.
fn arguments() -> (args::Args, String) {
    let matches = negative_values(args::Args::command()).try_get_matches();
    let parsed = matches.and_then(|m| Ok((args::Args::from_arg_matches(&m)?, verb_of(&m))));
    parsed.unwrap_or_else(|error| {
        if error.kind() == clap::error::ErrorKind::ValueValidation {
            let text = error.render().to_string();
            let line = text.lines().next().unwrap_or_default();
            let line = line.replace("invalid digit found in string", "give a whole number, from 0 up");
            eprintln!("{}", line.replace("invalid float literal", "give a number, such as 2.5"));
            std::process::exit(2);
        }
        error.exit()
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
