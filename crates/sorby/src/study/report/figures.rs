//! Figures 2 to 8 of the paper.

use super::Exhibit;
use super::ReportedStudy;
use super::predictions::{Masks, Predictions};
use crate::{Result, charts, tables, threshold};
use sorby_data::Sample;
use sorby_image::LabelMap;
use sorby_measure::{ObjectRule, Particles, Summary, measure, pool, sweep};
use sorby_report::overlay::{self, Rgb};
use sorby_report::{Cell, Chart, Series, Table};
use sorby_study::{TrickSet, set_name};

/// The class that pictures and particles are of: the first after the matrix.
const CLASS: u8 = 1;
const ORANGE: [u8; 3] = [255, 165, 0];

pub fn all(books: &[ReportedStudy], predictions: &mut Predictions) -> Result<Vec<Exhibit>> {
    let mut out = vec![inputs_and_labels(books, predictions)?];
    let mut number = 3;
    for (place, book) in books.iter().enumerate() {
        for arch in book.archs() {
            out.push(overlays(number, place, book, arch, predictions)?);
            number += 1;
        }
    }
    // The paper's are 7 and 8, after Figures 3 to 6 of two data sets and two networks.
    number = number.max(7);
    for (place, book) in books.iter().enumerate() {
        out.push(particles(number, place, book, predictions)?);
        out.extend(thresholds(number + 1, place, book, predictions)?);
        number += 2;
    }
    Ok(out)
}

/// Images with their labels, whatever the masks: of the first model that was trained.
fn labelled(place: usize, book: &ReportedStudy, predictions: &mut Predictions) -> Result<Masks> {
    let first = book.archs().find_map(|arch| Some((arch, book.sets(arch).into_iter().next()?)));
    let (arch, set) = first.unwrap_or_default();
    predictions.of(place, book, arch, &set)
}

fn grey(sample: &Sample) -> Rgb {
    Rgb::grey(sample.shot.image.width, sample.shot.image.height, &sample.shot.image.to_grey8())
}

/// Figure 2.
fn inputs_and_labels(books: &[ReportedStudy], predictions: &mut Predictions) -> Result<Exhibit> {
    let mut panels = Vec::new();
    for (place, book) in books.iter().enumerate() {
        let masks = labelled(place, book, predictions)?;
        if let Some((sample, _)) = masks.first() {
            let mut colours = book.folder.manifest.colours();
            colours[0] = [0; 3];
            panels.push((format!("{}: {}", book.title(), sample.name), grey(sample)));
            panels.push((format!("{}: label", book.title()), overlay::colours(&sample.label, &colours)));
        }
    }
    let (name, caption) = ("figure2".into(), "Figure 2. Images and labels".into());
    Ok(Exhibit { name, caption, panels, ..Exhibit::default() })
}

/// Figures 3 to 6: right and wrong pixels of each trick, with a box where the baseline errs most.
fn overlays(
    number: usize,
    place: usize,
    book: &ReportedStudy,
    arch: usize,
    predictions: &mut Predictions,
) -> Result<Exhibit> {
    let base = predictions.of(place, book, arch, &Vec::new())?;
    let mut panels = Vec::new();
    if let Some((sample, mask)) = base.first() {
        let size = (sample.shot.image.width.min(sample.shot.image.height) / 4).max(16);
        let at = most_wrong(mask, &sample.label, size);
        panels.push((format!("{}, input", sample.name), grey(sample)));
        for set in book.sets(arch).into_iter().filter(|s| s.len() <= 1) {
            let masks = predictions.of(place, book, arch, &set)?;
            if let Some((_, mask)) = masks.iter().find(|(s, _)| s.name == sample.name) {
                let mut picture = overlay::errors(mask, &sample.label, CLASS);
                picture.draw_box(at, size, ORANGE);
                let name = if set.is_empty() { "baseline".to_owned() } else { set_name(&set) };
                panels.push((name, picture));
            }
        }
    }
    Ok(Exhibit {
        name: format!("figure{number}"),
        caption: format!("Figure {number}. {}, {}", book.title(), book.folder.spec.arch_title(arch)),
        text: "White: found. Black: rightly left. Green: falsely marked. Pink: missed. The box is where the baseline \
               errs most."
            .into(),
        panels,
        ..Exhibit::default()
    })
}

