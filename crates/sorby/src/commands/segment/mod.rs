//! `sorby segment`.

mod image;
mod journal;
mod trust;

use super::out_folder::{Command, OutFolder, disk_is_full};
use super::provenance::Makers;
use super::{checksum, inputs, interrupts, tables};
use crate::args::SegmentArgs;
use anyhow::bail;
use image::{Done, Work};
use journal::{Journal, Line, Source};
use sorby_image::Micrograph;
use sorby_image::write::atomically;
use sorby_infer::Model;
use sorby_report::Table;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub fn run(args: SegmentArgs) -> anyhow::Result<ExitCode> {
    let said = args.scale.said()?;
    let device = inputs::device(&args.inference.device)?;
    let files = inputs::images(&args.images)?;
    let mut model = Model::read(&args.model, &device)?;
    let options = inputs::options(&args.inference, &model)?;
    let makers = Makers::of(&model, &args.model);
    let command = command(&args, &options)?;
    let except: &[&str] = if args.add { &["images"] } else { &[] };
    let mut out = OutFolder::check_or_put_aside(&args.out, command, except, args.put_aside.as_deref())?;
    let mut journal = Journal::read(&args.out);
    let todo = unfinished(&args, &files, &said, &journal)?;
    out.claim()?;
    journal.write()?;
    interrupts::listen();
    let before = files.len() - todo.len();
    if before > 0 {
        println!("{before} of {} images are finished already; going on with the others", files.len());
    }
    let mut work = Work {
        model: &mut model,
        makers: &makers,
        options: &options,
        device: &device,
        said: &said,
        args: &args,
    };
    let problems = segment_all(&mut work, &todo, &mut journal)?;
    finish(&args, &files, &journal, &problems, &model.card.classes)?;
    let done = files.iter().filter(|f| journal.lines.contains_key(&inputs::stem(f))).count();
    Ok(match (done, problems.rows.len()) {
        _ if interrupts::asked() => interrupts::exit_code(),
        (_, 0) => ExitCode::SUCCESS,
        (0, _) => ExitCode::from(2),
        _ => ExitCode::from(1),
    })
}

/// What the masks depend on.
fn command(args: &SegmentArgs, options: &sorby_infer::Options) -> anyhow::Result<Command> {
    let model =
        if args.model.is_dir() { args.model.join("model.safetensors") } else { args.model.to_owned() };
    Ok(Command::new("segment")
        .with("model", checksum::sha256(&model)?)
        .with_files("images", &args.images)
        .with("device", &args.inference.device.device)
        .with("window", options.crop_px)
        .with("stride", options.stride_px)
        .with("scales", &options.ratios)
        .with("flip", options.flip)
        .with("match-scale", args.match_scale)
        .with("nm-per-px", args.scale.nm_per_px)
        .with("bar-nm", args.scale.bar_nm)
        .with("no-data-bar", args.scale.no_data_bar)
        .with("tiff", args.tiff)
        .with("probabilities", args.probabilities))
}

/// An image to segment, and what its mask depends on besides the command.
struct Todo<'a> {
    file: &'a Path,
    source: Source,
}

/// The images without a mask.
///
/// # Errors
/// When there are masks of other images: they would be measured with those of these.
fn unfinished<'a>(
    args: &SegmentArgs,
    files: &'a [PathBuf],
    said: &inputs::SaidOutside,
    journal: &Journal,
) -> anyhow::Result<Vec<Todo<'a>>> {
    let masks = args.out.join("masks");
    let names: BTreeSet<String> = files.iter().map(|f| inputs::stem(f)).collect();
    for entry in std::fs::read_dir(&masks).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), inputs::stem(&entry.path()));
        if !args.add && !name.starts_with('.') && !names.contains(&name) {
            bail!(
                "{}: is the mask of an image that is not among these; name a new folder with --out, or keep it with --add",
                path.display()
            );
        }
    }
    let mut todo = Vec::new();
    for file in files {
        let source = Source {
            // What cannot be read is told when its turn comes.
            sha256: checksum::sha256(file).unwrap_or_default(),
            said: format!("{:?}", said.of(file)),
        };
        let name = inputs::stem(file);
        if !journal.has(&name, &source, &masks.join(format!("{name}.png"))) {
            todo.push(Todo { file, source });
        }
    }
    Ok(todo)
}

