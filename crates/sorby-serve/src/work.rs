//! Starting the program's verbs from the page.

use crate::app::{App, Shared, light};
use crate::error::{Answer, Refusal};
use crate::jobs::{Order, Then};
use crate::project::Project;
use crate::runs;
use crate::verbs::{EARLIER, ObjectChoice, Verb};
use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};
use sorby_data::{Entry, Manifest};
use sorby_image::files;
use sorby_train::{PRESETS, RunFile};
use std::ffi::OsString;

/// `GET /api/jobs`.
pub async fn jobs(State(app): State<Shared>) -> Json<Value> {
    Json(json!(app.jobs.views()))
}

/// `GET /api/jobs/{id}`: what it said.
pub async fn lines(State(app): State<Shared>, Path(id): Path<u64>) -> Answer<Json<Value>> {
    app.jobs.lines(id).map(|l| Json(json!(l))).ok_or_else(|| Refusal::not_found("no such job"))
}

/// `POST /api/jobs/{id}/stop`.
pub async fn stop(State(app): State<Shared>, Path(id): Path<u64>) -> Answer<Json<Value>> {
    app.jobs.stop(id)?;
    Ok(Json(json!({})))
}

#[derive(Deserialize)]
#[serde(tag = "verb", rename_all = "lowercase")]
pub enum Asked {
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
        /// A file of `weights/`, or `runs/NAME` of this project.
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
    },
    StudyReport {
        study: String,
    },
}

/// `POST /api/jobs`.
pub async fn start(State(app): State<Shared>, Json(asked): Json<Asked>) -> Answer<Json<Value>> {
    light(&app, move |app| {
        app.project.require_in_place()?;
        let order = order(app, asked)?;
        let id = app.jobs.start(order)?;
        Ok(Json(json!({ "id": id })))
    })
    .await
}

/// A name for a new folder, typed by the visitor.
fn folder_name(text: &str) -> Answer<&str> {
    let good = |c: char| c.is_alphanumeric() || "-_. ".contains(c);
    let text = text.trim();
    if text.is_empty() || text.len() > 80 || text.starts_with('.') || !text.chars().all(good) {
        return Err(Refusal::bad(
            "a name has 1 to 80 letters, digits, spaces, - _ and ., and does not begin with a point",
        ));
    }
    // `labels` says what is measured where no model is.
    if text == "labels" {
        return Err(Refusal::bad("the name `labels` stands for the labels; choose another"));
    }
    Ok(text)
}

fn split_name(text: &str) -> Answer<String> {
    serde_json::to_string(text).map_err(|e| Refusal::bad(e.to_string()))
}

fn order(app: &App, asked: Asked) -> Answer<Order> {
    let project = &app.project;
    let manifest = project.require_manifest()?;
    // The verbs follow links; what they would show or learn from must lie inside.
    for entry in project.entries(&manifest) {
        project.confine(&entry.image)?;
        entry.label.iter().try_for_each(|label| project.confine(label))?;
    }
    // Files next to the images count too: they state pixel sizes.
    for folder in manifest.folders.iter().flat_map(|f| [&f.images, &f.labels]).filter(|f| *f != ".") {
        project.require_inside(&project.data.join(folder))?;
    }
    let (verb, title) = verb(project, &manifest, asked)?;
    for place in [verb.result(), EARLIER] {
        project.require_inside(&project.root.join(place))?;
    }
    let then = matches!(verb, Verb::Check { .. }).then(|| keep_check(project));
    let (program, folder) = (app.program.clone(), project.root.clone());
    Ok(Order {
        program,
        folder,
        arguments: verb.arguments(),
        title,
        result: Some(verb.result().to_owned()),
        then,
    })
}

/// Keeps what a check found, for the gallery.
fn keep_check(project: &Project) -> Then {
    let place = project.root.join(".sorby").join("check.json");
    Box::new(move |text| {
        // Only shown: a project that cannot be written to is checked all the same.
        let _ = sorby_image::write::atomically(&place, text.as_bytes());
    })
}

