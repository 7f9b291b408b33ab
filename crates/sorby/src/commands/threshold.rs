//! `sorby threshold`: what the traditional method gives.

use super::inputs::{self, GivenScale};
use super::measure::MaskCoding;
use super::{charts, tables};
use crate::args::ThresholdArgs;
use anyhow::{Context as _, bail};
use sorby_image::write::atomically;
use sorby_image::{LabelMap, Micrograph};
use sorby_measure::{Filter, measure, otsu, sweep};
use sorby_report::{Cell, Table};
use std::path::Path;
use std::process::ExitCode;

pub fn run(args: ThresholdArgs) -> anyhow::Result<ExitCode> {
    GivenScale::of(args.nm_per_px, args.bar_nm)?;
    let files = inputs::images(&args.images)?;
    let truths = args.truth.iter().map(|t| inputs::images(std::slice::from_ref(t)));
    let coding = MaskCoding::of(&truths.collect::<Result<Vec<_>, _>>()?.concat());
    let columns = ["image", "method", "threshold"].into_iter().chain(tables::PARTICLE_COLUMNS);
    let mut table = Table::new(columns.chain(["count_error", "mean_radius_error_px"]));
    let mut problems = Table::new(["file", "problem"]);
    for file in &files {
        if let Err(error) = one(file, &args, coding, &mut table) {
            eprintln!("problem: {error:#}");
            problems.row(vec![file.display().to_string().into(), format!("{error:#}").into()]);
        }
    }
    tables::write_problems(&args.out, &problems)?;
    if table.rows.is_empty() {
        bail!("no image could be measured");
    }
    atomically(&args.out.join("thresholds.csv"), table.to_csv().as_bytes())?;
    print!("{}", table.to_text());
    println!("binary images, curves (SVG, CSV): {}", args.out.display());
    Ok(if problems.rows.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Foreground is brighter than the threshold.
pub fn binary(grey: &[u8], width: usize, height: usize, threshold: u8) -> LabelMap {
    LabelMap { width, height, labels: grey.iter().map(|&v| u8::from(v > threshold)).collect() }
}

fn one(file: &Path, args: &ThresholdArgs, coding: MaskCoding, table: &mut Table) -> anyhow::Result<()> {
    let name = inputs::stem(file);
    let image = Micrograph::read(file)?;
    let mut grey = image.to_grey8();
    let mut height = image.height;
    let truth = match &args.truth {
        Some(folder) => {
            let path = inputs::find_by_stem(folder, &name)?;
            let path = path.with_context(|| format!("{}: no true mask `{name}` here", folder.display()))?;
            Some(coding.read(&path)?)
        }
        None => None,
    };
    if let Some(t) = &truth {
        if t.width != image.width || t.height > image.height {
            bail!(
                "{}: image is {}x{} but its mask is {}x{}",
                file.display(),
                image.width,
                image.height,
                t.width,
                t.height
            );
        }
        // The rows of a data bar have no label and are no steel.
        height = t.height;
        grey.truncate(height * image.width);
    }
    let scale = inputs::known_scale(file, &image, GivenScale::of(args.nm_per_px, args.bar_nm)?)?;
    if truth.is_none() {
        height -= scale.data_bar_px;
        grey.truncate(height * image.width);
    }
    let true_mask = truth;
    let truth = true_mask.as_ref().map(|t| measure(t, 1, Filter::default(), scale.nm_per_px).summary());
    let curve = sweep(&grey, image.width, height);
    let mut methods = vec![("Otsu", otsu(&grey))];
    if let Some(t) = &truth {
        methods.push(("best for count", curve.best_for_count(t.count)));
        if let Some(radius) = t.mean_radius_px {
            methods.push(("best for radius", curve.best_for_radius(radius)));
        }
    }
    let mut write = |label: &str, threshold: Cell, s: &sorby_measure::Summary| {
        let mut row: Vec<Cell> = vec![name.clone().into(), label.into(), threshold];
        row.extend(tables::particle_cells(s));
        let error = truth.as_ref().map(|t| sorby_measure::compare(s, t));
        row.push(error.as_ref().map_or(Cell::Missing, |e| Cell::Integer(e.count_error)));
        row.push(Cell::number(error.and_then(|e| e.mean_radius_error_px), 3));
        table.row(row);
    };
    for &(label, threshold) in &methods {
        let mut mask = binary(&grey, image.width, height, threshold);
        if let Some(truth) = &true_mask {
            mask.ignore_where(truth);
        }
        write(
            label,
            Cell::Integer(i64::from(threshold)),
            &measure(&mask, 1, Filter::default(), scale.nm_per_px).summary(),
        );
        let path = args.out.join(format!("{name}-{}.png", label.to_lowercase().replace(' ', "-")));
        mask.write_png(&path, &[[0, 0, 0], [255, 255, 255]])?;
    }
    if let Some(t) = &truth {
        write("truth", Cell::Missing, t);
    }
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
        methods.iter().map(|(n, t)| (f64::from(*t), format!("{n}: {t}"))).collect();
    let (count, radius) = charts::sweep(&curve, truth.as_ref(), &marks);
    atomically(&args.out.join(format!("{name}-count.svg")), count.to_svg().as_bytes())?;
    atomically(&args.out.join(format!("{name}-radius.svg")), radius.to_svg().as_bytes())?;
    Ok(())
}