/// Segments until all are done or Ctrl-C; gives the images that could not be.
fn segment_all(work: &mut Work, todo: &[Todo], journal: &mut Journal) -> anyhow::Result<Table> {
    let mut problems = Table::new(["file", "problem"]);
    let mut failed = Ok(());
    std::thread::scope(|scope| {
        // The next image is read while the network works on this one, unless one alone fills much of the memory.
        let (ready, wanted) = std::sync::mpsc::channel();
        let (send, images) = std::sync::mpsc::sync_channel(0);
        scope.spawn(move || {
            for Todo { file, .. } in todo {
                if is_large(file) && wanted.recv().is_err() {
                    return;
                }
                // Nobody listens any more when the other side has given up.
                if send.send(Micrograph::read(file)).is_err() {
                    return;
                }
            }
        });
        for (i, Todo { file, source }) in todo.iter().enumerate() {
            if interrupts::asked() || is_large(file) && ready.send(()).is_err() {
                break;
            }
            let Ok(image) = images.recv() else { break };
            let result = image
                .map_err(anyhow::Error::from)
                .and_then(|image| work.segment(file, image, (i, todo.len())));
            match result {
                Ok(done) => {
                    let line = line(&done, source, &work.model.card.classes);
                    if let Err(error) = journal.add(line) {
                        failed = Err(error);
                        break;
                    }
                }
                // Nothing more can be written; what is written is whole, and the same command goes on.
                Err(error) if disk_is_full(&error) => {
                    failed = Err(error);
                    break;
                }
                // One bad image does not stop the others.
                Err(error) => {
                    eprintln!("problem: {error:#}");
                    problems.row(vec![file.display().to_string().into(), format!("{error:#}").into()]);
                }
            }
        }
    });
    failed.map(|()| problems)
}

fn line(done: &Done, source: &Source, classes: &[String]) -> Line {
    let table = trust::table(std::slice::from_ref(done), classes).to_csv();
    Line {
        image: done.name.clone(),
        source: source.clone(),
        has_scale: done.nm_per_px.is_some(),
        found_px: done.found_px.clone(),
        trust: table.lines().skip(1).map(str::to_owned).collect(),
    }
}

/// Tables over all images that have a mask, those of earlier starts too.
fn finish(
    args: &SegmentArgs,
    files: &[PathBuf],
    journal: &Journal,
    problems: &Table,
    classes: &[String],
) -> anyhow::Result<()> {
    journal.write()?;
    tables::write_problems(&args.out, problems)?;
    let out = args.out.display();
    let own: Vec<&Line> = files.iter().filter_map(|f| journal.lines.get(&inputs::stem(f))).collect();
    if !journal.lines.is_empty() {
        let mut table = trust::table(&[], classes).to_csv();
        for row in journal.lines.values().flat_map(|l| &l.trust) {
            table += row;
            table.push('\n');
        }
        atomically(&args.out.join("trust.csv"), table.as_bytes())?;
    }
    for line in nothing_found(&own, classes) {
        println!("{line}");
    }
    println!(
        "{} of {} images segmented: masks in {out}/masks, overlays in {out}/overlays, what to expect of them in \
         {out}/trust.csv",
        own.len(),
        files.len()
    );
    if interrupts::asked() {
        println!("stopped; the same command goes on with the others");
    } else if !own.is_empty() {
        let unknown = if own.iter().all(|l| l.has_scale) { "" } else { " --nm-per-px YOUR_PIXEL_SIZE" };
        println!("next:\n  sorby measure {out}/masks --out {out}/particles{unknown}");
    }
    Ok(())
}

/// A line for each class that the model found in none of some images; whether it is there, nobody knows yet.
fn nothing_found(done: &[&Line], classes: &[String]) -> Vec<String> {
    let told = |(class, name): (usize, &String)| {
        let without = done.iter().filter(|l| l.found_px.get(class) == Some(&0)).count();
        let all = done.len();
        (without > 0).then(|| format!("the model found no {name} in {without} of {all} images"))
    };
    classes.iter().enumerate().skip(1).filter_map(told).collect()
}

/// Images of more pixels are not read ahead.
const LARGE_PX: u64 = 50_000_000;

fn is_large(file: &Path) -> bool {
    sorby_image::dimensions(file).is_some_and(|(w, h)| w as u64 * h as u64 > LARGE_PX)
}
