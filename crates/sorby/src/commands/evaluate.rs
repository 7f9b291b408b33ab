//! `sorby evaluate`.

use super::out_folder::{Command, OutFolder};
use super::provenance::{Makers, Standing};
use super::{checksum, inputs, tables};
use crate::args::EvaluateArgs;
use crate::console::Progress;
use serde_json::json;
use sorby_image::write::{atomically, safe_name};
use sorby_infer::{Confusion, Model};
use sorby_report::{Table, overlay};
use sorby_train::{nothing_found, validate};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

fn model_hash(args: &EvaluateArgs) -> anyhow::Result<String> {
    let file = if args.model.is_dir() { args.model.join("model.safetensors") } else { args.model.clone() };
    checksum::sha256(&file)
}

pub fn run(args: EvaluateArgs) -> anyhow::Result<ExitCode> {
    let device = inputs::device(&args.inference.device)?;
    let data = inputs::open(&args.data)?;
    let items = data.split(&args.split)?;
    let mut model = Model::read(&args.model, &device)?;
    let options = inputs::options(&args.inference, &model)?;
    inputs::require_same_classes(&model, &data)?;
    let samples = data.load(&items)?;
    let place = |root: &PathBuf| {
        OutFolder::check(root, Command::typed("evaluate").with("model", model_hash(&args)?), &[])
    };
    // Held to the end.
    let mut out = args.out.as_ref().map(place).transpose()?;
    if let Some(out) = &mut out {
        out.claim()?;
    }

    let progress = Progress::new(samples.len(), "images");
    let classes = model.card.classes.clone();
    let colours = model.card.colours.clone();
    let standing = Standing::of(&Makers::of(&model, &args.model), &samples);
    let mut per_image: Vec<tables::ScoredImage> = Vec::new();
    let mut counts: Vec<Confusion> = Vec::new();
    let mut failure = None;
    let total = validate(&mut model, &samples, &options, &device, &mut |sample, prediction, confusion| {
        per_image.push((sample.name.clone(), sample.shot.nm_per_px(), confusion.scores()));
        counts.push(confusion.clone());
        if let Some(out) = &args.out {
            let mut write = |name: String, picture: overlay::Rgb| {
                if let Err(e) = atomically(&out.join("overlays").join(name), &picture.png()) {
                    failure.get_or_insert(e);
                }
            };
            for (c, class) in classes.iter().enumerate().skip(1) {
                let picture = overlay::errors(&prediction.labels, &sample.label, c as u8);
                write(format!("{}-{}-errors.png", sample.name, safe_name(class)), picture);
            }
            let picture = overlay::classes(&sample.shot.image.to_grey8(), &prediction.labels, &colours);
            write(format!("{}-classes.png", sample.name), picture);
        }
        progress.advance(1);
    })?;
    progress.finish();
    if let Some(error) = failure {
        return Err(error.into());
    }
    let scores = total.scores();
    let (table, images) = (tables::scores(&scores, &classes), tables::per_image(&per_image, &classes));
    let nothing = nothing_found(&classes, counts.iter().map(Confusion::matrix));
    for warning in standing.warnings() {
        eprintln!("warning: {warning}");
    }
    let summary = json!({
        "model": args.model.display().to_string(),
        "model_blake3": model.blake3,
        "standing": standing.json(),
        "nothing_found": nothing,
        "split": args.split,
        "images": per_image.len(),
        "window_px": options.crop_px,
        "stride_px": options.stride_px,
        "tta_ratios": options.ratios,
        "flip": options.flip,
        "classes": classes,
        "nm_per_px": per_image.iter().map(|i| (i.0.clone(), i.1)).collect::<BTreeMap<_, _>>(),
        "scores": scores,
        "confusion": total.matrix(),
    });
    if let Some(out) = &args.out {
        let text = serde_json::to_string_pretty(&summary)? + "\n";
        atomically(&out.join("summary.json"), text.as_bytes())?;
        atomically(&out.join("classes.csv"), table.to_csv().as_bytes())?;
        atomically(&out.join("per_image.csv"), images.to_csv().as_bytes())?;
        let mut confusion = Table::new(std::iter::once("label".to_owned()).chain(classes.iter().cloned()));
        for (name, row) in classes.iter().zip(total.matrix()) {
            let counts = row.iter().map(|&n| (n as usize).into());
            confusion.row(std::iter::once(name.clone().into()).chain(counts).collect());
        }
        atomically(&out.join("confusion.csv"), confusion.to_csv().as_bytes())?;
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&summary)?);
    } else {
        nothing.iter().for_each(|line| println!("{line}"));
        println!("{} images of split `{}`; counts summed over all of them", per_image.len(), args.split);
        print!("{}\n{}", table.to_text(), images.to_text());
        if let Some(out) = &args.out {
            println!("\ntables and overlays: {}", out.display());
        }
    }
    Ok(ExitCode::SUCCESS)
}
