//! A job from a trained model.

use super::lock::with_lock;
use super::text::job_text;
use super::*;
use crate::error::refuse;
use crate::measure::{self, CALIBRATION, SCALE_ACCURACY_PERCENT};
use crate::model::open_model;
use crate::report::seen_from;
use crate::{Error, classes, provenance};
use sorby_image::write::atomically;
use sorby_infer::{ModelCard, model_file};
use sorby_report::Paper;
use sorby_train::PastRun;

/// What a supervisor settles.
#[derive(Clone, Debug, PartialEq)]
pub struct NewJob {
    /// Run folder, or a model file.
    pub model: PathBuf,
    /// Name of the job; default: that of its file.
    pub name: Option<String>,
    /// How the model is applied; default: as it was trained.
    pub inference: InferenceSettings,
    /// Bring images of another magnification to that of training.
    pub match_scale: bool,
    /// Images without a pixel size are measured in pixels.
    pub without_scale: bool,
    /// Pixel size of every image, where the files do not state it.
    pub nm_per_px: Option<f64>,
    /// Pixel sizes that are allowed.
    pub pixel_sizes: Option<(f64, f64)>,
    /// Half width of the 95 % interval of the pixel size in percent.
    pub scale_accuracy_percent: Option<f64>,
    /// The pictures have no data bar.
    pub no_data_bar: bool,
    /// Fields that are wanted.
    pub fields: usize,
    /// Relative accuracy that is aimed at.
    pub accuracy_percent: f64,
    /// Classes to measure, by name or index; empty: every one but the first (the matrix).
    pub classes: Vec<String>,
    /// How each is measured; its class is put in.
    pub rules: ClassRules,
    /// Limits; where several classes are measured, each begins with `class: `.
    pub limits: Vec<String>,
    /// Errors of the segmentation; default: that of the run folder, where it fits.
    pub calibration: Option<PathBuf>,
    /// Unit of lengths in the report.
    pub length_unit: LengthUnit,
    /// Paper of the report.
    pub paper: Paper,
    /// Lines of the header that are the same for every lot.
    pub header: BTreeMap<String, String>,
    /// Lines of the header that the operator must give.
    pub required: Vec<String>,
}

/// A job file that was written.
pub struct CreatedJob {
    /// What it says.
    pub job: Job,
    /// Its seal.
    pub sha256: String,
    /// What the supervisor should know.
    pub notes: Vec<String>,
}

/// Quantities of the first page, unless the job says others.
const QUANTITIES: [Quantity; 3] = [Quantity::AreaFraction, Quantity::NumberDensity, Quantity::MeanDiameter];

/// Words for an accuracy that nobody has measured.
const ASSUMED: &str = "assumed; calibrate with a grating and say better";

impl ClassRules {
    /// As `measure` has it by default, for a class.
    pub fn of_class(class: &str) -> Self {
        Self {
            class: class.to_owned(),
            smallest_px: 0,
            connectivity: 8,
            edges: Edges::default().name().to_owned(),
            split_px: None,
            grains: false,
            quantities: QUANTITIES.to_vec(),
            limits: Vec::new(),
            calibration: None,
        }
    }
}

/// Writes a locked job file.
///
/// # Errors
/// When the model cannot be read, its training is not finished, a limit or class is not understood, a calibration is not
/// meant for this job, or the file is there already.
pub fn create_job(new: &NewJob, out: &Path) -> Result<CreatedJob> {
    if out.exists() {
        refuse!(
            "{}: is there already; edit it and lock it again (sorby job lock), or name another file",
            out.display()
        );
    }
    if new.model.is_dir() {
        PastRun::open(&new.model, None)?;
    }
    let model = open_model(&new.model, &new.inference.device.open()?)?;
    let options = new.inference.of(&model)?;
    let folder = parent_of(out);
    fs_err::create_dir_all(folder)?;
    let file = model_file(&new.model);
    let mut notes = Vec::new();
    let mut job = Job {
        format: JOB_FORMAT,
        name: new.name.clone().unwrap_or_else(|| crate::listing::stem(out)),
        version: 1,
        model: NamedFile { file: seen_from(folder, &file)?, sha256: checksum::sha256(&file)? },
        segmentation: SegmentationRules {
            window_px: options.crop_px,
            stride_px: options.stride_px,
            tta: new.inference.tta,
            flip: new.inference.flip,
            match_scale: new.match_scale,
        },
        scale: scale_rules(new),
        fields: FieldRules { wanted: new.fields, accuracy_percent: new.accuracy_percent },
        measure: class_rules(new, &model.card)?,
        report: ReportRules {
            length_unit: new.length_unit,
            paper: new.paper,
            required: new.required.clone(),
        },
        header: new.header.clone(),
        lock: None,
    };
    for i in 0..job.measure.len() {
        let applied = provenance::settings(&options);
        match calibration(new, &job, i, folder, (&model.blake3, &applied)) {
            Ok(found) => job.measure[i].calibration = Some(found),
            Err(why) if new.calibration.is_some() => return Err(why),
            Err(why) => notes.push(without_calibration(&job.measure[i], &why)),
        }
    }
    job.check()?;
    let body = job_text(&job);
    let lock = Lock { sha256: lock::contents_sha256(&body)?, replaces: None };
    let text = with_lock(&body, &lock);
    Job::parse(out, &text)?;
    atomically(out, text.as_bytes())?;
    Ok(CreatedJob { job, sha256: lock.sha256, notes })
}

