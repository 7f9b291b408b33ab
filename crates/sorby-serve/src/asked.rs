//! What the page can ask for, and the verb that does it.

use crate::disposal::free_place;
use crate::error::{Answer, Refusal};
use crate::project::Project;
use crate::verbs::{JobRules, ObjectChoice, Verb};
use crate::work::{folder_name, inside, recipes, relative_data, studies};
use crate::{routine_verbs, runs};
use serde::Deserialize;
use sorby::data::ExportFormat;
use sorby_data::{Entry, Manifest};
use sorby_image::files;
use sorby_train::{PRESETS, RunFile};
use std::collections::BTreeMap;
use std::ffi::OsString;

/// A request to start a job.
#[derive(Deserialize)]
#[serde(tag = "verb", rename_all = "lowercase")]
pub(crate) enum Asked {
    Train {
        recipe: String,
        name: String,
        #[serde(default)]
        minutes: Option<f64>,
        #[serde(default)]
        iterations: Option<u64>,
        #[serde(default)]
        train: Option<String>,
        #[serde(default)]
        val: Option<String>,
        /// `builtin`, `none`, a file of `weights/`, or a run of this project; without it the recipe decides.
        #[serde(default)]
        pretrained: Option<String>,
    },
    Resume {
        run: String,
    },
    /// Predictions by a model; of all images when none are named.
    Segment {
        model: String,
        #[serde(default)]
        images: Vec<String>,
    },
    Check {},
    Report {
        run: String,
        split: String,
    },
    Measure {
        /// `labels`, or a model that has predictions.
        of: String,
        class: String,
        #[serde(flatten)]
        objects: ObjectChoice,
    },
    Study {
        file: String,
        /// Folds, seeds and iterations are chosen so that it takes no longer.
        #[serde(default)]
        hours: Option<f64>,
    },
    StudyReport {
        study: String,
    },
    /// A locked job from a trained model.
    JobNew {
        run: String,
        name: String,
        #[serde(flatten)]
        rules: JobRules,
    },
    /// A lot, of the images in `lots-in/LOT`, by a job.
    RunLot {
        job: String,
        lot: String,
        #[serde(default)]
        header: BTreeMap<String, String>,
        #[serde(default)]
        pdf: bool,
    },
    Compare {
        runs: Vec<String>,
    },
    Export {
        format: ExportFormat,
    },
}

/// What is started, and its title.
pub(crate) fn verb(project: &Project, manifest: &Manifest, asked: Asked) -> Answer<(Verb, String)> {
    let data = relative_data(project);
    Ok(match asked {
        Asked::Train { .. } => training(project, data, asked)?,
        Asked::Resume { run } => {
            project.folder("runs", &run)?;
            let title = format!("Training {run}");
            // The path that the run noted may be of a project that this one is a copy of.
            (Verb::Resume { run: format!("runs/{run}"), data }, title)
        }
        Asked::Segment { model, images } => {
            let file = runs::model_file(project, &model)?;
            let chosen = |e: &Entry| images.is_empty() || images.contains(&e.name);
            let entries = project.entries(manifest);
            let images: Vec<OsString> =
                entries.iter().filter(|e| chosen(e)).map(|e| inside(project, &e.image)).collect();
            if images.is_empty() {
                return Err(Refusal::bad("no such images"));
            }
            let title = format!("{model} on {} images", images.len());
            (Verb::Segment { model: file, out: format!("predictions/{model}"), data, images }, title)
        }
        Asked::Check {} => {
            (Verb::Check { data, page: ".sorby/check.html".into() }, "Check of the data".to_owned())
        }
        Asked::Report { run, split } => {
            project.folder("runs", &run)?;
            let (title, out) = (format!("Report of {run}"), format!("runs/{run}/report.html"));
            (Verb::Report { run: format!("runs/{run}"), split, out, data }, title)
        }
        Asked::Measure { of, class, objects } => measurement(project, manifest, data, of, (class, objects))?,
        Asked::Study { file, hours } => {
            if hours.is_some_and(|h| !(h.is_finite() && (0.01..=10_000.0).contains(&h))) {
                return Err(Refusal::bad("choose a time from a minute to 10000 hours"));
            }
            if !studies(project).contains(&file) {
                return Err(Refusal::bad(format!("no study file `{file}`")));
            }
            let stem =
                file.strip_suffix(".toml").unwrap_or(&file).rsplit('/').next().unwrap_or("study").to_owned();
            let (out, title) = (format!("studies/{stem}"), format!("Study {stem}"));
            (
                Verb::Study { out, file: file.into(), data, budget_s: hours.map(|h| (h * 3600.0).round()) },
                title,
            )
        }
        Asked::StudyReport { study } => {
            project.folder("studies", &study)?;
            let (folder, out) = (format!("studies/{study}"), format!("studies/{study}/report"));
            (Verb::StudyReport { study: folder, out }, format!("Report of the study {study}"))
        }
        Asked::JobNew { run, name, rules } => routine_verbs::new_job(project, &run, &name, rules)?,
        Asked::RunLot { job, lot, header, pdf } => routine_verbs::lot(project, &job, &lot, header, pdf)?,
        Asked::Compare { runs } => comparison(project, &runs)?,
        Asked::Export { format } => {
            let free = free_folder(project, "exports", &format!("labels-{}", format.name()));
            (Verb::Export { data, format, out: free.clone() }, format!("Labels into {free}"))
        }
    })
}

