//! The main job from start to end on synthetic carbides, under five minutes on two cores.

use crate::{cargo, execute, program, root, web};
use anyhow::Context as _;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

pub fn run() -> anyhow::Result<()> {
    web::build()?;
    cargo(&["build", "--release", "--locked", "--package", "sorby-cli"])?;
    let started = Instant::now();
    let out = root().join("demo");
    if out.exists() {
        std::fs::remove_dir_all(&out).context("cannot clear the old demo folder")?;
    }
    let program = program("release");
    let sorby = |title: &str, arguments: &[&str]| -> anyhow::Result<()> {
        println!("\n== {title}\n$ sorby {}", arguments.join(" "));
        execute(Command::new(&program).args(arguments))
    };
    sorby(
        "Ten synthetic micrographs with exact labels",
        &["synth", "--out", "demo/data", "--images", "10", "--size", "640x480", "--seed", "1"],
    )?;
    sorby("Is the data set sound?", &["data", "check", "demo/data"])?;
    sorby(
        "A short training",
        &["train", "recipes/demo.toml", "--data", "demo/data", "--out", "demo/runs/demo"],
    )?;
    sorby(
        "Accuracy on images it never saw",
        &["evaluate", "demo/runs/demo", "--data", "demo/data", "--split", "test", "--out", "demo/evaluation"],
    )?;
    let test = ["demo/data/images/carbide-009.png", "demo/data/images/carbide-010.png"];
    sorby("Masks", &["segment", "demo/runs/demo", test[0], test[1], "--out", "demo/predictions/demo"])?;
    sorby(
        "Particles, next to the truth",
        &[
            "measure",
            "demo/predictions/demo/masks",
            "--data",
            "demo/data",
            "--class",
            "carbide",
            "--out",
            "demo/measurements/demo",
        ],
    )?;
    sorby(
        "Would a threshold have been enough?",
        &[
            "threshold",
            test[0],
            test[1],
            "--truth",
            "demo/data/labels",
            "--masks",
            "demo/predictions/demo/masks",
            "--nm-per-px",
            "12.5",
            "--out",
            "demo/thresholds",
        ],
    )?;
    sorby(
        "All of it on one page",
        &["report", "demo/runs/demo", "--data", "demo/data", "--split", "test", "--out", "demo/report.html"],
    )?;
    let report = root().join("demo/report.html").canonicalize().unwrap_or_default();
    println!("\nDone in {:.0} s. Open {}", started.elapsed().as_secs_f64(), shown(&report));
    println!("Look at it all, draw labels and train in the browser:\n  target/release/sorby serve demo");
    Ok(())
}

fn shown(path: &Path) -> String {
    format!("file://{}", path.display())
}
