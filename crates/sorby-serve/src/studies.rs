//! Studies: the board of trainings, gains and verdicts.

use crate::app::{Shared, light, work};
use crate::error::{Answer, Refusal};
use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};
use sorby::study::StudyFolder;
use sorby_image::files;

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
