//! Images of a lot that is to be measured: they lie in `lots-in/LOT`, apart from the data set.

use crate::app::{App, Shared, light, work};
use crate::error::{Answer, Refusal};
use crate::lock::lock;
use crate::project::Project;
use crate::routine::LOTS;
use crate::work::folder_name;
use crate::{disposal, upload};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use sorby_image::scale::is_sidecar;
use sorby_image::{files, write};
use std::path::PathBuf;

/// Folder of the images of lots.
pub const FOLDER: &str = "lots-in";

#[derive(Deserialize)]
pub struct Named {
    name: String,
}

/// Where the images of a lot lie; it need not be there.
pub fn place(project: &Project, lot: &str) -> Answer<PathBuf> {
    let place = project.root.join(FOLDER).join(folder_name(lot)?);
    project.require_inside(&place)?;
    Ok(place)
}

/// Names of the images of a lot.
pub fn images(project: &Project, lot: &str) -> Answer<Vec<String>> {
    let paths = files::entries(&place(project, lot)?).unwrap_or_default();
    let name = |p: PathBuf| p.file_name().and_then(|n| n.to_str()).map(str::to_owned);
    let mut names: Vec<String> = paths
        .into_iter()
        .filter(|p| sorby_image::is_image(p) && files::is_file(p))
        .filter_map(name)
        .collect();
    names.retain(|n| !n.starts_with('.'));
    names.sort();
    Ok(names)
}

/// What a lot was made from must stay as it was.
fn require_open(app: &App, lot: &str) -> Answer<()> {
    let lot = folder_name(lot)?;
    let measured = app.project.root.join(LOTS).join(lot);
    if files::is_folder(&measured) || app.jobs.is_used(&format!("{LOTS}/{lot}")) {
        let what =
            format!("the lot `{lot}` is measured or begun; its images stay as they are. Choose another name");
        return Err(Refusal::new(StatusCode::CONFLICT, what));
    }
    Ok(())
}

/// `GET /api/lots-in/{lot}`.
pub async fn list(State(app): State<Shared>, Path(lot): Path<String>) -> Answer<Json<Value>> {
    light(&app, move |app| {
        let measured = require_open(app, &lot).is_err();
        Ok(Json(json!({"images": images(&app.project, &lot)?, "measured": measured})))
    })
    .await
}

/// `POST /api/lots-in/{lot}?name=FILE`: an image of the lot, or a text that states the pixel size of one.
pub async fn add(
    State(app): State<Shared>,
    Path(lot): Path<String>,
    Query(asked): Query<Named>,
    body: Bytes,
) -> Answer<Json<Value>> {
    work(&app, move |app| {
        require_open(app, &lot)?;
        let folder = place(&app.project, &lot)?;
        let file = upload::file_name(&asked.name)?;
        let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let target = folder.join(file);
        if is_sidecar(file) {
            return upload::add_sidecar(app, &target, &body);
        }
        upload::try_out(app, file, &body)?;
        let _one = lock(&app.adding);
        app.project.require_in_place()?;
        require_open(app, &lot)?;
        let of_this_name = |n: &String| std::path::Path::new(n).file_stem().is_some_and(|s| *s == *stem);
        if images(&app.project, &lot)?.iter().any(of_this_name) {
            return Err(Refusal::new(StatusCode::CONFLICT, format!("the lot has an image `{stem}` already")));
        }
        write::atomically(&target, &body)?;
        Ok(Json(json!({"name": asked.name})))
    })
    .await
}

/// `DELETE /api/lots-in/{lot}/{file}`: the image is put aside.
pub async fn remove(
    State(app): State<Shared>,
    Path((lot, file)): Path<(String, String)>,
) -> Answer<Json<Value>> {
    work(&app, move |app| {
        require_open(app, &lot)?;
        put_aside(app, &lot, &file)?;
        Ok(Json(json!({})))
    })
    .await
}

fn put_aside(app: &App, lot: &str, file: &str) -> Answer<()> {
    let found = images(&app.project, lot)?.into_iter().find(|n| n == file);
    let file = found.ok_or_else(|| Refusal::not_found(format!("the lot has no image `{file}`")))?;
    let path = place(&app.project, lot)?.join(&file);
    app.project.confine(&path)?;
    disposal::put_aside(&path, &disposal::free_place(&app.project.removed(), lot).join(&file))
}
