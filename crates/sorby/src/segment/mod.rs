//! From images to masks, with what can be expected of each.

mod finish;
mod image;
mod journal;
mod merge;
mod offer;
mod segmenter;
mod trust;

pub use segmenter::{Segmented, Segmenter, Wanted};
pub use trust::Trust;

use crate::error::refuse;
use crate::out_folder::{MadeBy, OutFolder};
use crate::scale::{SaidOutside, ScaleOptions};
use crate::shard::{Part, Shard};
use crate::trust_table::TrustRow;
use crate::{Error, InferenceSettings, Observer, Result, checksum, listing, tables};
use finish::finish;
use image::{Done, Work};
use journal::{Journal, Line, Source};
use sorby_image::Micrograph;
use sorby_report::Table;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// How images are segmented.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SegmentOptions {
    /// What differs from the settings that the model was trained with.
    pub inference: InferenceSettings,
    /// What the user says of the images' pixel size.
    pub scale: ScaleOptions,
    /// Add to the masks that the same model with the same settings made of other images in the folder.
    pub add: bool,
    /// What another command left in the folder is moved into this one first.
    pub put_aside: Option<PathBuf>,
    /// Also write the masks as OME-TIFF with their pixel size.
    pub tiff: bool,
    /// Bring images of another magnification to the nearest one that the model was trained on.
    pub match_scale: bool,
    /// Also write each class's probability as a grey image.
    pub probabilities: bool,
    /// Which of the images this process segments.
    pub part: Part,
}

/// A folder of masks.
pub struct SegmentedFolder {
    /// Where the masks are: the folder of the results, or that of the shard within it.
    pub out: PathBuf,
    /// Images that have a mask there, those of earlier starts of the same job too.
    pub segmented: usize,
    /// Images that were wanted.
    pub images: usize,
    /// Images that could not be segmented, and why.
    pub problems: Table,
    /// Classes that the model found in none of some images, in words.
    pub nothing_found: Vec<String>,
    /// Whether every image has a pixel size.
    pub all_have_scale: bool,
    /// Whether it was stopped; the same job goes on with the others.
    pub stopped: bool,
}

/// Segments images into a folder of masks, overlays, confidences and `trust.csv`. A job that was interrupted goes on.
///
/// # Errors
/// When the model cannot be read, the options contradict each other, the folder is another job's, or the disk is full. An
/// image that cannot be segmented is a [problem](SegmentedFolder::problems); the others go on.
pub fn segment(
    model_path: &Path,
    images: &[PathBuf],
    out: &Path,
    options: &SegmentOptions,
    observer: &dyn Observer,
) -> Result<SegmentedFolder> {
    let said = options.scale.said()?;
    let device = options.inference.device.open()?;
    let files = listing::images(images)?;
    let mut segmenter = Segmenter::on(device, model_path, &options.inference)?;
    let made_by = made_by(model_path, images, options, segmenter.options())?;
    match options.part {
        Part::All => {
            let except: &[&str] = if options.add { &["images"] } else { &[] };
            let folder = OutFolder::check_or_put_aside(out, made_by, except, options.put_aside.as_deref())?;
            segment_into(folder, &files, (out, options), (&mut segmenter, &said), observer)
        }
        _ if options.add || options.put_aside.is_some() => {
            refuse!("--add and --put-aside are for one process: leave them out with --shard and --merge")
        }
        Part::Shard(shard) => {
            OutFolder::share(out, &made_by)?;
            let out = &shard.folder(out);
            let folder = OutFolder::check(out, of_shard(made_by, shard), &[])?;
            segment_into(folder, &shard.files(&files), (out, options), (&mut segmenter, &said), observer)
        }
        Part::Merge(count) => merge::merge(&files, (out, count), made_by, &segmenter.card().classes),
    }
}

/// Checks all that shards of a job depend on, and makes `out` its folder, before the shards are handed to other machines.
///
/// # Errors
/// As [`segment`].
pub fn share_segmentation(
    model_path: &Path,
    images: &[PathBuf],
    out: &Path,
    options: &SegmentOptions,
) -> Result<()> {
    options.scale.said()?;
    listing::images(images)?;
    let device = options.inference.device.open()?;
    let segmenter = Segmenter::on(device, model_path, &options.inference)?;
    OutFolder::share(out, &made_by(model_path, images, options, segmenter.options())?)
}

/// What a shard's folder depends on.
fn of_shard(made_by: MadeBy, shard: Shard) -> MadeBy {
    made_by.with("shard", shard.to_string())
}

