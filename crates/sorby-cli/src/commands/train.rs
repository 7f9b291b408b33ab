//! `sorby train`.

mod words;

use crate::answer::{Answer, say};
use crate::args::TrainArgs;
use crate::console::Console;
use crate::interrupts;
use crate::train_console::TrainConsole;
use anyhow::Context as _;
use sorby::{NamedRecipe, TrainOptions, Training};
use sorby_train::{Event, nothing_found_by_run};
use std::cell::Cell;

pub fn run(args: TrainArgs) -> anyhow::Result<Answer> {
    let note = args.note_failure.clone().zip(args.recipe.clone());
    train(args).inspect_err(|error| note.iter().for_each(|(file, recipe)| words::note(error, file, recipe)))
}

fn train(args: TrainArgs) -> anyhow::Result<Answer> {
    args.simd.check()?;
    let mut answer = Answer::new();
    interrupts::listen();
    if args.stop_with_parent {
        interrupts::stop_with_parent();
    }
    // The CPU is what `--resume` takes unless told.
    let on =
        if args.device.device == "cpu" { String::new() } else { format!(" --device {}", args.device.device) };
    let out = args.out.clone();
    let Some(training) = training(args)? else { return Ok(words::finished(out)) };
    let trainer = training.trainer()?;
    let (run, classes) = (training.run(), training.classes());
    let recipe = trainer.recipe().clone();
    let mut console = TrainConsole::new(&recipe, run, classes.clone());
    interrupts::work_has_begun();
    let root = super::typed_again(run.root());
    let go_on = format!("sorby train --resume {root}{on}");
    answer.set_path("run", run.root());
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
        say!(answer, "stopped after iteration {}; go on with:\n  {go_on}", outcome.iterations);
        answer.set("iterations", outcome.iterations);
        answer.set("stopped", true);
        return Ok(answer.exit(interrupts::exit_code()));
    }
    answer.set("stopped", false);
    let nothing_found = nothing_found_by_run(run.root(), &classes);
    nothing_found.iter().for_each(|line| answer.line(line));
    answer.set("nothing_found", nothing_found);
    words::show_outcome(&mut answer, &outcome, run.root());
    let data = super::typed_again(training.data());
    say!(answer, "next:\n  sorby evaluate {root} --data {data} --split {}", recipe.data.val);
    say!(answer, "  sorby segment {root} YOUR_IMAGES --out masks");
    say!(answer, "  sorby report {root} --data {data}");
    Ok(answer)
}

/// `None` where `--continue` finds it finished.
fn training(args: TrainArgs) -> anyhow::Result<Option<Training>> {
    let options = TrainOptions {
        out: args.out,
        time_s: args.time,
        device: args.device.options(),
        data_is_checked: args.looked,
        arguments: crate::typed_words().collect(),
    };
    let console = Console::default();
    if let Some(root) = &args.resume {
        let data = args.data.as_deref();
        return Ok(Some(Training::resume(root, data, args.iterations, &options, &console)?));
    }
    let recipe = NamedRecipe::read(&args.recipe.context("a recipe file is needed")?, &args.overrides)?;
    let data = args.data.context("--data is needed")?;
    if args.go_on {
        return Ok(Training::begin_or_resume(recipe, &data, &options, &console)?);
    }
    Ok(Some(Training::begin(recipe, &data, &options, &console)?))
}
