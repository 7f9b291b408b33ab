//! Help while drawing: the pixel classifier and the smart fill.

use crate::app::{App, Shared, work};
use crate::error::{Answer, Refusal};
use crate::labels::{bytes, unpack};
use crate::lock::lock;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use sorby_label::{Features, draft, object_at};
use std::sync::{Arc, Mutex};

/// Images of more pixels are drafted in part: their features would fill the memory.
pub const DRAFT_PX: usize = 16_000_000;

/// Memory for the features of a pixel: 25 responses of four bytes, and what they are made from.
const PER_PIXEL: u64 = 120;

/// Features of the image that is worked on.
#[derive(Default)]
pub struct Sketches(Mutex<Option<(String, Arc<Features>)>>);

/// Left, top, width and height.
type Part = (usize, usize, usize, usize);

impl Sketches {
    fn get(&self, app: &App, name: &str, part: Part) -> Answer<Arc<Features>> {
        let (_, entry) = app.project.entry(name)?;
        let key = format!("{name} {} {part:?}", crate::gallery::version(&entry.image));
        let mut kept = lock(&self.0);
        if let Some((_, features)) = kept.as_ref().filter(|(k, _)| *k == key) {
            return Ok(features.clone());
        }
        *kept = None;
        let picture = app.pictures.get(&app.project.memory, &entry.image)?;
        let _share = app.project.memory.share(&entry.image, (part.2 * part.3) as u64 * PER_PIXEL)?;
        let (full_width, _) = picture.size();
        let grey = picture.grey();
        let (x, y, width, height) = part;
        let cut: Vec<u8> =
            (y..y + height).flat_map(|y| &grey[y * full_width + x..][..width]).copied().collect();
        let features = Arc::new(Features::of(&cut, width, height));
        *kept = Some((key, features.clone()));
        Ok(features)
    }
}

#[derive(Deserialize)]
pub struct Place {
    x: Option<usize>,
    y: Option<usize>,
    width: Option<usize>,
    height: Option<usize>,
}

fn part(app: &App, name: &str, place: &Place) -> Answer<Part> {
    let (width, height) = app.picture(name)?.size();
    let (x, y) = (place.x.unwrap_or(0), place.y.unwrap_or(0));
    if x >= width || y >= height {
        return Err(Refusal::bad("outside the image"));
    }
    let part =
        (x, y, place.width.unwrap_or(width).min(width - x), place.height.unwrap_or(height).min(height - y));
    let pixels = part.2 * part.3;
    if !(64..=DRAFT_PX).contains(&pixels) {
        return Err(Refusal::bad(format!("choose a part of 64 to {DRAFT_PX} pixels, not {pixels}")));
    }
    Ok(part)
}

/// `POST /api/images/{name}/features?...`: makes ready for drafts, so that the first is as quick as the others.
pub async fn prepare(
    State(app): State<Shared>,
    Path(name): Path<String>,
    Query(place): Query<Place>,
) -> Answer<Json<Value>> {
    work(&app, move |app| {
        let part = part(app, &name, &place)?;
        app.sketches.get(app, &name, part)?;
        Ok(Json(json!({"x": part.0, "y": part.1, "width": part.2, "height": part.3})))
    })
    .await
}

/// `POST /api/images/{name}/draft?x&y&width&height`: strokes in (gzip, 255 where nothing was painted), a class for every
/// pixel out, followed by how sure each is.
pub async fn make(
    State(app): State<Shared>,
    Path(name): Path<String>,
    Query(place): Query<Place>,
    body: Bytes,
) -> Answer<Response> {
    work(&app, move |app| {
        let classes = app.project.require_manifest()?.classes.len();
        let part = part(app, &name, &place)?;
        let strokes = unpack(&body, part.2, part.3, classes)?;
        let features = app.sketches.get(app, &name, part)?;
        let made = draft(&features, &strokes, classes, 0)
            .ok_or_else(|| Refusal::bad("paint a stroke of two classes at least"))?;
        let mut body = made.labels.labels;
        body.extend_from_slice(&made.confidence);
        Ok(bytes(body, None))
    })
    .await
}

#[derive(Deserialize)]
pub struct Click {
    x: usize,
    y: usize,
}

/// `GET /api/images/{name}/fill?x&y`: the object at a pixel, as rows of (y, first x, end x).
pub async fn fill(
    State(app): State<Shared>,
    Path(name): Path<String>,
    Query(click): Query<Click>,
) -> Answer<Json<Value>> {
    work(&app, move |app| {
        let picture = app.picture(&name)?;
        let (width, height) = picture.size();
        let found = object_at(&picture.grey(), width, height, (click.x, click.y));
        let spans = found.map_or(Vec::new(), |f| f.spans);
        let spans: Vec<[u32; 3]> = spans.iter().map(|s| [s.y, s.x_start, s.x_end]).collect();
        Ok(Json(json!({"spans": spans})))
    })
    .await
}
