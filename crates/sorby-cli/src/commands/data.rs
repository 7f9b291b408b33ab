//! `sorby data`.

mod check;
mod classes;

use crate::answer::{Answer, say};
use crate::args::{DataCommand, ExportArgs, ImportArgs};
use crate::console::Console;
use sorby::data::{ImportOptions, export_labels, import_labels};
use sorby::{Event, Observer as _};
use sorby_data::{Dataset, propose};
use std::path::Path;

pub fn run(command: DataCommand) -> anyhow::Result<Answer> {
    match command {
        DataCommand::Init { dir } => init(&dir),
        DataCommand::Check(args) => check::run(&args),
        DataCommand::Import(args) => import(args),
        DataCommand::Export(args) => export(&args),
        DataCommand::Classes(args) => classes::run(args),
    }
}

fn init(dir: &Path) -> anyhow::Result<Answer> {
    let mut answer = Answer::new();
    let proposal = propose(dir)?;
    answer.text(&proposal);
    answer.set("dataset_toml", proposal);
    Ok(answer)
}

fn import(args: ImportArgs) -> anyhow::Result<Answer> {
    let mut answer = Answer::new();
    let ImportArgs { source, out, images, format, class } = args;
    let console = Console::default();
    let made = import_labels(&ImportOptions { source, images, format, class }, &out, &console)?;
    made.remarks.iter().for_each(|r| console.event(Event::LookAt(r.to_string())));
    made.problems.iter().for_each(|p| console.event(Event::Problem(p.to_string())));
    answer.set("images", made.images);
    answer.set("classes", &made.classes);
    answer.set("problems", made.problems.iter().map(ToString::to_string).collect::<Vec<_>>());
    answer.set("remarks", made.remarks.iter().map(ToString::to_string).collect::<Vec<_>>());
    answer.set_path("out", &out);
    let (out, names) = (super::typed_again(&out), made.classes.join(", "));
    say!(answer, "{} images with {} classes ({names}) -> {out}", made.images, made.classes.len());
    say!(answer, "next:\n  sorby data check {out} --page check.html");
    Ok(answer.exit(if made.problems.is_empty() { 0 } else { 1 }))
}

fn export(args: &ExportArgs) -> anyhow::Result<Answer> {
    let mut answer = Answer::new();
    let data = Dataset::open(&args.data)?;
    let remarks = export_labels(&data, args.format.into(), &args.out)?;
    remarks.iter().for_each(|what| eprintln!("look at: {what}"));
    answer.set("images", data.items.len());
    answer.set("remarks", remarks.iter().map(ToString::to_string).collect::<Vec<_>>());
    answer.set_path("out", &args.out);
    say!(answer, "{} images -> {}", data.items.len(), args.out.display());
    Ok(answer)
}
