//! What a newcomer or CI has to run: `cargo xtask demo`, `cargo xtask test` and the other words of [`USAGE`].

mod bench;
mod demo;
mod device;
mod exports;
mod napari;
mod peers;
mod python;
mod web;

use anyhow::{Context as _, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

const USAGE: &str = "usage: cargo xtask COMMAND

  demo   build Sorby, make synthetic micrographs, train, measure, write demo/report.html
  test   run every test
  python build the Python package, install it where no compiler is, and test it (part of test)
  napari build the wheel, install it next to a real napari into target/napari, and test the plugin (part of test)
  device train and segment on a software graphics device (Debian: mesa-vulkan-drivers) next to the CPU (NOT part of test)
  web    build the page of `sorby serve`, which the program holds
  lint   check formatting and clippy
  exports ask other engines and libraries whether exported models answer, and files read, as in Sorby; installs them into
         target/exports (part of test)
  attack kills, failing disks, changed files, clients at once: what docs/reliability.md reports; a quarter of an hour
  bench  time training and inference; with --torch next to PyTorch, which is installed into target/torch; with --peers next
         to PyTorch, OpenVINO, ONNX Runtime and OpenCV, which are installed into target/peers: what is lost comes first";

fn main() -> anyhow::Result<()> {
    let command = std::env::args().nth(1).unwrap_or_default();
    match command.as_str() {
        "demo" => demo::run(),
        "bench" => bench::run(&std::env::args().skip(2).collect::<Vec<_>>()),
        "test" => test(),
        "python" => python::test().map(drop),
        "napari" => napari::run(),
        "device" => device::test(),
        "attack" => attack(),
        "exports" => exports::run(),
        "web" => web::build(),
        "lint" => lint(),
        _ => bail!("{USAGE}"),
    }
}

/// The repository's root.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The program that cargo built, wherever it was told to build.
fn program(profile: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or("target".into(), PathBuf::from);
    root().join(target).join(profile).join("sorby")
}

fn cargo(arguments: &[&str]) -> anyhow::Result<()> {
    execute(Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into())).args(arguments))
}

/// Runs a command in the root; its failure is ours.
fn execute(command: &mut Command) -> anyhow::Result<()> {
    let shown = format!("{command:?}");
    let status = command.current_dir(root()).status().with_context(|| format!("cannot start {shown}"))?;
    if !status.success() {
        bail!("{shown} failed ({status})");
    }
    Ok(())
}

fn test() -> anyhow::Result<()> {
    web::build()?;
    cargo(&["test", "--workspace", "--locked"])?;
    let program = program("debug");
    // Browsers wait most of the time: Python and the other programs have the cores meanwhile.
    std::thread::scope(|scope| {
        let page = scope.spawn(|| web::test(&program));
        let others = other_programs(&program);
        page.join().map_err(|_| anyhow::anyhow!("the tests of the page"))?.and(others)
    })
}

/// The package for Python, the plugin for napari, and what others make of our files.
fn other_programs(program: &Path) -> anyhow::Result<()> {
    if let Some(wheel) = python::test()? {
        napari::test(&wheel)?;
    }
    exports::test(program)
}

/// What a test cannot do without. Where it is missing the reason is printed and the test left out; in CI that is a failure, so that
/// no test passes there by not running.
fn unless_missing<T>(test: &str, needed: anyhow::Result<T>) -> anyhow::Result<Option<T>> {
    match needed {
        Ok(needed) => Ok(Some(needed)),
        Err(reason) if std::env::var_os("CI").is_none() => {
            println!("NOT tested: {test}: {reason:#}");
            Ok(None)
        }
        Err(reason) => Err(reason.context(format!("cannot be tested: {test}"))),
    }
}

/// The long attacks; short ones of each kind are part of every test.
fn attack() -> anyhow::Result<()> {
    let build = ["test", "--release", "--locked", "-p", "sorby-cli", "--test", "cli"];
    cargo(&[&build[..], &["--no-run"]].concat())?;
    // The clients have their own ten minutes; the other attacks go on meanwhile.
    let run = [&build[..], &["--", "--ignored", "--nocapture", "--test-threads", "1"]].concat();
    let clients = || cargo(&[&run[..], &["attack_of_clients"]].concat());
    std::thread::scope(|scope| {
        let clients = scope.spawn(clients);
        let others = cargo(&[&run[..], &["attack_", "--skip", "attack_of_clients"]].concat());
        clients.join().map_err(|_| anyhow::anyhow!("the attack of the clients"))?.and(others)
    })
}

fn lint() -> anyhow::Result<()> {
    cargo(&["fmt", "--all", "--check"])?;
    cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])
}
