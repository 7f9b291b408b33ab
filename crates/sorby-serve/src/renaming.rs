//! Another name for an image. Image, label, versions, strokes, texts next to it and the lines of `dataset.toml` get it together
//! or not at all: what is to be done is written down first, and a process that was ended on the way is made up for at the
//! next start. Masks of models are dropped, for they can be made again.

use crate::app::{App, Shared, work};
use crate::error::{Answer, Refusal};
use crate::lock::lock;
use crate::project::Project;
use crate::upload;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sorby_data::{Entry, put_image_name};
use sorby_image::scale::sidecars;
use sorby_image::{ImageError, files, write};
use std::path::{Component, Path as FilePath, PathBuf};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Name {
    name: String,
}

/// Everything that a new name changes; paths are from the project's root.
#[derive(Debug, Serialize, Deserialize)]
struct Renaming {
    old: String,
    new: String,
    moves: Vec<(PathBuf, PathBuf)>,
}

impl Renaming {
    /// Whether all of it lies in the project: a folder from elsewhere may hold anything.
    fn is_inside(&self) -> bool {
        let plain = |p: &PathBuf| p.components().all(|c| matches!(c, Component::Normal(_)));
        self.moves.iter().all(|(from, to)| plain(from) && plain(to))
    }
}

/// `POST /api/images/{name}/name`.
pub async fn image(
    State(app): State<Shared>,
    Path(old): Path<String>,
    Json(asked): Json<Name>,
) -> Answer<Json<Value>> {
    work(&app, move |app| {
        let _one = lock(&app.saving);
        let _new = lock(&app.adding);
        app.require_idle("give the name")?;
        // What an earlier one has left is not written over.
        make_up(&app.project)?;
        let renaming = plan(app, &old, &asked.name)?;
        carry_out(&app.project, &renaming)?;
        app.tell(json!({"kind": "project"}));
        Ok(Json(json!({"name": asked.name})))
    })
    .await
}

fn plan(app: &App, old: &str, new: &str) -> Answer<Renaming> {
    let project = &app.project;
    let (manifest, entry) = project.entry(old)?;
    let ending = entry.image.extension().and_then(|e| e.to_str()).unwrap_or_default();
    // A point within the name would end it.
    let file = format!("{new}.{ending}");
    let file = upload::file_name(&file)?;
    if file.file_stem().is_none_or(|stem| *stem != *new) || new == old {
        return Err(Refusal::bad("choose another name"));
    }
    if project.entries(&manifest).iter().any(|e| e.name == new) {
        return Err(Refusal::new(StatusCode::CONFLICT, format!("there is an image `{new}` already")));
    }
    let (image, label) = (&entry.image, &entry.label);
    for file in std::iter::once(image).chain(label).chain([&project.manifest_file()]) {
        files::require_unprotected(file)?;
    }
    let mut others = sidecars(&image.with_file_name(file));
    others.push(entry.label_to_be.with_file_name(format!("{new}.png")));
    if let Some(other) = others.iter().find(|other| files::is_file(other)) {
        let shown = other.strip_prefix(&project.root).unwrap_or(other).display();
        let what = format!("{shown} would belong to the image then; move it first");
        return Err(Refusal::new(StatusCode::CONFLICT, what));
    }
    let mut moves = moves(project, &entry, new)?;
    for (from, to) in &mut moves {
        if files::is_file(to) || files::is_folder(to) {
            let taken = to.strip_prefix(&project.root).unwrap_or(to).display();
            return Err(Refusal::new(StatusCode::CONFLICT, format!("{taken} is there already")));
        }
        for path in [from, to] {
            *path = path.strip_prefix(&project.root).unwrap_or(path).to_owned();
        }
    }
    let file = project.manifest_file();
    let text = files::read_to_string(&file).map_err(|e| ImageError::io(&file, e))?;
    put_image_name(&text, old, new)?;
    Ok(Renaming { old: old.to_owned(), new: new.to_owned(), moves })
}

