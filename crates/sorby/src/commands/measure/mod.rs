//! `sorby measure`: from masks to tables, intervals and outlines.

pub mod estimates;
mod exports;
mod histogram;
mod intensity;
mod lesson;
mod objects;
mod overlap;
mod source;
mod trust;
mod warnings;

pub use lesson::learn;
pub use warnings::ruling_line;

use super::out_folder::{Command, OutFolder};
use super::{inputs, masks, tables};
use crate::args::{EdgeArg, MeasureArgs};
use anyhow::bail;
use estimates::Estimates;
use overlap::Overlap;
use serde_json::json;
use sorby_data::Dataset;
use sorby_image::Origin;
use sorby_image::write::atomically;
use sorby_measure::{
    Connectivity, EdgeRule, Field, Filter, GrainCounts, Knowledge, Particles, compare, contiguity,
    grain_size, lognormal, pool,
};
use sorby_report::{Cell, Table};
use source::Source;
use std::process::ExitCode;
use warnings::Warnings;

/// One mask, measured.
pub struct Measured {
    pub name: String,
    pub particles: Particles,
    pub field: Field,
    pub grains: GrainCounts,
    pub truth: Option<(Particles, Field)>,
    /// How the mask lies on its true mask.
    pub overlap: Option<Overlap>,
    /// What made the mask, if it says so.
    pub origin: Option<Origin>,
    /// Whether the image is unlike those that the model learnt from, where that is known.
    pub unlike: Option<bool>,
    /// A table of trust that does not speak of this mask.
    pub doubt: Option<trust::Doubt>,
    /// The picture (of `--images`, or of the data set) is not the one that was segmented.
    pub other_picture: bool,
    /// Mean stored value (of each channel) and mean probability of each object, where pictures of them were given.
    pub mean_grey: Option<intensity::Means>,
    pub mean_probability: Option<Vec<f64>>,
}

