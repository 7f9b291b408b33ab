//! The verbs of the program that the page starts, as typed values, and their command lines: the only place where these are
//! made. A test of the program parses each of them.

use serde::Deserialize;
use sorby::MeasureOptions;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

/// Where results go that those of another model, or of other images, take the place of.
pub const EARLIER: &str = ".sorby/earlier";

/// Which objects of a class are measured, while they are looked at and in tables alike.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ObjectChoice {
    /// Objects of fewer pixels are left out.
    pub min_area_px: u64,
    /// Objects that touch the edge are left out, from counts too.
    pub exclude_edge: bool,
    /// Touching objects are taken apart where they narrow by this half width.
    pub split_depth_px: Option<f64>,
}

impl ObjectChoice {
    /// As options of a measurement in this process.
    pub(crate) fn options(&self) -> MeasureOptions {
        MeasureOptions {
            min_area_px: self.min_area_px,
            exclude_edge: self.exclude_edge,
            split_depth_px: self.split_depth_px,
            ..MeasureOptions::default()
        }
    }

    /// As arguments of `sorby measure`.
    fn arguments(&self) -> Vec<OsString> {
        let mut line = Vec::new();
        if self.min_area_px > 0 {
            line.extend(words(&["--min-area-px", &self.min_area_px.to_string()]));
        }
        if self.exclude_edge {
            line.extend(words(&["--exclude-edge"]));
        }
        if let Some(depth) = self.split_depth_px {
            line.extend(words(&["--split", &depth.to_string()]));
        }
        line
    }
}

/// What a supervisor settles for a job, beyond its model and its name.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct JobRules {
    /// Classes to measure; none: every one but the first.
    pub classes: Vec<String>,
    /// Sentences such as `area fraction at most 3 %`.
    pub limits: Vec<String>,
    /// Fields that are wanted.
    pub fields: Option<u16>,
    /// Relative accuracy that is aimed at, in percent.
    pub accuracy_percent: Option<f64>,
    /// Objects of fewer pixels are left out.
    pub min_area_px: Option<u64>,
    /// Pixel size of every image, where the files do not state it.
    pub nm_per_px: Option<f64>,
    /// Pixel sizes that are allowed, in nanometres.
    pub pixel_sizes: Option<(f64, f64)>,
    /// Lines of the header that are the same for every lot.
    pub header: BTreeMap<String, String>,
    /// Lines of the header that the operator must give.
    pub ask: Vec<String>,
}

impl JobRules {
    /// As arguments of `sorby job new`.
    fn arguments(&self) -> Vec<OsString> {
        let mut line = Vec::new();
        let mut say = |option: &str, value: &str| line.push(OsString::from(format!("--{option}={value}")));
        self.classes.iter().for_each(|class| say("class", class));
        self.limits.iter().for_each(|limit| say("limit", limit));
        self.fields.iter().for_each(|n| say("fields", &n.to_string()));
        self.accuracy_percent.iter().for_each(|a| say("accuracy", &a.to_string()));
        self.min_area_px.iter().for_each(|px| say("min-area-px", &px.to_string()));
        self.nm_per_px.iter().for_each(|nm| say("nm-per-px", &nm.to_string()));
        self.pixel_sizes.iter().for_each(|(from, to)| say("pixel-sizes", &format!("{from},{to}")));
        self.header.iter().for_each(|(key, value)| say("set", &format!("{key}={value}")));
        self.ask.iter().for_each(|key| say("ask", key));
        line
    }
}

/// Other programs that labels are written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LabelFormat {
    /// One JSON file.
    Coco,
    /// PNG files of class indices.
    Png,
    /// nnU-Net's raw folder.
    Nnunet,
}

impl LabelFormat {
    /// As `--format` has it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Coco => "coco",
            Self::Png => "png",
            Self::Nnunet => "nnunet",
        }
    }
}

/// Long work that is done by the program itself; paths are from the project's root.
#[derive(Clone, Debug, PartialEq)]
pub enum Verb {
    /// A new training.
    Train {
        /// Built-in recipe, or a file.
        recipe: OsString,
        /// Run folder.
        out: String,
        /// Data set.
        data: OsString,
        /// As many iterations as take so many seconds.
        time_s: Option<f64>,
        /// Changed keys of the recipe, as `KEY=VALUE`.
        changes: Vec<String>,
    },
    /// A training that goes on.
    Resume {
        /// Run folder.
        run: String,
        /// Data set.
        data: OsString,
    },
    /// Masks by a model.
    Segment {
        /// Model file or run folder.
        model: String,
        /// Folder of the masks.
        out: String,
        /// Data set.
        data: OsString,
        /// Image files.
        images: Vec<OsString>,
    },
    /// A check of the data set, with a page of pictures.
    Check {
        /// Data set.
        data: OsString,
        /// The page.
        page: String,
    },
    /// A report on a run.
    Report {
        /// Run folder.
        run: String,
        /// Split or fold.
        split: String,
        /// The page.
        out: String,
        /// Data set.
        data: OsString,
    },
    /// Measurement of masks or labels.
    Measure {
        /// Files, or folders of them.
        masks: Vec<OsString>,
        /// Name of the class.
        class: String,
        /// Which of its objects.
        objects: ObjectChoice,
        /// Folder of the results.
        out: String,
        /// Data set.
        data: OsString,
    },
    /// A study.
    Study {
        /// Study file.
        file: OsString,
        /// Folder of the study.
        out: String,
        /// Data set.
        data: OsString,
        /// It is laid out so that it takes no longer than so many seconds.
        budget_s: Option<f64>,
    },
    /// Tables and figures of a study.
    StudyReport {
        /// Folder of the study.
        study: String,
        /// Folder of the report.
        out: String,
    },
    /// A locked job from a trained model.
    JobNew {
        /// Run folder.
        run: String,
        /// Name of the job.
        name: String,
        /// The job file.
        out: String,
        /// What is settled.
        rules: JobRules,
    },
    /// A lot that is measured by a job.
    RunLot {
        /// Job file.
        job: String,
        /// Folder of its images.
        images: String,
        /// Folder of the lot.
        out: String,
        /// Lines of the header.
        header: BTreeMap<String, String>,
        /// Also print the report.
        pdf: bool,
    },
    /// Trainings next to each other.
    Compare {
        /// Run folders.
        runs: Vec<String>,
        /// Folder of the page.
        out: String,
    },
    /// Labels for another program.
    Export {
        /// Data set.
        data: OsString,
        /// Which program.
        format: LabelFormat,
        /// New folder.
        out: String,
    },
}

