//! The napari plugin: installed next to the wheel of Sorby and a real napari into `target/napari`, and tested there.

use crate::python::{self, Environment};
use crate::{execute, root};
use anyhow::{Context as _, bail};
use std::path::Path;
use std::process::Command;

/// `cargo xtask napari`: builds the wheel, makes the environment and runs the tests. Not part of `cargo xtask test`: napari
/// and Qt need a screen; on Linux without one, a virtual one is started.
pub fn test() -> anyhow::Result<()> {
    let plugin = root().join("napari");
    let builder = Environment::of(python::folder().join("build")).made()?;
    builder.install(&[&root().join("python/requirements-build.txt")])?;
    let wheel = python::wheel(&builder)?;
    let environment = Environment::of(folder().join("python")).made()?;
    environment
        .install(&[&plugin.join("requirements-test.txt"), &wheel])
        .context("what it needs cannot be installed from the package index")?;
    // The version stays the same while the code changes.
    let mut install = environment.python();
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--force-reinstall"]);
    execute(install.args(["--no-deps", "--no-build-isolation"]).arg(&wheel).arg(&plugin))?;
    let mut validate = Command::new(environment.programs().join("npe2"));
    execute(validate.args(["validate", "sorby-napari"]))?;
    execute(&mut pytest(&environment, &plugin)?)
}

fn folder() -> std::path::PathBuf {
    python::folder().with_file_name("napari")
}

/// The tests, in a screen of their own where there is none.
fn pytest(environment: &Environment, plugin: &Path) -> anyhow::Result<Command> {
    let python = environment.programs().join("python");
    let is_shown = cfg!(not(target_os = "linux")) || std::env::var_os("DISPLAY").is_some();
    let mut command = if is_shown {
        Command::new(python)
    } else {
        if !Command::new("xvfb-run").arg("--help").output().is_ok_and(|o| o.status.success()) {
            bail!(
                "napari draws with OpenGL, which needs a screen: install xvfb (Debian: xvfb), or set DISPLAY"
            );
        }
        let mut command = Command::new("xvfb-run");
        command.args(["--auto-servernum", "--server-args", "-screen 0 1600x1000x24"]).arg(python);
        command
    };
    // `-P`: the folder `napari` of this repository is not napari.
    command.args(["-P", "-m", "pytest", "--quiet", "-p", "no:cacheprovider"]);
    command.arg("-c").arg(plugin.join("pyproject.toml")).arg(plugin.join("tests"));
    Ok(command)
}
