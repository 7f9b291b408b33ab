//! From a job and images to a lot.

use super::class_result::ClassResult;
use super::header::{self, Header};
use super::inputs::{self, Input, LeftOutImage};
use super::manifest::{self, InputFile, MANIFEST, Manifest, SEAL};
use super::page;
use super::record::{self, LotRecord};
use super::revision::{ReportNumber, Revises, require_apart};
use super::{JOB_COPY, LOT_FILE, REPORT, date};
use crate::error::refuse;
use crate::job::{LockedJob, Verdict};
use crate::measure::{Measurement, measure};
use crate::report::{print_pdf, seen_from};
use crate::words::quoted;
use crate::{
    DeviceOptions, InferenceSettings, MadeBy, Observer, OutFolder, Part, Result, SegmentOptions,
    SegmentedFolder, data_package, listing, segment,
};
use sorby_image::write::{atomically, copy, safe_name};
use sorby_report::{Cell, Paper, render_sheet};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What an operator gives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LotOptions {
    /// Images, or folders of images.
    pub images: Vec<PathBuf>,
    /// Lines of the header.
    pub header: BTreeMap<String, String>,
    /// Number of the report; default: made of date and images.
    pub report_number: Option<String>,
    /// The report that this one replaces.
    pub revises: Option<Revises>,
    /// Also print the report as PDF, on these papers.
    pub pdf: Vec<Paper>,
    /// Licence of the results, an identifier of SPDX, for `datapackage.json`.
    pub licence: Option<String>,
    /// Where to compute.
    pub device: DeviceOptions,
    /// Of several machines: [`run_job_shard`] segments a part, [`run_job`] joins the parts and does the rest.
    pub part: Part,
}

/// A lot that was measured.
pub struct Lot {
    /// Whether it was stopped before its report; the same command goes on.
    pub stopped: bool,
    /// Number of the report, as it stands on it.
    pub report_number: String,
    /// The page, and the PDFs that were asked for.
    pub reports: Vec<PathBuf>,
    /// Results in words, a line for each quantity of the first page.
    pub results: Vec<String>,
    /// Each limit with its verdict.
    pub limits: Vec<(String, Verdict)>,
    /// What must be known before any number is relied on.
    pub warnings: Vec<String>,
    /// All limits are kept, and nothing is warned of.
    pub clean: bool,
    /// Images that were measured, and all.
    pub images: (usize, usize),
    /// SHA-256 of `seal.json`: who notes it can find out later whether anything of the lot was changed.
    pub seal_sha256: String,
    /// Everything that the report says.
    pub record: serde_json::Value,
}

/// Measures a lot by a job: checks pixel sizes, segments, measures, judges by the limits, and writes report, tables and
/// hashes into `out`. A lot that was interrupted goes on.
///
/// # Errors
/// When the job was changed since it was locked, a required line of the header is missing, no image can be measured, or the
/// folder holds anything else.
pub fn run_job(job_file: &Path, options: &LotOptions, out: &Path, observer: &dyn Observer) -> Result<Lot> {
    let Ready { job, revision, files } = Ready::of(job_file, options, out)?;
    let mut folder = OutFolder::check(out, made_by(&job, options, &files), &[])?;
    let (inputs, left_out) = checked(&job, &files, observer)?;
    let instruments: Vec<_> = inputs.iter().map(|i| i.instrument.clone()).collect();
    let header = Header::of(&job.job, &options.header, &instruments)?;
    folder.claim()?;
    copy(&job.path, &out.join(JOB_COPY))?;
    let work = Work { job: &job, options, out, observer };
    let (segmented, masks) = work.segment(&inputs)?;
    if segmented.stopped {
        return Ok(Lot::stopped((segmented.segmented, files.len())));
    }
    let (inputs, left_out) = without_problems(inputs, left_out, &segmented);
    let measured = work.measure(&masks)?;
    let record = work.record((header, revision), (inputs, left_out), (&segmented, measured), &masks)?;
    work.publish(&record, &masks, files.len())
}

/// Segments the shard of `options` for [`run_job`], which joins the shards. All images are checked, for an image that is
/// there twice counts once.
///
/// # Errors
/// As [`run_job`].
pub fn run_job_shard(
    job_file: &Path,
    options: &LotOptions,
    out: &Path,
    observer: &dyn Observer,
) -> Result<SegmentedFolder> {
    let Ready { job, files, .. } = Ready::of(job_file, options, out)?;
    OutFolder::share(out, &made_by(&job, options, &files))?;
    let (inputs, _) = checked(&job, &files, observer)?;
    Work { job: &job, options, out, observer }.segment(&inputs).map(|(done, _)| done)
}

