//! Studies: the board of trainings, gains and verdicts.

use crate::app::{Shared, light, work};
use crate::error::{Answer, Refusal};
use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};
use sorby::study::{NewStudy, StudyFolder, create_study};
use sorby_image::files;
use sorby_train::Pretrained;

/// `GET /api/studies`.
pub async fn list(State(app): State<Shared>) -> Answer<Json<Value>> {
    light(&app, |app| {
        let files = crate::work::studies(&app.project);
        let folders: Vec<String> = app
            .project
            .folders("studies")
            .into_iter()
            .filter(|n| files::is_file(&app.project.root.join("studies").join(n).join("study.toml")))
            .collect();
        Ok(Json(json!({"files": files, "studies": folders})))
    })
    .await
}

/// `GET /api/studies/{name}`: how far the study is, and whether there is a report of it.
pub async fn one(State(app): State<Shared>, Path(name): Path<String>) -> Answer<Json<Value>> {
    work(&app, move |app| {
        let root = app.project.folder("studies", &name)?;
        let status = || -> sorby::Result<Value> { Ok(StudyFolder::open(&root)?.status()?.json()) };
        let status = status().map_err(|e| Refusal::bad(e.to_string()))?;
        let report = files::is_file(&root.join("report").join("report.html"));
        Ok(Json(json!({"name": name, "status": status, "report": report})))
    })
    .await
}

#[derive(Deserialize)]
pub struct Made {
    name: String,
    #[serde(flatten)]
    study: NewStudy,
}

/// `POST /api/studies`: a study file in `studies/`, to be run by a job.
pub async fn make(State(app): State<Shared>, Json(asked): Json<Made>) -> Answer<Json<Value>> {
    light(&app, move |app| {
        let Made { name, mut study } = asked;
        let name = crate::work::folder_name(&name)?;
        let project = &app.project;
        let manifest = project.require_manifest()?;
        let split = |s: &&String| manifest.splits.contains_key(*s) || manifest.folds.contains_key(*s);
        if let Some(none) = study.train.iter().chain([&study.test]).find(|s| !split(s)) {
            return Err(Refusal::bad(format!(
                "dataset.toml has no split `{none}`: put images into it first"
            )));
        }
        if sorby_train::preset(&study.base).is_none() {
            if !crate::work::recipes(project).contains(&study.base) {
                return Err(Refusal::bad(format!("no recipe `{}`", study.base)));
            }
            study.base = format!("../{}", study.base);
        }
        if let Some(start) = &study.pretrained {
            let start = crate::work::start_weights(project, start)?;
            let is_file = matches!(Pretrained::parse(&start), Some(Pretrained::File(_)));
            study.pretrained = Some(if is_file { format!("../{start}") } else { start });
        }
        let file = format!("studies/{name}.toml");
        project.require_inside(&project.root.join("studies"))?;
        // The page knows places as seen from the project.
        let shown = |e: sorby::Error| e.to_string().replace(&format!("{}/", project.root.display()), "");
        create_study(&study, &project.root.join(&file)).map_err(|e| Refusal::bad(shown(e)))?;
        app.tell(json!({"kind": "project"}));
        Ok(Json(json!({"file": file})))
    })
    .await
}
