//! `sorby demo` by a program that is built first, into `demo/`; an older demo there is removed.

use crate::{cargo, execute, program, root, web};
use anyhow::Context as _;
use std::process::Command;

pub fn run() -> anyhow::Result<()> {
    web::build()?;
    cargo(&["build", "--release", "--locked", "--package", "sorby-cli"])?;
    let out = root().join("demo");
    if out.exists() {
        std::fs::remove_dir_all(&out).context("cannot clear the old demo folder")?;
    }
    execute(Command::new(program("release")).args(["demo", "--out", "demo"]))
}
