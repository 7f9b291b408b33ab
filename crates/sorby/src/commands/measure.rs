//! `sorby measure`.

use super::fields::{Fields, size_cells};
use super::{inputs, tables};
use crate::args::{EdgeArg, MeasureArgs};
use anyhow::{Context as _, bail};
use serde_json::json;
use sorby_data::{DataBar, Dataset};
use sorby_image::write::atomically;
use sorby_image::{LabelMap, MaskNote, RawLabels};
use sorby_measure::{
    Connectivity, EdgeRule, Filter, Particles, Summary, compare, measure, nearest_centroids_px, pool,
};
use sorby_report::{Cell, Table};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub fn run(args: MeasureArgs) -> anyhow::Result<ExitCode> {
    inputs::require_positive(args.nm_per_px)?;
    if args.plan.is_some_and(|percent| !(percent > 0.0 && percent <= 100.0)) {
        bail!("--plan must be a percentage above 0, for example 10");
    }
    let data = args.data.as_deref().map(inputs::open).transpose()?;
    let names = data.as_ref().map(|d| d.manifest.class_names()).unwrap_or_default();
    let class = inputs::class_index(&args.class, &names)?;
    let connectivity = match args.connectivity {
        4 => Connectivity::Four,
        8 => Connectivity::Eight,
        other => bail!("--connectivity must be 4 or 8, not {other}"),
    };
    let filter = Filter { connectivity, min_area_px: args.min_area_px, exclude_edge: args.exclude_edge };
    let files = inputs::images(&args.masks)?;
    let mut fields: Vec<(String, Particles, Option<Particles>)> = Vec::new();
    let mut problems = Table::new(["file", "problem"]);
    let truth_files = args.truth.iter().map(|t| inputs::images(std::slice::from_ref(t)));
    let truth_files = truth_files.collect::<Result<Vec<_>, _>>()?.concat();
    let source = Source {
        args: &args,
        data: data.as_ref(),
        masks: MaskCoding::of(&files),
        truths: MaskCoding::of(&truth_files),
    };
    for file in &files {
        match one(file, class, filter, &source) {
            Ok((particles, truth)) => fields.push((inputs::stem(file), particles, truth)),
            Err(error) => {
                eprintln!("problem: {error:#}");
                problems.row(vec![file.display().to_string().into(), format!("{error:#}").into()]);
            }
        }
    }
    tables::write_problems(&args.out, &problems)?;
    if fields.is_empty() {
        bail!("no mask could be measured");
    }
    write(&args, &fields, &names, class)?;
    Ok(if problems.rows.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Where masks and truths come from, and how they are coded.
struct Source<'a> {
    args: &'a MeasureArgs,
    data: Option<&'a Dataset>,
    masks: MaskCoding,
    truths: MaskCoding,
}

/// Measures one mask, and its truth if there is one.
fn one(
    file: &Path,
    class: u8,
    filter: Filter,
    source: &Source,
) -> anyhow::Result<(Particles, Option<Particles>)> {
    let stem = inputs::stem(file);
    let listed = source.data.and_then(|d| d.items.iter().find(|i| i.name == stem));
    let scale = pixel_size(file, source.args.nm_per_px, listed.and_then(|i| i.nm_per_px))?;
    let mut mask = source.masks.read(file)?;
    let truth = match (&source.args.truth, listed, source.data) {
        (Some(folder), _, _) => {
            let found = inputs::find_by_stem(folder, &stem)?;
            let path = found.with_context(|| format!("{}: no true mask `{stem}` here", folder.display()))?;
            Some(source.truths.read(&path)?)
        }
        (None, Some(item), Some(data)) => {
            let truth = data.load_label(item).map_err(|p| anyhow::anyhow!("{p}"))?;
            let crop = data.manifest.labels.data_bar == DataBar::Crop;
            if crop && mask.width == truth.width && mask.height > truth.height {
                mask.crop_rows(truth.height);
            }
            Some(truth)
        }
        _ => None,
    };
    if let Some(truth) = &truth {
        if (truth.width, truth.height) != (mask.width, mask.height) {
            let (name, w, h) = (file.display(), mask.width, mask.height);
            bail!("{name}: mask is {w}x{h} but its true mask is {}x{}", truth.width, truth.height);
        }
        mask.ignore_where(truth);
    }
    let truth = truth.map(|t| measure(&t, class, filter, scale));
    Ok((measure(&mask, class, filter, scale), truth))
}

/// The pixel size by command line, data set, or the mask's own note; those that there are must agree.
fn pixel_size(file: &Path, given: Option<f64>, listed: Option<f64>) -> anyhow::Result<Option<f64>> {
    let note = MaskNote::read(file).unwrap_or_default();
    let noted = format!("the mask's note ({})", note.scale_source);
    let stated = [(given, "--nm-per-px"), (listed, "dataset.toml"), (note.nm_per_px, noted.as_str())];
    let mut known = stated.into_iter().filter_map(|(nm, place)| Some((nm?, place)));
    let Some(first) = known.next() else { return Ok(None) };
    known.try_for_each(|other| inputs::agree(file, first, other))?;
    Ok(Some(first.0))
}

/// How a set of masks without a data set codes its classes, decided over all of them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum MaskCoding {
    Index,
    /// No value but 0 and 255 in any mask: 255 is class 1.
    BlackAndWhite,
}

