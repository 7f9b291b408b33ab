//! Changes of `dataset.toml` from the page: splits, pixel sizes, classes. What the user wrote next to them stays.

use crate::app::{App, Shared, light, work};
use crate::error::{Answer, Refusal};
use crate::lock::lock;
use crate::project::Project;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};
use sorby_data::{Manifest, NewClass, put_into_split, put_scale};
use sorby_image::{files, write};

/// Changes the text of `dataset.toml`, which `check` may refuse, while nothing else does.
fn change(
    app: &App,
    edit: impl FnOnce(&str, &Manifest) -> Answer<String>,
    check: impl FnOnce(&Manifest) -> Answer<()>,
) -> Answer<Json<Value>> {
    let _one = lock(&app.saving);
    change_locked(&app.project, edit, check)?;
    app.tell(json!({"kind": "project"}));
    Ok(Json(json!({})))
}

fn change_locked(
    project: &Project,
    edit: impl FnOnce(&str, &Manifest) -> Answer<String>,
    check: impl FnOnce(&Manifest) -> Answer<()>,
) -> Answer<()> {
    let manifest = project.require_manifest()?;
    let file = project.manifest_file();
    let text = files::read_to_string(&file).map_err(|e| sorby_image::ImageError::io(&file, e))?;
    let new = edit(&text, &manifest)?;
    check(&Manifest::parse(&new)?)?;
    if new != text {
        write::atomically(&file, new.as_bytes())?;
    }
    Ok(())
}

/// A label that was drawn now is learned from: where the data set has splits, it joins `train`.
pub fn join_train(app: &App, name: &str) -> Answer<()> {
    let (manifest, entry) = app.project.entry(name)?;
    let listed = entry.split.is_some() || manifest.folds.values().flatten().any(|n| n == name);
    if listed || !manifest.splits.contains_key(TRAIN) {
        return Ok(());
    }
    let edit = |text: &str, _: &Manifest| Ok(put_into_split(text, &[name.to_owned()], Some(TRAIN))?);
    change_locked(&app.project, edit, |_| Ok(()))
}

const TRAIN: &str = "train";
const VAL: &str = "val";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Splits {
    #[serde(default)]
    split: Option<String>,
    #[serde(default)]
    images: Vec<String>,
    /// Every so-manieth labelled image is held out for validation, the others are learned from.
    #[serde(default)]
    hold_out_every: Option<usize>,
}

/// `POST /api/splits`.
pub async fn splits(State(app): State<Shared>, Json(asked): Json<Splits>) -> Answer<Json<Value>> {
    light(&app, move |app| {
        let manifest = app.project.require_manifest()?;
        let entries = app.project.entries(&manifest);
        if let Some(every) = asked.hold_out_every {
            let labelled: Vec<String> =
                entries.iter().filter(|e| e.label.is_some()).map(|e| e.name.clone()).collect();
            if every < 2 || labelled.len() < every {
                let what = format!("label {} images or more to hold out every {every}th", every.max(2));
                return Err(Refusal::bad(what));
            }
            require_free(&manifest, &labelled)?;
            let held_out = |(i, _): &(usize, &String)| i % every == every - 1;
            let (val, train): (Vec<_>, Vec<_>) = labelled.iter().enumerate().partition(held_out);
            let names =
                |list: Vec<(usize, &String)>| list.into_iter().map(|(_, n)| n.clone()).collect::<Vec<_>>();
            let (val, train) = (names(val), names(train));
            let edit = |text: &str, _: &Manifest| {
                Ok(put_into_split(&put_into_split(text, &train, Some(TRAIN))?, &val, Some(VAL))?)
            };
            return change(app, edit, |_| Ok(()));
        }
        if let Some(unknown) = asked.images.iter().find(|n| !entries.iter().any(|e| e.name == **n)) {
            return Err(Refusal::not_found(format!("no image `{unknown}`")));
        }
        if asked
            .split
            .as_ref()
            .is_some_and(|s| ![TRAIN, VAL, "test"].contains(&s.as_str()) && !manifest.splits.contains_key(s))
        {
            return Err(Refusal::bad("the split must be train, val, test or one of the data set"));
        }
        require_free(&manifest, &asked.images)?;
        let edit =
            |text: &str, _: &Manifest| Ok(put_into_split(text, &asked.images, asked.split.as_deref())?);
        change(app, edit, |_| Ok(()))
    })
    .await
}

