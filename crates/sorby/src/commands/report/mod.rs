//! `sorby report`: one page on a run: learning, accuracy, particles with intervals, and the threshold methods beside
//! them; and `sorby replay`, which computes it all again.

mod pdf;
mod record;
mod sections;

use super::measure::estimates::Estimates;
use super::measure::{self, Measured, unscale_unless_all};
use super::{inputs, threshold};
use crate::args::{EdgeArg, ReplayArgs, ReportArgs};
use crate::console::Progress;
use sections::Bench;
use sorby_data::{Dataset, Sample};
use sorby_image::LabelMap;
use sorby_image::write::atomically;
use sorby_infer::{Confusion, Device, Model, Options, Scores};
use sorby_measure::{Calibration, EdgeRule, Field, Filter, Knowledge, Particles, grain_counts, otsu};
use sorby_report::{Page, render};
use sorby_train::validate;
use std::process::ExitCode;

/// 95 % half width of the pixel size in percent, as `sorby measure` assumes.
const SCALE_ACCURACY_PERCENT: f64 = 2.0;

/// One image's results.
struct Outcome {
    prediction: LabelMap,
    scores: Scores,
    model: Measured,
    otsu: Particles,
    local: Particles,
}

/// Everything that the page tells, computed.
struct Computed {
    data: Dataset,
    samples: Vec<Sample>,
    model: Model,
    options: Options,
    class: u8,
    total: Scores,
    outcomes: Vec<Outcome>,
    estimates: Estimates,
    calibration: Option<Calibration>,
}

pub fn run(args: ReportArgs) -> anyhow::Result<ExitCode> {
    let device = inputs::device(&args.inference.device)?;
    let out = args.out.clone().unwrap_or_else(|| {
        if args.run.is_dir() { args.run.join("report.html") } else { args.run.with_extension("report.html") }
    });
    record::require_free(&out, &args)?;
    let computed = compute(&args, &device)?;
    let record = record::Record::of(&args, &computed)?;
    let title =
        format!("{} on {}", computed.model.card.arch.title(), computed.model.card.classes[1..].join(", "));
    let subtitle = format!(
        "Sorby {} · {} iterations · split `{}`: {} images · model {}",
        env!("CARGO_PKG_VERSION"),
        computed.model.card.iteration,
        args.split,
        computed.samples.len(),
        args.run.display()
    );
    let sections = Bench { args: &args, c: &computed }.sections(&record);
    let page = Page { title, subtitle, sections, record: record.to_text()? };
    atomically(&out, render(&page).as_bytes())?;
    println!("mIoU {} %", computed.total.mean_iou.map_or("-".into(), |v| format!("{:.2}", 100.0 * v)));
    println!("report: {}", out.display());
    if let Some(calibration) = computed.calibration.filter(|_| args.run.is_dir()) {
        let path = args.run.join("calibration.json");
        atomically(&path, (serde_json::to_string_pretty(&calibration)? + "\n").as_bytes())?;
        println!("errors on these images, to correct other measurements with: {}", path.display());
    }
    if args.pdf {
        let pdf = out.with_extension("pdf");
        pdf::print(&out, &pdf)?;
        println!("report: {}", pdf.display());
    }
    println!("every number again: sorby replay {}", out.display());
    Ok(ExitCode::SUCCESS)
}

pub fn replay(args: ReplayArgs) -> anyhow::Result<ExitCode> {
    let old = record::Record::read(&args.report)?;
    old.check_files()?;
    let report = old.arguments(args.device)?;
    let device = inputs::device(&report.inference.device)?;
    let new = record::Record::of(&report, &compute(&report, &device)?)?;
    let (same, different) = old.compare(&new);
    for line in &different {
        println!("{line}");
    }
    let page = args.report.display();
    if different.is_empty() {
        println!("{page}: all {same} numbers are the same again");
        return Ok(ExitCode::SUCCESS);
    }
    println!("{page}: {} of {} numbers differ", different.len(), same + different.len());
    Ok(ExitCode::from(1))
}

fn compute(args: &ReportArgs, device: &Device) -> anyhow::Result<Computed> {
    let data = inputs::open(&args.data)?;
    let samples = data.load(&data.split(&args.split)?)?;
    let mut model = Model::read(&args.run, device)?;
    let options = inputs::options(&args.inference, &model)?;
    inputs::require_same_classes(&model, &data)?;
    let class = inputs::class_index(&args.class, &model.card.classes)?;
    let progress = Progress::new(samples.len(), "images");
    let mut outcomes = Vec::new();
    let total = validate(&mut model, &samples, &options, device, &mut |sample, prediction, confusion| {
        outcomes.push(outcome(sample, prediction.labels.clone(), confusion, class));
        progress.advance(1);
    })?;
    progress.finish();
    unscale_unless_all(outcomes.iter_mut().map(|o: &mut Outcome| &mut o.model));
    let known =
        Knowledge { calibration: None, scale_accuracy_percent: SCALE_ACCURACY_PERCENT, plan_percent: None };
    let estimates = Estimates::of(outcomes.iter().map(|o| &o.model), known);
    let learn = || {
        let name = &model.card.classes[usize::from(class)];
        let settings = measure::settings(&Filter::default(), EdgeArg::Weighted);
        measure::learn(outcomes.iter().map(|o| &o.model), name, settings)
    };
    let calibration = held_out(&model, &args.split).then(learn).flatten();
    Ok(Computed {
        data,
        samples,
        options,
        class,
        total: total.scores(),
        outcomes,
        estimates,
        calibration,
        model,
    })
}

fn outcome(sample: &Sample, mut prediction: LabelMap, confusion: &Confusion, class: u8) -> Outcome {
    let grey = sample.shot.image.to_grey8();
    let (width, height) = (sample.shot.image.width, sample.shot.image.height);
    let rows = sample.shot.field_rows();
    let mut local = threshold::local(&grey[..width * rows], width, rows, None);
    local.labels.resize(width * height, 0);
    local.height = height;
    let of = |mut mask: LabelMap, class| {
        mask.ignore_where(&sample.label);
        let p = sorby_measure::measure(&mask, class, Filter::default(), sample.shot.nm_per_px());
        let field = Field::of(&mask, class, &p, EdgeRule::default());
        (p, field)
    };
    prediction.ignore_where(&sample.label);
    let (particles, field) = of(prediction.clone(), class);
    let grains = grain_counts(&particles);
    Outcome {
        scores: confusion.scores(),
        model: Measured {
            name: sample.name.clone(),
            truth: Some(of(sample.label.clone(), class)),
            mean_grey: None,
            mean_probability: None,
            particles,
            field,
            grains,
        },
        otsu: of(threshold::binary(&grey, width, height, otsu(&grey[..width * rows])), 1).0,
        local: of(local, 1).0,
        prediction,
    }
}

/// Whether the model was not trained on this split, as far as its recipe tells.
fn held_out(model: &Model, split: &str) -> bool {
    sorby_train::parse(&model.card.recipe, &[]).is_ok_and(|r| !r.data.train.iter().any(|t| t == split))
        && split != "all"
}