/// Files and folders that an image's name is part of, each with its place under the new name.
fn moves(project: &Project, entry: &Entry, new: &str) -> Answer<Vec<(PathBuf, PathBuf)>> {
    let old = &entry.name;
    let kept = files::entries(&project.kept_labels()).unwrap_or_default();
    let label_stem = entry.label_to_be.file_stem();
    let of_this_label = |path: &PathBuf| path.file_stem() == label_stem;
    let named = std::iter::once(entry.image.clone())
        .chain(entry.label.clone())
        .chain(sidecars(&entry.image))
        .chain(kept.into_iter().filter(of_this_label));
    let mut moves = Vec::new();
    for from in named {
        let name = from.file_name().and_then(|n| n.to_str());
        let Some(rest) = name.and_then(|n| n.strip_prefix(old.as_str())) else {
            let what = format!("{} belongs to the image and cannot be renamed with it", from.display());
            return Err(Refusal::bad(what));
        };
        moves.push((from.clone(), from.with_file_name(format!("{new}{rest}"))));
    }
    for place in [Project::label_versions, Project::sketches] {
        let from = place(project, old);
        if files::is_folder(&from) {
            moves.push((from, place(project, new)));
        }
    }
    Ok(moves)
}

fn journal(project: &Project) -> PathBuf {
    project.root.join(".sorby").join("renaming.json")
}

/// Moves everything, or puts back what was moved.
fn carry_out(project: &Project, renaming: &Renaming) -> Answer<()> {
    let text = serde_json::to_vec(renaming).map_err(|e| Refusal::bad(e.to_string()))?;
    write::atomically(&journal(project), &text)?;
    for (i, (from, to)) in renaming.moves.iter().enumerate() {
        let Err(refusal) = rename(&project.root.join(from), &project.root.join(to)) else { continue };
        put_back(project, &renaming.moves[..i])?;
        return Err(refusal);
    }
    name_in_manifest(project, renaming).or_else(|refusal| {
        put_back(project, &renaming.moves)?;
        Err(refusal)
    })?;
    finish(project, renaming)
}

fn put_back(project: &Project, moved: &[(PathBuf, PathBuf)]) -> Answer<()> {
    for (from, to) in moved.iter().rev() {
        rename(&project.root.join(to), &project.root.join(from))?;
    }
    forget(project)
}

fn rename(from: &FilePath, to: &FilePath) -> Answer<()> {
    Ok(files::rename(from, to).map_err(|e| ImageError::io(from, e))?)
}

/// In the manifest as it is now; where the new name stands already, nothing changes.
fn name_in_manifest(project: &Project, renaming: &Renaming) -> Answer<()> {
    let file = project.manifest_file();
    let text = files::read_to_string(&file).map_err(|e| ImageError::io(&file, e))?;
    let named = put_image_name(&text, &renaming.old, &renaming.new)?;
    if named != text {
        write::atomically(&file, named.as_bytes())?;
    }
    Ok(())
}

/// Masks that another image of one of the names has left would be taken for those of this one.
fn finish(project: &Project, renaming: &Renaming) -> Answer<()> {
    drop_predictions(project, &renaming.old);
    drop_predictions(project, &renaming.new);
    forget(project)
}

fn forget(project: &Project) -> Answer<()> {
    let journal = journal(project);
    Ok(files::remove(&journal).map_err(|e| ImageError::io(&journal, e))?)
}

/// Goes on with what a process that was ended has begun.
pub(crate) fn make_up(project: &Project) -> Answer<()> {
    let Ok(text) = files::read(&journal(project)) else { return Ok(()) };
    // One that is not whole was never begun.
    let Ok(renaming) = serde_json::from_slice::<Renaming>(&text) else { return forget(project) };
    if !renaming.is_inside() {
        return forget(project);
    }
    for (from, to) in &renaming.moves {
        let (from, to) = (project.root.join(from), project.root.join(to));
        let there = |path: &FilePath| files::is_file(path) || files::is_folder(path);
        if there(&from) && !there(&to) {
            rename(&from, &to)?;
        }
    }
    name_in_manifest(project, &renaming)?;
    finish(project, &renaming)
}