/// Checks a lot before its shards are handed to other machines, and makes `out` its folder.
///
/// # Errors
/// As [`run_job`], but that images are not looked into.
pub fn share_job(job_file: &Path, options: &LotOptions, out: &Path) -> Result<()> {
    let Ready { job, files, .. } = Ready::of(job_file, options, out)?;
    OutFolder::share(out, &made_by(&job, options, &files))
}

/// What is known before the images are looked at.
struct Ready {
    job: LockedJob,
    revision: Option<ReportNumber>,
    files: Vec<PathBuf>,
}

impl Ready {
    fn of(job_file: &Path, options: &LotOptions, out: &Path) -> Result<Self> {
        let job = LockedJob::open(job_file)?;
        header::check_names(&job.job, &options.header)?;
        require_apart(options.revises.as_ref(), out)?;
        data_package::check_licence(options.licence.as_deref())?;
        if manifest::is_finished(out) {
            refuse!(
                "{}: holds a finished report; measure into a new folder (--revises names the report that it replaces)",
                out.display()
            );
        }
        let revision = options.revises.as_ref().map(ReportNumber::next).transpose()?;
        Ok(Self { job, revision, files: listing::images(&options.images)? })
    }
}

/// The images that can be measured, of which there must be one, and the others.
fn checked(
    job: &LockedJob,
    files: &[PathBuf],
    observer: &dyn Observer,
) -> Result<(Vec<Input>, Vec<LeftOutImage>)> {
    let (inputs, left_out) = inputs::check(&job.job, files, observer)?;
    if inputs.is_empty() {
        refuse!("none of the {} images can be measured: {}", files.len(), reasons(&left_out));
    }
    Ok((inputs, left_out))
}

fn made_by(job: &LockedJob, options: &LotOptions, files: &[PathBuf]) -> MadeBy {
    let made_by = MadeBy::new("run")
        .with("job", &job.lock.sha256)
        .with_files("images", files)
        .with("header", &options.header)
        .with("report-number", &options.report_number)
        .with("revises", options.revises.as_ref().map(|r| (r.lot.display().to_string(), &r.reason)));
    match &options.licence {
        Some(licence) => made_by.with("licence", licence),
        None => made_by,
    }
}

/// The first reasons.
fn reasons(left_out: &[LeftOutImage]) -> String {
    const SHOWN: usize = 3;
    let one = |l: &LeftOutImage| format!("{} {}", l.file.display(), l.reason);
    let shown: Vec<String> = left_out.iter().take(SHOWN).map(one).collect();
    let more = left_out.len().saturating_sub(SHOWN);
    shown.join("; ") + &if more > 0 { format!("; and {more} more") } else { String::new() }
}

/// Images that could not be segmented join those that are left out.
fn without_problems(
    inputs: Vec<Input>,
    mut left_out: Vec<LeftOutImage>,
    segmented: &SegmentedFolder,
) -> (Vec<Input>, Vec<LeftOutImage>) {
    let text = |cell: &Cell| if let Cell::Text(text) = cell { text.clone() } else { String::new() };
    let problem = |i: &Input| {
        let shown = i.file.display().to_string();
        let row = segmented.problems.rows.iter().find(|row| text(&row[0]) == shown)?;
        Some(inputs::without_path(&text(&row[1]), &i.file))
    };
    let mut good = Vec::new();
    for input in inputs {
        match problem(&input) {
            Some(reason) => left_out.push(LeftOutImage { file: input.file, reason }),
            None => good.push(input),
        }
    }
    (good, left_out)
}

struct Work<'a> {
    job: &'a LockedJob,
    options: &'a LotOptions,
    out: &'a Path,
    observer: &'a dyn Observer,
}

