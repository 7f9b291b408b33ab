//! Strokes that drafts are made from: kept with the image, until the image or the classes are others.

use crate::app::{App, Shared, work};
use crate::error::Answer;
use crate::labels::{bytes, ground, unpack};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use sorby_data::{Entry, LabelCoding, Manifest, read_label};
use sorby_image::{IGNORE, ImageError, MaskNote, files};
use std::path::PathBuf;

/// Memory for strokes on their way, bytes a pixel.
const PER_PIXEL: u64 = 8;

/// Strokes are of an image: those of another that had its name stay in their own file and are not shown.
fn file(app: &App, manifest: &Manifest, entry: &Entry) -> Answer<PathBuf> {
    let on = ground(app, manifest, entry)?;
    Ok(app.project.sketches(&entry.name).join(format!("{}.png", on.image())))
}

/// `GET /api/images/{name}/sketch`: a byte a pixel, 255 where there is no stroke; 204 without strokes.
pub async fn get(State(app): State<Shared>, Path(name): Path<String>) -> Answer<Response> {
    work(&app, move |app| {
        let (manifest, entry) = app.project.entry(&name)?;
        let file = file(app, &manifest, &entry)?;
        if !files::is_file(&file) {
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
        let _share = app.project.memory.for_pixels(&entry.image, PER_PIXEL)?;
        let strokes = read_label(&manifest, &LabelCoding::index(manifest.classes.len()), &file)?;
        if sorby_image::dimensions(&entry.image) != Some((strokes.width, strokes.height)) {
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
        Ok(bytes(strokes.labels, None))
    })
    .await
}

/// `PUT /api/images/{name}/sketch`: all strokes of the image, gzip, as [`get`] gives them.
pub async fn put(State(app): State<Shared>, Path(name): Path<String>, body: Bytes) -> Answer<Json<Value>> {
    work(&app, move |app| {
        let (manifest, entry) = app.project.entry(&name)?;
        let file = file(app, &manifest, &entry)?;
        let _share = app.project.memory.for_pixels(&entry.image, PER_PIXEL)?;
        let (width, height) = crate::labels::size(&entry)?;
        let strokes = unpack(&body, width, height, manifest.classes.len())?;
        if strokes.labels.iter().all(|l| *l == IGNORE) {
            remove(&file)?;
        } else {
            strokes.write_mask(&file, &manifest.colours(), &MaskNote::new(None, manifest.class_names()))?;
        }
        Ok(Json(json!({})))
    })
    .await
}

/// `DELETE /api/images/{name}/sketch`.
pub async fn delete(State(app): State<Shared>, Path(name): Path<String>) -> Answer<Json<Value>> {
    work(&app, move |app| {
        let (manifest, entry) = app.project.entry(&name)?;
        remove(&file(app, &manifest, &entry)?)?;
        Ok(Json(json!({})))
    })
    .await
}

fn remove(file: &std::path::Path) -> Answer<()> {
    if files::is_file(file) {
        files::remove(file).map_err(|e| ImageError::io(file, e))?;
    }
    Ok(())
}