/// Run folders that are compared, the first with each of the others.
fn comparison(project: &Project, runs: &[String]) -> Answer<(Verb, String)> {
    let mut folders = Vec::new();
    for run in runs {
        project.folder("runs", run)?;
        let folder = format!("runs/{run}");
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    if folders.len() < 2 {
        return Err(Refusal::bad("choose two runs or more to compare"));
    }
    // Another comparison of runs of these names is made anew in a place of its own.
    let all = runs.join("-");
    let short: String = all.chars().take(60).collect();
    let name = if short == all { short } else { format!("{short}-and-others") };
    let out = free_folder(project, "comparisons", &sorby_image::write::safe_name(&name));
    Ok((Verb::Compare { runs: folders, out }, format!("Comparing {}", runs.join(", "))))
}

/// A folder that is not there yet, from the project's root.
fn free_folder(project: &Project, parent: &str, name: &str) -> String {
    let free = free_place(&project.root.join(parent), name);
    format!("{parent}/{}", free.file_name().unwrap_or_default().to_string_lossy())
}

fn training(project: &Project, data: OsString, asked: Asked) -> Answer<(Verb, String)> {
    let Asked::Train { recipe, name, minutes, iterations, train, val, pretrained } = asked else {
        return Err(Refusal::bad("no training"));
    };
    let name = folder_name(&name)?;
    let built_in = PRESETS.iter().any(|(preset, _)| *preset == recipe);
    if !built_in && !recipes(project).contains(&recipe) {
        return Err(Refusal::bad(format!("no recipe `{recipe}`")));
    }
    let out = format!("runs/{name}");
    if files::is_file(&RunFile::Recipe.path_in(&project.root.join(&out))) {
        let there = format!("there is a run `{name}` already");
        return Err(Refusal::new(axum::http::StatusCode::CONFLICT, there));
    }
    if minutes.is_some_and(|m| !(m.is_finite() && (0.5..=100_000.0).contains(&m))) {
        return Err(Refusal::bad("choose a time of half a minute or more"));
    }
    let mut changes = Vec::new();
    changes.extend(iterations.map(|n| format!("schedule.iterations={n}")));
    if let Some(split) = train {
        changes.push(format!("data.train=[{}]", split_name(&split)?));
    }
    if let Some(split) = val {
        changes.push(format!("data.val={}", split_name(&split)?));
    }
    if let Some(start) = pretrained {
        changes.push(format!("pretrained={}", split_name(&crate::work::start_weights(project, &start)?)?));
    }
    let (title, time_s) = (format!("Training {name}"), minutes.map(|m| (m * 60.0).round()));
    Ok((Verb::Train { recipe: recipe.into(), out, data, time_s, changes }, title))
}

fn measurement(
    project: &Project,
    manifest: &Manifest,
    data: OsString,
    of: String,
    (class, objects): (String, ObjectChoice),
) -> Answer<(Verb, String)> {
    if !manifest.class_names().contains(&class) {
        return Err(Refusal::bad(format!("no class `{class}`")));
    }
    let masks: Vec<OsString> = if of == "labels" {
        let entries = project.entries(manifest);
        let labels: Vec<_> =
            entries.iter().filter_map(|e| e.label.as_ref().map(|l| inside(project, l))).collect();
        if labels.is_empty() {
            return Err(Refusal::bad("nothing is labelled yet"));
        }
        labels
    } else {
        project.folder("predictions", &of)?;
        vec![format!("predictions/{of}/masks").into()]
    };
    let out = format!("measurements/{of}-{}", sorby_image::write::safe_name(&class));
    let title = format!("Measuring {class} of {of}");
    Ok((Verb::Measure { masks, class, objects, out, data }, title))
}

fn split_name(text: &str) -> Answer<String> {
    serde_json::to_string(text).map_err(|e| Refusal::bad(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_splits_are_quoted() {
        assert_eq!(split_name("a\"b").unwrap(), "\"a\\\"b\"");
    }
}
