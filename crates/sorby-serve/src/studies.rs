//! Studies: the board of trainings, gains and verdicts.

use crate::app::{Shared, light};
use crate::error::{Answer, Refusal};
use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};
use sorby_image::files;
use std::process::Command;

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

/// `GET /api/studies/{name}`: `sorby study status --json`, and the tables of the last report.
pub async fn one(State(app): State<Shared>, Path(name): Path<String>) -> Answer<Json<Value>> {
    light(&app, move |app| {
        let root = app.project.folder("studies", &name)?;
        let output = Command::new(&app.program)
            .args(["study", "status", "--json"])
            .arg(&root)
            .output()
            .map_err(|e| Refusal::bad(format!("cannot ask for the study's state: {e}")))?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr);
            return Err(Refusal::bad(text.lines().last().unwrap_or("the study cannot be read").to_owned()));
        }
        let status: Value =
            serde_json::from_slice(&output.stdout).map_err(|e| Refusal::bad(e.to_string()))?;
        let report = files::is_file(&root.join("report").join("report.html"));
        Ok(Json(json!({"name": name, "status": status, "report": report})))
    })
    .await
}
