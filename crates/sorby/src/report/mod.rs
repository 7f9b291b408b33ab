//! One page on a run: learning, accuracy, particles with intervals, and the threshold methods next to them; and the same
//! page made again ([`replay`]).

mod page_diff;
mod pdf;
mod places;
mod record;
mod replay;
mod sections;

pub use pdf::print as print_pdf;
pub(crate) use places::seen_from;
pub use replay::{Replay, Verdict, replay};

use crate::error::refuse;
use crate::measure::{self, Edges, Estimates, Measured, SCALE_ACCURACY_PERCENT, unscale_unless_all};
use crate::model::open_model;
use crate::provenance::{self, Makers, Standing};
use crate::{Event, InferenceSettings, Observer, Result, charts, classes, threshold};
use sections::ReportSections;
use sorby_data::{Dataset, Problem, Sample};
use sorby_image::write::atomically;
use sorby_image::{LabelMap, Origin};
use sorby_infer::{Device, InferenceOptions, Model};
use sorby_measure::{
    Calibration, EdgeRule, Field, IntervalInputs, ObjectRule, Particles, grain_counts, otsu,
};
use sorby_report::{Page, render};
use sorby_score::{Confusion, Scores};
use sorby_train::{PastRun, nothing_found, validate};
use std::path::{Path, PathBuf};

/// What a report is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportOptions {
    /// Run folder, or a model file.
    pub run: PathBuf,
    /// Data set: a folder with a dataset.toml, or such a file.
    pub data: PathBuf,
    /// Split or fold that is scored; `all` for every image.
    pub split: String,
    /// Class whose particles are measured, by name or index.
    pub class: String,
    /// What differs from the settings that the model was trained with.
    pub inference: InferenceSettings,
}

/// A report that was written.
pub struct Report {
    /// The page.
    pub page: PathBuf,
    /// Mean IoU over all images.
    pub mean_iou: Option<f64>,
    /// Classes that the model found in none of some images, in words.
    pub nothing_found: Vec<String>,
    /// `calibration.json` of a run folder.
    pub calibration: Option<PathBuf>,
    /// Images that the calibration was learnt from.
    pub calibrated_on: Vec<String>,
}

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
    options: InferenceOptions,
    class: u8,
    total: Scores,
    outcomes: Vec<Outcome>,
    estimates: Estimates,
    /// What the labels teach of the segmentation's errors, or why nothing.
    calibration: Result<Calibration>,
    standing: Standing,
    /// Classes that the model found in none of some images, in words.
    nothing: Vec<String>,
}

/// Computes a report and writes it to `out`, or into the run folder.
///
/// # Errors
/// When run or data cannot be read or do not fit, when the run's results were changed since, or when another file has the
/// report's name.
pub fn report(options: &ReportOptions, out: Option<&Path>, observer: &dyn Observer) -> Result<Report> {
    let device = options.inference.device.open()?;
    let run = &options.run;
    let out = out.map_or_else(
        || if run.is_dir() { run.join("report.html") } else { run.with_extension("report.html") },
        Path::to_owned,
    );
    record::require_free(&out, options)?;
    let computed = compute(options, &device, observer)?;
    let record = record::Record::of(options, &computed, places::made(&out)?)?;
    let (page, warnings) = page_of(options, &computed, &record)?;
    atomically(&out, render(&page).as_bytes())?;
    let nothing_found = computed.nothing;
    warnings.into_iter().skip(nothing_found.len()).for_each(|line| observer.warn(line));
    let mut calibrated_on = Vec::new();
    let mut calibration = None;
    match computed.calibration {
        Ok(learnt) if run.is_dir() => {
            let path = run.join(measure::CALIBRATION);
            atomically(&path, (serde_json::to_string_pretty(&learnt)? + "\n").as_bytes())?;
            calibration = Some(path);
            calibrated_on = learnt.images;
        }
        Ok(_) => {}
        Err(reason) => observer.note(format!("no {}: {reason}", measure::CALIBRATION)),
    }
    let mean_iou = computed.total.mean_iou;
    Ok(Report { page: out, mean_iou, nothing_found, calibration, calibrated_on })
}

/// The page, and the warnings at its head.
fn page_of(
    options: &ReportOptions,
    computed: &Computed,
    record: &record::Record,
) -> Result<(Page, Vec<String>)> {
    let checks = checks(&computed.data, &computed.samples);
    let warnings = warnings(computed, &checks);
    let title =
        format!("{} on {}", computed.model.card.arch.title(), computed.model.card.classes[1..].join(", "));
    let subtitle = format!(
        "Sorby {} · {} iterations · split `{}`: {} images · model {}",
        env!("CARGO_PKG_VERSION"),
        computed.model.card.iteration,
        options.split,
        computed.samples.len(),
        record.run_name
    );
    let sections = ReportSections { options, c: computed, checks: &checks }.sections(record);
    let page = Page { title, subtitle, warnings: warnings.clone(), sections, record: record.to_text()? };
    Ok((page, warnings))
}

fn compute(wanted: &ReportOptions, device: &Device, observer: &dyn Observer) -> Result<Computed> {
    let past = match wanted.run.is_dir() {
        true => Some(PastRun::open(&wanted.run, None)?),
        false => None,
    };
    past.iter().for_each(|past| charts::tell(past, observer));
    let data = Dataset::open(&wanted.data)?;
    let samples = data.load(&data.split(&wanted.split)?)?;
    let mut model = open_model(&wanted.run, device)?;
    if past.as_ref().and_then(|p| p.model_blake3.as_ref()).is_some_and(|then| *then != model.blake3) {
        refuse!(
            "{}: model.safetensors is not the one that this run wrote (its BLAKE3 differs); put it back, or train again",
            wanted.run.display()
        );
    }
    let options = wanted.inference.of(&model)?;
    classes::require_same(&model, &data)?;
    let class = classes::index(&wanted.class, &model.card.classes)?;
    let makers = Makers::of(&model, &wanted.run);
    let standing = Standing::of(&makers, &samples);
    let (domain, range) = (model.card.domain.clone(), model.card.grey_range);
    let (model_blake3, settings) = (model.blake3.clone(), provenance::settings(&options));
    let mut counts: Vec<Confusion> = Vec::new();
    let mut outcomes = Vec::new();
    observer.event(Event::Begin { total: samples.len(), unit: "images" });
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
        observer.event(Event::Advance(1));
    });
    observer.event(Event::End);
    let total = total?;
    unscale_unless_all(outcomes.iter_mut().map(|o: &mut Outcome| &mut o.model));
    let known = IntervalInputs {
        calibration: None,
        scale_accuracy_percent: SCALE_ACCURACY_PERCENT,
        plan_percent: None,
    };
    let estimates = Estimates::of(outcomes.iter().map(|o| &o.model), known);
    let learn = || {
        let name = &model.card.classes[usize::from(class)];
        let settings = measure::settings(&ObjectRule::default(), Edges::Weighted);
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
        let p = sorby_measure::measure(&mask, class, ObjectRule::default(), sample.shot.nm_per_px());
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
            size_px: (prediction.width, prediction.height),
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
