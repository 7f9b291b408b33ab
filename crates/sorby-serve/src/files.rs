//! Finished pages and tables: only of the folders where results go, and only of kinds that cannot act.

use crate::app::{Shared, work};
use crate::error::{Answer, Refusal};
use axum::extract::{Path, State};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use std::path::Component;

/// Folders of results.
const FOLDERS: [&str; 7] =
    ["runs", "studies", "predictions", "measurements", "lots", "comparisons", ".sorby"];
/// Endings that are served, and what they are. Pages of ours hold no scripts, and none would run.
const KINDS: [(&str, &str); 11] = [
    ("html", "text/html; charset=utf-8"),
    ("csv", "text/csv; charset=utf-8"),
    ("json", "application/json"),
    ("geojson", "application/json"),
    ("md", "text/plain; charset=utf-8"),
    ("tex", "text/plain; charset=utf-8"),
    ("txt", "text/plain; charset=utf-8"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("zip", "application/zip"),
    ("pdf", "application/pdf"),
];

/// `GET /results/{path}`.
pub async fn get(State(app): State<Shared>, Path(path): Path<String>) -> Answer<Response> {
    work(&app, move |app| {
        let none = || Refusal::not_found("no such file");
        let path = std::path::Path::new(&path);
        let plain = path.components().all(|c| matches!(c, Component::Normal(_)));
        let first = path.components().next().and_then(|c| c.as_os_str().to_str()).unwrap_or_default();
        let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
        let kind = KINDS.iter().find(|(e, _)| *e == ending).map(|(_, kind)| *kind).ok_or_else(none)?;
        if !plain || !FOLDERS.contains(&first) {
            return Err(none());
        }
        let file = app.project.root.join(path);
        app.project.confine(&file)?;
        let bytes = sorby_image::files::read(&file).map_err(|_| none())?;
        let mut response = ([(CONTENT_TYPE, kind)], bytes).into_response();
        let rules = "default-src 'none'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; sandbox allow-popups allow-downloads";
        response.headers_mut().insert("content-security-policy", HeaderValue::from_static(rules));
        Ok(response)
    })
    .await
}