fn scale_rules(new: &NewJob) -> ScaleRules {
    let assumed = new.scale_accuracy_percent.is_none();
    ScaleRules {
        required: !new.without_scale,
        nm_per_px: new.nm_per_px,
        from_nm_per_px: new.pixel_sizes.map(|p| p.0),
        to_nm_per_px: new.pixel_sizes.map(|p| p.1),
        accuracy_percent: new.scale_accuracy_percent.unwrap_or(SCALE_ACCURACY_PERCENT),
        accuracy_from: if assumed { ASSUMED } else { "as stated when the job was made" }.to_owned(),
        data_bar: !new.no_data_bar,
    }
}

fn class_rules(new: &NewJob, card: &ModelCard) -> Result<Vec<ClassRules>> {
    let indices: Vec<u8> = match new.classes.is_empty() {
        true => (1..card.classes.len() as u8).collect(),
        false => new.classes.iter().map(|c| classes::index(c, &card.classes)).collect::<Result<_>>()?,
    };
    let name = |index: &u8| card.classes[usize::from(*index)].clone();
    let mut rules: Vec<ClassRules> =
        indices.iter().map(|i| ClassRules { class: name(i), ..new.rules.clone() }).collect();
    for limit in &new.limits {
        let (class, sentence) = class_and_sentence(limit);
        match (class, rules.as_mut_slice()) {
            (Some(class), all) => match all.iter_mut().find(|r| r.class == class) {
                Some(rules) => rules.limits.push(sentence.to_owned()),
                None => refuse!("--limit `{limit}`: the job measures no class {class}"),
            },
            (None, [one]) => one.limits.push(limit.clone()),
            (None, _) => refuse!("--limit `{limit}`: say of which class, for example `carbide: {limit}`"),
        }
    }
    Ok(rules)
}

/// The calibration of a class, where it is meant for this job.
fn calibration(
    new: &NewJob,
    job: &Job,
    i: usize,
    folder: &Path,
    (model_blake3, applied): (&str, &str),
) -> Result<NamedFile> {
    let of_run = || Some(new.model.join(CALIBRATION)).filter(|p| p.is_file());
    let Some(path) = new.calibration.clone().or_else(of_run) else { refuse!("there is none") };
    let rules = &job.measure[i];
    let options = job.measure_options(rules, folder)?;
    let read = measure::read_calibration(&path, &rules.class, &options)?;
    if read.model_blake3.as_deref().is_some_and(|b| b != model_blake3) {
        refuse!("{}: was learnt on masks of another model", path.display());
    }
    if let Some(then) = read.segmentation.as_deref().filter(|then| *then != applied) {
        refuse!("{}: was learnt on masks made with {then}, but this job has {applied}", path.display());
    }
    Ok(NamedFile { file: seen_from(folder, &path)?, sha256: checksum::sha256(&path)? })
}

fn without_calibration(rules: &ClassRules, why: &Error) -> String {
    let mut options = format!("--class {} --edges {}", rules.class, rules.edges);
    if rules.smallest_px > 0 {
        options += &format!(" --min-area-px {}", rules.smallest_px);
    }
    if let Some(split) = rules.split_px {
        options += &format!(" --split {split}");
    }
    format!(
        "errors of the segmentation of {} will not be in the results: no calibration ({why}). To learn one from labelled \
         images that did not train the model: sorby segment MODEL IMAGES --out cal, then sorby measure cal/masks --truth \
         LABELS {options} --out cal/measured, then sorby job new with --calibration cal/measured/calibration.json",
        rules.class
    )
}
