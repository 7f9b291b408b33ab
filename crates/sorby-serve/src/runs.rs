//! Trainings: their states, curves and models.

use crate::app::{Shared, light, work};
use crate::error::{Answer, Refusal};
use crate::labels::bytes;
use crate::project::Project;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::{Value, json};
use sorby_image::{RawLabels, files, folders};
use sorby_train::{Metric, PRESETS, RunFile, RunFolder, Status, ValidationRecord, nothing_found_by_run};

/// Points of a curve; a screen shows no more.
const POINTS: usize = 1500;

/// A model that can be used for predictions.
#[derive(serde::Serialize)]
pub struct ModelName {
    name: String,
    /// From the project's root.
    file: String,
}

/// Runs that have a model, and files of `models/`.
pub fn models(project: &Project) -> Vec<ModelName> {
    let mut found = Vec::new();
    for name in project.folders("runs") {
        if files::is_file(&RunFile::Model.path_in(&project.root.join("runs").join(&name))) {
            found.push(ModelName { file: format!("runs/{name}"), name });
        }
    }
    for file in files::entries(&project.root.join("models")).unwrap_or_default() {
        let file = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(name) = file.strip_suffix(".safetensors").filter(|n| !n.starts_with('.')) {
            found.push(ModelName { name: name.to_owned(), file: format!("models/{file}") });
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

pub fn model_file(project: &Project, name: &str) -> Answer<String> {
    let found = models(project).into_iter().find(|m| m.name == name);
    found.map(|m| m.file).ok_or_else(|| Refusal::not_found(format!("no model `{name}`")))
}

/// `GET /api/runs`.
pub async fn list(State(app): State<Shared>) -> Answer<Json<Value>> {
    light(&app, |app| {
        let project = &app.project;
        let runs: Vec<Value> = project.folders("runs").iter().filter_map(|name| summary(project, name)).collect();
        let weights: Vec<String> = crate::work::weights(project).into_iter().map(|w| w.0).collect();
        Ok(Json(json!({
            "runs": runs,
            "recipes": PRESETS.iter().map(|p| p.0.to_owned()).chain(crate::work::recipes(project)).collect::<Vec<_>>(),
            "weights": weights,
            "comparisons": comparisons(project),
        })))
    })
    .await
}

/// Comparisons of runs that have a page.
fn comparisons(project: &Project) -> Vec<String> {
    let folder = project.root.join("comparisons");
    let mut names = project.folders("comparisons");
    names.retain(|name| files::is_file(&folder.join(name).join("comparison.html")));
    names
}

/// State of a run. One that says it is running but that nobody holds was cut off.
fn summary(project: &Project, name: &str) -> Option<Value> {
    let root = project.root.join("runs").join(name);
    let recipe = files::read_to_string(&RunFile::Recipe.path_in(&root)).ok()?;
    let recipe: toml::Value = toml::from_str(&recipe).ok()?;
    let status: Option<Status> =
        files::read(&RunFile::Status.path_in(&root)).ok().and_then(|t| serde_json::from_slice(&t).ok());
    let held = RunFolder::is_held(&root);
    let state = match &status {
        Some(s) if s.state == sorby_train::State::Running && !held => "cut off".to_owned(),
        Some(s) => format!("{:?}", s.state).to_lowercase(),
        None if held => "starting".to_owned(),
        None => "never begun".to_owned(),
    };
    let iterations =
        recipe.get("schedule").and_then(|s| s.get("iterations")).and_then(toml::Value::as_integer);
    Some(json!({
        "name": name,
        "arch": recipe.get("arch").and_then(toml::Value::as_str),
        "state": state,
        "iteration": status.as_ref().map(|s| s.iteration),
        "iterations": iterations,
        "best": status.as_ref().and_then(|s| s.best),
        "report": files::is_file(&root.join("report.html")),
    }))
}

/// `GET /api/runs/{name}`: curves and validations.
pub async fn one(State(app): State<Shared>, Path(name): Path<String>) -> Answer<Json<Value>> {
    light(&app, move |app| {
        let root = app.project.folder("runs", &name)?;
        let mut about =
            summary(&app.project, &name).ok_or_else(|| Refusal::not_found("this is no run folder"))?;
        about["bytes"] = folders::bytes_in(&root).into();
        let metrics: Vec<Metric> = RunFolder::read_lines(&root);
        let validations: Vec<ValidationRecord> = RunFolder::read_lines(&root);
        let classes = app.project.require_manifest().map(|m| m.class_names()).unwrap_or_default();
        let step_s = {
            let last = &metrics[metrics.len().saturating_sub(20)..];
            (!last.is_empty()).then(|| last.iter().map(|m| m.seconds).sum::<f64>() / last.len() as f64)
        };
        let masks = files::entries(&RunFile::ValidationMasks.path_in(&root)).unwrap_or_default();
        let mut masks: Vec<String> = masks
            .iter()
            .filter_map(|f| f.file_name()?.to_string_lossy().strip_suffix(".png").map(str::to_owned))
            .filter(|n| !n.starts_with('.'))
            .collect();
        masks.sort();
        Ok(Json(json!({
            "run": about,
            "loss": thinned(&metrics),
            "validations": validations,
            "nothing_found": nothing_found_by_run(&root, &classes),
            "step_s": step_s,
            "seconds": metrics.iter().map(|m| m.seconds).sum::<f64>(),
            "recipe": files::read_to_string(&RunFile::Recipe.path_in(&root)).unwrap_or_default(),
            "masks": masks,
            "masks_version": crate::gallery::version(&RunFile::Validation.path_in(&root)),
        })))
    })
    .await
}

/// Iterations and mean losses of as many groups of steps as a curve has points.
fn thinned(metrics: &[Metric]) -> [Vec<f64>; 2] {
    let group = metrics.len().div_ceil(POINTS).max(1);
    let mean = |part: &[Metric]| part.iter().map(|m| f64::from(m.loss)).sum::<f64>() / part.len() as f64;
    let (iterations, losses) =
        metrics.chunks(group).map(|part| (part[part.len() - 1].iteration as f64, mean(part))).unzip();
    [iterations, losses]
}

/// `GET /api/runs/{name}/validation/{image}`: the mask of the last validation, a byte a pixel.
pub async fn validation(
    State(app): State<Shared>,
    Path((name, image)): Path<(String, String)>,
) -> Answer<Response> {
    work(&app, move |app| {
        let root = app.project.folder("runs", &name)?;
        let (_, entry) = app.project.entry(&image)?;
        let file = RunFile::ValidationMasks.path_in(&root).join(format!("{}.png", entry.name));
        if !files::is_file(&file) {
            return Err(Refusal::not_found("this image was not validated on"));
        }
        match RawLabels::read(&file)? {
            RawLabels::Values(mask) => Ok(bytes(mask.labels, None)),
            RawLabels::Colours { .. } => Err(Refusal::bad("this is no mask")),
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_curves_are_means_of_groups() {
        let metric = |i: u64| Metric { iteration: i, loss: i as f32, lr: 0.0, seconds: 1.0 };
        let metrics: Vec<Metric> = (1..=3000).map(metric).collect();
        let [iterations, losses] = thinned(&metrics);
        assert_eq!((iterations.len(), iterations[0], losses[0]), (1500, 2.0, 1.5));
        assert_eq!(thinned(&metrics[..3]), [vec![1.0, 2.0, 3.0], vec![1.0, 2.0, 3.0]]);
    }
}
