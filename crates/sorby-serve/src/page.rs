//! Addresses, and the page itself, which is part of the program.

use crate::app::{App, Shared};
use crate::{
    draft, error, events, files, gallery, guard, labels, measure, next, predictions, runs, studies, tiles,
    work,
};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use rust_embed::RustEmbed;
use std::sync::Arc;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};

/// Largest body but for uploads and labels.
const BODY_BYTES: usize = 1 << 20;
/// Largest label on its way, compressed.
const LABEL_BYTES: usize = 64 << 20;

/// What `npm run build` made of `web/`. A program built without it says so.
#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Built;

pub fn router(app: Arc<App>) -> Router {
    let image = Router::new()
        .route("/", get(gallery::image))
        .route("/small", get(tiles::small))
        .route("/grey", get(tiles::grey))
        .route("/tiles/{layer}/{x}/{y}", get(tiles::tile))
        .route("/label", get(labels::get).put(labels::put).layer(DefaultBodyLimit::max(LABEL_BYTES)))
        .route("/features", post(draft::prepare))
        .route("/draft", post(draft::make).layer(DefaultBodyLimit::max(LABEL_BYTES)))
        .route("/fill", get(draft::fill))
        .route("/object", get(measure::object_at))
        .route("/thresholds", get(measure::thresholds))
        .route("/predictions/{model}/mask", get(predictions::get))
        .route("/predictions/{model}/confidence", get(predictions::confidence))
        .route("/predictions/{model}/probability/{class}", get(predictions::probability))
        .route("/predictions/{model}/trust", get(predictions::expected));
    let api = Router::new()
        .route("/project", get(gallery::project))
        .route("/setup", post(gallery::set_up))
        .route("/images", post(gallery::upload).layer(DefaultBodyLimit::max(gallery::UPLOAD_BYTES)))
        .nest("/images/{name}", image)
        .route("/next", get(next::get))
        .route("/measure", post(measure::images))
        .route("/jobs", get(work::jobs).post(work::start))
        .route("/jobs/{id}", get(work::lines))
        .route("/jobs/{id}/stop", post(work::stop))
        .route("/runs", get(runs::list))
        .route("/runs/{name}", get(runs::one))
        .route("/runs/{name}/validation/{image}", get(runs::validation))
        .route("/studies", get(studies::list))
        .route("/studies/{name}", get(studies::one))
        .route("/events", get(events::stream))
        .fallback(async || error::Refusal::not_found("no such address"));
    // Pictures are compressed already, and events must not wait to be.
    let compressible = SizeAbove::new(1024)
        .and(NotForContentType::const_new("image/"))
        .and(NotForContentType::const_new("text/event-stream"));
    Router::new()
        .nest("/api", api)
        .route("/results/{*path}", get(files::get))
        .fallback(page)
        .layer(CompressionLayer::new().compress_when(compressible))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(axum::middleware::from_fn_with_state(app.clone(), guard::check))
        .with_state::<()>(app as Shared)
}

/// A file of the page; the page itself for every other address, which is one of its views.
async fn page(uri: Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    let wanted = if path.is_empty() { "index.html" } else { path };
    let Some(file) = Built::get(wanted) else {
        if wanted == "index.html" {
            let what = "This program was built without its page. Build it with `cargo xtask web`, then build Sorby again.";
            return (StatusCode::NOT_FOUND, what).into_response();
        }
        return error::Refusal::not_found("no such address").into_response();
    };
    // Names of built files change with what is in them.
    let keep =
        if wanted.starts_with("assets/") { "private, max-age=31536000, immutable" } else { "no-cache" };
    let kind = file.metadata.mimetype().to_owned();
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, keep.to_owned())], file.data.into_owned()).into_response()
}
