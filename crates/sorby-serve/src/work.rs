//! Starting the program's verbs from the page.

use crate::app::{App, Shared, light};
use crate::asked::{Asked, verb};
use crate::error::{Answer, Refusal};
use crate::jobs::{Order, Then};
use crate::lock::lock;
use crate::project::Project;
use crate::verbs::{EARLIER, Verb};
use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};
use sorby_image::files;
use sorby_train::{Pretrained, RunFile};
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

/// `POST /api/jobs`.
pub async fn start(State(app): State<Shared>, Json(asked): Json<Value>) -> Answer<Json<Value>> {
    light(&app, move |app| {
        app.project.require_in_place()?;
        // Nothing is renamed, converted or added between the look at the project and the start.
        let _one = lock(&app.saving);
        let _new = lock(&app.adding);
        let order = order(app, asked)?;
        let id = app.jobs.start(order)?;
        Ok(Json(json!({ "id": id })))
    })
    .await
}

/// A name for a new folder, typed by the visitor.
pub(crate) fn folder_name(text: &str) -> Answer<&str> {
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

fn order(app: &App, request: Value) -> Answer<Order> {
    let project = &app.project;
    let asked = Asked::deserialize(&request).map_err(|e| Refusal::bad(e.to_string()))?;
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
        asked: request,
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

/// A path as the verbs are given it: from the project's root.
pub(crate) fn inside(project: &Project, path: &std::path::Path) -> OsString {
    path.strip_prefix(&project.root).unwrap_or(path).as_os_str().to_owned()
}

pub(crate) fn relative_data(project: &Project) -> OsString {
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

/// What a recipe writes for weights that the page names: its own words, or a path from the project's root.
pub fn start_weights(project: &Project, name: &str) -> Answer<String> {
    let words = [Pretrained::BUILTIN, Pretrained::NONE];
    let word = words.into_iter().find(|word| *word == name).map(str::to_owned);
    let file = || weights(project).into_iter().find(|w| w.0 == name).map(|w| w.1);
    word.or_else(file).ok_or_else(|| Refusal::bad(format!("no weights `{name}`")))
}

/// Files that a network can start from: name shown, and path from the project's root.
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
    }
}
