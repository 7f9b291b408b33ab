//! `sorby train`.

use crate::args::TrainArgs;
use crate::console::Console;
use crate::interrupts;
use crate::train_console::TrainConsole;
use anyhow::Context as _;
use sorby::{NamedRecipe, TrainOptions, Training};
use sorby_train::{Event, Outcome, nothing_found_by_run};
use std::cell::Cell;
use std::process::ExitCode;

pub fn run(args: TrainArgs) -> anyhow::Result<ExitCode> {
    interrupts::listen();
    if args.stop_with_parent {
        interrupts::stop_with_parent();
    }
    // The CPU is what `--resume` takes unless told.
    let on =
        if args.device.device == "cpu" { String::new() } else { format!(" --device {}", args.device.device) };
    let training = training(args)?;
    let trainer = training.trainer()?;
    let (run, classes) = (training.run(), training.classes());
    let recipe = trainer.recipe().clone();
    let mut console = TrainConsole::new(&recipe, run, classes.clone());
    interrupts::work_has_begun();
    let root = run.root().display();
    let go_on = format!("sorby train --resume {root}{on}");
    let begun = Cell::new(false);
    let mut show = |event: Event| {
        begun.set(true);
        console.show(event);
    };
    let outcome = trainer.run(&mut show, &interrupts::asked).inspect_err(|_| {
        // What is refused from the start is not helped by the same command.
        if begun.get() && run.has_checkpoint() {
            eprintln!("what was learnt is kept; go on with: {go_on}");
        }
    })?;
    console.finish();
    if outcome.stopped {
        println!("stopped after iteration {}; go on with:\n  {go_on}", outcome.iterations);
        return Ok(interrupts::exit_code());
    }
    nothing_found_by_run(run.root(), &classes).iter().for_each(|line| println!("{line}"));
    show_outcome(&outcome, &root.to_string());
    println!(
        "next:\n  sorby evaluate {root} --data {} --split {}",
        training.data().display(),
        recipe.data.val
    );
    println!("  sorby segment {root} YOUR_IMAGES --out masks");
    println!("  sorby report {root} --data {}", training.data().display());
    Ok(ExitCode::SUCCESS)
}

fn training(args: TrainArgs) -> anyhow::Result<Training> {
    let options = TrainOptions {
        out: args.out,
        time_s: args.time,
        device: args.device.options(),
        data_is_checked: args.looked,
        arguments: std::env::args_os().map(|a| a.to_string_lossy().into_owned()).collect(),
    };
    if let Some(root) = &args.resume {
        return Ok(Training::resume(root, args.data.as_deref(), args.iterations, &options)?);
    }
    let recipe = NamedRecipe::read(&args.recipe.context("a recipe file is needed")?, &args.overrides)?;
    Ok(Training::begin(recipe, &args.data.context("--data is needed")?, &options, &Console::default())?)
}

fn show_outcome(outcome: &Outcome, root: &str) {
    println!("trained {} iterations; model: {root}/{}", outcome.iterations, sorby_train::RunFile::Model);
    if let Some(miou) = outcome.last.as_ref().and_then(|s| s.mean_iou) {
        println!("validation mIoU of the last iteration: {:.2} %", 100.0 * miou);
    }
    if let Some((iteration, miou)) = outcome.best {
        println!("best: {:.2} % at iteration {iteration} ({root}/best.safetensors)", 100.0 * miou);
    }
}
