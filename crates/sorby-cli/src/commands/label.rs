//! `sorby label`.

use crate::args::{DraftArgs, LabelCommand, TrialArgs};
use crate::console::Console;
use serde_json::Value;
use sorby::label::{DraftOptions, Trial, draft_label, trial, trial_lines, trial_table};
use sorby_serve::{Project, suggestions};
use std::path::Path;
use std::process::ExitCode;

pub fn run(command: LabelCommand) -> anyhow::Result<ExitCode> {
    match command {
        LabelCommand::Draft(args) => draft(args)?,
        LabelCommand::Next { project, json } => next(&project, json)?,
        LabelCommand::Trial(args) => try_out(&args)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn draft(args: DraftArgs) -> anyhow::Result<()> {
    let options = DraftOptions {
        image: args.image,
        strokes: args.strokes,
        classes: args.classes.map(usize::from),
        seed: args.seed,
        scale: args.scale.options(),
    };
    draft_label(&options, &args.out)?;
    println!("draft: {}", args.out.display());
    Ok(())
}

fn next(project: &Path, json: bool) -> anyhow::Result<()> {
    let project = Project::open(project)?;
    let list = suggestions(&project).map_err(|refusal| anyhow::anyhow!(refusal.what))?;
    if json {
        println!("{}", serde_json::to_string_pretty(&list)?);
        return Ok(());
    }
    for suggestion in &list {
        let place = suggestion.region_px.map_or(String::new(), |[x, y, w, h]| {
            format!(" (columns {x} to {}, rows {y} to {})", x + w, y + h)
        });
        println!("{}{place}: {}", suggestion.name, suggestion.why);
    }
    if list.is_empty() {
        println!("every image has a label");
    }
    Ok(())
}

fn try_out(args: &TrialArgs) -> anyhow::Result<()> {
    let strokes = usize::from(args.strokes);
    let trials = trial(&args.data, &args.split, strokes, &Console::default())?;
    if args.json {
        let rows: Vec<Value> = trials.iter().map(Trial::json).collect();
        println!("{}", serde_json::to_string_pretty(&rows)?);
    } else {
        print!("{}", trial_table(&trials).to_text());
        trial_lines(&trials, strokes).iter().for_each(|line| println!("{line}"));
    }
    Ok(())
}
