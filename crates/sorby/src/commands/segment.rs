//! `sorby segment`.

use super::{inputs, tables};
use crate::args::SegmentArgs;
use crate::console::Progress;
use sorby_image::write::{PngKind, atomically, png};
use sorby_image::{MaskNote, Micrograph};
use sorby_infer::{Device, Model, Options, Prediction, predict, window_count};
use sorby_report::{Table, overlay};
use std::path::Path;
use std::process::ExitCode;

pub fn run(args: SegmentArgs) -> anyhow::Result<ExitCode> {
    args.scale.check()?;
    let device = inputs::device(&args.inference.device)?;
    let files = inputs::images(&args.images)?;
    let mut model = Model::read(&args.model, &device)?;
    let options = inputs::options(&args.inference, &model)?;
    let mut problems = Table::new(["file", "problem"]);
    let (mut done, mut scaled) = (0, 0);
    std::thread::scope(|scope| {
        // The next image is read while the network works on this one.
        let (send, images) = std::sync::mpsc::sync_channel(0);
        let paths = &files;
        scope.spawn(move || {
            // Nobody listens any more when the other side has given up.
            let _ = paths.iter().try_for_each(|file| send.send(Micrograph::read(file)));
        });
        for (i, (file, image)) in files.iter().zip(images).enumerate() {
            let result = image.map_err(anyhow::Error::from).and_then(|image| {
                segment(file, &image, &mut model, &options, &device, &args, (i, files.len()))
            });
            match result {
                Ok(scale) => {
                    done += 1;
                    scaled += usize::from(scale.is_some());
                }
                // One bad image does not stop the others.
                Err(error) => {
                    eprintln!("problem: {error:#}");
                    problems.row(vec![file.display().to_string().into(), format!("{error:#}").into()]);
                }
            }
        }
    });
    let out = args.out.display();
    tables::write_problems(&args.out, &problems)?;
    println!("{done} of {} images segmented: masks in {out}/masks, overlays in {out}/overlays", files.len());
    if done > 0 {
        let unknown = if scaled < done { " --nm-per-px YOUR_PIXEL_SIZE" } else { "" };
        println!("next:\n  sorby measure {out}/masks --out {out}/particles{unknown}");
    }
    Ok(match (done, problems.rows.len()) {
        (_, 0) => ExitCode::SUCCESS,
        (0, _) => ExitCode::from(2),
        _ => ExitCode::from(1),
    })
}

/// Segments one image; gives its pixel size in nanometres, where known.
fn segment(
    file: &Path,
    image: &Micrograph,
    model: &mut Model,
    options: &Options,
    device: &Device,
    args: &SegmentArgs,
    (index, count): (usize, usize),
) -> anyhow::Result<Option<f64>> {
    let name = inputs::stem(file);
    let scale = inputs::known_scale(file, image, &args.scale)?;
    let progress = Progress::new(window_count(model, image, options), "windows");
    progress.line(&format!("[{}/{count}] {} ({}x{})", index + 1, file.display(), image.width, image.height));
    let Prediction { labels, probabilities } =
        predict(model, image, options, device, &mut |windows| progress.advance(windows));
    progress.finish();
    if scale.data_bar_px > 0 {
        progress.line(&format!(
            "  the last {} rows are taken for a data bar: no part of the field",
            scale.data_bar_px
        ));
    }
    let mut labels = labels;
    labels.ignore_bottom(scale.data_bar_px);
    if let Some(warning) = scale.nm_per_px.and_then(|nm| far_from_training(nm, model.card.nm_per_px)) {
        eprintln!("warning: {}: {warning}", file.display());
    }
    let colours = &model.card.colours;
    let picture = overlay::classes(&image.to_grey8(), &labels, colours);
    atomically(&args.out.join("overlays").join(format!("{name}.png")), &picture.png())?;
    if args.probabilities {
        for (c, class) in model.card.classes.iter().enumerate() {
            let values = probabilities.values.iter().skip(c).step_by(probabilities.classes);
            let grey: Vec<u8> = values.map(|p| (p * 255.0).round() as u8).collect();
            let path =
                args.out.join("probabilities").join(format!("{name}-{}.png", tables::file_name(class)));
            png(&path, labels.width, labels.height, PngKind::Grey, &grey)?;
        }
    }
    if args.tiff {
        let path = args.out.join("masks-tiff").join(format!("{name}.tif"));
        labels.write_tiled_tiff(&path, scale.nm_per_px)?;
    }
    // The mask last: where it exists, the image is finished.
    let note = MaskNote {
        nm_per_px: scale.nm_per_px,
        scale_source: scale.source,
        classes: model.card.classes.clone(),
    };
    labels.write_mask(&args.out.join("masks").join(format!("{name}.png")), colours, &note)?;
    Ok(note.nm_per_px)
}

/// Magnifications beyond those of the training images by this factor are warned of.
const FAR: f64 = 1.5;

fn far_from_training(nm: f64, trained: Option<(f64, f64)>) -> Option<String> {
    let (low, high) = trained?;
    (nm * FAR < low || nm > high * FAR).then(|| {
        format!(
            "{nm:.2} nm per pixel, but the model was trained on {low:.2} to {high:.2}: \
             check its mask, or train on such images too"
        )
    })
}
