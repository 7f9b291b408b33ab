//! The real program, from the outside.

mod answers;
mod border_import;
mod border_measure;
mod border_names;
mod border_readers;
mod border_scale;
mod border_shapes;
mod border_values;
mod border_values_in_doubt;
mod border_vendors;
mod cluster;
mod codings;
mod ensemble;
mod faults;
mod guard_files;
mod guard_resume;
mod guard_runs;
mod guard_server;
mod import;
mod imported;
mod kills;
mod mistakes;
mod model_export;
mod mutations;
mod page_edits;
mod page_routine;
mod pipeline;
mod resume;
mod routine;
mod scale;
mod serve;
mod shards;
mod study;
mod study_again;
mod study_rounds;
mod verbs;

use std::path::Path;
use std::process::{Command, Output};

/// Runs `sorby` in a folder.
fn sorby(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().unwrap()
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sorby"));
    command.current_dir(folder).args(arguments);
    command
}

/// Runs `sorby`, which must succeed; returns what it printed.
#[track_caller]
fn succeed(folder: &Path, arguments: &[&str]) -> String {
    let output = sorby(folder, arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "sorby {arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs `sorby`, which must fail with exit code 2 and one line; returns that line.
#[track_caller]
fn fail(folder: &Path, arguments: &[&str]) -> String {
    let output = sorby(folder, arguments);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "sorby {arguments:?}: {error}");
    let lines: Vec<&str> = error.lines().filter(|l| l.starts_with("error: ")).collect();
    assert_eq!(lines.len(), 1, "one clear line expected: {error}");
    assert!(!error.contains("panicked"), "{error}");
    lines[0].to_owned()
}

/// A small synthetic data set in `data`, and a recipe for a training of seconds in `tiny.toml`.
fn workshop() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fill_workshop(folder.path());
    folder
}

/// The same in a folder that is there.
fn fill_workshop(at: &Path) {
    succeed(at, &["synth", "--out", "data", "--images", "5", "--size", "120x96", "--seed", "2"]);
    let recipe = "[data]\nbatch = 2\ncrop = 64\n[schedule]\niterations = 6\nvalidate_every = 3\ncheckpoint_every = 2\n\
                  [inference]\nwindow = 64\nstride = 48\n";
    std::fs::write(at.join("tiny.toml"), recipe).unwrap();
}
