//! The page of `sorby serve`: built from `web/` before the program that holds it.

use crate::{execute, root};
use anyhow::{Context as _, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

fn folder() -> PathBuf {
    root().join("web")
}

fn npm(arguments: &[&str]) -> Command {
    let mut command = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    command.arg("--prefix").arg(folder()).args(arguments);
    command
}

/// Installs what the page is built with, as the lock file says, and builds it.
pub fn build() -> anyhow::Result<()> {
    let there = npm(&["--version"]).output();
    if !there.is_ok_and(|o| o.status.success()) {
        bail!("Node.js (20 or newer) with npm is needed to build the page of `sorby serve`");
    }
    let (lock, installed) =
        (folder().join("package-lock.json"), folder().join("node_modules/.package-lock.json"));
    let changed = |path: &PathBuf| std::fs::metadata(path).and_then(|m| m.modified());
    let fresh =
        matches!((changed(&lock), changed(&installed)), (Ok(lock), Ok(installed)) if installed >= lock);
    if !fresh {
        execute(&mut npm(&["ci", "--no-audit", "--no-fund", "--ignore-scripts"]))?;
    }
    execute(&mut npm(&["run", "build"]))
}

/// Tests of the page: its parts, all of it in a browser of the Chromium family, the main path in Firefox. A browser that is
/// missing is printed as not tested; in CI it is a failure.
pub fn test(program: &Path) -> anyhow::Result<()> {
    execute(&mut npm(&["test"]))?;
    for (script, what) in [("browser.mjs", "the page in the browser"), ("firefox.mjs", "the page in Firefox")]
    {
        let script = folder().join("tests").join(script);
        execute(Command::new("node").arg(script).arg(program)).context(what)?;
    }
    Ok(())
}
