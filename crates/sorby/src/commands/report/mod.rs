//! `sorby report`: one page on a run: learning, accuracy, particles with intervals, and the threshold methods beside
//! them; and `sorby replay`, which computes it all again.

mod page_diff;
mod pdf;
mod places;
mod record;
mod replay;
mod sections;

pub use replay::run as replay;

use super::measure::estimates::Estimates;
use super::measure::{self, Measured, unscale_unless_all};
use super::provenance::{self, Makers, Standing};
use super::{charts, inputs, threshold};
use crate::args::{EdgeArg, ReportArgs};
use crate::console::Progress;
use anyhow::bail;
use sections::Bench;
use sorby_data::{Dataset, Problem, Sample};
use sorby_image::write::atomically;
use sorby_image::{LabelMap, Origin};
use sorby_infer::{Confusion, Device, Model, Options, Scores};
use sorby_measure::{Calibration, EdgeRule, Field, Filter, Knowledge, Particles, grain_counts, otsu};
use sorby_report::{Page, render};
use sorby_train::{PastRun, nothing_found, validate};
use std::path::Path;
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

/// Findings of the check of the data on the scored images.
struct Checks {
    problems: Vec<Problem>,
    remarks: Vec<Problem>,
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
    /// What the labels teach of the segmentation's errors, or why nothing.
    calibration: Result<Calibration, String>,
    standing: Standing,
    /// Classes that the model found in none of some images, in words.
    nothing: Vec<String>,
}

pub fn run(args: ReportArgs) -> anyhow::Result<ExitCode> {
    let device = inputs::device(&args.inference.device)?;
    let out = args.out.clone().unwrap_or_else(|| {
        if args.run.is_dir() { args.run.join("report.html") } else { args.run.with_extension("report.html") }
    });
    record::require_free(&out, &args)?;
    let computed = compute(&args, &device)?;
    let record = record::Record::of(&args, &computed, places::made(&out)?)?;
    let (page, warnings) = page_of(&args, &computed, &record)?;
    atomically(&out, render(&page).as_bytes())?;
    computed.nothing.iter().for_each(|line| println!("{line}"));
    warnings.iter().skip(computed.nothing.len()).for_each(|line| eprintln!("warning: {line}"));
    println!("mIoU {} %", computed.total.mean_iou.map_or("-".into(), |v| format!("{:.2}", 100.0 * v)));
    println!("report: {}", out.display());
    match &computed.calibration {
        Ok(calibration) if args.run.is_dir() => {
            let path = args.run.join("calibration.json");
            atomically(&path, (serde_json::to_string_pretty(calibration)? + "\n").as_bytes())?;
            println!(
                "errors on {}, to correct other measurements with: {}",
                calibration.images.join(", "),
                path.display()
            );
        }
        Ok(_) => {}
        Err(reason) => eprintln!("note: no calibration.json: {reason}"),
    }
    if args.pdf {
        let pdf = out.with_extension("pdf");
        pdf::print(&out, &pdf)?;
        println!("report: {}", pdf.display());
    }
    println!("every number again: sorby replay {}", out.display());
    Ok(ExitCode::SUCCESS)
}

/// The page, and the warnings at its head.
fn page_of(
    args: &ReportArgs,
    computed: &Computed,
    record: &record::Record,
) -> anyhow::Result<(Page, Vec<String>)> {
    let checks = checks(&computed.data, &computed.samples);
    let warnings = warnings(computed, &checks);
    let title =
        format!("{} on {}", computed.model.card.arch.title(), computed.model.card.classes[1..].join(", "));
    let subtitle = format!(
        "Sorby {} · {} iterations · split `{}`: {} images · model {}",
        env!("CARGO_PKG_VERSION"),
        computed.model.card.iteration,
        args.split,
        computed.samples.len(),
        record.run_name
    );
    let sections = Bench { args, c: computed, checks: &checks }.sections(record);
    let page = Page { title, subtitle, warnings: warnings.clone(), sections, record: record.to_text()? };
    Ok((page, warnings))
}

