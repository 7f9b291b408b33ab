//! What the user throws away. Images and labels are put aside, for they are work; runs and predictions can be made again
//! and are removed for their space.

use crate::app::{App, Shared, work};
use crate::error::{Answer, Refusal};
use crate::lock::lock;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Value, json};
use sorby_data::{put_into_split, put_scale};
use sorby_image::{ImageError, files, folders, write};
use sorby_train::RunFolder;
use std::path::{Path as FilePath, PathBuf};

/// `DELETE /api/images/{name}`: image, label, strokes and versions go to `.sorby/removed/`; masks of models stay, unseen.
pub async fn image(State(app): State<Shared>, Path(name): Path<String>) -> Answer<Json<Value>> {
    work(&app, move |app| {
        let _one = lock(&app.saving);
        let (_, entry) = app.project.entry(&name)?;
        app.require_idle("remove the image")?;
        for file in std::iter::once(&entry.image).chain(&entry.label) {
            files::require_unprotected(file)?;
        }
        // The manifest first: an image that no split names is no fault, a split that names no image is one.
        let manifest = app.project.manifest_file();
        let text = files::read_to_string(&manifest).map_err(|e| ImageError::io(&manifest, e))?;
        let names = [entry.name.clone()];
        let without = put_scale(&put_into_split(&text, &names, None)?, Some(&names), None)?;
        if without != text {
            write::atomically(&manifest, without.as_bytes())?;
        }
        let place = free_place(&app.project.removed(), &entry.name);
        for (what, folder) in
            [(app.project.sketches(&name), "strokes"), (app.project.label_versions(&name), "label-versions")]
        {
            if files::is_folder(&what) {
                put_aside(&what, &place.join(folder))?;
            }
        }
        if let Some(label) = &entry.label {
            put_aside(label, &place.join("label").join(label.file_name().unwrap_or_default()))?;
        }
        put_aside(&entry.image, &place.join(entry.image.file_name().unwrap_or_default()))?;
        app.tell(json!({"kind": "project"}));
        Ok(Json(json!({})))
    })
    .await
}

/// A folder that is not there yet: `NAME`, `NAME-2`, ...
pub(crate) fn free_place(removed: &FilePath, name: &str) -> PathBuf {
    let numbered = (2..).map(|i| removed.join(format!("{name}-{i}")));
    let mut places = std::iter::once(removed.join(name)).chain(numbered);
    places.find(|place| !files::is_folder(place)).unwrap_or_else(|| removed.join(name))
}

pub(crate) fn put_aside(what: &FilePath, place: &FilePath) -> Answer<()> {
    let io = |e| ImageError::io(what, e);
    files::create_folders(place.parent().unwrap_or(place)).map_err(io)?;
    Ok(files::rename(what, place).map_err(io)?)
}

/// `DELETE /api/runs/{name}`.
pub async fn run(State(app): State<Shared>, Path(name): Path<String>) -> Answer<Json<Value>> {
    work(&app, move |app| {
        let folder = app.project.folder("runs", &name)?;
        if RunFolder::is_held(&folder) {
            return Err(Refusal::new(
                StatusCode::CONFLICT,
                format!("`{name}` is being trained; stop it first"),
            ));
        }
        remove(app, "runs", &name, &folder)
    })
    .await
}

/// `DELETE /api/predictions/{model}`.
pub async fn predictions(State(app): State<Shared>, Path(model): Path<String>) -> Answer<Json<Value>> {
    work(&app, move |app| {
        let folder = app.project.folder("predictions", &model)?;
        remove(app, "predictions", &model, &folder)
    })
    .await
}

fn remove(app: &App, parent: &str, name: &str, folder: &FilePath) -> Answer<Json<Value>> {
    let result = format!("{parent}/{name}");
    if app.jobs.is_used(&result) {
        let what = format!("a job works in {result}; stop it or wait for it");
        return Err(Refusal::new(StatusCode::CONFLICT, what));
    }
    app.project.confine(folder)?;
    let freed_bytes = folders::remove_with_contents(folder).map_err(|e| ImageError::io(folder, e))?;
    app.tell(json!({"kind": "project"}));
    Ok(Json(json!({"freed_bytes": freed_bytes})))
}
