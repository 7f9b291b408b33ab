//! Folders of results as one file to download: masks of a model, labels written for another program.

use crate::app::{Shared, bulk};
use crate::error::{Answer, Refusal};
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use sorby_image::{ImageError, files};
use std::io::{Cursor, Write as _};
use std::path::Path as FilePath;
use zip::write::SimpleFileOptions;

/// Most bytes of a folder that is held in memory as one file.
const MOST_BYTES: u64 = 1 << 30;

/// `GET /api/predictions/{model}/masks.zip`: PNG masks, whose values are class indices.
pub async fn masks(State(app): State<Shared>, Path(model): Path<String>) -> Answer<Response> {
    bulk(&app, move |app| {
        let folder = app.project.folder("predictions", &model)?.join("masks");
        app.project.require_inside(&folder)?;
        answer(&folder, &format!("{model}-masks"))
    })
    .await
}

/// `GET /api/exports/{name}/zip`: what `sorby data export` wrote.
pub async fn labels(State(app): State<Shared>, Path(name): Path<String>) -> Answer<Response> {
    bulk(&app, move |app| {
        let folder = app.project.folder("exports", &name)?;
        app.project.require_inside(&folder)?;
        answer(&folder, &name)
    })
    .await
}

fn answer(folder: &FilePath, name: &str) -> Answer<Response> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let mut bytes = 0;
    put(&mut archive, folder, "", &mut bytes)?;
    if bytes == 0 {
        return Err(Refusal::not_found("there is nothing in this folder"));
    }
    let zipped = archive.finish().map_err(|e| Refusal::unreadable(e.to_string()))?.into_inner();
    let file = sorby_image::write::safe_name(name);
    let head = [
        (CONTENT_TYPE, "application/zip".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{file}.zip\"")),
    ];
    Ok((head, zipped).into_response())
}

/// Adds what a folder holds; hidden files are left out.
fn put(
    archive: &mut zip::ZipWriter<Cursor<Vec<u8>>>,
    folder: &FilePath,
    above: &str,
    bytes: &mut u64,
) -> Answer<()> {
    let mut paths = files::entries(folder).map_err(|e| ImageError::io(folder, e))?;
    paths.sort();
    for path in paths {
        let Some(name) = path.file_name().and_then(|n| n.to_str()).filter(|n| !n.starts_with('.')) else {
            continue;
        };
        let inner = format!("{above}{name}");
        if files::is_folder(&path) {
            put(archive, &path, &format!("{inner}/"), bytes)?;
            continue;
        }
        let content = files::read(&path).map_err(|e| ImageError::io(&path, e))?;
        *bytes += content.len() as u64;
        if *bytes > MOST_BYTES {
            let what = "this is more than 1 GB; take the files from their folder";
            return Err(Refusal::new(axum::http::StatusCode::PAYLOAD_TOO_LARGE, what));
        }
        // Pictures are compressed already.
        let options = SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored)
            .last_modified_time(zip::DateTime::default());
        let failed = |e: String| Refusal::unreadable(format!("{inner}: {e}"));
        archive.start_file(&inner, options).map_err(|e| failed(e.to_string()))?;
        archive.write_all(&content).map_err(|e| failed(e.to_string()))?;
    }
    Ok(())
}
