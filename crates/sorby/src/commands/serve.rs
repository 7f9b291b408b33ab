//! `sorby serve`.

use crate::args::ServeArgs;
use anyhow::{Context as _, bail};
use sorby_serve::{Settings, serve};
use std::net::SocketAddr;
use std::process::{Command, ExitCode, Stdio};

pub fn run(args: ServeArgs) -> anyhow::Result<ExitCode> {
    let plain =
        |t: &String| t.len() >= 8 && t.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if args.token.as_ref().is_some_and(|t| !plain(t)) {
        bail!("--token must be 8 or more letters, digits, - and _");
    }
    let settings = Settings {
        project: args.project,
        program: std::env::current_exe().context("cannot find this program's own file")?,
        address: SocketAddr::new(args.bind, args.port),
        token: args.token,
    };
    serve(settings, |address| {
        println!("{address}\nCtrl-C ends it; trainings that it started stop in order and can be resumed.");
        if !args.no_open {
            open(address);
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Opens the page in the usual browser, if there is one.
fn open(address: &str) {
    let (program, arguments): (&str, &[&str]) = match std::env::consts::OS {
        "windows" => ("cmd", &["/C", "start", ""]),
        "macos" => ("open", &[]),
        _ => ("xdg-open", &[]),
    };
    let quiet = Stdio::null;
    // Without one, the address that was printed is all there is.
    let _ = Command::new(program)
        .args(arguments)
        .arg(address)
        .stdin(quiet())
        .stdout(quiet())
        .stderr(quiet())
        .spawn();
}
