//! `sorby data init`, `sorby data check`.

use crate::args::DataCommand;
use serde_json::json;
use sorby_data::{Dataset, check, propose};
use std::path::Path;
use std::process::ExitCode;

pub fn run(command: DataCommand) -> anyhow::Result<ExitCode> {
    match command {
        DataCommand::Init { dir } => {
            print!("{}", propose(&dir)?);
            Ok(ExitCode::SUCCESS)
        }
        DataCommand::Check { data, json } => check_data(&data, json),
    }
}

fn check_data(path: &Path, as_json: bool) -> anyhow::Result<ExitCode> {
    let (summary, problems) = match Dataset::examine(path) {
        Ok((data, mut problems)) => {
            let summary = check(&data);
            problems.extend(
                summary.problems.iter().filter(|p| !problems.contains(p)).cloned().collect::<Vec<_>>(),
            );
            (Some(summary), problems)
        }
        Err(error) => (None, error.0),
    };
    if as_json {
        let list: Vec<_> = problems
            .iter()
            .map(|p| json!({"file": p.path.display().to_string(), "problem": p.what}))
            .collect();
        let classes = summary.as_ref().map(|s| {
            let class = |c: &sorby_data::ClassCount| json!({"name": c.name, "fraction": c.fraction, "images": c.images});
            s.classes.iter().map(class).collect::<Vec<_>>()
        });
        let splits = summary.as_ref().map(|s| &s.splits);
        println!(
            "{}",
            serde_json::to_string_pretty(&json!({"problems": list, "classes": classes, "splits": splits}))?
        );
    } else {
        if let Some(s) = &summary {
            println!("{} labelled images", s.images);
            for c in &s.classes {
                println!(
                    "  class {:<24} {:6.2} % of the area, in {} images",
                    c.name,
                    100.0 * c.fraction,
                    c.images
                );
            }
            for (name, count) in &s.splits {
                println!("  split {name:<24} {count} images");
            }
            if s.without_scale > 0 {
                println!("  {} images have no pixel size: their results will be in pixels", s.without_scale);
            }
        }
        problems.iter().for_each(|p| println!("problem: {p}"));
        match problems.len() {
            0 => println!("no problems found"),
            n => println!("{n} problem{} found", if n == 1 { "" } else { "s" }),
        }
    }
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) })
}
