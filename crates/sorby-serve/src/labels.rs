//! Labels out and in. A label travels as one byte a pixel, compressed; it comes back with the revision that it was drawn
//! on, so that two windows never overwrite each other, and nothing is saved that meant something else when it was drawn.

use crate::app::{App, Shared, work};
use crate::error::{Answer, Refusal};
use crate::lock::lock;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::header::{CONTENT_TYPE, ETAG, IF_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use flate2::read::GzDecoder;
use serde::Deserialize;
use serde_json::{Value, json};
use sorby_data::{ChangedBy, Entry, LabelVersions, Manifest, Missing, remove_label, save_label};
use sorby_image::files::{self, FileState};
use sorby_image::{IGNORE, LabelMap};
use std::collections::HashMap;
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Mutex;

/// Revision of an image without a label.
const NONE: &str = "none";
/// Memory for a label on its way, bytes a pixel.
const PER_PIXEL: u64 = 12;

/// The label as it is in its file.
pub struct Current {
    /// As large as the image. Without a label every pixel is to be ignored.
    pub label: LabelMap,
    pub revision: Revision,
    /// Rows at the bottom that the file lacks: a data bar.
    pub missing_rows: usize,
}

/// What a label is drawn on: the label that there was, what its indices mean, and the picture under it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Revision {
    label: String,
    classes: String,
    image: String,
}

impl std::fmt::Display for Revision {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.label, self.classes, self.image)
    }
}

impl Revision {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(str::to_owned);
        let revision = Self { label: parts.next()?, classes: parts.next()?, image: parts.next()? };
        parts.next().is_none().then_some(revision)
    }

    /// Checksum of the picture.
    pub fn image(&self) -> &str {
        &self.image
    }

    /// What has changed since a label was drawn that the label itself does not show.
    fn other_ground(&self, drawn_on: &Self) -> Option<Refusal> {
        let (changed, what) = if self.classes != drawn_on.classes {
            (
                "classes",
                "the classes of dataset.toml have changed since this label was opened; open the image again",
            )
        } else if self.image != drawn_on.image {
            ("image", "the image file has been replaced since this label was opened; open the image again")
        } else {
            return None;
        };
        Some(Refusal { changed: Some(changed), ..Refusal::new(StatusCode::PRECONDITION_FAILED, what) })
    }
}

/// Checksums of files, computed once for each state of a file.
#[derive(Default)]
pub struct Contents(Mutex<HashMap<PathBuf, (FileState, String)>>);

