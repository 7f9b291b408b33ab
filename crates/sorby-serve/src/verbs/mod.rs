//! The verbs of the program that the page starts, as typed values, and their command lines: the only place where these are
//! made. A test of the program parses each of them.

mod choices;

pub use choices::{JobRules, ObjectChoice};

use sorby::data::ExportFormat;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

/// Where results go that those of another model, or of other images, take the place of.
pub const EARLIER: &str = ".sorby/earlier";

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
        format: ExportFormat,
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
                let mut line = words(&["data", "export", "--format", format.name(), "--out", out]);
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