/// Refuses images whose split is said elsewhere in the manifest.
fn require_free(manifest: &Manifest, images: &[String]) -> Answer<()> {
    if manifest.folders.iter().any(|f| f.split.is_some()) {
        return Err(Refusal::bad("dataset.toml gives splits by folder; change it there"));
    }
    let fold = |name: &&String| manifest.folds.values().flatten().any(|n| n == *name);
    match images.iter().find(fold) {
        Some(name) => Err(Refusal::bad(format!("`{name}` is in a fold of dataset.toml; change it there"))),
        None => Ok(()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    nm_per_px: Option<f64>,
    #[serde(default)]
    images: Option<Vec<String>>,
}

/// `POST /api/scale`. A pixel size that an image's own file contradicts is refused.
pub async fn scale(State(app): State<Shared>, Json(asked): Json<Scale>) -> Answer<Json<Value>> {
    work(&app, move |app| {
        let manifest = app.project.require_manifest()?;
        let entries = app.project.entries(&manifest);
        let names = asked.images.as_deref();
        let known = |n: &&String| !entries.iter().any(|e| e.name == **n);
        if let Some(unknown) = names.unwrap_or_default().iter().find(known) {
            return Err(Refusal::not_found(format!("no image `{unknown}`")));
        }
        let check = |new: &Manifest| -> Answer<()> {
            let meant = |e: &&sorby_data::Entry| names.is_none_or(|n| n.contains(&e.name));
            for entry in app.project.entries(new).iter().filter(meant) {
                entry.scale(new)?;
            }
            Ok(())
        };
        change(app, |text, _| Ok(put_scale(text, names, asked.nm_per_px)?), check)
    })
    .await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Classes {
    classes: Vec<Listed>,
    #[serde(default)]
    merge: Vec<Merge>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    was: Option<usize>,
    name: String,
    #[serde(default)]
    color: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Merge {
    was: usize,
    into: usize,
}

/// `POST /api/classes`: another list of classes. Labels are converted.
pub async fn classes(State(app): State<Shared>, Json(asked): Json<Classes>) -> Answer<Json<Value>> {
    work(&app, move |app| {
        let mut classes = asked.classes.into_iter().map(new_class).collect::<Answer<Vec<_>>>()?;
        for Merge { was, into } in asked.merge {
            let into = classes.get_mut(into).ok_or_else(|| Refusal::bad("no such class to merge into"))?;
            into.was.push(was);
        }
        let _one = lock(&app.saving);
        app.require_idle("change the classes")?;
        app.project.require_manifest()?;
        let converted =
            sorby::data::change_classes(&app.project.data, &classes, &app.project.label_places())?;
        app.tell(json!({"kind": "project"}));
        Ok(Json(json!({"converted": converted})))
    })
    .await
}

fn new_class(listed: Listed) -> Answer<NewClass> {
    Ok(NewClass {
        was: listed.was.into_iter().collect(),
        name: crate::gallery::class_name(&listed.name)?,
        color: crate::gallery::colour(listed.color.as_deref())?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_words_of_a_request_are_refused() {
        assert!(serde_json::from_str::<Splits>("{\"splitt\": \"val\"}").is_err());
        assert!(serde_json::from_str::<Scale>("{\"nm_per_px\": 7.3, \"image\": [\"a\"]}").is_err());
        let colour = crate::gallery::colour(Some("no colour"));
        assert!(colour.is_err());
    }
}
