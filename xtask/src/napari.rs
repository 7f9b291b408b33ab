//! The napari plugin: installed next to the wheel of Sorby and a real napari into `target/napari`, and tested there.

use crate::python::{self, Environment};
use crate::{execute, root, unless_missing};
use anyhow::bail;
use std::path::Path;
use std::process::Command;

/// `cargo xtask napari`: builds the wheel and tests the plugin with it.
pub fn run() -> anyhow::Result<()> {
    let Some(builder) = unless_missing("the napari plugin", python::builder())? else { return Ok(()) };
    test(&python::wheel(&builder)?)
}

/// Makes the environment, with this wheel of Sorby in it, and runs the tests. napari and Qt need a screen: on Linux without one, a
/// virtual one is started.
pub fn test(wheel: &Path) -> anyhow::Result<()> {
    let needed = screen().and_then(|screen| Ok((screen, environment(wheel)?)));
    let Some((screen, environment)) = unless_missing("the napari plugin", needed)? else { return Ok(()) };
    let plugin = root().join("napari");
    let mut validate = Command::new(environment.programs().join("npe2"));
    execute(validate.args(["validate", "sorby-napari"]))?;
    let python = environment.programs().join("python");
    let mut command = match screen {
        Screen::Own => Command::new(python),
        Screen::Virtual => {
            let mut command = Command::new("xvfb-run");
            command.args(["--auto-servernum", "--server-args", "-screen 0 1600x1000x24"]).arg(python);
            command
        }
    };
    // `-P`: the folder `napari` of this repository is not napari.
    command.args(["-P", "-m", "pytest", "--quiet", "-p", "no:cacheprovider"]);
    command.arg("-c").arg(plugin.join("pyproject.toml")).arg(plugin.join("tests"));
    execute(&mut command)
}

/// Where windows are shown.
enum Screen {
    Own,
    Virtual,
}

fn screen() -> anyhow::Result<Screen> {
    if cfg!(not(target_os = "linux")) || std::env::var_os("DISPLAY").is_some() {
        return Ok(Screen::Own);
    }
    if !Command::new("xvfb-run").arg("--help").output().is_ok_and(|o| o.status.success()) {
        bail!("napari draws with OpenGL, which needs a screen: install xvfb (Debian: xvfb), or set DISPLAY");
    }
    Ok(Screen::Virtual)
}

/// napari and all else that the tests need, with the wheel and the plugin as they are now.
fn environment(wheel: &Path) -> anyhow::Result<Environment> {
    let plugin = root().join("napari");
    let environment = Environment::of(python::folder().with_file_name("napari").join("python")).made()?;
    environment.install(&[&plugin.join("requirements-test.txt")])?;
    // The version stays the same while the code changes; numpy and the rest are there.
    let again = ["--force-reinstall", "--no-deps", "--no-build-isolation"];
    environment.install_with(&again, &[wheel, &plugin])?;
    Ok(environment)
}
