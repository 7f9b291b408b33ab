//! Jobs: what a supervisor settles once, so that an operator's measurements are all made in the same way.
//!
//! A job file (TOML) names the model by its hash, and everything that a result depends on. It is locked: it carries a
//! SHA-256 of its own contents, and one that was changed is refused until it is [locked again](relock) as a new version.

mod create;
mod limits;
mod lock;
mod text;

pub use create::{CreatedJob, NewJob, create_job};
pub use limits::{Limit, Verdict, class_and_sentence};
pub use lock::{Relocked, relock};

use crate::error::{Context as _, refuse};
use crate::measure::{Edges, MeasureOptions};
use crate::scale::ScaleOptions;
use crate::{DeviceOptions, InferenceSettings, Result, checksum};
use serde::{Deserialize, Serialize};
use sorby_image::parent_of;
use sorby_measure::Quantity;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Version of the layout of job files.
pub const JOB_FORMAT: u32 = 1;

/// A job as its file says it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// Version of the layout of the file.
    pub format: u32,
    /// Name of the job, for people.
    pub name: String,
    /// Counts the intended changes.
    pub version: u32,
    /// The model.
    pub model: NamedFile,
    /// How the model is applied.
    pub segmentation: SegmentationRules,
    /// Where pixel sizes come from, and which are allowed.
    pub scale: ScaleRules,
    /// How many fields, and how well they shall say it.
    pub fields: FieldRules,
    /// The classes that are measured.
    pub measure: Vec<ClassRules>,
    /// What the report looks like.
    pub report: ReportRules,
    /// Lines of the header that are the same for every lot; empty ones are to be filled in.
    #[serde(default)]
    pub header: BTreeMap<String, String>,
    /// The seal over all of the above.
    pub lock: Option<Lock>,
}

/// A file that a job depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedFile {
    /// Where it is, as seen from the job file.
    pub file: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
}

/// How the model is applied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentationRules {
    /// Edge of the sliding window in pixels.
    pub window_px: usize,
    /// Step of the sliding window in pixels.
    pub stride_px: usize,
    /// Average over six image scales.
    pub tta: bool,
    /// Average over mirrored images.
    pub flip: bool,
    /// Bring images of another magnification to that of training.
    pub match_scale: bool,
}

/// Where pixel sizes come from, and which are allowed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScaleRules {
    /// An image without a pixel size is left out.
    pub required: bool,
    /// Pixel size of every image, where the files do not state it.
    pub nm_per_px: Option<f64>,
    /// Images of smaller pixels are left out.
    pub from_nm_per_px: Option<f64>,
    /// Images of larger pixels are left out.
    pub to_nm_per_px: Option<f64>,
    /// Half width of the 95 % interval of the pixel size in percent.
    pub accuracy_percent: f64,
    /// Where that accuracy is known from, in words.
    pub accuracy_from: String,
    /// The pictures may have a data bar; it is no part of the field.
    pub data_bar: bool,
}

/// How many fields, and how well they shall say it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldRules {
    /// Fewer measured fields are warned of.
    pub wanted: usize,
    /// Relative accuracy that is aimed at (ASTM E562: 10 % or better).
    pub accuracy_percent: f64,
}

/// How a class is measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassRules {
    /// Name of the class.
    pub class: String,
    /// Objects of fewer pixels are left out of counts and sizes.
    pub smallest_px: u64,
    /// 8: pixels that touch at corners belong together; 4: only at edges.
    pub connectivity: u8,
    /// How objects that the edge cuts count: weighted, frame, exclude, all.
    pub edges: String,
    /// Half width by which touching objects are taken apart, in pixels.
    pub split_px: Option<f64>,
    /// The objects are grains: give the grain size.
    pub grains: bool,
    /// Quantities of the first page; the others follow behind.
    pub quantities: Vec<Quantity>,
    /// What is asked of the lot, for example `mean diameter 250 to 400 nm`.
    pub limits: Vec<String>,
    /// Errors of the segmentation on labelled images.
    pub calibration: Option<NamedFile>,
}

/// What the report looks like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportRules {
    /// `nm`, `um`, or `auto` for the one that suits each value.
    pub length_unit: LengthUnit,
    /// Paper of the page and of its PDF.
    pub paper: sorby_report::Paper,
    /// Lines of the header without which nothing is measured.
    pub required: Vec<String>,
}

/// Unit of lengths in a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LengthUnit {
    /// Nanometres.
    Nm,
    /// Micrometres.
    Um,
    /// The one in which the value is neither very large nor very small.
    #[default]
    Auto,
}

/// The seal of a job file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// SHA-256 of the contents of the file, this table apart.
    pub sha256: String,
    /// The same of the version before, if there was one.
    pub replaces: Option<String>,
}

/// A job file that was read, with its seal and the files that it names found as it says.
#[derive(Clone, Debug)]
pub struct LockedJob {
    /// What it says.
    pub job: Job,
    /// The file.
    pub path: PathBuf,
    /// The seal.
    pub lock: Lock,
    /// SHA-256 of the file's bytes.
    pub sha256: String,
}

