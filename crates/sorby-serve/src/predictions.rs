//! Masks of models, as `sorby segment` left them in `predictions/MODEL/`.

use crate::app::{App, Shared, light, work};
use crate::error::{Answer, Refusal};
use crate::gallery::trust;
use crate::labels::bytes;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::{Value, json};
use sorby::TrustRow;
use sorby_image::write::safe_name;
use sorby_image::{LabelMap, MaskNote, Micrograph, RawLabels, files};
use std::path::PathBuf;

fn file(app: &App, name: &str, model: &str, folder: &str) -> Answer<PathBuf> {
    part_file(app, name, model, folder, "")
}

/// A file of an image's predictions; `part` stands behind the image's name.
fn part_file(app: &App, name: &str, model: &str, folder: &str, part: &str) -> Answer<PathBuf> {
    let (_, entry) = app.project.entry(name)?;
    let place = app.project.folder("predictions", model)?.join(folder);
    let wanted = format!("{}{part}.png", entry.name);
    let mut path = place.join(&wanted);
    if !files::is_file(&path) {
        // A name that is no UTF-8 is shown with signs in place of its odd bytes.
        let is_it = |p: &PathBuf| p.file_name().is_some_and(|n| n.to_string_lossy() == wanted);
        path = files::entries(&place).unwrap_or_default().into_iter().find(is_it).unwrap_or(path);
    }
    if !files::is_file(&path) {
        return Err(Refusal::not_found(format!(
            "`{model}` has left no {folder} of `{name}`; segment it again"
        )));
    }
    app.project.confine(&path)?;
    Ok(path)
}

/// A model's mask of an image, as large as the image, and what it says of itself.
pub fn mask(app: &App, name: &str, model: &str) -> Answer<(LabelMap, Option<MaskNote>)> {
    let path = file(app, name, model, "masks")?;
    let _share = app.project.memory.for_pixels(&path, 8)?;
    let manifest = app.project.require_manifest()?;
    let note = MaskNote::read(&path);
    let noted = note.as_ref().map(|n| &n.classes).filter(|c| !c.is_empty());
    if noted.is_some_and(|classes| *classes != manifest.class_names()) {
        return Err(Refusal::bad(format!("`{model}` was trained for other classes than the project's")));
    }
    let RawLabels::Values(mask) = RawLabels::read(&path)? else {
        return Err(Refusal::bad("the mask is no mask"));
    };
    let (_, entry) = app.project.entry(name)?;
    if sorby_image::dimensions(&entry.image) != Some((mask.width, mask.height)) {
        return Err(Refusal::bad("the mask is of another size than its image; segment the image again"));
    }
    Ok((mask, note))
}

/// `GET /api/images/{name}/predictions/{model}/mask`: a byte a pixel.
pub async fn get(State(app): State<Shared>, Path((name, model)): Path<(String, String)>) -> Answer<Response> {
    work(&app, move |app| Ok(bytes(mask(app, &name, &model)?.0.labels, None))).await
}

/// `GET .../confidence`: the calibrated probability of each pixel's class, 0..255.
pub async fn confidence(
    State(app): State<Shared>,
    Path((name, model)): Path<(String, String)>,
) -> Answer<Response> {
    work(&app, move |app| {
        let file = file(app, &name, &model, "confidence")?;
        let _share = app.project.memory.for_image(&file)?;
        let image = Micrograph::read(&file)?;
        Ok(bytes(image.to_grey8(), None))
    })
    .await
}

/// `GET .../probability/{class}`: the network's probability of a class, 0..255.
pub async fn probability(
    State(app): State<Shared>,
    Path((name, model, class)): Path<(String, String, usize)>,
) -> Answer<Response> {
    work(&app, move |app| {
        let names = app.project.require_manifest()?.class_names();
        let class = names.get(class).ok_or_else(|| Refusal::bad("no such class"))?;
        let part = format!("-{}", safe_name(class));
        let file = part_file(app, &name, &model, "probabilities", &part)?;
        let _share = app.project.memory.for_image(&file)?;
        let image = Micrograph::read(&file)?;
        Ok(bytes(image.to_grey8(), None))
    })
    .await
}

/// `GET .../trust`: the IoU to expect, by class.
pub async fn expected(
    State(app): State<Shared>,
    Path((name, model)): Path<(String, String)>,
) -> Answer<Json<Value>> {
    light(&app, move |app| {
        let rows = trust(&app.project.folder("predictions", &model)?);
        let iou = |r: &TrustRow| {
            let (low, high) = r.interval_percent.unzip();
            [r.expected_iou_percent, low, high]
        };
        let of_image = rows.iter().filter(|r| r.image == name);
        let classes: Vec<Value> =
            of_image.clone().map(|r| json!({"class": r.class, "iou_percent": iou(r)})).collect();
        Ok(Json(json!({"classes": classes, "unlike": of_image.clone().any(|r| r.unlike == Some(true))})))
    })
    .await
}