impl MaskCoding {
    /// Files that cannot be read are passed over here; reading them tells.
    pub fn of(files: &[PathBuf]) -> Self {
        let mut seen = [false; 256];
        for file in files {
            if MaskNote::read(file).is_some() {
                return Self::Index;
            }
            if let Ok(RawLabels::Values(map)) = RawLabels::read(file) {
                seen.iter_mut().zip(map.histogram()).for_each(|(s, n)| *s |= n > 0);
            }
        }
        if seen[255] && seen[1..255].iter().all(|s| !s) { Self::BlackAndWhite } else { Self::Index }
    }

    pub fn read(self, path: &Path) -> anyhow::Result<LabelMap> {
        match RawLabels::read(path)? {
            RawLabels::Values(mut map) => {
                if self == Self::BlackAndWhite {
                    map.labels.iter_mut().for_each(|l| *l = u8::from(*l == 255));
                }
                Ok(map)
            }
            RawLabels::Colours { .. } => {
                bail!(
                    "{}: is a colour picture, not an index mask; give the mask, not the overlay",
                    path.display()
                )
            }
        }
    }
}

fn edge_rule(args: &MeasureArgs) -> EdgeRule {
    match args.edges {
        EdgeArg::Weighted => EdgeRule::MilesLantuejoul,
        EdgeArg::Exclude => EdgeRule::Exclude,
        EdgeArg::All => EdgeRule::All,
    }
}

