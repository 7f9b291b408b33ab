//! `sorby report`: one page on a run: learning, accuracy, particles, and the threshold method beside them.

use super::{charts, inputs, tables, threshold};
use crate::args::ReportArgs;
use crate::console::Progress;
use sorby_data::{Dataset, Sample};
use sorby_image::LabelMap;
use sorby_image::write::atomically;
use sorby_infer::{Confusion, Model, Scores};
use sorby_measure::{Filter, Particles, compare, measure, otsu, pool, sweep};
use sorby_report::{Cell, Page, Picture, Section, Series, Table, bin_edges, histogram, overlay, render};
use sorby_train::{Metric, RunFolder, ValidationRecord, validate};
use std::process::ExitCode;

/// Images shown in full.
const SHOWN: usize = 4;
const THUMBNAIL_PX: usize = 512;

/// One image's results.
struct Result {
    prediction: LabelMap,
    scores: Scores,
    model: Particles,
    truth: Particles,
    otsu: Particles,
}

pub fn run(args: ReportArgs) -> anyhow::Result<ExitCode> {
    let device = inputs::device(&args.inference.device)?;
    let data = inputs::open(&args.data)?;
    let samples = data.load(&data.split(&args.split)?)?;
    let mut model = Model::read(&args.run, &device)?;
    let options = inputs::options(&args.inference, &model)?;
    inputs::require_same_classes(&model, &data)?;
    let class = inputs::class_index(&args.class, &model.card.classes)?;

    let progress = Progress::new(samples.len(), "images");
    let mut results = Vec::new();
    let total = validate(&mut model, &samples, &options, &device, &mut |sample, prediction, confusion| {
        results.push(result(sample, prediction.labels.clone(), confusion, class));
        progress.advance(1);
    });
    progress.finish();

    let sections = vec![
        learning(&args, &model),
        accuracy(&total.scores(), &samples, &results, &model),
        pictures(&samples, &results, &model, class),
        particles(&samples, &results, &model.card.classes[usize::from(class)]),
        thresholds(&samples, &results),
        next_steps(&args, &data),
        Section { heading: "Recipe".into(), code: model.card.recipe.clone(), ..Section::default() },
    ];
    let title = format!("{} on {}", model.card.arch.title(), model.card.classes[1..].join(", "));
    let subtitle = format!(
        "Sorby {} · {} iterations · split `{}`: {} images · model {}",
        env!("CARGO_PKG_VERSION"),
        model.card.iteration,
        args.split,
        samples.len(),
        args.run.display()
    );
    let out = args.out.clone().unwrap_or_else(|| {
        if args.run.is_dir() { args.run.join("report.html") } else { args.run.with_extension("report.html") }
    });
    atomically(&out, render(&Page { title, subtitle, sections }).as_bytes())?;
    println!("mIoU {} %", total.scores().mean_iou.map_or("-".into(), |v| format!("{:.2}", 100.0 * v)));
    println!("report: {}", out.display());
    Ok(ExitCode::SUCCESS)
}

fn result(sample: &Sample, mut prediction: LabelMap, confusion: &Confusion, class: u8) -> Result {
    let grey = sample.image.to_grey8();
    let mut binary = threshold::binary(&grey, sample.image.width, sample.image.height, otsu(&grey));
    prediction.ignore_where(&sample.label);
    binary.ignore_where(&sample.label);
    let of = |mask: &LabelMap, class| measure(mask, class, Filter::default(), sample.nm_per_px);
    Result {
        scores: confusion.scores(),
        model: of(&prediction, class),
        truth: of(&sample.label, class),
        otsu: of(&binary, 1),
        prediction,
    }
}

fn learning(args: &ReportArgs, model: &Model) -> Section {
    let metrics: Vec<Metric> = RunFolder::read_lines(&args.run, "metrics.jsonl");
    let records: Vec<ValidationRecord> = RunFolder::read_lines(&args.run, "validation.jsonl");
    let seconds: f64 = metrics.iter().map(|m| m.seconds).sum();
    let mut blocks = Vec::new();
    if !metrics.is_empty() {
        blocks.push(charts::loss(&metrics).to_svg());
    }
    if !records.is_empty() {
        blocks.push(charts::validation(&records, &model.card.classes).to_svg());
    }
    let text = if metrics.is_empty() {
        "This model file came without its run folder, so how it learnt is not known.".to_owned()
    } else {
        format!("{} iterations in {}.", metrics.len(), crate::console::duration(seconds))
    };
    Section { heading: "Learning".into(), text, blocks, ..Section::default() }
}

fn accuracy(scores: &Scores, samples: &[Sample], results: &[Result], model: &Model) -> Section {
    let per_image: Vec<(String, Scores)> =
        samples.iter().zip(results).map(|(s, r)| (s.name.clone(), r.scores.clone())).collect();
    Section {
        heading: "Accuracy".into(),
        text: "Pixel counts are summed over all images first; ratios are taken afterwards.".into(),
        blocks: vec![
            tables::scores(scores, &model.card.classes).to_html(),
            tables::per_image(&per_image, &model.card.classes).to_html(),
        ],
        ..Section::default()
    }
}

fn pictures(samples: &[Sample], results: &[Result], model: &Model, class: u8) -> Section {
    let mut pictures = Vec::new();
    for (sample, result) in samples.iter().zip(results).take(SHOWN) {
        let grey = sample.image.to_grey8();
        let mut add = |caption: String, picture: overlay::Rgb| {
            pictures.push(Picture::png(caption, &picture.thumbnail(THUMBNAIL_PX).png()));
        };
        add(
            format!("{}: input", sample.name),
            overlay::Rgb::grey(sample.image.width, sample.image.height, &grey),
        );
        add("classes found".into(), overlay::classes(&grey, &result.prediction, &model.card.colours));
        add("right and wrong".into(), overlay::errors(&result.prediction, &sample.label, class));
    }
    Section {
        heading: "Pictures".into(),
        text: format!(
            "Right and wrong pixels of {}: white found, black left out rightly, green found wrongly, pink missed.",
            model.card.classes[usize::from(class)]
        ),
        pictures,
        ..Section::default()
    }
}

