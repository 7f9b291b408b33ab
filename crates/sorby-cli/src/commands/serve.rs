//! `sorby serve`.

use crate::answer::{Answer, SCHEMA_VERSION};
use crate::args::ServeArgs;
use anyhow::{Context as _, bail};
use serde_json::json;
use sorby::Program;
use sorby_serve::{Settings, TOKEN_VARIABLE, Token, serve};
use std::net::SocketAddr;
use std::process::{Command, Stdio};

pub fn run(args: ServeArgs, threads: Option<usize>, json: bool) -> anyhow::Result<Answer> {
    let token = token(&args)?;
    let settings = Settings {
        project: args.project,
        program: Program::own()?,
        address: SocketAddr::new(args.bind, args.port),
        token,
        trainings: args.trainings.into(),
        threads,
    };
    serve(settings, |address| {
        // At once: whoever started it waits for the address.
        if json {
            println!(
                "{}",
                json!({"schema": "sorby-serve", "schema_version": SCHEMA_VERSION, "address": address})
            );
        } else {
            println!(
                "{address}\nCtrl-C ends it; trainings that it started stop in order and can be resumed."
            );
        }
        if !args.no_open {
            open(address);
        }
    })?;
    Ok(Answer::new())
}

/// What visitors have to know, from where it was given.
fn token(args: &ServeArgs) -> anyhow::Result<Token> {
    if args.no_token {
        if !args.bind.is_loopback() {
            bail!("--no-token would let in everybody who reaches {}; leave it out", args.bind);
        }
        return Ok(Token::None);
    }
    let (place, token) = if let Some(file) = &args.token_file {
        let text =
            std::fs::read_to_string(file).with_context(|| format!("{}: cannot be read", file.display()))?;
        if readable_by_others(file) {
            eprintln!("warning: {}: other users can read it; chmod 600 makes it private", file.display());
        }
        (file.display().to_string(), text.lines().next().unwrap_or_default().trim().to_owned())
    } else if let Some(token) = &args.token {
        eprintln!(
            "warning: other users of this machine can read --token in the list of processes; use --token-file or {TOKEN_VARIABLE}"
        );
        ("--token".to_owned(), token.clone())
    } else if let Some(token) = std::env::var_os(TOKEN_VARIABLE).filter(|t| !t.is_empty()) {
        (TOKEN_VARIABLE.to_owned(), token.to_string_lossy().into_owned())
    } else {
        return Ok(Token::Random);
    };
    let plain = token.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if !plain || !(16..=256).contains(&token.len()) {
        bail!("{place}: a token must be 16 to 256 letters, digits, - and _");
    }
    Ok(Token::Given(token))
}

#[cfg(unix)]
fn readable_by_others(file: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(file).is_ok_and(|m| m.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn readable_by_others(_: &std::path::Path) -> bool {
    false
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
