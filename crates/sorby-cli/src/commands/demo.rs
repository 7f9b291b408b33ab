//! `sorby demo`: the main job from start to end on synthetic carbides, each step a verb that could have been typed.

mod steps;

use crate::answer::{Answer, say};
use crate::args::DemoArgs;
use anyhow::{Context as _, bail};
use sorby::Program;
use sorby::words::quoted;
use sorby_image::write::atomically;
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;
use steps::STEPS;

/// The schedule of the training.
const RECIPE: &str = include_str!("../../../../recipes/demo.toml");

pub fn run(args: &DemoArgs, json: bool) -> anyhow::Result<Answer> {
    let (started, out) = (Instant::now(), &args.out);
    if std::fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some()) {
        bail!("{}: holds files already; name a new folder with --out", out.display());
    }
    let recipe = RECIPE.replace("iterations = 220", &format!("iterations = {}", args.iterations));
    atomically(&out.join("demo.toml"), recipe.as_bytes())?;
    for (title, arguments) in STEPS {
        step(out, title, arguments, json)?;
    }
    let mut answer = Answer::new();
    let page = std::path::absolute(out.join("report.html"))?;
    say!(answer, "\nDone in {:.0} s. Open file://{}", started.elapsed().as_secs_f64(), page.display());
    say!(
        answer,
        "Look at it all, draw labels and train in the browser:\n  sorby serve {}",
        super::typed_again(out)
    );
    answer.set_path("out", out);
    answer.set_path("page", &page);
    Ok(answer)
}

/// Runs a verb in the demo's folder; with `--json` what it prints is no part of the answer.
fn step(out: &Path, title: &str, arguments: &[&str], json: bool) -> anyhow::Result<()> {
    let shown = arguments.iter().map(|a| quoted(a)).collect::<Vec<_>>().join(" ");
    let mut command = Program::own()?.command();
    command.args(arguments).current_dir(out);
    if json {
        command.stdout(Stdio::from(std::io::stderr()));
    } else {
        println!("\n== {title}\n$ sorby {shown}");
    }
    let status = command.status().context("cannot start a process of the program")?;
    if !status.success() {
        bail!("the demo ends here: `sorby {shown}` failed ({status})");
    }
    Ok(())
}