/// Segments the files that have no mask yet.
fn segment_into(
    mut folder: OutFolder,
    files: &[PathBuf],
    (out, options): (&Path, &SegmentOptions),
    (segmenter, said): (&mut Segmenter, &SaidOutside),
    observer: &dyn Observer,
) -> Result<SegmentedFolder> {
    let mut journal = Journal::read(out);
    let todo = unfinished((out, options.add), files, said, &journal)?;
    folder.claim()?;
    journal.write()?;
    // What could not be segmented before is tried again.
    tables::write_problems(out, &tables::problems())?;
    observer.begin_stopping();
    let before = files.len() - todo.len();
    if before > 0 {
        observer.say(format!(
            "{before} of {} images are finished already; going on with the others",
            files.len()
        ));
    }
    let mut work = Work { segmenter, said, wanted: options, out, observer, offered: false };
    let problems = segment_all(&folder, &mut work, &todo, &mut journal)?;
    let classes = &segmenter.card().classes;
    let done = finish((out, files), &journal, problems, classes)?;
    Ok(SegmentedFolder { stopped: observer.stop_asked(), ..done })
}

/// What the masks depend on.
fn made_by(
    model: &Path,
    images: &[PathBuf],
    args: &SegmentOptions,
    inference: &sorby_infer::InferenceOptions,
) -> Result<MadeBy> {
    let made_by = MadeBy::new("segment")
        .with("model", checksum::of_model(model)?)
        .with_files("images", images)
        .with("device", &args.inference.device.name)
        .with("window", inference.crop_px)
        .with("stride", inference.stride_px)
        .with("scales", &inference.ratios)
        .with("flip", inference.flip)
        .with("match-scale", args.match_scale)
        .with("nm-per-px", args.scale.nm_per_px)
        .with("bar-nm", args.scale.bar_nm)
        .with("no-data-bar", args.scale.no_data_bar)
        .with("tiff", args.tiff)
        .with("probabilities", args.probabilities);
    // Folders of versions without it say nothing of it.
    let made_by = if inference.adapt { made_by.with("adapt", true) } else { made_by };
    let companions = &inference.companions;
    Ok(if companions.is_empty() { made_by } else { made_by.with("ensemble", companions.join(" ")) })
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
    (out, add): (&Path, bool),
    files: &'a [PathBuf],
    said: &SaidOutside,
    journal: &Journal,
) -> Result<Vec<Todo<'a>>> {
    let masks = out.join("masks");
    let names: BTreeSet<String> = files.iter().map(|f| listing::stem(f)).collect();
    for entry in std::fs::read_dir(&masks).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), listing::stem(&entry.path()));
        if !add && !name.starts_with('.') && !names.contains(&name) {
            refuse!(
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
        let name = listing::stem(file);
        if !journal.has(&name, &source, &masks.join(format!("{name}.png"))) {
            todo.push(Todo { file, source });
        }
    }
    Ok(todo)
}

/// Segments until all are done or Ctrl-C; gives the images that could not be.
fn segment_all(folder: &OutFolder, work: &mut Work, todo: &[Todo], journal: &mut Journal) -> Result<Table> {
    let mut problems = tables::problems();
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
            if work.observer.stop_asked() || is_large(file) && ready.send(()).is_err() {
                break;
            }
            let Ok(image) = images.recv() else { break };
            if let Err(error) = folder.require_held() {
                failed = Err(error);
                break;
            }
            let result =
                image.map_err(Error::from).and_then(|image| work.segment(file, image, (i, todo.len())));
            match result {
                Ok(done) => {
                    let line = line(&done, source);
                    if let Err(error) = journal.add(line) {
                        failed = Err(error);
                        break;
                    }
                }
                // Nothing more can be written; what is written is whole, and the same command goes on.
                Err(error) if error.disk_is_full() => {
                    failed = Err(error);
                    break;
                }
                // One bad image does not stop the others.
                Err(error) => tables::problem(&mut problems, file, &error, work.observer),
            }
        }
    });
    failed.map(|()| problems)
}

fn line(done: &Done, source: &Source) -> Line {
    let rows = TrustRow::of_image(&done.name, &done.trust, &done.note);
    let table = TrustRow::table(&rows).to_csv();
    Line {
        image: done.name.clone(),
        source: source.clone(),
        has_scale: done.note.nm_per_px.is_some(),
        found_px: done.found_px.clone(),
        trust: table.lines().skip(1).map(str::to_owned).collect(),
    }
}

/// Images of more pixels are not read ahead.
const LARGE_PX: u64 = 50_000_000;

fn is_large(file: &Path) -> bool {
    sorby_image::dimensions(file).is_some_and(|(w, h)| w as u64 * h as u64 > LARGE_PX)
}
