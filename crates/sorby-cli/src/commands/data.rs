//! `sorby data`.

mod classes;

use crate::answer::{Answer, say};
use crate::args::{CheckArgs, DataCommand, ExportArgs, ImportArgs};
use crate::console::Console;
use sorby::data::{DataCheck, ImportOptions, check_data, export_labels, import_labels};
use sorby::{Event, Observer as _};
use sorby_data::{Dataset, propose};
use sorby_image::{OutputKind, require_replaceable};
use std::path::Path;

pub fn run(command: DataCommand) -> anyhow::Result<Answer> {
    match command {
        DataCommand::Init { dir } => init(&dir),
        DataCommand::Check(args) => check(&args),
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

fn check(args: &CheckArgs) -> anyhow::Result<Answer> {
    let mut answer = Answer::new();
    if let Some(page) = &args.page {
        require_replaceable(page, OutputKind::Check)?;
    }
    let found = check_data(&args.data, args.deep, &Console::default());
    answer.set_all(found.json());
    show(&mut answer, &found);
    // What was found is said, whether or not it can be written as well.
    match args.page.as_deref().map(|page| found.write_page(page)).transpose() {
        Ok(Some(Some(page))) => eprintln!("pictures: {}", page.display()),
        Ok(_) => {}
        Err(error) => return Ok(answer.failed(&error.to_string(), 2)),
    }
    match args.fix.as_deref().map(|out| found.write_repaired(out)).transpose() {
        Ok(Some(Some(done))) => eprintln!("{done}"),
        Ok(_) => {}
        Err(error) => return Ok(answer.failed(&error.to_string(), 2)),
    }
    Ok(answer.exit(if found.problems.is_empty() { 0 } else { 2 }))
}

fn show(answer: &mut Answer, found: &DataCheck) {
    if let Some(s) = &found.summary {
        say!(answer, "{} labelled images", s.images);
        for c in &s.classes {
            let percent = 100.0 * c.fraction;
            say!(answer, "  class {:<24} {percent:6.2} % of the area, in {} images", c.name, c.images);
        }
        for (name, count) in &s.splits {
            say!(answer, "  split {name:<24} {count} images");
        }
        if let Some((low, high)) = s.nm_per_px {
            let to = if low == high { String::new() } else { format!(" to {high:.4}") };
            say!(answer, "  pixel size {low:.4}{to} nm");
        }
        if s.without_scale > 0 {
            say!(answer, "  {} images have no pixel size: their results will be in pixels", s.without_scale);
        }
        s.remarks.iter().for_each(|r| say!(answer, "look at: {r}"));
    }
    found.problems.iter().for_each(|p| say!(answer, "problem: {p}"));
    match found.problems.len() {
        0 => answer.line("no problems found"),
        n => say!(answer, "{n} problem{} found", if n == 1 { "" } else { "s" }),
    }
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