impl Verb {
    /// The arguments of the program. No name of a file reads as an option.
    pub fn arguments(&self) -> Vec<OsString> {
        match self {
            Self::Train { recipe, out, data, time_s, changes } => {
                let mut line = words(&["train", "--out", out, "--stop-with-parent", "--data"]);
                line.extend([no_option(data), no_option(recipe)]);
                if let Some(time_s) = time_s {
                    line.extend(words(&["--time", &format!("{time_s}s")]));
                }
                changes.iter().for_each(|change| line.extend(words(&["--set", change])));
                line
            }
            Self::Resume { run, data } => {
                let mut line = words(&["train", "--resume", run, "--stop-with-parent", "--data"]);
                line.push(no_option(data));
                line
            }
            Self::Segment { model, out, data, images } => {
                let mut line = words(&["segment", model, "--out", out, "--probabilities", "--data"]);
                line.push(no_option(data));
                line.extend(words(&["--add", "--put-aside", EARLIER]));
                line.extend(images.iter().map(no_option));
                line
            }
            Self::Check { data, page } => {
                let mut line = words(&["data", "check", "--json", "--page", page]);
                line.push(no_option(data));
                line
            }
            Self::Report { run, split, out, data } => {
                let mut line = words(&["report", run, &format!("--split={split}"), "--out", out, "--data"]);
                line.push(no_option(data));
                line
            }
            Self::Measure { masks, class, objects, out, data } => {
                let class = format!("--class={class}");
                let mut line = words(&["measure", "--out", out, "--put-aside", EARLIER, &class]);
                line.extend(objects.arguments());
                line.extend(words(&["--export", "roi,geojson,parquet", "--data"]));
                line.push(no_option(data));
                line.extend(masks.iter().map(no_option));
                line
            }
            Self::Study { file, out, data, budget_s } => {
                let mut line = words(&["study", "run", "--out", out, "--data"]);
                line.extend([no_option(data), no_option(file)]);
                if let Some(budget_s) = budget_s {
                    line.extend(words(&["--budget", &format!("{budget_s}s")]));
                }
                line
            }
            Self::StudyReport { study, out } => words(&["study", "report", study, "--out", out]),
            Self::JobNew { run, name, out, rules } => {
                let mut line = words(&["job", "new", run, "--out", out, &format!("--name={name}")]);
                line.extend(rules.arguments());
                line
            }
            Self::RunLot { job, images, out, header, pdf } => {
                let mut line = words(&["run", job, images, "--out", out]);
                header.iter().for_each(|(key, value)| line.extend(words(&[&format!("--set={key}={value}")])));
                if *pdf {
                    line.extend(words(&["--pdf=a4"]));
                }
                line
            }
            Self::Compare { runs, out } => {
                let mut line = words(&["compare", "--out", out]);
                line.extend(runs.iter().map(OsString::from));
                line
            }
            Self::Export { data, format, out } => {
                let mut line = words(&["data", "export", "--format", format.word(), "--out", out]);
                line.push(no_option(data));
                line
            }
        }
    }

    /// What it writes, from the project's root.
    pub fn result(&self) -> &str {
        match self {
            Self::Train { out, .. }
            | Self::Segment { out, .. }
            | Self::Report { out, .. }
            | Self::Measure { out, .. }
            | Self::Study { out, .. }
            | Self::StudyReport { out, .. }
            | Self::JobNew { out, .. }
            | Self::RunLot { out, .. }
            | Self::Compare { out, .. }
            | Self::Export { out, .. } => out,
            Self::Resume { run, .. } => run,
            Self::Check { page, .. } => page,
        }
    }
}

fn words(list: &[&str]) -> Vec<OsString> {
    list.iter().map(OsString::from).collect()
}

/// A file's name that begins like an option names the file all the same.
fn no_option(path: &OsString) -> OsString {
    if path.as_encoded_bytes().starts_with(b"-") {
        return Path::new(".").join(path).into_os_string();
    }
    path.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_an_option() {
        assert_eq!(no_option(&"-h.toml".into()), "./-h.toml");
        assert_eq!(no_option(&"recipes/-h.toml".into()), "recipes/-h.toml");
    }
}
