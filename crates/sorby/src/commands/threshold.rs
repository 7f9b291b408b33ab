//! `sorby threshold`: what the traditional method gives, beside a model's masks and the truth.

use super::out_folder::{Command, OutFolder, disk_is_full};
use super::{charts, duel, inputs, masks, tables};
use crate::args::ThresholdArgs;
use anyhow::{Context as _, bail};
use duel::{BEST_FOR_COUNT, BEST_FOR_RADIUS, MODEL, OTSU, SAUVOLA, TRUTH};
use sorby_data::{Label, LabelCoding};
use sorby_image::write::atomically;
use sorby_image::{LabelMap, Said, Shot};
use sorby_measure::{Filter, Particles, compare, measure, measure_numbered, otsu, pool, sauvola, sweep};
use sorby_report::{Cell, Table};
use std::path::Path;
use std::process::ExitCode;

/// Sauvola's customary weight of the local contrast.
const SAUVOLA_K: f64 = 0.2;

pub fn run(args: ThresholdArgs) -> anyhow::Result<ExitCode> {
    let said = args.scale.said()?;
    let files = inputs::images(&args.images)?;
    let mut out = OutFolder::check(&args.out, Command::typed("threshold").with_files("images", &files), &[])?;
    let coding = |folder: &Option<std::path::PathBuf>| {
        masks::coding(&masks::files_of(folder.as_ref())?, &args.coding, masks::Known::default())
    };
    let codings = (coding(&args.truth)?, coding(&args.masks)?);
    let columns = ["image", "method", "threshold"].into_iter().chain(tables::PARTICLE_COLUMNS);
    let mut table = Table::new(columns.chain(["count_error", "mean_radius_error_px"]));
    let mut problems = Table::new(["file", "problem"]);
    let mut all: Vec<Vec<Outcome>> = Vec::new();
    out.claim()?;
    for file in &files {
        match one(file, &args, &said.of(file), (&codings.0, &codings.1)) {
            Ok(outcomes) => {
                add_rows(&mut table, &inputs::stem(file), &outcomes);
                all.push(outcomes);
            }
            // Nothing more can be written, of no image.
            Err(error) if disk_is_full(&error) => return Err(error),
            Err(error) => {
                eprintln!("problem: {error:#}");
                problems.row(vec![file.display().to_string().into(), format!("{error:#}").into()]);
            }
        }
    }
    tables::write_problems(&args.out, &problems)?;
    if all.is_empty() {
        bail!("no image could be measured");
    }
    let pooled = |method: &'static str| -> Option<Vec<Particles>> {
        let of = |o: &Vec<Outcome>| Some(o.iter().find(|o| o.method == method)?.particles.clone());
        all.iter().map(of).collect()
    };
    if all.len() > 1 {
        let methods = [OTSU, SAUVOLA, BEST_FOR_COUNT, BEST_FOR_RADIUS, MODEL, TRUTH];
        let together = methods.into_iter().filter_map(|m| Some((m, pool(&pooled(m)?))));
        add_summaries(&mut table, "all", &together.collect::<Vec<_>>());
    }
    atomically(&args.out.join("thresholds.csv"), table.to_csv().as_bytes())?;
    print!("{}", table.to_text());
    if let Some(otsu) = pooled(OTSU) {
        let summary = |m| pooled(m).map(|p| pool(&p));
        println!("\n{}", duel::verdict(&pool(&otsu), summary(SAUVOLA), summary(MODEL), summary(TRUTH)));
    }
    println!("binary images, curves (SVG, CSV): {}", args.out.display());
    Ok(if problems.rows.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
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
    args: &ThresholdArgs,
    said: &Said,
    (truths, masks): (&LabelCoding, &LabelCoding),
) -> anyhow::Result<Vec<Outcome>> {
    let name = inputs::stem(file);
    let shot = Shot::read(file, said)?;
    let image = &shot.image;
    let named = |folder: &Option<std::path::PathBuf>, coding: &LabelCoding| {
        let Some(folder) = folder else { return Ok(None) };
        let path = inputs::find_by_stem(folder, &name)?;
        let path = path.with_context(|| format!("{}: no mask `{name}` here", folder.display()))?;
        let label = coding.read(&path).map_err(|problem| anyhow::anyhow!("{problem}"))?;
        let mask = &label.map;
        if mask.width != image.width || mask.height > image.height {
            let (w, h) = (image.width, image.height);
            bail!("{}: image is {w}x{h} but its mask is {}x{}", file.display(), mask.width, mask.height);
        }
        Ok(Some(label))
    };
    let mut truth = named(&args.truth, truths)?;
    let mut model = named(&args.masks, masks)?;
    // The rows of a data bar have no label and are no steel.
    let height = truth.as_ref().map_or(shot.field_rows(), |t| t.map.height.min(shot.field_rows()));
    let mut grey = image.to_grey8();
    grey.truncate(height * image.width);
    if let Some(truth) = &mut truth {
        truth.map.crop_rows(height);
    }
    if let Some(model) = &mut model {
        if model.map.height < height {
            bail!("{}: its mask has {} rows, but its truth {height}", file.display(), model.map.height);
        }
        model.map.crop_rows(height);
    }
    let measured = |label: &Label| match label.known_numbers() {
        Some(numbers) => measure_numbered(&label.map, &numbers, 1, Filter::default(), shot.nm_per_px()),
        None => measure(&label.map, 1, Filter::default(), shot.nm_per_px()),
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
        let path = args.out.join(format!("{name}-{}.png", method.to_lowercase().replace(' ', "-")));
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
    let (outcome, mask) = of(SAUVOLA, None, local(&grey, image.width, height, args.window.map(usize::from)));
    write(SAUVOLA, &mask)?;
    outcomes.push(outcome);
    outcomes.extend(model.map(|label| of_label(MODEL, None, label).0));
    let model = outcomes.iter().find(|o| o.method == MODEL).map(|o| o.particles.summary());
    outcomes.extend(true_particles.map(|particles| Outcome { method: TRUTH, threshold: None, particles }));

    let mut points = Table::new(["threshold", "count", "mean_radius_px"]);
    for t in 0..256usize {
        points.row(vec![
            t.into(),
            (curve.counts[t] as usize).into(),
            Cell::number(curve.mean_radii_px[t], 4),
        ]);
    }
    atomically(&args.out.join(format!("{name}-sweep.csv")), points.to_csv().as_bytes())?;
    let marks: Vec<(f64, String)> =
        chosen.iter().map(|(n, t)| (f64::from(*t), format!("{n}: {t}"))).collect();
    let (count, radius) = charts::sweep(&curve, true_summary.as_ref(), model.as_ref(), &marks);
    atomically(&args.out.join(format!("{name}-count.svg")), count.to_svg().as_bytes())?;
    atomically(&args.out.join(format!("{name}-radius.svg")), radius.to_svg().as_bytes())?;
    Ok(outcomes)
}

fn add_rows(table: &mut Table, name: &str, outcomes: &[Outcome]) {
    let summaries: Vec<_> = outcomes.iter().map(|o| (o.method, o.particles.summary())).collect();
    let first = table.rows.len();
    add_summaries(table, name, &summaries);
    for (row, outcome) in table.rows[first..].iter_mut().zip(outcomes) {
        row[2] = outcome.threshold.map_or(Cell::Missing, |t| Cell::Integer(t.into()));
    }
}

fn add_summaries(table: &mut Table, name: &str, summaries: &[(&'static str, sorby_measure::Summary)]) {
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