fn compute(args: &ReportArgs, device: &Device) -> anyhow::Result<Computed> {
    let past = match args.run.is_dir() {
        true => Some(PastRun::open(&args.run, None).map_err(anyhow::Error::msg)?),
        false => None,
    };
    past.iter().for_each(charts::tell);
    let data = inputs::open(&args.data)?;
    let samples = data.load(&data.split(&args.split)?)?;
    let mut model = Model::read(&args.run, device)?;
    if past.as_ref().and_then(|p| p.model_blake3.as_ref()).is_some_and(|then| *then != model.blake3) {
        bail!(
            "{}: model.safetensors is not the one that this run wrote (its BLAKE3 differs); put it back, or train again",
            args.run.display()
        );
    }
    let options = inputs::options(&args.inference, &model)?;
    inputs::require_same_classes(&model, &data)?;
    let class = inputs::class_index(&args.class, &model.card.classes)?;
    let progress = Progress::new(samples.len(), "images");
    let makers = Makers::of(&model, &args.run);
    let standing = Standing::of(&makers, &samples);
    let (domain, range) = (model.card.domain.clone(), model.card.grey_range);
    let (model_blake3, settings) = (model.blake3.clone(), provenance::settings(&options));
    let mut counts: Vec<Confusion> = Vec::new();
    let mut outcomes = Vec::new();
    let total = validate(&mut model, &samples, &options, device, &mut |sample, prediction, confusion| {
        let seen = range.apply(&sample.shot).ok();
        let distance = domain.as_ref().zip(seen).map(|(d, seen)| d.distance(&seen));
        let origin = Origin {
            model_blake3: model_blake3.clone(),
            image_blake3: sample.shot.image.pixels_blake3(),
            settings: settings.clone(),
            image_part: standing.part(outcomes.len()),
            unlike_training: distance.map(|d| d > 1.0),
        };
        outcomes.push(outcome(sample, prediction.labels.clone(), confusion, class, origin));
        counts.push(confusion.clone());
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
    let calibration = learn();
    let nothing = nothing_found(&model.card.classes, counts.iter().map(Confusion::matrix));
    Ok(Computed {
        data,
        samples,
        options,
        class,
        total: total.scores(),
        outcomes,
        estimates,
        calibration,
        standing,
        nothing,
        model,
    })
}

/// The name of a run or model file, without the way to it.
fn run_name(run: &Path) -> String {
    let whole = fs_err::canonicalize(run).unwrap_or_else(|_| run.to_owned());
    whole.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What the check of the whole data set says of the images that are scored.
fn checks(data: &Dataset, samples: &[Sample]) -> Checks {
    let scored: Vec<_> = data.items.iter().filter(|i| samples.iter().any(|s| s.name == i.name)).collect();
    let of_scored = |p: &Problem| {
        scored
            .iter()
            .any(|i| i.image == p.path || i.label == p.path || p.what.contains(&format!("`{}`", i.name)))
    };
    let found = sorby_data::check(data);
    // `labels/x.png`, wherever the data set lies.
    let named = |p: Problem| {
        let parts: Vec<_> = p.path.iter().rev().take(2).collect();
        Problem { path: parts.into_iter().rev().collect(), ..p }
    };
    let of = |list: Vec<Problem>| list.into_iter().filter(of_scored).map(named).collect();
    Checks { problems: of(found.problems), remarks: of(found.remarks) }
}

/// What a reader must know before any number; what was not found at all comes first.
fn warnings(c: &Computed, checks: &Checks) -> Vec<String> {
    let mut out = c.nothing.clone();
    out.extend(c.standing.warnings());
    let unlike: Vec<&str> =
        c.outcomes.iter().filter(|o| o.model.unlike == Some(true)).map(|o| o.model.name.as_str()).collect();
    if !unlike.is_empty() {
        let (n, all) = (unlike.len(), c.outcomes.len());
        out.push(format!(
            "{n} of {all} images are unlike those this model learnt from ({})",
            provenance::listed(&unlike)
        ));
    }
    out.extend(measure::ruling_line(&c.outcomes.iter().map(|o| &o.model).collect::<Vec<_>>()));
    const SHOWN: usize = 5;
    out.extend(checks.problems.iter().take(SHOWN).map(|p| format!("sorby data check: {p}")));
    let more = checks.problems.len().saturating_sub(SHOWN);
    if more > 0 {
        out.push(format!("sorby data check: {more} more problems of these images, see below"));
    }
    out
}

fn outcome(
    sample: &Sample,
    mut prediction: LabelMap,
    confusion: &Confusion,
    class: u8,
    origin: Origin,
) -> Outcome {
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
            overlap: None,
            unlike: origin.unlike_training,
            origin: Some(origin),
            doubt: None,
            other_picture: false,
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