/// Upper left corner of the box of `size` pixels with the most wrong pixels, to a quarter of its size.
fn most_wrong(mask: &LabelMap, label: &LabelMap, size: usize) -> (usize, usize) {
    let (width, height) = (mask.width, mask.height);
    let wrong = |y: usize, x: usize| {
        let (p, l) = (mask.labels[y * width + x], label.labels[y * width + x]);
        l != sorby_image::IGNORE && (p == CLASS) != (l == CLASS)
    };
    // Sums over the rectangle above and left of a pixel.
    let stride = width + 1;
    let mut sums = vec![0u32; stride * (height + 1)];
    for y in 0..height {
        let mut row = 0;
        for x in 0..width {
            row += u32::from(wrong(y, x));
            sums[(y + 1) * stride + x + 1] = sums[y * stride + x + 1] + row;
        }
    }
    let count = |x: usize, y: usize| {
        let (right, bottom) = ((x + size).min(width), (y + size).min(height));
        sums[bottom * stride + right] + sums[y * stride + x]
            - sums[y * stride + right]
            - sums[bottom * stride + x]
    };
    let steps = |length: usize| (0..length.saturating_sub(size) + 1).step_by((size / 4).max(1));
    let boxes = steps(height).flat_map(|y| steps(width).map(move |x| (x, y)));
    // The first of equals, so that the answer does not depend on the order of comparison.
    boxes.rev().max_by_key(|&(x, y)| count(x, y)).unwrap_or((0, 0))
}

fn particles_of(masks: &Masks, truth: bool, names: &[String]) -> Vec<Particles> {
    let of = |(sample, mask): &(std::rc::Rc<Sample>, LabelMap)| {
        let mut mask = if truth { sample.label.clone() } else { mask.clone() };
        mask.ignore_where(&sample.label);
        measure(&mask, CLASS, ObjectRule::default(), sample.shot.nm_per_px())
    };
    masks.iter().filter(|(s, _)| names.contains(&s.name)).map(of).collect()
}

/// Names of the images that every model segmented: on these they are compared.
fn segmented_by_all(
    place: usize,
    book: &ReportedStudy,
    predictions: &mut Predictions,
) -> Result<Vec<String>> {
    let mut common: Option<Vec<String>> = None;
    for arch in book.archs() {
        for set in book.sets(arch) {
            let names: Vec<String> =
                predictions.of(place, book, arch, &set)?.iter().map(|(s, _)| s.name.clone()).collect();
            common = Some(match common {
                None => names,
                Some(before) => before.into_iter().filter(|n| names.contains(n)).collect(),
            });
        }
    }
    Ok(common.unwrap_or_default())
}

/// Count and mean radius of every model against the labels.
fn model_table(
    truth: &Summary,
    models: &[(String, Summary)],
    unit: &str,
    radius: &dyn Fn(&Summary) -> Option<f64>,
) -> Table {
    let mut columns = vec!["model".to_owned(), "count".into(), "count error".into()];
    columns.extend([format!("mean radius ({unit})"), format!("radius error ({unit})")]);
    let mut table = Table::new(columns);
    for (name, s) in std::iter::once(&("label".to_owned(), truth.clone())).chain(models) {
        let error = (name != "label").then(|| s.count as i64 - truth.count as i64);
        let off = radius(s).zip(radius(truth)).map(|(a, b)| a - b).filter(|_| name != "label");
        table.row(vec![
            name.clone().into(),
            s.count.into(),
            error.map_or(Cell::Missing, |e| Cell::Signed(e as f64, 0)),
            Cell::number(radius(s), 2),
            off.map_or(Cell::Missing, |e| Cell::Signed(e, 2)),
        ]);
    }
    table
}

