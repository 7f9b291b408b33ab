//! `sorby data`.

mod copy;
mod deep;
mod export;
mod import;

use crate::args::{CheckArgs, DataCommand};
use anyhow::Context as _;
use copy::Copy;
use serde_json::json;
use sorby_data::doctor::{Misplaced, mend};
use sorby_data::{Dataset, Manifest, Problem, Sample, Summary, check, propose};
use sorby_image::Said;
use sorby_image::scale::agreement;
use sorby_image::write::atomically;
use sorby_image::{CHECK_TITLE, OutputKind, require_replaceable};
use sorby_report::{Page, Picture, Section, overlay, render};
use std::path::Path;
use std::process::ExitCode;

pub fn run(command: DataCommand) -> anyhow::Result<ExitCode> {
    match command {
        DataCommand::Init { dir } => {
            print!("{}", propose(&dir)?);
            Ok(ExitCode::SUCCESS)
        }
        DataCommand::Check(args) => check_data(&args),
        DataCommand::Import(args) => import::run(&args),
        DataCommand::Export(args) => export::run(&args),
    }
}

fn check_data(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    if let Some(page) = &args.page {
        require_replaceable(page, OutputKind::Check)?;
    }
    let (mut found, mut problems) = match Dataset::examine(&args.data) {
        Ok((data, mut problems)) => {
            let summary = check(&data);
            problems.extend(
                summary.problems.iter().filter(|p| !problems.contains(p)).cloned().collect::<Vec<_>>(),
            );
            (Some((data, summary)), problems)
        }
        Err(error) => (None, error.0),
    };
    let mut doubted = match (&found, args.deep) {
        (Some((data, summary)), Some(time_s)) => deep::judge(data, &summary.twins, &args.data, time_s)
            .unwrap_or_else(|error| {
                // What the other checks found is told all the same.
                problems
                    .push(Problem::new(&args.data, format!("--deep could not judge the labels: {error:#}")));
                Vec::new()
            }),
        _ => Vec::new(),
    };
    doubted.retain(|d| d.doubts.outlier);
    if let Some((data, summary)) = &mut found {
        let names = data.manifest.class_names();
        for doubt in &doubted {
            let item = data.items.iter().find(|i| i.name == doubt.sample.name);
            if let (Some(item), Some(what)) = (item, deep::words(doubt, &names)) {
                summary.remarks.push(Problem::new(&item.label, what));
            }
        }
    }
    let summary = found.as_ref().map(|f| &f.1);
    if args.json {
        print_json(summary, &problems)?;
    } else {
        print_text(summary, &problems);
    }
    if let Some((data, summary)) = &found {
        if let Some(page) = &args.page {
            atomically(page, render(&page_of(data, summary, &problems, &doubted)?).as_bytes())?;
            eprintln!("pictures: {}", page.display());
        }
        if let Some(out) = &args.fix {
            fix(data, summary, out)?;
        }
    }
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

fn print_json(summary: Option<&Summary>, problems: &[Problem]) -> anyhow::Result<()> {
    let list = |problems: &[Problem]| -> Vec<serde_json::Value> {
        problems.iter().map(|p| json!({"file": p.path.display().to_string(), "problem": p.what})).collect()
    };
    let classes = summary.map(|s| {
        let class =
            |c: &sorby_data::ClassCount| json!({"name": c.name, "fraction": c.fraction, "images": c.images});
        s.classes.iter().map(class).collect::<Vec<_>>()
    });
    let text = serde_json::to_string_pretty(&json!({
        "problems": list(problems),
        "remarks": summary.map_or(Vec::new(), |s| list(&s.remarks)),
        "classes": classes,
        "splits": summary.map(|s| &s.splits),
        "nm_per_px": summary.and_then(|s| s.nm_per_px),
        "images_without_pixel_size": summary.map(|s| s.without_scale),
    }))?;
    println!("{text}");
    Ok(())
}

fn print_text(summary: Option<&Summary>, problems: &[Problem]) {
    if let Some(s) = summary {
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
        if let Some((low, high)) = s.nm_per_px {
            let to = if low == high { String::new() } else { format!(" to {high:.4}") };
            println!("  pixel size {low:.4}{to} nm");
        }
        if s.without_scale > 0 {
            println!("  {} images have no pixel size: their results will be in pixels", s.without_scale);
        }
        s.remarks.iter().for_each(|r| println!("look at: {r}"));
    }
    problems.iter().for_each(|p| println!("problem: {p}"));
    match problems.len() {
        0 => println!("no problems found"),
        n => println!("{n} problem{} found", if n == 1 { "" } else { "s" }),
    }
}

/// Outlines of a label on its image.
fn drawn(sample: &Sample, label: &sorby_image::LabelMap, data: &Dataset) -> Vec<u8> {
    overlay::classes(&sample.shot.image.to_grey8(), label, &data.manifest.colours()).png()
}

/// Every problem, with pictures of labels that lie wrong: as they are, and mended.
fn page_of(
    data: &Dataset,
    summary: &Summary,
    problems: &[Problem],
    doubted: &[deep::Doubted],
) -> anyhow::Result<Page> {
    let lines = |problems: &[Problem]| problems.iter().map(|p| format!("{p}\n")).collect::<String>();
    let list = |heading: &str, problems: &[Problem]| Section {
        heading: heading.into(),
        text: if problems.is_empty() { "None found.".into() } else { String::new() },
        code: lines(problems),
        ..Section::default()
    };
    let mut sections = vec![list("Problems", problems), list("To look at", &summary.remarks)];
    for (name, misplaced) in &summary.misplaced {
        let sample = load(data, name)?;
        sections.push(Section {
            heading: format!("Label of {name}"),
            pictures: vec![
                Picture::png("as it lies", &drawn(&sample, &sample.label, data)),
                Picture::png("mended", &drawn(&sample, &mend(&sample.label, *misplaced), data)),
            ],
            ..Section::default()
        });
    }
    sections.extend(doubted.iter().map(|d| deep::section(d, &data.manifest.colours())));
    Ok(Page {
        title: CHECK_TITLE.into(),
        subtitle: format!("{} labelled images, {} problems", summary.images, problems.len()),
        warnings: Vec::new(),
        sections,
        record: String::new(),
    })
}

fn load(data: &Dataset, name: &str) -> anyhow::Result<Sample> {
    let item = data.items.iter().find(|i| i.name == *name).context("the image is gone")?;
    data.load_one(item).map_err(|p| anyhow::anyhow!("{p}"))
}

/// The manifest of a copy: with the splits that stand for whole folders, and the pixel sizes that the files beside the
/// images state, for those are not copied.
fn with_all_splits(data: &Dataset) -> Manifest {
    let mut manifest = data.manifest.clone();
    for split in data.split_names().filter(|s| !data.manifest.folds.contains_key(*s)) {
        let names = data.split(split).map(|items| items.iter().map(|i| i.name.clone()).collect());
        manifest.splits.insert(split.to_owned(), names.unwrap_or_default());
    }
    for item in data.items.iter().filter(|i| i.stated_scale.is_none()) {
        if let Ok(Some(known)) = agreement::of_file(&item.image, &Said::default()) {
            manifest.scale.images.insert(item.name.clone(), known.nm_per_px);
        }
    }
    manifest
}

/// Writes a copy of the data set with labels as indices, misplaced ones mended.
fn fix(data: &Dataset, summary: &Summary, out: &Path) -> anyhow::Result<()> {
    let mut copy = Copy::begin(out, &data.manifest)?;
    for item in &data.items {
        // What cannot be read is told above and left out here.
        let Ok(mut label) = data.load_label(item) else { continue };
        let found = summary.misplaced.iter().find(|(name, _)| *name == item.name).map(|m| m.1);
        if let Some(misplaced) = found {
            label = mend(&label, misplaced);
        }
        copy.add(&item.name, &item.image, &label)?;
    }
    let images = copy.images;
    copy.finish(with_all_splits(data))?;
    let turned = summary.misplaced.iter().filter(|m| matches!(m.1, Misplaced::Turned(_))).count();
    eprintln!(
        "{}: {images} images copied, {} labels moved, {turned} turned; your own files are untouched",
        out.display(),
        summary.misplaced.len() - turned
    );
    Ok(())
}
