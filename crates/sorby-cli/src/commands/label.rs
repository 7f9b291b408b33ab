//! `sorby label`.

use crate::answer::{Answer, say};
use crate::args::{DraftArgs, LabelCommand, TrialArgs};
use crate::console::Console;
use serde_json::Value;
use sorby::label::{DraftOptions, Trial, draft_label, trial, trial_lines, trial_table};
use sorby_serve::{Project, suggestions};
use std::path::Path;

pub fn run(command: LabelCommand) -> anyhow::Result<Answer> {
    match command {
        LabelCommand::Draft(args) => draft(args),
        LabelCommand::Next { project } => next(&project),
        LabelCommand::Trial(args) => try_out(&args),
    }
}

fn draft(args: DraftArgs) -> anyhow::Result<Answer> {
    let mut answer = Answer::new();
    let options = DraftOptions {
        image: args.image,
        strokes: args.strokes,
        classes: args.classes.map(usize::from),
        seed: args.seed,
        scale: args.scale.options(),
    };
    draft_label(&options, &args.out)?;
    say!(answer, "draft: {}", args.out.display());
    answer.set_path("draft", args.out);
    Ok(answer)
}

fn next(project: &Path) -> anyhow::Result<Answer> {
    let mut answer = Answer::new();
    let project = Project::open(project)?;
    let list = suggestions(&project).map_err(|refusal| anyhow::anyhow!(refusal.what))?;
    for suggestion in &list {
        let place = suggestion.region_px.map_or(String::new(), |[x, y, w, h]| {
            format!(" (columns {x} to {}, rows {y} to {})", x + w, y + h)
        });
        say!(answer, "{}{place}: {}", suggestion.name, suggestion.why);
    }
    if list.is_empty() {
        answer.line("every image has a label");
    }
    answer.set("suggestions", list);
    Ok(answer)
}

fn try_out(args: &TrialArgs) -> anyhow::Result<Answer> {
    let mut answer = Answer::new();
    let strokes = usize::from(args.strokes);
    let trials = trial(&args.data, &args.split, strokes, &Console::default())?;
    answer.text(&trial_table(&trials).to_text());
    trial_lines(&trials, strokes).iter().for_each(|line| answer.line(line));
    answer.set("trials", trials.iter().map(Trial::json).collect::<Vec<Value>>());
    Ok(answer)
}