pub fn run(args: MeasureArgs) -> anyhow::Result<ExitCode> {
    check(&args)?;
    let data = args.data.as_deref().map(Dataset::open_to_measure).transpose()?;
    let files = inputs::images(&args.masks)?;
    let command = Command::typed("measure").with_files("masks", &files);
    let mut out = OutFolder::check_or_put_aside(&args.out, command, &[], args.put_aside.as_deref())?;
    let names = masks::classes(&files, data.as_ref())?;
    let class = args.class.as_deref().map_or(Ok(1), |asked| inputs::class_index(asked, &names))?;
    let class_name = names.get(usize::from(class)).cloned().unwrap_or_else(|| format!("class {class}"));
    let filter = Filter {
        connectivity: connectivity(&args)?,
        min_area_px: args.min_area_px,
        exclude_edge: args.exclude_edge,
        split_depth_px: args.split,
    };
    let source = Source::new(&args, data.as_ref(), &files, (class, class_name), filter, names)?;
    let class_name = source.class_name();
    let calibration = args
        .calibration
        .as_deref()
        .map(|path| lesson::read(path, class_name, &settings(&filter, args.edges), &files))
        .transpose()?;
    let mut fields = Vec::new();
    let mut problems = Table::new(["file", "problem"]);
    for file in &files {
        match source.measure(file) {
            Ok(measured) => fields.push(measured),
            Err(error) => {
                eprintln!("problem: {error:#}");
                problems.row(vec![file.display().to_string().into(), format!("{error:#}").into()]);
            }
        }
    }
    if fields.is_empty() && !out.again {
        // Without a result the folder stays free for a better command.
        bail!("no mask could be measured");
    }
    out.claim()?;
    tables::write_problems(&args.out, &problems)?;
    if fields.is_empty() {
        bail!("no mask could be measured");
    }
    unscale_unless_all(fields.iter_mut());
    let known = Knowledge {
        calibration: calibration.as_ref(),
        scale_accuracy_percent: args.scale_accuracy,
        plan_percent: args.plan,
    };
    write(&args, &fields, (class_name, source.coding()), &filter, known)?;
    Ok(if problems.rows.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Lengths of different units must not be added: where one image has no pixel size, quantities are in pixels for all.
pub fn unscale_unless_all<'a>(fields: impl Iterator<Item = &'a mut Measured>) {
    let mut fields: Vec<&mut Measured> = fields.collect();
    if fields.iter().any(|f| f.particles.nm_per_px.is_none()) {
        for f in &mut fields {
            f.field.nm_per_px = None;
            f.truth.iter_mut().for_each(|t| t.1.nm_per_px = None);
        }
    }
}

fn check(args: &MeasureArgs) -> anyhow::Result<()> {
    inputs::require_positive(args.nm_per_px)?;
    if args.plan.is_some_and(|percent| !(percent > 0.0 && percent <= 100.0)) {
        bail!("--plan must be a percentage above 0, for example 10");
    }
    if !(0.0..=50.0).contains(&args.scale_accuracy) {
        bail!("--scale-accuracy must be a percentage from 0 to 50, for example 2");
    }
    if args.split.is_some_and(|depth| !(depth > 0.0 && depth.is_finite())) {
        bail!("--split must be a depth in pixels above 0, for example 1");
    }
    Ok(())
}

fn connectivity(args: &MeasureArgs) -> anyhow::Result<Connectivity> {
    // Boundaries one pixel wide keep grains apart only if corners do not join them.
    match args.connectivity.unwrap_or(if args.grains { 4 } else { 8 }) {
        4 => Ok(Connectivity::Four),
        8 => Ok(Connectivity::Eight),
        other => bail!("--connectivity must be 4 or 8, not {other}"),
    }
}

/// The edge rule of one field; a frame's guard is as wide as the field's largest object.
fn edge_rule(args: &MeasureArgs, p: &Particles) -> EdgeRule {
    match args.edges {
        EdgeArg::Weighted => EdgeRule::MilesLantuejoul,
        EdgeArg::Frame => EdgeRule::gundersen(&[p]),
        EdgeArg::Exclude => EdgeRule::Exclude,
        EdgeArg::All => EdgeRule::All,
    }
}

/// How objects are told, in words.
pub fn settings(filter: &Filter, edges: EdgeArg) -> String {
    let connectivity = filter.connectivity.neighbours();
    let split = filter.split_depth_px.map_or("none".to_owned(), |d| d.to_string());
    format!(
        "connectivity {connectivity}, min_area_px {}, exclude_edge {}, split {split}, edges {}",
        filter.min_area_px,
        filter.exclude_edge,
        edges.name()
    )
}

fn write(
    args: &MeasureArgs,
    fields: &[Measured],
    (class, coding): (&str, String),
    filter: &Filter,
    known: Knowledge,
) -> anyhow::Result<()> {
    let out = &args.out;
    let with_truth = fields.iter().all(|f| f.truth.is_some());
    if let Some(f) = fields.iter().find(|f| f.truth.is_none() && fields.iter().any(|f| f.truth.is_some())) {
        eprintln!("note: `{}` has no true mask, so no errors are given", f.name);
    }
    let images = images(fields, with_truth);
    let estimates = Estimates::of(fields.iter(), known);
    let bins = histogram::table(fields);
    let all: Vec<&Particles> = fields.iter().map(|f| &f.particles).collect();
    let truths: Option<Vec<&Particles>> = fields.iter().map(|f| Some(&f.truth.as_ref()?.0)).collect();
    let (total, truth) = (pool(&all), truths.as_deref().map(pool));
    let learnt = with_truth.then(|| learn(fields.iter(), class, settings(filter, args.edges)));
    let warnings = Warnings::of(args, fields, class);
    for line in &warnings.lines {
        eprintln!("warning: {line}");
    }
    if let Some(Err(reason)) = &learnt {
        eprintln!("note: no calibration.json: {reason}");
    }
    let learnt = learnt.and_then(Result::ok);
    let calibration = out.join("calibration.json");
    if learnt.is_none() && calibration.exists() {
        // One of an earlier measurement would be taken for this one's.
        fs_err::remove_file(&calibration)?;
    }
    let weighed: Vec<(f64, f64)> = fields.iter().flat_map(|f| f.field.diameters().0).collect();
    let scaled = fields.iter().all(|f| f.particles.nm_per_px.is_some());
    let grains: Option<Vec<_>> = fields.iter().map(|f| Some((f.grains, f.particles.nm_per_px?))).collect();
    let grains = grains.filter(|_| args.grains).and_then(|g| grain_size(&g));
    let spheres = args
        .spheres
        .map(|classes| estimates::spheres(fields, usize::from(classes), warnings.ruling.is_none()));
    let split = args.split.map(|depth| {
        let (parts, whole) = histogram::split_counts(fields);
        let between: Vec<Option<f64>> = all.iter().copied().map(contiguity).collect();
        json!({"depth_px": depth, "objects_before": whole, "objects_after": parts, "contiguity_per_image": between})
    });
    let summary = json!({
        "sorby_version": env!("CARGO_PKG_VERSION"),
        "class": class,
        "values": coding,
        "images": fields.len(),
        "connectivity": filter.connectivity.neighbours(),
        "min_area_px": args.min_area_px,
        "exclude_edge": args.exclude_edge,
        "edge_rule": args.edges.name(),
        "scale_accuracy_percent": args.scale_accuracy,
        "calibration": args.calibration,
        "total": total,
        "truth": truth,
        "error": truth.as_ref().map(|t| compare(&total, t)),
        "unit": if scaled { "nm" } else { "px" },
        "estimates": estimates.json(),
        "lognormal": lognormal(&weighed).filter(|_| warnings.ruling.is_none()),
        "grain_size": grains,
        "spheres": spheres,
        "split": split,
        "warnings": warnings.json(),
    });
    let text = serde_json::to_string_pretty(&summary)? + "\n";
    atomically(&out.join("images.csv"), images.to_csv().as_bytes())?;
    atomically(&out.join("estimates.csv"), estimates.table().to_csv().as_bytes())?;
    atomically(&out.join("sizes.csv"), bins.to_csv().as_bytes())?;
    if let Some(learnt) = &learnt {
        atomically(&calibration, (serde_json::to_string_pretty(learnt)? + "\n").as_bytes())?;
    }
    exports::write(args, fields, class, filter.connectivity)?;
    atomically(&out.join("summary.json"), text.as_bytes())?;
    if args.json {
        print!("{text}");
        return Ok(());
    }
    print!(
        "{}",
        images.select(&shown_columns(scaled, fields.iter().any(|f| f.unlike == Some(true)))).to_text()
    );
    println!();
    estimates.show();
    if let Some(learnt) = &learnt {
        estimates::show_calibration(learnt, &calibration);
    }
    if args.min_area_px > 0 {
        println!("objects of fewer than {} pixels are left out, of the area fraction not", args.min_area_px);
    }
    if let Some(split) = split {
        let count = |key: &str| split[key].to_string();
        println!("splitting made {} objects of {}", count("objects_after"), count("objects_before"));
    }
    if let Some(g) = &grains {
        println!(
            "grain size: G {:.2} by counting ({:.0} grains per mm2; ISO 643: {:.2}), G {:.2} by intercepts (mean {:.2} um)",
            g.g_planimetric, g.grains_per_mm2, g.g_iso_643, g.g_intercept, g.mean_lineal_intercept_um
        );
    } else if args.grains {
        println!("grain size: not told; it needs the pixel size of every image, and grains");
    }
    if let Some(spheres) = &spheres {
        estimates::show_spheres(spheres);
    }
    let without = fields.iter().filter(|f| f.particles.nm_per_px.is_none()).count();
    if without > 0 {
        println!(
            "no pixel size for {without} of {} images: their sizes are in pixels only (give --nm-per-px, or segment \
             images that state it)",
            fields.len()
        );
    }
    println!("every {class} particle: {}", out.join("particles.csv").display());
    Ok(())
}

fn shown_columns(scaled: bool, unlike: bool) -> Vec<&'static str> {
    let radius = if scaled {
        ["mean_radius_nm", "mean_radius_error_nm"]
    } else {
        ["mean_radius_px", "mean_radius_error_px"]
    };
    let mut columns =
        vec!["image", "count", radius[0], "area_fraction_percent", "nm_per_px", "count_error", radius[1]];
    columns.extend(unlike.then_some("unlike_training"));
    columns
}

