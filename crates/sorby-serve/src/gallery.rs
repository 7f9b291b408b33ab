//! What there is: images with their state, models, classes.

use crate::app::{App, Shared, light, work};
use crate::error::{Answer, Refusal};
use crate::project::Project;
use crate::runs;
use crate::scales::ShownScale;
use axum::Json;
use axum::extract::{Path, State};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sorby::{TRUST_FILE, TrustRow};
use sorby_data::{Class, Colour, Entry, Manifest, default_colour};
use sorby_image::files;
use std::time::UNIX_EPOCH;

/// An image as the gallery shows it.
#[derive(Serialize)]
struct Card {
    name: String,
    file: String,
    width: usize,
    height: usize,
    /// Changes with the file.
    version: String,
    #[serde(flatten)]
    scale: ShownScale,
    split: Option<String>,
    labelled: bool,
    /// Models that have a prediction of it.
    predicted: Vec<String>,
    /// Models that find it unlike their training images.
    unlike: Vec<String>,
    /// What the last check said of it or its label.
    findings: Vec<String>,
}

/// `GET /api/project`.
pub async fn project(State(app): State<Shared>) -> Answer<Json<Value>> {
    light(&app, |app| describe(app).map(Json)).await
}

fn describe(app: &App) -> Answer<Value> {
    let project = &app.project;
    let root = project.root.display().to_string();
    let models = runs::models(project);
    let manifest = match project.manifest() {
        Ok(manifest) => manifest,
        Err(refusal) => return Ok(json!({"name": project.name(), "root": root, "problem": refusal.what})),
    };
    let Some(manifest) = manifest else {
        let images = loose_images(project);
        return Ok(json!({"name": project.name(), "root": root, "images_found": images}));
    };
    let entries = project.entries(&manifest);
    let predictions = Predictions::read(project);
    let findings = last_check(project);
    let cards: Vec<Card> = entries
        .par_iter()
        .map(|e| card(e, app.scales.shown(&manifest, e), &predictions, &findings))
        .collect();
    let mut splits: Vec<&String> = manifest.splits.keys().chain(manifest.folds.keys()).collect();
    let of_folders: Vec<&String> = manifest.folders.iter().filter_map(|f| f.split.as_ref()).collect();
    splits.extend(of_folders);
    splits.sort();
    splits.dedup();
    Ok(json!({
        "name": project.name(),
        "root": root,
        "data": relative(project, &project.data),
        "classes": classes(&manifest),
        "splits": splits,
        "images": cards,
        "models": models,
        "checked": findings.is_some(),
        "exports": project.folders("exports"),
        "version": env!("CARGO_PKG_VERSION"),
    }))
}

pub fn classes(manifest: &Manifest) -> Vec<Value> {
    let colour = |(i, c): (usize, &Class)| json!({"name": c.name, "color": c.color.unwrap_or(default_colour(i)).to_string()});
    manifest.classes.iter().enumerate().map(colour).collect()
}

fn relative(project: &Project, path: &std::path::Path) -> String {
    let inside = path.strip_prefix(&project.root).unwrap_or(path).display().to_string();
    if inside.is_empty() { ".".to_owned() } else { inside }
}

/// Images of a folder that is no data set yet.
fn loose_images(project: &Project) -> usize {
    let count = |folder: std::path::PathBuf| {
        let found = files::entries(&folder).unwrap_or_default();
        found.iter().filter(|f| sorby_image::is_image(f)).count()
    };
    match count(project.data.join("images")) {
        0 => count(project.data.clone()),
        n => n,
    }
}

fn card(
    entry: &Entry,
    scale: ShownScale,
    predictions: &Predictions,
    findings: &Option<Vec<(String, String)>>,
) -> Card {
    let (width, height) = sorby_image::dimensions(&entry.image).unwrap_or((0, 0));
    let file = entry.image.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let label = entry.label_to_be.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let about = findings
        .iter()
        .flatten()
        .filter(|(f, _)| *f == file || *f == label || f.split('.').next() == Some(&entry.name));
    Card {
        version: version(&entry.image),
        width,
        height,
        scale,
        split: entry.split.clone(),
        labelled: entry.label.is_some(),
        predicted: predictions.of(&entry.name, |m| &m.masks),
        unlike: predictions.of(&entry.name, |m| &m.unlike),
        findings: about.map(|(_, what)| what.clone()).chain(outside(entry)).collect(),
        name: entry.name.clone(),
        file,
    }
}

/// What is said of an image or label that is a link out of the project.
fn outside(entry: &Entry) -> Option<String> {
    let paths = std::iter::once(&entry.image).chain(&entry.label);
    let file = paths.clone().find(|p| files::leads_out(p))?.file_name()?.to_string_lossy().into_owned();
    Some(format!("{file} is a link out of the project; copy the file into the project's folder"))
}

