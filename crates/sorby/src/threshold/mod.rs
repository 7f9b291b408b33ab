//! What the traditional methods give: Otsu, Sauvola, and every threshold, next to a model's masks and the truth.

mod one_image;
mod verdict;

pub use one_image::{Method, Thresholded, threshold};
pub use verdict::{BEST_FOR_COUNT, BEST_FOR_RADIUS, MODEL, OTSU, SAUVOLA, TRUTH, verdict};

use crate::error::{Context as _, refuse};
use crate::masks::{self, CodingOptions};
use crate::out_folder::{MadeBy, OutFolder};
use crate::scale::ScaleOptions;
use crate::{Observer, Result, charts, listing, tables};
use sorby_data::{Label, LabelCoding};
use sorby_image::write::atomically;
use sorby_image::{LabelMap, Micrograph, Said, Shot};
use sorby_measure::{
    ObjectRule, Particles, Summary, Sweep, compare, measure, measure_numbered, otsu, pool, sauvola, sweep,
};
use sorby_report::{Cell, Table};
use std::path::{Path, PathBuf};

/// Sauvola's customary weight of the local contrast.
const SAUVOLA_K: f64 = 0.2;

/// What thresholds are compared with, and how.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ThresholdOptions {
    /// Folder of true masks with the same names.
    pub truth: Option<PathBuf>,
    /// Folder of a model's masks with the same names.
    pub masks: Option<PathBuf>,
    /// What the values of the masks mean, where they do not say it.
    pub coding: CodingOptions,
    /// Window of the local threshold in pixels; default: an eighth of the shorter side.
    pub window_px: Option<usize>,
    /// What the user says of the images' pixel size.
    pub scale: ScaleOptions,
}

/// Thresholds of a set of images.
pub struct Thresholds {
    /// A row for each image and method, and for all images together.
    pub table: Table,
    /// Whether a threshold is enough, in one or two sentences.
    pub verdict: Option<String>,
    /// Images that could not be measured, and why.
    pub problems: Table,
}

/// Measures images by every method; writes binary images, curves and `thresholds.csv` into a folder.
///
/// # Errors
/// When the options contradict each other, the folder is another job's, the disk is full, or no image could be measured.
pub fn thresholds(
    images: &[PathBuf],
    out: &Path,
    options: &ThresholdOptions,
    made_by: MadeBy,
    observer: &dyn Observer,
) -> Result<Thresholds> {
    let said = options.scale.said()?;
    let files = listing::images(images)?;
    let mut folder = OutFolder::check(out, made_by.with_files("images", &files), &[])?;
    let coding = |folder: &Option<PathBuf>| {
        let masks = masks::files_of(folder.as_ref())?;
        masks::coding(&masks, &options.coding, masks::Known::default(), observer)
    };
    let codings = (coding(&options.truth)?, coding(&options.masks)?);
    let columns = ["image", "method", "threshold"].into_iter().chain(tables::PARTICLE_COLUMNS);
    let mut table = Table::new(columns.chain(["count_error", "mean_radius_error_px"]));
    let mut problems = tables::problems();
    let mut all: Vec<Vec<Outcome>> = Vec::new();
    folder.claim()?;
    for file in &files {
        match one(file, (out, options), &said.of(file), (&codings.0, &codings.1)) {
            Ok(outcomes) => {
                add_rows(&mut table, &listing::stem(file), &outcomes);
                all.push(outcomes);
            }
            // Nothing more can be written, of no image.
            Err(error) if error.disk_is_full() => return Err(error),
            Err(error) => tables::problem(&mut problems, file, &error, observer),
        }
    }
    tables::write_problems(out, &problems)?;
    if all.is_empty() {
        refuse!("no image could be measured");
    }
    let together = |method: &'static str| -> Option<Summary> {
        let of = |o: &Vec<Outcome>| Some(o.iter().find(|o| o.method == method)?.particles.clone());
        let particles: Option<Vec<Particles>> = all.iter().map(of).collect();
        Some(pool(&particles?))
    };
    if all.len() > 1 {
        let methods = [OTSU, SAUVOLA, BEST_FOR_COUNT, BEST_FOR_RADIUS, MODEL, TRUTH];
        let of_all = methods.into_iter().filter_map(|m| Some((m, together(m)?)));
        add_summaries(&mut table, "all", &of_all.collect::<Vec<_>>());
    }
    atomically(&out.join("thresholds.csv"), table.to_csv().as_bytes())?;
    let verdict =
        together(OTSU).map(|otsu| verdict(&otsu, together(SAUVOLA), together(MODEL), together(TRUTH)));
    Ok(Thresholds { table, verdict, problems })
}