impl Job {
    /// Reads what a job file says, whether it is locked or not.
    ///
    /// # Errors
    /// When it cannot be read, has unknown keys, or says what cannot be.
    pub fn parse(path: &Path, text: &str) -> Result<Self> {
        let shown = path.display();
        let job: Self = toml::from_str(text).map_err(|e| {
            crate::error::refused!("{shown}: is no job file: {}", sorby_data::one_line(&e.to_string()))
        })?;
        if job.format != JOB_FORMAT {
            refuse!("{shown}: has format {}; this program reads format {JOB_FORMAT}", job.format);
        }
        job.check().with_context(|| shown.to_string())?;
        Ok(job)
    }

    fn check(&self) -> Result<()> {
        if self.measure.is_empty() {
            refuse!("[[measure]] is missing: a job measures one class or more");
        }
        for (i, rules) in self.measure.iter().enumerate() {
            if self.measure[..i].iter().any(|r| r.class == rules.class) {
                refuse!("the class {} is measured twice", rules.class);
            }
            rules.parsed_limits()?;
            self.measure_options(rules, Path::new(""))?.check()?;
        }
        if self.fields.wanted == 0 {
            refuse!("[fields] wanted must be 1 or more");
        }
        if let (Some(from), Some(to)) = (self.scale.from_nm_per_px, self.scale.to_nm_per_px)
            && from > to
        {
            refuse!("[scale] from_nm_per_px is above to_nm_per_px");
        }
        Ok(())
    }

    /// How the model is applied, on the CPU.
    pub fn inference(&self) -> InferenceSettings {
        let s = &self.segmentation;
        InferenceSettings {
            window_px: Some(s.window_px),
            stride_px: Some(s.stride_px),
            tta: s.tta,
            flip: s.flip,
            adapt: false,
            ensemble: Vec::new(),
            device: DeviceOptions::default(),
        }
    }

    /// What is said of the pictures' scale outside of their files.
    pub fn scale_options(&self) -> ScaleOptions {
        ScaleOptions {
            nm_per_px: self.scale.nm_per_px,
            no_data_bar: !self.scale.data_bar,
            ..ScaleOptions::default()
        }
    }

    /// How a class is measured; `folder` is that of the job file.
    pub(crate) fn measure_options(&self, rules: &ClassRules, folder: &Path) -> Result<MeasureOptions> {
        let Some(edges) = Edges::from_name(&rules.edges) else {
            refuse!("edges = \"{}\": choose weighted, frame, exclude or all", rules.edges);
        };
        Ok(MeasureOptions {
            class: Some(rules.class.clone()),
            connectivity: Some(rules.connectivity),
            min_area_px: rules.smallest_px,
            edges,
            split_depth_px: rules.split_px,
            grains: rules.grains,
            calibration: rules.calibration.as_ref().map(|c| folder.join(&c.file)),
            scale_accuracy_percent: self.scale.accuracy_percent,
            plan_percent: Some(self.fields.accuracy_percent),
            ..MeasureOptions::default()
        })
    }
}

impl ClassRules {
    /// The limits, understood.
    ///
    /// # Errors
    /// For one that is not, with what can be said.
    pub fn parsed_limits(&self) -> Result<Vec<Limit>> {
        self.limits.iter().map(|text| Limit::parse(text)).collect()
    }
}

impl LockedJob {
    /// Reads a job file and compares it, the model and the calibrations with their hashes.
    ///
    /// # Errors
    /// When anything was changed since the job was locked: what, and what to do.
    pub fn open(path: &Path) -> Result<Self> {
        let text = fs_err::read_to_string(path)?;
        let job = Job::parse(path, &text)?;
        let shown = path.display();
        let Some(lock) = job.lock.clone() else {
            refuse!("{shown}: is not locked; check it, then `sorby job lock {shown}`");
        };
        if lock::contents_sha256(&text)? != lock.sha256 {
            refuse!(
                "{shown}: was changed after version {} of the job `{}` was locked; take the locked file, or, if the change is \
                 intended, make it a new version: sorby job lock {shown}",
                job.version,
                job.name
            );
        }
        let locked = Self { job, path: path.to_owned(), lock, sha256: checksum::sha256(path)? };
        for (what, named) in locked.files() {
            locked.require_same(what, named)?;
        }
        Ok(locked)
    }

    /// The files that the job names, each with what it is.
    pub(crate) fn files(&self) -> Vec<(&'static str, &NamedFile)> {
        let calibrations = self.job.measure.iter().filter_map(|m| m.calibration.as_ref());
        std::iter::once(("model", &self.job.model)).chain(calibrations.map(|c| ("calibration", c))).collect()
    }

    /// Where a named file is.
    pub(crate) fn place(&self, named: &NamedFile) -> PathBuf {
        parent_of(&self.path).join(&named.file)
    }

    fn require_same(&self, what: &str, named: &NamedFile) -> Result<()> {
        let (shown, place) = (self.path.display(), self.place(named));
        let now = checksum::sha256(&place).with_context(|| format!("{shown}: its {what} cannot be read"))?;
        if now != named.sha256 {
            refuse!(
                "{shown}: {} is not the {what} of this job (its SHA-256 differs); put the old file back, or, if the change is \
                 intended, make it a new version: sorby job lock {shown}",
                place.display()
            );
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests;
