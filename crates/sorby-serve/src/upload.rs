//! New images. They are tried in a place of their own; one name is given once, whoever asks at the same time.

use crate::app::{App, Shared, work};
use crate::error::{Answer, Refusal};
use crate::lock::lock;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use sorby_image::scale::is_sidecar;
use sorby_image::{Micrograph, files, is_strange, write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Deserialize)]
pub struct Upload {
    name: String,
}

/// `POST /api/images?name=FILE`: adds an image to the first folder of the data set. It must be one that Sorby reads,
/// under a name that is not taken; or a text that states the pixel size of one.
pub async fn upload(
    State(app): State<Shared>,
    Query(asked): Query<Upload>,
    body: Bytes,
) -> Answer<Json<Value>> {
    work(&app, move |app| add(app, &asked.name, &body)).await
}

/// Bytes of a name: file systems take 255, of which results need some.
const LONGEST_NAME: usize = 180;

/// The name of a file that is sent: of an image, or of a text that states the pixel size of one; no path.
pub(crate) fn file_name(name: &str) -> Answer<&Path> {
    let file = Path::new(name);
    let plain = file.components().count() == 1 && file.file_name().is_some_and(|n| *n == *name);
    let known = sorby_image::is_image(file) || is_sidecar(file);
    if !plain || name.starts_with('.') || name.contains(['\\', ':', '\0']) || !known {
        return Err(Refusal::bad(
            "the name must be that of a PNG, TIFF, JPEG or BMP file, or of a TXT or HDR file that states its pixel size, \
             without folders",
        ));
    }
    // Results add to the name, names are shown in lines, and text that turns its direction reads as another name.
    if name.len() > LONGEST_NAME || name.contains(is_strange) || name.trim() != name {
        return Err(Refusal::bad(format!(
            "the name must have at most {LONGEST_NAME} bytes, no line breaks or other control characters, and no space at \
             its ends"
        )));
    }
    Ok(file)
}

fn add(app: &App, name: &str, body: &[u8]) -> Answer<Json<Value>> {
    let manifest = app.project.require_manifest()?;
    let file = file_name(name)?;
    let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let folder = app.project.data.join(&manifest.folders[0].images);
    let target = folder.join(name);
    if is_sidecar(file) {
        return add_sidecar(app, &target, body);
    }
    let free = || {
        let taken = app.project.entries(&manifest).iter().any(|e| e.name == stem) || files::is_file(&target);
        let what = || Refusal::new(StatusCode::CONFLICT, format!("there is an image `{stem}` already"));
        if taken { Err(what()) } else { Ok(()) }
    };
    free()?;
    try_out(app, file, body)?;
    let _one = lock(&app.adding);
    app.project.require_in_place()?;
    free()?;
    write::atomically(&target, body)?;
    app.tell(json!({"kind": "project"}));
    Ok(Json(json!({"name": stem})))
}

/// Largest text of a microscope.
const SIDECAR_BYTES: usize = 1 << 20;

/// A text that states the pixel size of an image: one that is there already is not written over.
pub(crate) fn add_sidecar(app: &App, target: &Path, body: &[u8]) -> Answer<Json<Value>> {
    if body.len() > SIDECAR_BYTES {
        return Err(Refusal::bad("a text of more than 1 MB states no pixel size"));
    }
    let _one = lock(&app.adding);
    app.project.require_in_place()?;
    match files::read(target) {
        Ok(there) if there == body => {}
        Ok(_) => {
            return Err(Refusal::new(StatusCode::CONFLICT, "there is another file of this name already"));
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => write::atomically(target, body)?,
        Err(e) => return Err(sorby_image::ImageError::io(target, e).into()),
    }
    app.tell(json!({"kind": "project"}));
    Ok(Json(json!({"name": target.file_name().unwrap_or_default().to_string_lossy()})))
}

/// Reads what was sent under a name that nothing else has: what cannot be read never becomes part of the data set.
pub(crate) fn try_out(app: &App, file: &Path, body: &[u8]) -> Answer<()> {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    let folder = app.project.uploads().join(format!("{}-{call}", std::process::id()));
    let trial = folder.join(file);
    write::atomically(&trial, body)?;
    let read = app.project.memory.for_image(&trial).and_then(|_share| Ok(Micrograph::read(&trial)?));
    // What cannot be removed is removed at the next start.
    let _ = files::remove(&trial).and_then(|()| files::remove_folder(&folder));
    read.map(drop)
}