/// One line per image and one for all, as the paper counts: every object as it is seen.
fn images(fields: &[Measured], with_truth: bool) -> Table {
    let truth_columns = [
        "true_count",
        "true_mean_radius_px",
        "count_error",
        "mean_radius_error_px",
        "mean_radius_error_nm",
        "area_fraction_error_percent",
    ];
    let columns = ["image"].into_iter().chain(tables::PARTICLE_COLUMNS).chain([
        "number_density_per_um2",
        "nm_per_px",
        "field_area_px",
        "unlike_training",
    ]);
    let mut table = Table::new(columns.chain(truth_columns.into_iter().filter(|_| with_truth)));
    let mut add =
        |name: &str, measured: &[Particles], truth: Option<Vec<Particles>>, unlike: Option<bool>| {
            let s = pool(measured);
            let area: u64 = measured.iter().map(|p| p.field_area_px).sum();
            let nm = if let [one] = measured { one.nm_per_px } else { None };
            let mut row: Vec<Cell> = vec![name.into()];
            row.extend(tables::particle_cells(&s));
            row.extend([
                estimates::significant(s.number_density_per_um2),
                Cell::number(nm, 4),
                Cell::Integer(area as i64),
                objects::yes_no(unlike),
            ]);
            if let Some(truth) = truth.filter(|_| with_truth).map(|t| pool(&t)) {
                let e = compare(&s, &truth);
                row.extend([
                    truth.count.into(),
                    Cell::number(truth.mean_radius_px, 3),
                    Cell::Integer(e.count_error),
                    Cell::number(e.mean_radius_error_px, 3),
                    Cell::number(e.mean_radius_error_nm, 2),
                    Cell::percent(Some(e.area_fraction_error)),
                ]);
            }
            table.row(row);
        };
    for f in fields {
        let truth = f.truth.as_ref().map(|t| vec![t.0.clone()]);
        add(&f.name, std::slice::from_ref(&f.particles), truth, f.unlike);
    }
    let all: Vec<Particles> = fields.iter().map(|f| f.particles.clone()).collect();
    let any = fields.iter().any(|f| f.unlike == Some(true)).then_some(true);
    add("all", &all, fields.iter().map(|f| Some(f.truth.as_ref()?.0.clone())).collect(), any);
    table
}