impl Contents {
    fn of(&self, path: &std::path::Path) -> Answer<String> {
        let unreadable = |e: std::io::Error| Refusal::unreadable(format!("{}: {e}", path.display()));
        let state = files::state(path).map_err(unreadable)?;
        let sums = || lock(&self.0);
        if let Some((known, sum)) = sums().get(path)
            && *known == state
        {
            return Ok(sum.clone());
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(files::open(path).map_err(unreadable)?).map_err(unreadable)?;
        let sum = short(&hasher.finalize(), 16);
        if state.is_settled() {
            sums().insert(path.to_owned(), (state, sum.clone()));
        }
        Ok(sum)
    }
}

/// Versions of an image's label.
pub fn versions(app: &App, entry: &Entry) -> LabelVersions {
    LabelVersions::of(app.project.label_versions(&entry.name))
}

/// Name of the header that says whether a label was drawn by hand.
const BY_HAND: &str = "x-drawn-by-hand";

fn short(hash: &blake3::Hash, digits: usize) -> String {
    hash.to_hex()[..digits].to_owned()
}

/// What any label of an image is drawn on.
pub fn ground(app: &App, manifest: &Manifest, entry: &Entry) -> Answer<Revision> {
    let classes = short(&blake3::hash(manifest.class_names().join("\n").as_bytes()), 8);
    Ok(Revision { label: NONE.to_owned(), classes, image: app.contents.of(&entry.image)? })
}

/// Width and height of an image.
pub fn size(entry: &Entry) -> Answer<(usize, usize)> {
    sorby_image::dimensions(&entry.image)
        .ok_or_else(|| Refusal::unreadable(format!("{}: cannot be read", entry.image.display())))
}

/// A label file as large as its image, and how many rows at the bottom it lacks: those of a data bar.
pub fn read_whole(
    app: &App,
    manifest: &Manifest,
    file: &std::path::Path,
    (width, height): (usize, usize),
) -> Answer<(LabelMap, usize)> {
    let mut label = app.coding.read(&app.project, manifest, file)?;
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
    Ok((label, missing_rows))
}

/// Reads the label of an image.
pub fn current(app: &App, manifest: &Manifest, entry: &Entry) -> Answer<Current> {
    let (width, height) = size(entry)?;
    let mut revision = ground(app, manifest, entry)?;
    let Some(file) = &entry.label else {
        return Ok(Current { label: LabelMap::filled(width, height, IGNORE), revision, missing_rows: 0 });
    };
    let stored = app.contents.of(file)?;
    let (label, missing_rows) = read_whole(app, manifest, file, (width, height))?;
    // The values as they are stored, and what they are read as.
    let mut hasher = blake3::Hasher::new();
    hasher.update(stored.as_bytes()).update(&label.labels);
    revision.label = short(&hasher.finalize(), 24);
    Ok(Current { label, revision, missing_rows })
}

/// `GET /api/images/{name}/label`.
pub async fn get(State(app): State<Shared>, Path(name): Path<String>) -> Answer<Response> {
    work(&app, move |app| {
        let (manifest, entry) = app.project.entry(&name)?;
        let _share = app.project.memory.for_pixels(&entry.image, PER_PIXEL)?;
        let Current { label, revision, .. } = current(app, &manifest, &entry)?;
        let by_hand = entry.label.as_ref().map_or(Ok(false), |file| drawn_by_hand(app, &entry, file))?;
        let mut response = bytes(label.labels, Some(&revision.to_string()));
        response
            .headers_mut()
            .insert(BY_HAND, HeaderValue::from_static(if by_hand { "true" } else { "false" }));
        Ok(response)
    })
    .await
}

fn drawn_by_hand(app: &App, entry: &Entry, file: &std::path::Path) -> Answer<bool> {
    Ok(versions(app, entry).record(file)?.drawn_by_hand)
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

#[derive(Deserialize)]
pub struct Change {
    #[serde(default)]
    by: ChangedBy,
}

/// `PUT /api/images/{name}/label?by` with `If-Match`. A label without any class is no label.
pub async fn put(
    State(app): State<Shared>,
    Path(name): Path<String>,
    Query(change): Query<Change>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer<Json<Value>> {
    let drawn_on =
        headers.get(IF_MATCH).and_then(|v| v.to_str().ok()).map(|v| v.trim_matches('"').to_owned());
    let drawn_on = drawn_on.ok_or_else(|| {
        Refusal::new(StatusCode::PRECONDITION_REQUIRED, "say with If-Match which revision was drawn on")
    })?;
    work(&app, move |app| save(app, name, &drawn_on, change.by, &body)).await
}

fn save(app: &App, name: String, drawn_on: &str, by: ChangedBy, body: &[u8]) -> Answer<Json<Value>> {
    let _one = lock(&app.saving);
    let (manifest, entry) = app.project.entry(&name)?;
    let drawn_on = Revision::parse(drawn_on);
    // Before the label is read: with other classes or another image it may not be readable at all.
    let ground = ground(app, &manifest, &entry)?;
    if let Some(refusal) = drawn_on.as_ref().and_then(|on| ground.other_ground(on)) {
        return Err(refusal);
    }
    let _share = app.project.memory.for_pixels(&entry.image, PER_PIXEL)?;
    let Current { label: old, revision: now, missing_rows } = current(app, &manifest, &entry)?;
    let mut label = unpack(body, old.width, old.height, manifest.classes.len())?;
    // What is drawn on a data bar is not saved, and so no part of the label.
    label.ignore_bottom(missing_rows);
    // The same label again changes nothing: its first answer was lost on the way.
    let again = drawn_on.is_some() && label == old;
    if drawn_on.as_ref() != Some(&now) && !again {
        let what = "another window or program has changed this label meanwhile";
        let refusal = Refusal::new(StatusCode::PRECONDITION_FAILED, what);
        return Err(Refusal { changed: Some("label"), ..refusal });
    }
    if label == old {
        return Ok(Json(json!({"revision": now.to_string()})));
    }
    replace(app, &manifest, &entry, &old, label, by)?;
    let (manifest, entry) = app.project.entry(&name)?;
    let revision = current(app, &manifest, &entry)?.revision.to_string();
    app.tell(json!({"kind": "label", "name": name, "revision": revision}));
    Ok(Json(json!({"revision": revision})))
}

/// Puts a label in the place of `old`, which is kept as a version where it is one.
fn replace(
    app: &App,
    manifest: &Manifest,
    entry: &Entry,
    old: &LabelMap,
    label: LabelMap,
    by: ChangedBy,
) -> Answer<()> {
    let versions = versions(app, entry);
    let mut by_hand = false;
    if let Some(file) = &entry.label {
        let record = versions.record(file)?;
        by_hand = record.drawn_by_hand;
        versions.keep_before((file, old, record), by, &label)?;
    }
    let kept = app.project.kept_labels();
    let empty = label.labels.iter().all(|l| *l == IGNORE);
    // Where every image must have a label, an empty one stays: without it the data set could not be used at all.
    if empty && manifest.labels.missing == Missing::Skip {
        return Ok(remove_label(entry, &kept)?);
    }
    // A label is saved whatever is said of the scale; the page shows what is wrong with that.
    let scale = app.scales.settled(manifest, entry, None).ok().and_then(|s| s.scale);
    let file = save_label(manifest, entry, scale.as_ref(), label, &kept)?;
    versions.note(&file, by, by_hand)?;
    if entry.label.is_none() { crate::data_set::join_train(app, &entry.name) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_covers_label_classes_and_image() {
        let revision = |text: &str| Revision::parse(text).unwrap();
        let now = revision("a.b.c");
        assert_eq!(now.to_string(), "a.b.c");
        assert!(now.other_ground(&revision("other.b.c")).is_none());
        assert_eq!(now.other_ground(&revision("a.other.c")).unwrap().changed, Some("classes"));
        assert_eq!(now.other_ground(&revision("a.b.other")).unwrap().changed, Some("image"));
        for bad in ["", "none", "a.b", "a.b.c.d"] {
            assert_eq!(Revision::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn checksums_follow_the_content_whatever_the_times_say() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.png");
        let contents = Contents::default();
        std::fs::write(&path, "one").unwrap();
        let time = std::fs::metadata(&path).unwrap().modified().unwrap();
        let first = contents.of(&path).unwrap();
        let copy = dir.path().join("b.png");
        std::fs::write(&copy, "two").unwrap();
        std::fs::File::options().write(true).open(&copy).unwrap().set_modified(time).unwrap();
        std::fs::rename(&copy, &path).unwrap();
        assert_ne!(contents.of(&path).unwrap(), first, "of the same length and time");
        assert!(contents.of(&dir.path().join("none.png")).is_err());
    }
}