impl Work<'_> {
    /// The masks, in a folder of the lot.
    fn segment(&self, inputs: &[Input]) -> Result<(SegmentedFolder, PathBuf)> {
        let job = &self.job.job;
        let options = SegmentOptions {
            inference: InferenceSettings { device: self.options.device.clone(), ..job.inference() },
            scale: job.scale_options(),
            match_scale: job.segmentation.match_scale,
            part: self.options.part,
            ..SegmentOptions::default()
        };
        let files: Vec<PathBuf> = inputs.iter().map(|i| i.file.clone()).collect();
        let folder = self.out.join("segmentation");
        let done = segment(&self.job.place(&job.model), &files, &folder, &options, self.observer)?;
        // A shard may have nothing but a damaged image.
        if done.segmented == 0 && !done.stopped && !matches!(self.options.part, Part::Shard(_)) {
            refuse!("none of the images could be segmented: {}", folder.join("problems.csv").display());
        }
        Ok((done, folder.join("masks")))
    }

    /// Each class of the job, with its tables in a folder of the lot.
    fn measure(&self, masks: &Path) -> Result<Vec<(Measurement, ClassResult)>> {
        let files = listing::images(&[masks.to_owned()])?;
        let job = &self.job.job;
        let mut out = Vec::new();
        for rules in &job.measure {
            let options = job.measure_options(rules, sorby_image::parent_of(&self.job.path))?;
            let measured = measure(&files, &options, self.observer)?;
            if let Some(row) = measured.problems.rows.first() {
                refuse!("the masks cannot be measured: {:?}", row);
            }
            let results = measured.results();
            let folder = self.out.join("measurements").join(safe_name(&rules.class));
            fs_err::create_dir_all(&folder)?;
            results.write(&folder)?;
            let class = ClassResult::of(job, rules, &measured, &results)?;
            drop(results);
            out.push((measured, class));
        }
        Ok(out)
    }

    fn record(
        &self,
        (header, revision): (Header, Option<ReportNumber>),
        (inputs, left_out): (Vec<Input>, Vec<LeftOutImage>),
        (segmented, measured): (&SegmentedFolder, Vec<(Measurement, ClassResult)>),
        masks: &Path,
    ) -> Result<LotRecord<'_>> {
        let (measurements, classes): (Vec<Measurement>, Vec<ClassResult>) = measured.into_iter().unzip();
        let date = date::now();
        let hashes: Vec<String> = inputs.iter().map(|i| i.sha256.clone()).collect();
        let number = match revision {
            Some(next) => next,
            None => ReportNumber::first(self.options.report_number.as_deref(), &date, &hashes),
        };
        let origin = |m: &Measurement| m.fields.first().and_then(|f| f.origin.clone());
        let images = record::image_results(self.out, masks, inputs, &measurements)?;
        let mut record = LotRecord {
            job: self.job,
            number,
            date,
            images,
            left_out: record::left_out(self.out, left_out),
            classes,
            warnings: Vec::new(),
            command: self.command()?,
            model_blake3: measurements.first().and_then(origin).map_or(String::new(), |o| o.model_blake3),
            header,
        };
        record.warnings = warnings(&record, segmented);
        Ok(record)
    }

    /// What is typed in the folder of the lot to measure the same images again.
    fn command(&self) -> Result<String> {
        let place = |path: &Path| seen_from(self.out, path).map(|p| quoted(&p));
        let mut words = vec!["sorby run".to_owned(), place(&self.job.path)?];
        for image in &self.options.images {
            words.push(place(image)?);
        }
        words.push("--out NEW_FOLDER".to_owned());
        words.extend(
            self.options.header.iter().map(|(k, v)| format!("--set {}", quoted(&format!("{k}={v}")))),
        );
        words.extend(self.options.licence.iter().map(|l| format!("--licence {}", quoted(l))));
        Ok(words.join(" "))
    }

    /// Writes `lot.json`, the hashes and the report, the seal last: only with it is a lot finished.
    fn publish(&self, record: &LotRecord, masks: &Path, all: usize) -> Result<Lot> {
        manifest::remove_reports(self.out)?;
        let json = record.json();
        atomically(&self.out.join(LOT_FILE), (serde_json::to_string_pretty(&json)? + "\n").as_bytes())?;
        let inputs = self.inputs(record)?;
        data_package::write(self.out, &self.about(record, &inputs), manifest::is_report)?;
        let manifest = Manifest::of(self.out, inputs)?.write(&self.out.join(MANIFEST))?;
        let mut sheet = page::sheet(record, masks, &manifest)?;
        let mut reports = vec![self.out.join(REPORT)];
        atomically(&reports[0], render_sheet(&sheet).as_bytes())?;
        let mut warnings = record.warnings.clone();
        for paper in &self.options.pdf {
            sheet.paper = *paper;
            match self.print(&render_sheet(&sheet), *paper) {
                Ok(pdf) => reports.push(pdf),
                Err(_) => warnings.push(self.not_printed(*paper)),
            }
        }
        let seal_sha256 = Manifest::seal(self.out)?.write(&self.out.join(SEAL))?;
        Ok(Lot {
            stopped: false,
            report_number: record.number.shown(),
            reports,
            results: record.classes.iter().flat_map(result_lines).collect(),
            limits: record.classes.iter().flat_map(limit_lines).collect(),
            clean: record.is_clean() && warnings.is_empty(),
            warnings,
            images: (record.images.len(), all),
            seal_sha256,
            record: json,
        })
    }

    /// What `datapackage.json` says of the lot.
    fn about(&self, record: &LotRecord, inputs: &[InputFile]) -> data_package::About<'_> {
        let source = |i: &InputFile| format!("{} {}, SHA-256 {}", i.what, i.file, i.sha256);
        let job = &record.job.job;
        data_package::About {
            title: format!("Report {}", record.number.shown()),
            description: format!(
                "A lot of {} images, measured by Sorby {} after the job {} (version {}). Missing values are empty; units stand \
                 with the columns.",
                record.images.len(),
                env!("CARGO_PKG_VERSION"),
                job.name,
                job.version
            ),
            licence: self.options.licence.as_deref(),
            created: Some(record.date.replacen(' ', "T", 1).replace(" UTC", "Z")),
            sources: inputs.iter().map(source).collect(),
        }
    }

    /// The page on this paper, printed by a browser.
    fn print(&self, html: &str, paper: Paper) -> Result<PathBuf> {
        let pdf = self.out.join(format!("report-{}.pdf", paper.name()));
        let page = tempfile::Builder::new().prefix("sorby-report-").suffix(".html").tempfile()?;
        fs_err::write(page.path(), html)?;
        print_pdf(page.path(), &pdf)?;
        Ok(pdf)
    }

    fn not_printed(&self, paper: Paper) -> String {
        format!(
            "there is no PDF ({}): no Chromium, Chrome or Edge could print it; open {} in one and print it",
            paper.name(),
            self.out.join(REPORT).display()
        )
    }

    /// The files outside of the lot that it was made from; of the job the lot has a copy.
    fn inputs(&self, record: &LotRecord) -> Result<Vec<InputFile>> {
        let input = |what: &str, file: String, sha256: &str| InputFile {
            what: what.to_owned(),
            file,
            sha256: sha256.to_owned(),
        };
        let mut out: Vec<InputFile> =
            record.images.iter().map(|i| input("image", i.place.clone(), &i.input.sha256)).collect();
        for (what, named) in self.job.files() {
            out.push(input(what, seen_from(self.out, &self.job.place(named))?, &named.sha256));
        }
        Ok(out)
    }
}

