//! Addresses, and the page itself, which is part of the program.

use crate::app::{App, Shared};
use crate::{
    bodies, data_set, disposal, draft, error, events, files, gallery, guard, labels, lot_images, measure,
    next, predictions, renaming, routine, runs, sketches, studies, tiles, upload, versions, work, zipped,
};
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, post};
use rust_embed::RustEmbed;
use std::sync::Arc;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};

/// What `npm run build` made of `web/`. A program built without it says so.
#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Built;

pub fn router(app: Arc<App>) -> Router {
    let image = Router::new()
        .route("/", get(gallery::image).delete(disposal::image))
        .route("/small", get(tiles::small))
        .route("/grey", get(tiles::grey))
        .route("/tiles/{layer}/{x}/{y}", get(tiles::tile))
        .route("/label", get(labels::get).put(labels::put))
        .route("/versions", get(versions::list))
        .route("/versions/{id}", get(versions::get))
        .route("/sketch", get(sketches::get).put(sketches::put).delete(sketches::delete))
        .route("/features", post(draft::prepare))
        .route("/draft", post(draft::make))
        .route("/fill", get(draft::fill))
        .route("/name", post(renaming::image))
        .route("/object", get(measure::object_at))
        .route("/thresholds", get(measure::thresholds))
        .route("/predictions/{model}/mask", get(predictions::get))
        .route("/predictions/{model}/confidence", get(predictions::confidence))
        .route("/predictions/{model}/probability/{class}", get(predictions::probability))
        .route("/predictions/{model}/trust", get(predictions::expected));
    let api = Router::new()
        .route("/project", get(gallery::project))
        .route("/setup", post(gallery::set_up))
        .route("/images", post(upload::upload))
        .nest("/images/{name}", image)
        .route("/next", get(next::get))
        .route("/measure", post(measure::images))
        .route("/jobs", get(work::jobs).post(work::start))
        .route("/jobs/{id}", get(work::lines))
        .route("/jobs/{id}/stop", post(work::stop))
        .route("/runs", get(runs::list))
        .route("/runs/{name}", get(runs::one).delete(disposal::run))
        .route("/predictions/{model}", delete(disposal::predictions))
        .route("/splits", post(data_set::splits))
        .route("/scale", post(data_set::scale))
        .route("/classes", post(data_set::classes))
        .route("/runs/{name}/validation/{image}", get(runs::validation))
        .route("/routine", get(routine::get))
        .route("/lots/{name}", get(routine::lot).delete(routine::remove))
        .route("/lots/{name}/verify", post(routine::verify))
        .route("/lots-in/{lot}", get(lot_images::list).post(lot_images::add))
        .route("/lots-in/{lot}/{file}", delete(lot_images::remove))
        .route("/predictions/{model}/masks.zip", get(zipped::masks))
        .route("/exports/{name}/zip", get(zipped::labels))
        .route("/studies", get(studies::list).post(studies::make))
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
        // Bodies are limited where they are admitted.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(app.clone(), bodies::admit))
        .layer(from_fn_with_state(app.clone(), in_place))
        .layer(from_fn_with_state(app.clone(), guard::check))
        .with_state::<()>(app as Shared)
}

/// Answers nothing about a project that is no more where it was. Jobs that run can still be stopped.
async fn in_place(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let of_project =
        path.starts_with("/results/") || (path.starts_with("/api/") && !path.starts_with("/api/jobs"));
    match app.project.require_in_place() {
        Err(refusal) if of_project => refusal.into_response(),
        _ => next.run(request).await,
    }
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
