//! The Python package: its wheel is built, installed where no compiler is, and tested from there.

use crate::{execute, root, unless_missing};
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
        let base = if cfg!(windows) { "python" } else { "python3" };
        let asked = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))";
        let python = Command::new(base).args(["-c", asked]).output();
        if !python.is_ok_and(|o| o.status.success()) {
            bail!("it needs {base}, 3.11 or newer, with venv (Debian: python3, python3-venv)");
        }
        if !self.programs().join("python").exists() && !self.programs().join("python.exe").exists() {
            execute(Command::new(base).args(["-m", "venv"]).arg(&self.0))?;
        }
        Ok(self)
    }

    /// Installs packages, and lists of packages (`.txt`).
    pub fn install(&self, what: &[&Path]) -> anyhow::Result<()> {
        self.install_with(&[], what)
    }

    /// The same with options of pip.
    pub fn install_with(&self, options: &[&str], what: &[&Path]) -> anyhow::Result<()> {
        let mut pip = self.python();
        // Most of what is installed is never imported: what is, is compiled then.
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"])
            .args(options);
        for one in what {
            if one.extension().is_some_and(|e| e == "txt") {
                pip.arg("--requirement");
            }
            pip.arg(one);
        }
        execute(&mut pip).context("what it needs cannot be installed from the package index")
    }
}

/// Builds, installs and tests the wheel; gives it.
pub fn test() -> anyhow::Result<Option<PathBuf>> {
    let Some((builder, fresh)) = unless_missing("the Python package", environments())? else {
        return Ok(None);
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
    Ok(Some(wheel))
}

/// One that builds wheels, kept from run to run, and one that has never seen a compiler.
fn environments() -> anyhow::Result<(Environment, Environment)> {
    let builder = builder()?;
    let fresh = Environment(folder().join("fresh")).made_anew()?;
    fresh.install(&[&root().join("python/requirements-test.txt")])?;
    Ok((builder, fresh))
}

/// The environment that builds wheels.
pub fn builder() -> anyhow::Result<Environment> {
    let builder = Environment(folder().join("build")).made()?;
    builder.install(&[&root().join("python/requirements-build.txt")])?;
    Ok(builder)
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
