//! Earlier versions of labels, to be looked at and taken back.

use crate::app::{Shared, light, work};
use crate::error::{Answer, Refusal};
use crate::labels::{bytes, read_whole, size, versions};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::{Value, json};

/// Memory for a version, bytes a pixel.
const PER_PIXEL: u64 = 8;

/// `GET /api/images/{name}/versions`: newest first.
pub async fn list(State(app): State<Shared>, Path(name): Path<String>) -> Answer<Json<Value>> {
    light(&app, move |app| {
        let (_, entry) = app.project.entry(&name)?;
        Ok(Json(json!({"versions": versions(app, &entry).list()})))
    })
    .await
}

/// `GET /api/images/{name}/versions/{id}`: a byte a pixel, as large as the image.
pub async fn get(State(app): State<Shared>, Path((name, id)): Path<(String, u32)>) -> Answer<Response> {
    work(&app, move |app| {
        let (manifest, entry) = app.project.entry(&name)?;
        let file = versions(app, &entry).file(id);
        let file = file.ok_or_else(|| Refusal::not_found(format!("`{name}` has no version {id}")))?;
        let _share = app.project.memory.for_pixels(&entry.image, PER_PIXEL)?;
        let (label, _) = read_whole(app, &manifest, &file, size(&entry)?)?;
        Ok(bytes(label.labels, None))
    })
    .await
}