impl Lot {
    fn stopped(images: (usize, usize)) -> Self {
        Self {
            stopped: true,
            report_number: String::new(),
            reports: Vec::new(),
            results: Vec::new(),
            limits: Vec::new(),
            warnings: Vec::new(),
            clean: false,
            images,
            seal_sha256: String::new(),
            record: serde_json::Value::Null,
        }
    }
}

fn result_lines(class: &ClassResult) -> Vec<String> {
    let of = |q: &sorby_measure::Quantity| Some(format!("{}: {}", class.class, class.quantity(*q)?.line()));
    class.rules.quantities.iter().filter_map(of).collect()
}

fn limit_lines(class: &ClassResult) -> Vec<(String, Verdict)> {
    class.limits.iter().map(|(l, verdict)| (format!("{}: {}", class.class, l.text), *verdict)).collect()
}

/// What a reader must know before any number.
fn warnings(record: &LotRecord, segmented: &SegmentedFolder) -> Vec<String> {
    let of_measured = |line: &&String| {
        record.classes.iter().any(|c| line.starts_with(&format!("the model found no {} in", c.class)))
    };
    let mut out: Vec<String> = segmented.nothing_found.iter().filter(of_measured).cloned().collect();
    let (measured, wanted) = (record.images.len(), record.job.job.fields.wanted);
    if measured < wanted {
        let fields = if measured == 1 { "1 field was" } else { &format!("{measured} fields were") };
        out.push(format!("{fields} measured, and the job wants {wanted}"));
    }
    if !record.left_out.is_empty() {
        let all = measured + record.left_out.len();
        out.push(format!(
            "{} of {all} images are left out; the reasons are under Images",
            record.left_out.len()
        ));
    }
    let of_classes: Vec<&String> = record.classes.iter().flat_map(|c| &c.warnings).collect();
    let trained: Vec<&str> =
        record.images.iter().filter(|i| i.trained).map(|i| i.input.name.as_str()).collect();
    if !trained.is_empty() && !of_classes.iter().any(|l| l.contains("images trained the model")) {
        out.push(format!(
            "{} of {measured} images trained the model ({}): the masks of these are better than those of new images",
            trained.len(),
            crate::provenance::listed(&trained)
        ));
    }
    out.extend(record.header.warnings.clone());
    for line in of_classes {
        if !out.contains(line) {
            out.push(line.clone());
        }
    }
    out.extend(record.classes.iter().filter_map(|class| goal_missed(record, class)));
    out
}

/// The quantities of the first page that do not reach the accuracy that the job aims at.
fn goal_missed(record: &LotRecord, class: &ClassResult) -> Option<String> {
    let chosen = class.rules.quantities.iter().filter_map(|q| class.quantity(*q));
    let missed: Vec<&str> = chosen.filter(|q| !q.remark().is_empty()).map(|q| q.shown.name).collect();
    let goal = record.job.job.fields.accuracy_percent;
    (!missed.is_empty()).then(|| {
        format!(
            "{}: the relative accuracy of {goal} % is not reached for {} (see the remarks)",
            class.class,
            missed.join(", ")
        )
    })
}
