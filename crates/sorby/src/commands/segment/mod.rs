//! `sorby segment`.

mod image;
mod trust;

use super::{inputs, tables};
use crate::args::SegmentArgs;
use image::{Done, Work};
use sorby_image::Micrograph;
use sorby_image::write::atomically;
use sorby_infer::Model;
use sorby_report::Table;
use std::process::ExitCode;

pub fn run(args: SegmentArgs) -> anyhow::Result<ExitCode> {
    let said = args.scale.said()?;
    let device = inputs::device(&args.inference.device)?;
    let files = inputs::images(&args.images)?;
    let mut model = Model::read(&args.model, &device)?;
    let options = inputs::options(&args.inference, &model)?;
    let mut problems = Table::new(["file", "problem"]);
    let mut done: Vec<Done> = Vec::new();
    std::thread::scope(|scope| {
        // The next image is read while the network works on this one, unless one alone fills much of the memory.
        let (ready, wanted) = std::sync::mpsc::channel();
        let (send, images) = std::sync::mpsc::sync_channel(0);
        let paths = &files;
        scope.spawn(move || {
            for file in paths {
                if is_large(file) && wanted.recv().is_err() {
                    return;
                }
                // Nobody listens any more when the other side has given up.
                if send.send(Micrograph::read(file)).is_err() {
                    return;
                }
            }
        });
        let mut work =
            Work { model: &mut model, options: &options, device: &device, said: &said, args: &args };
        for (i, file) in files.iter().enumerate() {
            if is_large(file) && ready.send(()).is_err() {
                break;
            }
            let Ok(image) = images.recv() else { break };
            let result = image
                .map_err(anyhow::Error::from)
                .and_then(|image| work.segment(file, image, (i, files.len())));
            match result {
                Ok(image) => done.push(image),
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
    if !done.is_empty() {
        let table = trust::table(&done, &model.card.classes);
        atomically(&args.out.join("trust.csv"), table.to_csv().as_bytes())?;
    }
    println!(
        "{} of {} images segmented: masks in {out}/masks, overlays in {out}/overlays, what to expect of them in \
         {out}/trust.csv",
        done.len(),
        files.len()
    );
    if !done.is_empty() {
        let scaled = done.iter().filter(|d| d.nm_per_px.is_some()).count();
        let unknown = if scaled < done.len() { " --nm-per-px YOUR_PIXEL_SIZE" } else { "" };
        println!("next:\n  sorby measure {out}/masks --out {out}/particles{unknown}");
    }
    Ok(match (done.len(), problems.rows.len()) {
        (_, 0) => ExitCode::SUCCESS,
        (0, _) => ExitCode::from(2),
        _ => ExitCode::from(1),
    })
}

/// Images of more pixels are not read ahead.
const LARGE_PX: u64 = 50_000_000;

fn is_large(file: &std::path::Path) -> bool {
    sorby_image::dimensions(file).is_some_and(|(w, h)| w as u64 * h as u64 > LARGE_PX)
}
