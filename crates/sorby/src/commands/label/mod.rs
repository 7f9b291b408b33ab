//! `sorby label`.

mod annotator;
mod trial;

use crate::args::{DraftArgs, LabelCommand};
use anyhow::{Context as _, bail};
use sorby_image::{IGNORE, MaskNote, OutputKind, RawLabels, Shot, require_replaceable};
use sorby_label::{Features, draft};
use sorby_serve::{Project, suggestions};
use std::path::Path;
use std::process::ExitCode;

pub fn run(command: LabelCommand) -> anyhow::Result<ExitCode> {
    match command {
        LabelCommand::Draft(args) => make_draft(&args),
        LabelCommand::Next { project, json } => next(&project, json),
        LabelCommand::Trial(args) => trial::run(&args),
    }
}

fn make_draft(args: &DraftArgs) -> anyhow::Result<ExitCode> {
    require_replaceable(&args.out, OutputKind::Draft)?;
    let shot = Shot::read(&args.image, &args.scale.said()?.of(&args.image))?;
    let image = &shot.image;
    let RawLabels::Values(strokes) = RawLabels::read(&args.strokes)? else {
        bail!("{}: strokes must be an index mask, not colours", args.strokes.display());
    };
    if (strokes.width, strokes.height) != (image.width, image.height) {
        bail!(
            "{}: is {}x{} but the image is {}x{}",
            args.strokes.display(),
            strokes.width,
            strokes.height,
            image.width,
            image.height
        );
    }
    let most = strokes.labels.iter().filter(|l| **l != IGNORE).max().copied().unwrap_or(0);
    let classes = args.classes.map_or(usize::from(most) + 1, usize::from);
    if usize::from(most) >= classes {
        bail!("{}: has class {most}, but there are {classes} (from 0)", args.strokes.display());
    }
    let features = Features::of(&image.to_grey8(), image.width, image.height);
    let made = draft(&features, &strokes, classes, args.seed)
        .with_context(|| format!("{}: paint a stroke of two classes at least", args.strokes.display()))?;
    let colours: Vec<[u8; 3]> = (0..classes).map(|i| sorby_data::default_colour(i).0).collect();
    let mut labels = made.labels;
    // Text is no steel.
    labels.ignore_bottom(shot.data_bar_px());
    labels.write_mask(&args.out, &colours, &MaskNote::new(shot.scale.as_ref(), Vec::new()))?;
    println!("draft: {}", args.out.display());
    Ok(ExitCode::SUCCESS)
}

fn next(project: &Path, json: bool) -> anyhow::Result<ExitCode> {
    let project = Project::open(project)?;
    let list = suggestions(&project).map_err(|refusal| anyhow::anyhow!(refusal.what))?;
    if json {
        println!("{}", serde_json::to_string_pretty(&list)?);
        return Ok(ExitCode::SUCCESS);
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
    Ok(ExitCode::SUCCESS)
}