/// Foreground is brighter than the threshold.
pub fn binary(grey: &[u8], width: usize, height: usize, threshold: u8) -> LabelMap {
    LabelMap { width, height, labels: grey.iter().map(|&v| u8::from(v > threshold)).collect() }
}

/// An odd window an eighth of the shorter side, unless given: larger than the objects, smaller than the shading.
pub fn local(grey: &[u8], width: usize, height: usize, window_px: Option<usize>) -> LabelMap {
    let window = window_px.unwrap_or((width.min(height) / 8).max(15)) | 1;
    let found = sauvola(grey, width, height, window, SAUVOLA_K);
    LabelMap { width, height, labels: found.into_iter().map(u8::from).collect() }
}

/// One method on one image.
struct Outcome {
    method: &'static str,
    threshold: Option<u8>,
    particles: Particles,
}

/// Measures one image by every method and writes its pictures and curves.
fn one(
    file: &Path,
    (out, options): (&Path, &ThresholdOptions),
    said: &Said,
    (truths, masks): (&LabelCoding, &LabelCoding),
) -> Result<Vec<Outcome>> {
    let name = listing::stem(file);
    let shot = Shot::read(file, said)?;
    let image = &shot.image;
    let mut truth = mask_of(file, image, options.truth.as_deref(), truths)?;
    let mut model = mask_of(file, image, options.masks.as_deref(), masks)?;
    // The rows of a data bar have no label and are no steel.
    let height = truth.as_ref().map_or(shot.field_rows(), |t| t.map.height.min(shot.field_rows()));
    let mut grey = image.to_grey8();
    grey.truncate(height * image.width);
    if let Some(truth) = &mut truth {
        truth.map.crop_rows(height);
    }
    if let Some(model) = &mut model {
        if model.map.height < height {
            refuse!("{}: its mask has {} rows, but its truth {height}", file.display(), model.map.height);
        }
        model.map.crop_rows(height);
    }
    let measured = |label: &Label| match label.known_numbers() {
        Some(numbers) => measure_numbered(&label.map, &numbers, 1, ObjectRule::default(), shot.nm_per_px()),
        None => measure(&label.map, 1, ObjectRule::default(), shot.nm_per_px()),
    };
    let of_label = |method, threshold, mut label: Label| {
        if let Some(truth) = &truth {
            label.map.ignore_where(&truth.map);
        }
        let particles = measured(&label);
        (Outcome { method, threshold, particles }, label.map)
    };
    let of = |method, threshold, map: LabelMap| of_label(method, threshold, Label { map, numbers: None });
    let write = |method: &str, mask: &LabelMap| {
        let path = out.join(format!("{name}-{}.png", method.to_lowercase().replace(' ', "-")));
        mask.write_png(&path, &[[0, 0, 0], [255, 255, 255]])
    };
    let true_particles = truth.as_ref().map(measured);
    let true_summary = true_particles.as_ref().map(Particles::summary);
    let curve = sweep(&grey, image.width, height);
    let mut chosen = vec![(OTSU, otsu(&grey))];
    if let Some(t) = &true_summary {
        chosen.push((BEST_FOR_COUNT, curve.best_for_count(t.count)));
        chosen.extend(t.mean_radius_px.map(|radius| (BEST_FOR_RADIUS, curve.best_for_radius(radius))));
    }
    let mut outcomes = Vec::new();
    for &(method, threshold) in &chosen {
        let (outcome, mask) = of(method, Some(threshold), binary(&grey, image.width, height, threshold));
        write(method, &mask)?;
        outcomes.push(outcome);
    }
    let (outcome, mask) = of(SAUVOLA, None, local(&grey, image.width, height, options.window_px));
    write(SAUVOLA, &mask)?;
    outcomes.push(outcome);
    outcomes.extend(model.map(|label| of_label(MODEL, None, label).0));
    let model = outcomes.iter().find(|o| o.method == MODEL).map(|o| o.particles.summary());
    outcomes.extend(true_particles.map(|particles| Outcome { method: TRUTH, threshold: None, particles }));

    let marks: Vec<(f64, String)> =
        chosen.iter().map(|(n, t)| (f64::from(*t), format!("{n}: {t}"))).collect();
    write_curves(&out.join(&name), &curve, (true_summary.as_ref(), model.as_ref()), &marks)?;
    Ok(outcomes)
}

