//! Labels out and in. A label travels as one byte a pixel, compressed; it comes back with the revision that it was drawn
//! on, so that two windows never overwrite each other.

use crate::app::{App, Shared, work};
use crate::error::{Answer, Refusal};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_TYPE, ETAG, IF_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use sorby_data::{Entry, Manifest, save_label};
use sorby_image::{IGNORE, LabelMap};
use std::io::Read as _;

/// Revision of an image without a label.
const NONE: &str = "none";

/// The label as it is in its file.
pub struct Current {
    /// As large as the image. Without a label every pixel is to be ignored.
    pub label: LabelMap,
    pub revision: String,
    /// Rows at the bottom that the file lacks: a data bar.
    pub missing_rows: usize,
}

/// Reads the label of an image.
pub fn current(app: &App, manifest: &Manifest, entry: &Entry) -> Answer<Current> {
    let (width, height) = sorby_image::dimensions(&entry.image)
        .ok_or_else(|| Refusal::unreadable(format!("{}: cannot be read", entry.image.display())))?;
    let Some(file) = &entry.label else {
        let label = LabelMap::filled(width, height, IGNORE);
        return Ok(Current { label, revision: NONE.to_owned(), missing_rows: 0 });
    };
    let mut label = app.read_label(manifest, file)?;
    let mut missing_rows = 0;
    if label.width == width && label.height < height {
        missing_rows = height - label.height;
        label.pad_rows(height);
    }
    if (label.width, label.height) != (width, height) {
        let what = format!(
            "{}: the label is {}x{} but its image {width}x{height}",
            file.display(),
            label.width,
            label.height
        );
        return Err(Refusal::unreadable(what));
    }
    let revision = revision(&label);
    Ok(Current { label, revision, missing_rows })
}

fn revision(label: &LabelMap) -> String {
    blake3::hash(&label.labels).to_hex()[..24].to_owned()
}

/// `GET /api/images/{name}/label`.
pub async fn get(State(app): State<Shared>, Path(name): Path<String>) -> Answer<Response> {
    work(&app, move |app| {
        let (manifest, entry) = app.project.entry(&name)?;
        let Current { label, revision, .. } = current(app, &manifest, &entry)?;
        Ok(bytes(label.labels, Some(&revision)))
    })
    .await
}

pub fn bytes(body: Vec<u8>, revision: Option<&str>) -> Response {
    let mut response = ([(CONTENT_TYPE, "application/octet-stream")], body).into_response();
    if let Some(value) = revision.and_then(|r| HeaderValue::from_str(&format!("\"{r}\"")).ok()) {
        response.headers_mut().insert(ETAG, value);
    }
    response
}

/// A map of `width` x `height` bytes, gzip. What unpacks to more is refused before it fills the memory.
pub fn unpack(body: &[u8], width: usize, height: usize, classes: usize) -> Answer<LabelMap> {
    let mut labels = Vec::with_capacity((width * height).min(1 << 28));
    let read = GzDecoder::new(body).take((width * height) as u64 + 1).read_to_end(&mut labels);
    if read.is_err() || labels.len() != width * height {
        return Err(Refusal::bad(format!("must be {} gzipped bytes, one for each pixel", width * height)));
    }
    if let Some(bad) = labels.iter().find(|l| usize::from(**l) >= classes && **l != IGNORE) {
        return Err(Refusal::bad(format!(
            "{bad} is no class; there are {classes}, and 255 for pixels to ignore"
        )));
    }
    Ok(LabelMap { width, height, labels })
}

/// `PUT /api/images/{name}/label` with `If-Match`.
pub async fn put(
    State(app): State<Shared>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer<Json<Value>> {
    let drawn_on =
        headers.get(IF_MATCH).and_then(|v| v.to_str().ok()).map(|v| v.trim_matches('"').to_owned());
    let drawn_on = drawn_on.ok_or_else(|| {
        Refusal::new(StatusCode::PRECONDITION_REQUIRED, "say with If-Match which revision was drawn on")
    })?;
    work(&app, move |app| {
        let _one = app.saving.lock().unwrap_or_else(|e| e.into_inner());
        let (manifest, entry) = app.project.entry(&name)?;
        let Current { label: old, revision: revision_now, missing_rows } = current(app, &manifest, &entry)?;
        let mut label = unpack(&body, old.width, old.height, manifest.classes.len())?;
        // What is drawn on a data bar is not saved, and so no part of the revision.
        label.ignore_bottom(missing_rows);
        let revision_new = revision(&label);
        if revision_now != drawn_on && revision_now != revision_new {
            return Err(Refusal::new(
                StatusCode::PRECONDITION_FAILED,
                "another window or program has changed this label meanwhile",
            ));
        }
        if entry.label.is_none() || revision_now != revision_new {
            // A label is saved whatever is said of the scale; the page shows what is wrong with that.
            let scale = app.scales.settled(&manifest, &entry, None).ok().and_then(|s| s.scale);
            let saved = save_label(&manifest, &entry, scale.as_ref(), label, &app.project.kept_labels())?;
            app.project.confine(&saved)?;
            app.tell(json!({"kind": "label", "name": name, "revision": revision_new}));
        }
        Ok(Json(json!({"revision": revision_new})))
    })
    .await
}
