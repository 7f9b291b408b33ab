//! Models and files for other programs, read by these: `reference/check_exports.py` and `check_files.py` with what they need,
//! installed into `target/exports`.

use crate::python::Environment;
use crate::{cargo, execute, root, unless_missing};
use anyhow::Context as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Writes models, exports them with `program` and has other engines answer; then has the files of `program` read by the
/// libraries of their formats. Downloads them once: 2.5 GB, nearly all of it PyTorch. `SORBY_EXPORTS_PYTHON` names a Python that
/// has all of it already.
pub fn test(program: &Path) -> anyhow::Result<()> {
    let Some(python) = unless_missing("models and files in other programs", install())? else {
        return Ok(());
    };
    let reference = |name: &str| root().join("reference").join(name);
    let files = folder().join("files");
    let mut check = Command::new(&python);
    check.arg(reference("check_files.py")).arg(&files).arg(program);
    execute(&mut check).context("a file is read otherwise by the library of its format")?;
    let models = folder().join("models");
    let _ = std::fs::remove_dir_all(&models);
    // The only process of this program; cargo hands the variable on to the test.
    let mut write = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    write.args(["test", "--workspace", "--locked", "--test", "export", "--", "--ignored", "for_python"]);
    execute(write.env("SORBY_EXPORTS", &models))?;
    let mut check = Command::new(python);
    check.arg(reference("check_exports.py")).arg(&models).arg(program);
    execute(&mut check).context("an exported model answers otherwise")
}

/// `cargo xtask exports`.
pub fn run() -> anyhow::Result<()> {
    cargo(&["build", "--workspace", "--locked"])?;
    test(&crate::program("debug"))
}

fn folder() -> PathBuf {
    crate::python::folder().with_file_name("exports")
}

fn install() -> anyhow::Result<PathBuf> {
    if let Some(python) = std::env::var_os("SORBY_EXPORTS_PYTHON") {
        return Ok(python.into());
    }
    let environment = Environment::of(folder().join("python")).made()?;
    // Holds the lists it was made from, so that a change of versions is noticed.
    let done = folder().join("installed");
    let lists =
        ["requirements-exports.txt", "requirements-mmseg.txt"].map(|l| root().join("reference").join(l));
    let wanted = [std::fs::read(&lists[0])?, std::fs::read(&lists[1])?].concat();
    if std::fs::read(&done).ok().as_deref() != Some(&wanted) {
        environment.install(&[&lists[0]])?;
        // Without what they ask for: that needs a compiler.
        environment.install_with(&["--no-deps"], &[&lists[1]])?;
        std::fs::write(&done, &wanted).context("cannot write into target/exports")?;
    }
    Ok(environment.programs().join("python"))
}
