//! What the user throws away. Images and labels are put aside, for they are work; runs and predictions can be made again
//! and are removed for their space.

use crate::app::{App, Shared, work};
use crate::error::{Answer, Refusal};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Value, json};
use sorby_data::{put_into_split, put_scale};
use sorby_image::{ImageError, files, write};
use sorby_train::RunFolder;
use std::path::{Path as FilePath, PathBuf};

/// `DELETE /api/images/{name}`: image, label, strokes and versions go to `.sorby/removed/`; masks of models stay, unseen.
pub async fn image(State(app): State<Shared>, Path(name): Path<String>) -> Answer<Json<Value>> {
    work(&app, move |app| {
        let _one = app.saving.lock().unwrap_or_else(|e| e.into_inner());
        let (_, entry) = app.project.entry(&name)?;
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
        let place = free_place(&app.project.root.join(".sorby").join("removed"), &entry.name);
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
fn free_place(removed: &FilePath, name: &str) -> PathBuf {
    let numbered = (2..).map(|i| removed.join(format!("{name}-{i}")));
    let mut places = std::iter::once(removed.join(name)).chain(numbered);
    places.find(|place| !files::is_folder(place)).unwrap_or_else(|| removed.join(name))
}

fn put_aside(what: &FilePath, place: &FilePath) -> Answer<()> {
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
    let freed_bytes = remove_all(folder).map_err(|e| ImageError::io(folder, e))?;
    app.tell(json!({"kind": "project"}));
    Ok(Json(json!({"freed_bytes": freed_bytes})))
}

/// Removes a folder with all that is in it; links are removed, not what they stand for. Gives the bytes freed.
fn remove_all(folder: &FilePath) -> std::io::Result<u64> {
    let mut freed = 0;
    for path in files::entries(folder)? {
        let size = files::open(&path).and_then(|f| f.metadata()).map_or(0, |m| m.len());
        match files::remove(&path) {
            Ok(()) => freed += size,
            // Only a folder cannot be removed as a file is.
            Err(_) if files::is_folder(&path) => freed += remove_all(&path)?,
            Err(e) => return Err(e),
        }
    }
    files::remove_folder(folder)?;
    Ok(freed)
}

/// Bytes of all files in a folder.
pub fn size_of(folder: &FilePath) -> u64 {
    let paths = files::entries(folder).unwrap_or_default();
    let size = |path: &PathBuf| match files::is_folder(path) {
        true => size_of(path),
        false => files::open(path).and_then(|f| f.metadata()).map_or(0, |m| m.len()),
    };
    paths.iter().map(size).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn links_are_removed_and_not_what_they_stand_for() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("run/checkpoints")).unwrap();
        std::fs::create_dir(at("images")).unwrap();
        std::fs::write(at("run/checkpoints/a"), [0; 100]).unwrap();
        std::fs::write(at("images/b"), [0; 10]).unwrap();
        std::os::unix::fs::symlink(at("images"), at("run/link")).unwrap();
        std::os::unix::fs::symlink(at("images/b"), at("run/file")).unwrap();
        assert!(remove_all(&at("run")).unwrap() >= 100);
        assert!(!at("run").exists() && at("images/b").is_file());
    }
}