/// Changes when the file does.
pub fn version(path: &std::path::Path) -> String {
    let Ok(about) = files::open(path).and_then(|f| f.metadata()) else { return String::new() };
    let changed = about.modified().ok().and_then(|t| t.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    format!("{:x}-{:x}", changed.as_millis(), about.len())
}

struct Predicted {
    model: String,
    masks: std::collections::HashSet<String>,
    unlike: std::collections::HashSet<String>,
}

/// What `predictions/` holds.
struct Predictions(Vec<Predicted>);

impl Predictions {
    fn read(project: &Project) -> Self {
        let model = |model: String| {
            let folder = project.root.join("predictions").join(&model);
            let found = files::entries(&folder.join("masks")).unwrap_or_default();
            let stem = |p: std::path::PathBuf| p.file_stem().map(|s| s.to_string_lossy().into_owned());
            let masks = found.into_iter().filter_map(stem).collect();
            let unlike = trust(&folder)
                .into_iter()
                .filter(|row| row.unlike == Some(true))
                .map(|row| row.image)
                .collect();
            Predicted { model, masks, unlike }
        };
        Self(project.folders("predictions").into_iter().map(model).collect())
    }

    fn of(&self, name: &str, list: impl Fn(&Predicted) -> &std::collections::HashSet<String>) -> Vec<String> {
        self.0.iter().filter(|p| list(p).contains(name)).map(|p| p.model.clone()).collect()
    }
}

/// `trust.csv` of a folder of predictions; empty where there is none that can be read.
pub fn trust(folder: &std::path::Path) -> Vec<TrustRow> {
    files::open(&folder.join(TRUST_FILE)).ok().and_then(TrustRow::read).unwrap_or_default()
}

/// File name and finding of the last `sorby data check --json`, kept in `.sorby/check.json`.
fn last_check(project: &Project) -> Option<Vec<(String, String)>> {
    let text = files::read(&project.root.join(".sorby").join("check.json")).ok()?;
    let found: Value = serde_json::from_slice(&text).ok()?;
    let mut list = Vec::new();
    for part in ["problems", "remarks"] {
        for finding in found[part].as_array().into_iter().flatten() {
            let path = finding["file"].as_str().unwrap_or_default();
            let file =
                std::path::Path::new(path).file_name().unwrap_or_default().to_string_lossy().into_owned();
            list.push((file, finding["problem"].as_str().unwrap_or_default().to_owned()));
        }
    }
    Some(list)
}

#[derive(Deserialize)]
pub struct SetUp {
    classes: Vec<NewClass>,
}

#[derive(Deserialize)]
struct NewClass {
    name: String,
    color: Option<String>,
}

pub fn colour(text: Option<&str>) -> Answer<Option<Colour>> {
    text.map(|t| t.parse().map_err(|e: sorby_data::ColourError| Refusal::bad(e.to_string()))).transpose()
}

pub fn class_name(text: &str) -> Answer<String> {
    let name = text.trim();
    if name.is_empty() || name.len() > 80 || name.contains(sorby_image::is_strange) {
        return Err(Refusal::bad("every class needs a name of at most 80 letters, in one line"));
    }
    Ok(name.to_owned())
}

/// `POST /api/setup`: names the classes of a folder of images.
pub async fn set_up(State(app): State<Shared>, Json(asked): Json<SetUp>) -> Answer<Json<Value>> {
    let class = |c: NewClass| -> Answer<Class> {
        Ok(Class { color: colour(c.color.as_deref())?, ..Class::named(class_name(&c.name)?) })
    };
    let classes = asked.classes.into_iter().map(class).collect::<Answer<Vec<_>>>()?;
    light(&app, move |app| app.project.set_up(classes)).await?;
    Ok(Json(json!({})))
}

/// Largest file taken.
pub const UPLOAD_BYTES: usize = 256 << 20;

/// `GET /api/images/{name}`: what the viewer has to know of one image.
pub async fn image(State(app): State<Shared>, Path(name): Path<String>) -> Answer<Json<Value>> {
    work(&app, move |app| {
        let (manifest, entry) = app.project.entry(&name)?;
        let picture = app.pictures.get(&app.project.memory, &entry.image)?;
        let (width, height) = picture.size();
        app.scales.keep(&entry.image, &picture.seen);
        let settled = app.scales.settled(&manifest, &entry, None);
        let field_rows = settled.as_ref().map_or(height, |s| s.field_rows);
        let shown = ShownScale::of(settled.map(|s| s.scale));
        Ok(Json(json!({
            "name": name,
            "width": width,
            "height": height,
            "layers": picture.layers.iter().map(|l| [l.width, l.height]).collect::<Vec<_>>(),
            "tile_px": crate::pictures::TILE_PX,
            "version": version(&entry.image),
            "nm_per_px": shown.nm_per_px,
            "scale_source": shown.scale_source,
            "scale_problem": shown.scale_problem,
            "field_rows": field_rows,
        })))
    })
    .await
}