fn write(
    args: &MeasureArgs,
    fields: &[(String, Particles, Option<Particles>)],
    names: &[String],
    class: u8,
) -> anyhow::Result<()> {
    let mut objects = Table::new([
        "image",
        "particle",
        "area_px",
        "equivalent_radius_px",
        "equivalent_diameter_area_px",
        "equivalent_radius_nm",
        "equivalent_diameter_area_nm",
        "centroid_row_px",
        "centroid_column_px",
        "bbox_min_row_px",
        "bbox_min_column_px",
        "bbox_max_row_px",
        "bbox_max_column_px",
        "touches_border",
        "area_filled_px",
        "perimeter_crofton_px",
        "feret_diameter_max_px",
        "feret_diameter_min_px",
        "feret_angle_deg",
        "feret_diameter_max_nm",
        "feret_diameter_min_nm",
        "axis_major_length_px",
        "axis_minor_length_px",
        "orientation_rad",
        "circularity",
        "roundness",
        "solidity",
        "aspect_ratio",
        "nearest_neighbour_distance_px",
        "nearest_neighbour_distance_nm",
    ]);
    let truth_columns = [
        "true_count",
        "true_mean_radius_px",
        "count_error",
        "mean_radius_error_px",
        "mean_radius_error_nm",
        "area_fraction_error_percent",
    ];
    let with_truth = fields.iter().all(|f| f.2.is_some());
    if let Some((name, ..)) = fields.iter().find(|f| f.2.is_none() && fields.iter().any(|f| f.2.is_some())) {
        eprintln!("note: `{name}` has no true mask, so no errors are given");
    }
    let size_columns = ["sized_count", "unbiased_mean_diameter", "sd_diameter", "d10", "d50", "d90"];
    let unit = if fields.iter().all(|f| f.1.nm_per_px.is_some()) { "nm" } else { "px" };
    let columns = ["image"]
        .into_iter()
        .chain(tables::PARTICLE_COLUMNS)
        .chain(["number_density_per_um2", "nm_per_px"])
        .map(str::to_owned)
        .chain(
            size_columns
                .iter()
                .map(|c| if *c == "sized_count" { (*c).to_owned() } else { format!("{c}_{unit}") }),
        );
    let truth_columns = truth_columns.into_iter().filter(|_| with_truth).map(str::to_owned);
    let mut images = Table::new(columns.chain(truth_columns));
    let rule = edge_rule(args);
    let mut add = |name: &str, s: &Summary, p: Option<&Particles>, truth: Option<&Summary>| {
        let nm = p.and_then(|p| p.nm_per_px);
        let mut row: Vec<Cell> = vec![name.into()];
        row.extend(tables::particle_cells(s));
        row.extend([Cell::number(s.number_density_per_um2, 5), Cell::number(nm, 4)]);
        row.extend(size_cells(p, rule, unit == "nm"));
        if let Some(truth) = truth.filter(|_| with_truth) {
            let e = compare(s, truth);
            row.extend([
                truth.count.into(),
                Cell::number(truth.mean_radius_px, 3),
                Cell::Integer(e.count_error),
                Cell::number(e.mean_radius_error_px, 3),
                Cell::number(e.mean_radius_error_nm, 2),
                Cell::percent(Some(e.area_fraction_error)),
            ]);
        }
        images.row(row);
    };
    for (name, p, truth) in fields {
        add(name, &p.summary(), Some(p), truth.as_ref().map(Particles::summary).as_ref());
        let neighbours = nearest_centroids_px(&p.regions);
        for (i, (r, neighbour)) in p.regions.iter().zip(neighbours).enumerate() {
            let nm = |px: f64| Cell::number(p.nm_per_px.map(|s| s * px), 3);
            let (radius, diameter) = (r.equivalent_radius_px(), r.equivalent_diameter_area_px());
            let b = r.bbox_px;
            let corner = |v: u32| Cell::Integer(i64::from(v));
            objects.row(vec![
                name.clone().into(),
                (i + 1).into(),
                Cell::Integer(r.area_px as i64),
                Cell::Number(radius, 4),
                Cell::Number(diameter, 4),
                nm(radius),
                nm(diameter),
                Cell::Number(r.centroid_px.0, 3),
                Cell::Number(r.centroid_px.1, 3),
                corner(b.0),
                corner(b.1),
                corner(b.2),
                corner(b.3),
                (if r.touches_border { "yes" } else { "no" }).into(),
                Cell::Integer(r.shape.area_filled_px as i64),
                Cell::Number(r.shape.perimeter_crofton_px, 4),
                Cell::Number(r.shape.feret_diameter_max_px, 4),
                Cell::Number(r.shape.feret_diameter_min_px, 4),
                Cell::Number(r.shape.feret_angle_deg, 2),
                nm(r.shape.feret_diameter_max_px),
                nm(r.shape.feret_diameter_min_px),
                Cell::Number(r.shape.axis_major_length_px, 4),
                Cell::Number(r.shape.axis_minor_length_px, 4),
                Cell::Number(r.shape.orientation_rad, 4),
                Cell::Number(r.shape.circularity, 4),
                Cell::Number(r.shape.roundness, 4),
                Cell::Number(r.shape.solidity, 4),
                Cell::Number(r.shape.aspect_ratio, 4),
                Cell::number(neighbour, 4),
                neighbour.map_or(Cell::Missing, nm),
            ]);
        }
    }
    let all: Vec<Particles> = fields.iter().map(|f| f.1.clone()).collect();
    let truths: Option<Vec<Particles>> = fields.iter().map(|f| f.2.clone()).collect();
    let (total, truth) = (pool(&all), truths.as_deref().map(pool));
    add("all", &total, None, truth.as_ref());

    let fields_of = Fields::of(&all, rule);
    let class_name = names.get(usize::from(class)).cloned().unwrap_or_else(|| format!("class {class}"));
    let summary = json!({
        "class": class_name,
        "images": fields.len(),
        "connectivity": args.connectivity,
        "min_area_px": args.min_area_px,
        "exclude_edge": args.exclude_edge,
        "total": total,
        "truth": truth,
        "error": truth.as_ref().map(|t| compare(&total, t)),
        "sizes_edge_rule": rule,
        "between_images": fields_of.json(args.plan),
    });
    let text = serde_json::to_string_pretty(&summary)? + "\n";
    atomically(&args.out.join("particles.csv"), objects.to_csv().as_bytes())?;
    atomically(&args.out.join("images.csv"), images.to_csv().as_bytes())?;
    atomically(&args.out.join("summary.json"), text.as_bytes())?;
    if args.json {
        print!("{text}");
        return Ok(());
    }
    print!("{}", images.to_text());
    fields_of.show(args.plan);
    let without = fields.iter().filter(|f| f.1.nm_per_px.is_none()).count();
    if without > 0 {
        println!(
            "no pixel size for {without} of {} images: their sizes are in pixels only (give --nm-per-px, or segment \
             images that state it)",
            fields.len()
        );
    }
    println!("every {class_name} particle: {}", args.out.join("particles.csv").display());
    Ok(())
}
