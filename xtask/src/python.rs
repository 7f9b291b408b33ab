//! The Python package: its wheel is built, installed where no compiler is, and tested from there.

use crate::{execute, root};
use anyhow::{Context as _, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Below the folder that cargo builds into.
pub fn folder() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or("target".into(), PathBuf::from);
    root().join(target).join("python")
}

/// A virtual environment.
pub struct Environment(PathBuf);

impl Environment {
    /// The one in this folder, which need not exist yet.
    pub fn of(folder: PathBuf) -> Self {
        Self(folder)
    }

    pub fn programs(&self) -> PathBuf {
        self.0.join(if cfg!(windows) { "Scripts" } else { "bin" })
    }

    pub fn python(&self) -> Command {
        Command::new(self.programs().join("python"))
    }

    /// A new one in place of the one that was there.
    fn made_anew(self) -> anyhow::Result<Self> {
        if self.0.exists() {
            std::fs::remove_dir_all(&self.0).context("an older environment cannot be removed")?;
        }
        self.made()
    }

    pub fn made(self) -> anyhow::Result<Self> {
        if !self.programs().join("python").exists() && !self.programs().join("python.exe").exists() {
            execute(Command::new("python3").args(["-m", "venv"]).arg(&self.0))?;
        }
        Ok(self)
    }

    pub fn install(&self, what: &[&Path]) -> anyhow::Result<()> {
        let mut pip = self.python();
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        for one in what {
            if one.extension().is_some_and(|e| e == "txt") {
                pip.arg("--requirement");
            }
            pip.arg(one);
        }
        execute(&mut pip)
    }
}

/// Builds, installs and tests the wheel. Where Python or the package index is missing the reason is printed; in CI it is a
/// failure.
pub fn test() -> anyhow::Result<()> {
    let (builder, fresh) = match environments() {
        Ok(both) => both,
        Err(reason) if std::env::var_os("CI").is_none() => {
            println!("the Python package is NOT tested: {reason:#}");
            return Ok(());
        }
        Err(reason) => return Err(reason.context("the Python package cannot be tested")),
    };
    let wheel = wheel(&builder)?;
    fresh.install(&[&wheel])?;
    let mebibytes = std::fs::metadata(&wheel)?.len() as f64 / 1048576.0;
    println!("{}: {mebibytes:.1} MB", wheel.display());
    for arguments in [
        ["-m", "pytest", "--quiet", "-p", "no:cacheprovider"].as_slice(),
        &["-m", "mypy", "--no-incremental"],
        &["-m", "mypy.stubtest", "sorby"],
    ] {
        // Nothing but this environment can be started by its name: no compiler, no cargo, no other Sorby.
        let mut command = fresh.python();
        command.args(arguments).env("PATH", fresh.programs()).env_remove("PYTHONPATH");
        execute(&mut command)?;
    }
    Ok(())
}

/// One that builds wheels, kept from run to run, and one that has never seen a compiler.
fn environments() -> anyhow::Result<(Environment, Environment)> {
    let asked = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))";
    let python = Command::new("python3").args(["-c", asked]).output();
    if !python.is_ok_and(|o| o.status.success()) {
        bail!("it needs python3, 3.11 or newer, with venv (Debian: python3, python3-venv)");
    }
    let missing = "what it needs cannot be installed from the package index";
    let builder = Environment(folder().join("build")).made()?;
    builder.install(&[&root().join("python/requirements-build.txt")]).context(missing)?;
    let fresh = Environment(folder().join("fresh")).made_anew()?;
    fresh.install(&[&root().join("python/requirements-test.txt")]).context(missing)?;
    Ok((builder, fresh))
}

/// The wheel, from the crates that `cargo test` has built: the profile is that of the tests.
pub fn wheel(builder: &Environment) -> anyhow::Result<PathBuf> {
    let wheels = folder().join("wheels");
    if wheels.exists() {
        std::fs::remove_dir_all(&wheels).context("older wheels cannot be removed")?;
    }
    let mut maturin = Command::new(builder.programs().join("maturin"));
    execute(maturin.args(["build", "--profile", "dev", "--locked", "--out"]).arg(&wheels))?;
    let found = std::fs::read_dir(&wheels)?.flatten().map(|entry| entry.path());
    found
        .into_iter()
        .find(|path| path.extension().is_some_and(|e| e == "whl"))
        .context("maturin made no wheel")
}