/// The mask of an image in a folder of masks.
fn mask_of(
    file: &Path,
    image: &Micrograph,
    folder: Option<&Path>,
    coding: &LabelCoding,
) -> Result<Option<Label>> {
    let Some(folder) = folder else { return Ok(None) };
    let name = listing::stem(file);
    let path = listing::find_by_stem(folder, &name)?;
    let path = path.with_context(|| format!("{}: no mask `{name}` here", folder.display()))?;
    let label = coding.read(&path)?;
    let mask = &label.map;
    if mask.width != image.width || mask.height > image.height {
        let (w, h) = (image.width, image.height);
        refuse!("{}: image is {w}x{h} but its mask is {}x{}", file.display(), mask.width, mask.height);
    }
    Ok(Some(label))
}

/// Count and mean radius of every threshold, as a table and as charts whose names begin with `path`.
fn write_curves(
    path: &Path,
    curve: &Sweep,
    (truth, model): (Option<&Summary>, Option<&Summary>),
    marks: &[(f64, String)],
) -> Result<()> {
    let mut points = Table::new(["threshold", "count", "mean_radius_px"]);
    for t in 0..256usize {
        let radius = Cell::number(curve.mean_radii_px[t], 4);
        points.row(vec![t.into(), (curve.counts[t] as usize).into(), radius]);
    }
    let named = |ending: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    atomically(&named("-sweep.csv"), points.to_csv().as_bytes())?;
    let (count, radius) = charts::sweep(curve, truth, model, marks);
    atomically(&named("-count.svg"), count.to_svg().as_bytes())?;
    atomically(&named("-radius.svg"), radius.to_svg().as_bytes())?;
    Ok(())
}

fn add_rows(table: &mut Table, name: &str, outcomes: &[Outcome]) {
    let summaries: Vec<_> = outcomes.iter().map(|o| (o.method, o.particles.summary())).collect();
    let first = table.rows.len();
    add_summaries(table, name, &summaries);
    for (row, outcome) in table.rows[first..].iter_mut().zip(outcomes) {
        row[2] = outcome.threshold.map_or(Cell::Missing, |t| Cell::Integer(t.into()));
    }
}

fn add_summaries(table: &mut Table, name: &str, summaries: &[(&'static str, Summary)]) {
    let truth = summaries.iter().find(|s| s.0 == TRUTH).map(|s| &s.1);
    for (method, s) in summaries {
        let mut row: Vec<Cell> = vec![name.into(), (*method).into(), Cell::Missing];
        row.extend(tables::particle_cells(s));
        let error = truth.filter(|_| *method != TRUTH).map(|t| compare(s, t));
        row.push(error.as_ref().map_or(Cell::Missing, |e| Cell::Integer(e.count_error)));
        row.push(Cell::number(error.and_then(|e| e.mean_radius_error_px), 3));
        table.row(row);
    }
}
