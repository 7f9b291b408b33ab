//! `sorby data`.

mod classes;

use crate::args::{CheckArgs, DataCommand, ExportArgs, ImportArgs};
use crate::console::Console;
use sorby::data::{DataCheck, ImportOptions, check_data, export_labels, import_labels};
use sorby::{Event, Observer as _};
use sorby_data::{Dataset, propose};
use sorby_image::{OutputKind, require_replaceable};
use std::process::ExitCode;

pub fn run(command: DataCommand) -> anyhow::Result<ExitCode> {
    match command {
        DataCommand::Init { dir } => {
            print!("{}", propose(&dir)?);
            Ok(ExitCode::SUCCESS)
        }
        DataCommand::Check(args) => check(&args),
        DataCommand::Import(args) => import(args),
        DataCommand::Export(args) => export(&args),
        DataCommand::Classes(args) => classes::run(args),
    }
}

fn check(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    if let Some(page) = &args.page {
        require_replaceable(page, OutputKind::Check)?;
    }
    let found = check_data(&args.data, args.deep, &Console::default());
    if args.json {
        println!("{}", serde_json::to_string_pretty(&found.json())?);
    } else {
        show(&found);
    }
    if let Some(page) = args.page.as_deref().map(|page| found.write_page(page)).transpose()?.flatten() {
        eprintln!("pictures: {}", page.display());
    }
    if let Some(done) = args.fix.as_deref().map(|out| found.write_repaired(out)).transpose()?.flatten() {
        eprintln!("{done}");
    }
    Ok(if found.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

fn show(found: &DataCheck) {
    if let Some(s) = &found.summary {
        println!("{} labelled images", s.images);
        for c in &s.classes {
            let percent = 100.0 * c.fraction;
            println!("  class {:<24} {percent:6.2} % of the area, in {} images", c.name, c.images);
        }
        for (name, count) in &s.splits {
            println!("  split {name:<24} {count} images");
        }
        if let Some((low, high)) = s.nm_per_px {
            let to = if low == high { String::new() } else { format!(" to {high:.4}") };
            println!("  pixel size {low:.4}{to} nm");
        }
        if s.without_scale > 0 {
            println!("  {} images have no pixel size: their results will be in pixels", s.without_scale);
        }
        s.remarks.iter().for_each(|r| println!("look at: {r}"));
    }
    found.problems.iter().for_each(|p| println!("problem: {p}"));
    match found.problems.len() {
        0 => println!("no problems found"),
        n => println!("{n} problem{} found", if n == 1 { "" } else { "s" }),
    }
}

fn import(args: ImportArgs) -> anyhow::Result<ExitCode> {
    let ImportArgs { source, out, images, format, class } = args;
    let console = Console::default();
    let made = import_labels(&ImportOptions { source, images, format, class }, &out, &console)?;
    made.remarks.iter().for_each(|r| console.event(Event::LookAt(r.to_string())));
    made.problems.iter().for_each(|p| console.event(Event::Problem(p.to_string())));
    let (out, names) = (out.display(), made.classes.join(", "));
    println!("{} images with {} classes ({names}) -> {out}", made.images, made.classes.len());
    println!("next:\n  sorby data check {out} --page check.html");
    Ok(if made.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn export(args: &ExportArgs) -> anyhow::Result<ExitCode> {
    let data = Dataset::open(&args.data)?;
    for what in export_labels(&data, args.format.into(), &args.out)? {
        eprintln!("look at: {what}");
    }
    println!("{} images -> {}", data.items.len(), args.out.display());
    Ok(ExitCode::SUCCESS)
}
