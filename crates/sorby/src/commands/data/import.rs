//! `sorby data import`.

use super::copy::Copy;
use crate::args::ImportArgs;
use anyhow::bail;
use sorby_data::import::{Format, Source, detect, import};
use sorby_data::{Class, DataError, Manifest};
use std::collections::BTreeMap;
use std::process::ExitCode;

pub fn run(args: &ImportArgs) -> anyhow::Result<ExitCode> {
    if !args.source.exists() {
        bail!("{}: no such file or folder", args.source.display());
    }
    if let Some(images) = args.images.as_deref().filter(|i| !i.is_dir()) {
        bail!("--images {}: no such folder", images.display());
    }
    let names = || Format::ALL.map(|(name, _)| name).join(", ");
    let format = match &args.format {
        Some(text) => match Format::ALL.iter().find(|(name, _)| name == text) {
            Some((_, format)) => *format,
            None => bail!("--format {text}: unknown; the formats are {}", names()),
        },
        None => match detect(&args.source).map_err(|problem| anyhow::anyhow!("{problem}"))? {
            Some(format) => format,
            None if args.source.extension().is_some_and(|e| e == "xml")
                || args.source.join("annotations.xml").is_file() =>
            {
                bail!(
                    "{}: XML of CVAT or Pascal VOC is not read; export `Segmentation mask 1.1`, COCO or LabelMe",
                    args.source.display()
                )
            }
            None => bail!(
                "{}: who wrote these labels cannot be told from the files; give --format, one of {}. Indexed, grey and \
                 painted masks need no import: see `sorby data init`",
                args.source.display(),
                names()
            ),
        },
    };
    let source = Source { path: &args.source, images: args.images.as_deref(), class: &args.class };
    let imported = match import(format, &source) {
        Ok(imported) => imported,
        Err(DataError(problems)) => {
            problems.iter().for_each(|p| eprintln!("problem: {p}"));
            bail!("{}: nothing could be taken over; the problems are above", args.source.display());
        }
    };
    let classes =
        imported.classes.iter().map(|name| Class { name: name.clone(), color: None, label_color: None });
    let mut manifest = Manifest::of_classes(classes.collect());
    let mut splits: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut copy = Copy::begin(&args.out, &manifest)?;
    for image in &imported.images {
        copy.add(&image.name, &image.image, &image.label)?;
        if let Some(split) = &image.split {
            splits.entry(split.clone()).or_default().push(image.name.clone());
        }
    }
    manifest.splits = splits;
    let images = copy.images;
    copy.finish(manifest)?;
    imported.remarks.iter().for_each(|r| eprintln!("look at: {r}"));
    imported.problems.iter().for_each(|p| eprintln!("problem: {p}"));
    let out = args.out.display();
    println!(
        "{images} images with {} classes ({}) -> {out}",
        imported.classes.len(),
        imported.classes.join(", ")
    );
    println!("next:\n  sorby data check {out} --page check.html");
    Ok(if imported.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