/// What is started, and its title.
fn verb(project: &Project, manifest: &Manifest, asked: Asked) -> Answer<(Verb, String)> {
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
        Asked::Study { file } => {
            if !studies(project).contains(&file) {
                return Err(Refusal::bad(format!("no study file `{file}`")));
            }
            let stem = file.trim_end_matches(".toml").rsplit('/').next().unwrap_or("study").to_owned();
            (Verb::Study { out: format!("studies/{stem}"), file: file.into(), data }, format!("Study {stem}"))
        }
        Asked::StudyReport { study } => {
            project.folder("studies", &study)?;
            let (folder, out) = (format!("studies/{study}"), format!("studies/{study}/report"));
            (Verb::StudyReport { study: folder, out }, format!("Report of the study {study}"))
        }
    })
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
        let file = weights(project).into_iter().find(|w| w.0 == start);
        let (_, file) = file.ok_or_else(|| Refusal::bad(format!("no weights `{start}`")))?;
        changes.push(format!("pretrained={}", split_name(&file)?));
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

/// A path as the verbs are given it: from the project's root.
fn inside(project: &Project, path: &std::path::Path) -> OsString {
    path.strip_prefix(&project.root).unwrap_or(path).as_os_str().to_owned()
}

fn relative_data(project: &Project) -> OsString {
    let path = inside(project, &project.data);
    if path.is_empty() { OsString::from(".") } else { path }
}

/// Recipe files of the project: `*.toml` at the top or in `recipes/` that are neither a data set nor a study.
pub fn recipes(project: &Project) -> Vec<String> {
    toml_files(project, "recipes", |text| !text.contains("[[classes]]") && !is_study(text))
}

/// Study files of the project.
pub fn studies(project: &Project) -> Vec<String> {
    toml_files(project, "studies", is_study)
}

fn is_study(text: &str) -> bool {
    text.lines()
        .any(|l| ["archs", "tricks", "protocol", "[trick."].iter().any(|key| l.trim_start().starts_with(key)))
}

fn toml_files(project: &Project, folder: &str, accept: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for (place, prefix) in
        [(project.root.clone(), String::new()), (project.root.join(folder), format!("{folder}/"))]
    {
        for file in files::entries(&place).unwrap_or_default() {
            // A name that is no UTF-8 cannot be asked for.
            let Some(name) = file.file_name().and_then(|n| n.to_str()) else { continue };
            let small = || files::open(&file).and_then(|f| f.metadata()).is_ok_and(|m| m.len() < 1 << 20);
            if name.ends_with(".toml") && small() && files::read_to_string(&file).is_ok_and(|t| accept(&t)) {
                found.push(format!("{prefix}{name}"));
            }
        }
    }
    found.sort();
    found
}

/// Files that an encoder can start from: name shown, and path from the project's root.
pub fn weights(project: &Project) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for file in files::entries(&project.root.join("weights")).unwrap_or_default() {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if files::leads_out(&file) {
            continue;
        }
        if name.ends_with(".safetensors") || name.ends_with(".pth") {
            found.push((name.clone(), format!("weights/{name}")));
        }
    }
    for run in project.folders("runs") {
        let file = format!("runs/{run}/{}", RunFile::Model);
        if files::is_file(&project.root.join(&file)) {
            found.push((format!("run {run}"), file));
        }
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_names() {
        for bad in ["", " ", "..", ".hidden", "a/b", "a\\b", "x\ny", "labels", &"n".repeat(81)] {
            assert!(folder_name(bad).is_err(), "{bad:?}");
        }
        assert_eq!(folder_name(" steel 1.2_b ").unwrap(), "steel 1.2_b");
        assert_eq!(split_name("a\"b").unwrap(), "\"a\\\"b\"");
    }
}
