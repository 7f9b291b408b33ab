//! Exported models in other engines: `reference/check_exports.py` with what it needs, installed into `target/exports`.

use crate::{cargo, execute, root};
use anyhow::Context as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Writes models, exports them with `program` and has the other engines answer. Downloads them once: 1 GB, with PyTorch.
/// `SORBY_EXPORTS_PYTHON` names a Python that has all of it already.
pub fn test(program: &Path) -> anyhow::Result<()> {
    let python = install()?;
    let folder = root().join("target/exports/models");
    let _ = std::fs::remove_dir_all(&folder);
    // The only process of this program; cargo hands the variable on to the test.
    let mut write = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    write.args(["test", "--workspace", "--locked", "--test", "export", "--", "--ignored", "for_python"]);
    execute(write.env("SORBY_EXPORTS", &folder))?;
    let mut check = Command::new(python);
    check.arg(root().join("reference/check_exports.py")).arg(&folder).arg(program);
    execute(&mut check).context("an exported model answers otherwise")
}

/// `cargo xtask exports`.
pub fn run() -> anyhow::Result<()> {
    cargo(&["build", "--workspace", "--locked"])?;
    test(&crate::program("debug"))
}

fn install() -> anyhow::Result<PathBuf> {
    if let Some(python) = std::env::var_os("SORBY_EXPORTS_PYTHON") {
        return Ok(python.into());
    }
    let environment = root().join("target/exports/python");
    let python = environment.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    // Holds the lists it was made from, so that a change of versions is noticed.
    let done = environment.join("installed");
    let lists =
        ["requirements-exports.txt", "requirements-mmseg.txt"].map(|l| root().join("reference").join(l));
    let wanted = [std::fs::read(&lists[0])?, std::fs::read(&lists[1])?].concat();
    if std::fs::read(&done).ok().as_deref() != Some(&wanted) {
        let base = if cfg!(windows) { "python" } else { "python3" };
        execute(Command::new(base).args(["-m", "venv"]).arg(&environment))?;
        let install = ["-m", "pip", "install", "--quiet", "-r"];
        execute(Command::new(&python).args(install).arg(&lists[0]))?;
        // Without what they ask for: that needs a compiler.
        execute(Command::new(&python).args(install).arg(&lists[1]).arg("--no-deps"))?;
        std::fs::write(&done, &wanted).context("cannot write into target/exports")?;
    }
    Ok(python)
}