/// Masks under a name. One that cannot be removed is shown of no image.
fn drop_predictions(project: &Project, name: &str) {
    let classes = project.manifest().ok().flatten().map_or(Vec::new(), |m| m.class_names());
    for model in project.folders("predictions") {
        let root = project.root.join("predictions").join(model);
        for class in &classes {
            let file = format!("{name}-{}.png", write::safe_name(class));
            drop(files::remove(&root.join("probabilities").join(file)));
        }
        for folder in ["masks", "confidence", "overlays"] {
            let of_image = |path: &PathBuf| path.file_stem().is_some_and(|stem| *stem == *name);
            let found = files::entries(&root.join(folder)).unwrap_or_default();
            found.into_iter().filter(of_image).for_each(|path| drop(files::remove(&path)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str =
        "[[classes]]\nname = \"m\"\n[[classes]]\nname = \"c\"\n[splits]\ntrain = [\"a\"]\n";

    fn project() -> (tempfile::TempDir, Project) {
        let dir = tempfile::tempdir().unwrap();
        let at = |path: &str| dir.path().join(path);
        for folder in ["images", "labels", ".sorby/sketches/a"] {
            std::fs::create_dir_all(at(folder)).unwrap();
        }
        std::fs::write(at("images/a.png"), b"image").unwrap();
        std::fs::write(at("labels/a.png"), b"label").unwrap();
        std::fs::write(at("dataset.toml"), MANIFEST).unwrap();
        let project = Project::open(dir.path()).unwrap();
        (dir, project)
    }

    fn renaming() -> Renaming {
        let pair = |from: &str, to: &str| (PathBuf::from(from), PathBuf::from(to));
        let moves = vec![
            pair("images/a.png", "images/b.png"),
            pair("labels/a.png", "labels/b.png"),
            pair(".sorby/sketches/a", ".sorby/sketches/b"),
        ];
        Renaming { old: "a".into(), new: "b".into(), moves }
    }

    #[test]
    fn one_file_that_cannot_be_moved_leaves_all_as_they_were() {
        let (dir, project) = project();
        std::fs::remove_dir(dir.path().join(".sorby/sketches/a")).unwrap();
        assert!(carry_out(&project, &renaming()).is_err());
        assert_eq!(std::fs::read(dir.path().join("images/a.png")).unwrap(), b"image");
        assert_eq!(std::fs::read(dir.path().join("labels/a.png")).unwrap(), b"label");
        assert_eq!(std::fs::read_to_string(dir.path().join("dataset.toml")).unwrap(), MANIFEST);
        assert!(!journal(&project).exists());
    }

    #[test]
    fn what_was_begun_is_finished_at_the_next_start() {
        let (dir, project) = project();
        std::fs::write(journal(&project), serde_json::to_vec(&renaming()).unwrap()).unwrap();
        std::fs::rename(dir.path().join("images/a.png"), dir.path().join("images/b.png")).unwrap();
        // What was written into the manifest since then stays.
        let edited = format!("# mine\n{MANIFEST}");
        std::fs::write(dir.path().join("dataset.toml"), &edited).unwrap();
        make_up(&project).unwrap();
        let named = edited.replace("[\"a\"]", "[\"b\"]");
        for (place, content) in
            [("images/b.png", "image"), ("labels/b.png", "label"), ("dataset.toml", named.as_str())]
        {
            assert_eq!(std::fs::read_to_string(dir.path().join(place)).unwrap(), content);
        }
        assert!(dir.path().join(".sorby/sketches/b").is_dir() && !journal(&project).exists());
        make_up(&project).unwrap();
    }

    #[test]
    fn a_manifest_that_cannot_be_written_leaves_all_as_they_were() {
        let (dir, project) = project();
        std::fs::write(dir.path().join("dataset.toml"), "no manifest at all [").unwrap();
        assert!(carry_out(&project, &renaming()).is_err());
        assert_eq!(std::fs::read(dir.path().join("images/a.png")).unwrap(), b"image");
        assert!(!journal(&project).exists());
    }

    #[test]
    fn a_project_of_a_stranger_moves_nothing_outside_of_it() {
        let (dir, project) = project();
        let outside = tempfile::tempdir().unwrap();
        let (from, to) = (outside.path().join("mine"), outside.path().join("moved"));
        std::fs::write(&from, b"x").unwrap();
        for moves in [vec![(from.clone(), to.clone())], vec![("../x".into(), "images/x".into())]] {
            let renaming = Renaming { moves, ..renaming() };
            std::fs::write(journal(&project), serde_json::to_vec(&renaming).unwrap()).unwrap();
            make_up(&project).unwrap();
            assert!(from.exists() && !to.exists() && !journal(&project).exists());
        }
        drop(dir);
    }

    #[test]
    fn masks_of_another_image_of_the_new_name_are_dropped() {
        let (dir, project) = project();
        let at = |path: &str| dir.path().join("predictions/r").join(path);
        let files = ["masks/a.png", "masks/b.png", "probabilities/b-c.png", "probabilities/b-d.png"];
        for file in files {
            std::fs::create_dir_all(at(file).parent().unwrap()).unwrap();
            std::fs::write(at(file), b"x").unwrap();
        }
        carry_out(&project, &renaming()).unwrap();
        let left: Vec<&str> = files.into_iter().filter(|f| at(f).exists()).collect();
        // No class is called d: the file is that of an image `b-d`, say.
        assert_eq!(left, ["probabilities/b-d.png"]);
    }
}