/// Figure 7: mean radius and count of every model against the labels.
fn particles(
    number: usize,
    place: usize,
    book: &ReportedStudy,
    predictions: &mut Predictions,
) -> Result<Exhibit> {
    let common = segmented_by_all(place, book, predictions)?;
    let particles_of = |masks: &Masks, truth| particles_of(masks, truth, &common);
    let truth = pool(&particles_of(&labelled(place, book, predictions)?, true));
    let mut models: Vec<(String, Summary)> = Vec::new();
    let mut short: Vec<String> = Vec::new();
    for arch in book.archs() {
        for set in book.sets(arch) {
            let masks = predictions.of(place, book, arch, &set)?;
            models.push((book.model_name(arch, &set), pool(&particles_of(&masks, false))));
            let initial = &book.folder.spec.arch_title(arch)[..1];
            short.push(if set.is_empty() {
                initial.to_owned()
            } else {
                format!("{initial} {}", set_name(&set))
            });
        }
    }
    let in_nm = truth.mean_radius_nm.is_some() && models.iter().all(|(_, s)| s.mean_radius_nm.is_some());
    let radius = |s: &Summary| if in_nm { s.mean_radius_nm } else { s.mean_radius_px };
    let unit = if in_nm { "nm" } else { "px" };
    let chart = |title: String, y_label: String, value: &dyn Fn(&Summary) -> Option<f64>| {
        let mut points: Vec<(f64, f64)> =
            models.iter().enumerate().map(|(i, (_, s))| (i as f64, value(s).unwrap_or(0.0))).collect();
        points.push((models.len() as f64, 0.0));
        Chart {
            title,
            y_label,
            series: vec![Series::bars("models", points)],
            levels: value(&truth).map(|v| (v, "label".to_owned())).into_iter().collect(),
            x_names: short.clone(),
            from_zero: true,
            ..Chart::default()
        }
    };
    let class = &book.folder.manifest.classes[usize::from(CLASS)].name;
    Ok(Exhibit {
        name: format!("figure{number}"),
        caption: format!("Figure {number}. Particles of {class}, {}", book.title()),
        text: format!(
            "All particles of {} images pooled, none left out; D is DeepLabV3+, P is PSPNet.",
            common.len()
        ),
        table: Some(model_table(&truth, &models, unit, &radius)),
        charts: vec![
            chart("Mean radius".into(), format!("mean radius ({unit})"), &radius),
            chart("Count".into(), "count".into(), &|s| Some(s.count as f64)),
        ],
        panels: Vec::new(),
    })
}

/// Figure 8: one image by the best model and by every threshold.
fn thresholds(
    number: usize,
    place: usize,
    book: &ReportedStudy,
    predictions: &mut Predictions,
) -> Result<Option<Exhibit>> {
    let Some((arch, set)) = book.best() else { return Ok(None) };
    let set: TrickSet = if book.runs_of(arch, &set).is_empty() { Vec::new() } else { set };
    let masks = predictions.of(place, book, arch, &set)?;
    let Some((sample, mask)) = masks.first() else { return Ok(None) };
    let (width, rows) = (sample.shot.image.width, sample.shot.field_rows());
    let mut values = sample.shot.image.to_grey8();
    values.truncate(width * rows);
    let summary = |mask: &LabelMap, class: u8| {
        let mut mask = mask.clone();
        mask.ignore_where(&sample.label);
        measure(&mask, class, ObjectRule::default(), sample.shot.nm_per_px()).summary()
    };
    let (truth, model) = (summary(&sample.label, CLASS), summary(mask, CLASS));
    let curve = sweep(&values, width, rows);
    let by_count = curve.best_for_count(truth.count);
    let by_radius = truth.mean_radius_px.map_or(by_count, |r| curve.best_for_radius(r));
    let binary = |t| {
        let mask = threshold::binary(&values, width, rows, t);
        overlay::colours(&mask, &[[0; 3], [255; 3]])
    };
    let white = |mask: &LabelMap| {
        let colours: Vec<[u8; 3]> = (0..book.folder.manifest.classes.len())
            .map(|c| if c == usize::from(CLASS) { [255; 3] } else { [0; 3] })
            .collect();
        overlay::colours(mask, &colours)
    };
    let panels = vec![
        (sample.name.clone(), grey(sample)),
        ("label".into(), white(&sample.label)),
        (book.model_name(arch, &set), white(mask)),
        (format!("threshold {by_count}: best count"), binary(by_count)),
        (format!("threshold {by_radius}: best mean radius"), binary(by_radius)),
    ];
    let marks = [
        (f64::from(by_count), format!("count: {by_count}")),
        (f64::from(by_radius), format!("radius: {by_radius}")),
    ];
    let (count, radius) = charts::sweep(&curve, Some(&truth), Some(&model), &marks);
    let mut table = Table::new(std::iter::once("method").chain(tables::PARTICLE_COLUMNS));
    let of_threshold =
        |t| summary(&threshold::binary(&sample.shot.image.to_grey8(), width, sample.shot.image.height, t), 1);
    let methods = [
        ("label".to_owned(), truth),
        (book.model_name(arch, &set), model),
        (format!("threshold {by_count}"), of_threshold(by_count)),
        (format!("threshold {by_radius}"), of_threshold(by_radius)),
    ];
    for (name, s) in methods {
        table.row(std::iter::once(name.into()).chain(tables::particle_cells(&s)).collect());
    }
    Ok(Some(Exhibit {
        name: format!("figure{number}"),
        caption: format!("Figure {number}. The threshold method next to the model, {}", book.title()),
        text: "Both thresholds are chosen by the label: the method's best case, which no user has.".into(),
        table: Some(table),
        charts: vec![count, radius],
        panels,
    }))
}