fn particles(samples: &[Sample], results: &[Result], class: &str) -> Section {
    let mut table = Table::new(
        ["image", "method"]
            .into_iter()
            .chain(tables::PARTICLE_COLUMNS)
            .chain(["count_error", "mean_radius_error_px"]),
    );
    let mut add = |image: &str, method: &str, fields: &[Particles], truth: &[Particles]| {
        let s = pool(fields);
        let mut row: Vec<Cell> = vec![image.into(), method.into()];
        row.extend(tables::particle_cells(&s));
        let error = compare(&s, &pool(truth));
        row.push(Cell::Integer(error.count_error));
        row.push(Cell::number(error.mean_radius_error_px, 3));
        table.row(row);
    };
    let all =
        |f: fn(&Result) -> &Particles| -> Vec<Particles> { results.iter().map(|r| f(r).clone()).collect() };
    let (model, truth, otsu) = (all(|r| &r.model), all(|r| &r.truth), all(|r| &r.otsu));
    for (i, sample) in samples.iter().enumerate() {
        let one = i..i + 1;
        add(&sample.name, "model", &model[one.clone()], &truth[one.clone()]);
        add(&sample.name, "truth", &truth[one.clone()], &truth[one]);
    }
    add("all", "model", &model, &truth);
    add("all", "Otsu", &otsu, &truth);
    add("all", "truth", &truth, &truth);

    let scale = samples.iter().all(|s| s.nm_per_px.is_some());
    let radii = |fields: &[Particles]| -> Vec<f64> {
        let size = |f: &Particles| if scale { f.nm_per_px.unwrap_or(1.0) } else { 1.0 };
        fields
            .iter()
            .flat_map(|f| f.regions.iter().map(move |r| r.equivalent_radius_px() * size(f)))
            .collect()
    };
    let (found, real) = (radii(&model), radii(&truth));
    let edges = bin_edges(&[found.clone(), real.clone()].concat(), 24);
    let chart = sorby_report::Chart {
        title: format!("Size of {class} particles"),
        x_label: format!("equivalent radius ({})", if scale { "nm" } else { "px" }),
        y_label: "particles".into(),
        series: vec![
            Series::bars("model", histogram(&found, &edges)),
            Series::bars("truth", histogram(&real, &edges)),
        ],
        from_zero: true,
        ..sorby_report::Chart::default()
    };
    let note = if scale { "" } else { " Not every image has a pixel size, so sizes are in pixels." };
    Section {
        heading: format!("Particles: {class}"),
        text: format!(
            "Every 8-connected object counts, those at the edge included; radius = sqrt(area / pi); means are over \
             all particles of all images.{note}"
        ),
        blocks: vec![chart.to_svg(), table.to_html()],
        ..Section::default()
    }
}

fn thresholds(samples: &[Sample], results: &[Result]) -> Section {
    let (Some(sample), Some(result)) = (samples.first(), results.first()) else { return Section::default() };
    let grey = sample.image.to_grey8();
    let (width, height) = (sample.image.width, sample.image.height);
    let curve = sweep(&grey, width, height);
    let (truth, model) = (result.truth.summary(), result.model.summary());
    let mut marks = vec![(f64::from(otsu(&grey)), format!("Otsu: {}", otsu(&grey)))];
    let by_count = curve.best_for_count(truth.count);
    marks.push((f64::from(by_count), format!("best for count: {by_count}")));
    let mut pictures = Vec::new();
    let mut add = |caption: String, mask: &LabelMap| {
        let picture = overlay::colours(mask, &[[0; 3], [255; 3]]);
        pictures.push(Picture::png(caption, &picture.thumbnail(THUMBNAIL_PX).png()));
    };
    add(
        format!("threshold {by_count}: count nearest to truth"),
        &threshold::binary(&grey, width, height, by_count),
    );
    if let Some(radius) = truth.mean_radius_px {
        let t = curve.best_for_radius(radius);
        marks.push((f64::from(t), format!("best for radius: {t}")));
        add(
            format!("threshold {t}: mean radius nearest to truth"),
            &threshold::binary(&grey, width, height, t),
        );
    }
    let (count, radius) = charts::sweep(&curve, Some(&truth), Some(&model), &marks);
    Section {
        heading: "The threshold method".into(),
        text: format!(
            "Count and mean radius of {} at every grey threshold. The threshold that counts right and the one that \
             sizes right are not the same, and without the truth neither is known.",
            sample.name
        ),
        blocks: vec![count.to_svg(), radius.to_svg()],
        pictures,
        ..Section::default()
    }
}

fn next_steps(args: &ReportArgs, data: &Dataset) -> Section {
    let run = args.run.display();
    let scale = data.manifest.scale.nm_per_px.map_or("YOUR_PIXEL_SIZE".to_owned(), |s| s.to_string());
    Section {
        heading: "Commands for your own images".into(),
        code: format!(
            "sorby segment {run} YOUR_IMAGES --out results --tta\n\
             sorby measure results/masks --out results/particles --nm-per-px {scale}\n\
             sorby data init YOUR_LABELLED_FOLDER > YOUR_LABELLED_FOLDER/dataset.toml\n\
             sorby data check YOUR_LABELLED_FOLDER\n\
             sorby train RECIPE.toml --data YOUR_LABELLED_FOLDER"
        ),
        ..Section::default()
    }
}
