//! COCO: one JSON file for all images, whose parts refer to each other by ids.

use super::coco_areas::areas;
use super::shapes::Shape;
use super::source_files::{files, files_below, json, whole};
use super::{Drawing, Imported, Source};
use crate::problem::DataError;
use serde_json::Value;
use sorby_image::IGNORE;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub(super) fn read(source: &Source) -> Result<Imported, DataError> {
    let file = annotation_file(source.path)?;
    let value = json(&file).map_err(|p| DataError(vec![p]))?;
    let list =
        |key: &str| entries(&value[key]).ok_or_else(|| DataError::one(&file, format!("has no list `{key}`")));
    let (categories, images, annotations) = (list("categories")?, list("images")?, list("annotations")?);
    if annotations.is_empty() {
        return Err(DataError::one(&file, "has no annotation: all images would be background"));
    }
    let mut drawing = Drawing::new(source);
    let mut ids = Ids {
        file: &file,
        classes: BTreeMap::new(),
        sizes: BTreeMap::new(),
        broken: BTreeSet::new(),
        names: BTreeMap::new(),
    };
    ids.classes(&mut drawing, &categories, &annotations);
    ids.images(&mut drawing, &images);
    let paths = ids.paths(&mut drawing, &images);
    for (id, _, path) in &paths {
        // Where the file says nothing of an image's size, its objects must fit the picture.
        ids.sizes.entry(id.clone()).and_modify(|size| *size = size.or(sorby_image::dimensions(path)));
    }
    let mut shapes = ids.shapes(&mut drawing, &annotations)?;
    for (id, image, path) in paths {
        if !ids.broken.contains(&id) {
            drawing.add(&file, path, size(image), &shapes.remove(&id).unwrap_or_default(), None);
        }
    }
    Ok(drawing.finish())
}

/// The only JSON file of a folder, or else the only one below it.
fn annotation_file(path: &Path) -> Result<PathBuf, DataError> {
    let own = files(path, &["json"]);
    let found = if own.is_empty() { files_below(path, &["json"]) } else { own };
    match &found[..] {
        [one] => Ok(one.clone()),
        several => {
            let what = format!("has {} JSON files; name the one that is meant", several.len());
            Err(DataError::one(path, what))
        }
    }
}

/// A list; some programs write the same with names for its entries.
fn entries(value: &Value) -> Option<Vec<&Value>> {
    match value {
        Value::Array(list) => Some(list.iter().collect()),
        Value::Object(named) => Some(named.values().collect()),
        _ => None,
    }
}

/// An id as text: the number 1, 1.0 and the texts "1" and "001" are the same.
fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => {
            let text = text.trim();
            let digits = text.bytes().all(|b| b.is_ascii_digit());
            let bare = text.trim_start_matches('0');
            Some(
                if !digits {
                    text
                } else if bare.is_empty() {
                    "0"
                } else {
                    bare
                }
                .to_owned(),
            )
        }
        Value::Number(number) => match whole(value) {
            Some(whole) => Some(whole.to_string()),
            None => number.as_i64().map(|n| n.to_string()),
        },
        _ => None,
    }
}

fn size(image: &Value) -> Option<(usize, usize)> {
    Some((whole(&image["width"])? as usize, whole(&image["height"])? as usize))
}

fn is_crowd(annotation: &Value) -> bool {
    whole(&annotation["iscrowd"]) == Some(1) || annotation["iscrowd"] == true
}

/// What ids stand for.
struct Ids<'a> {
    file: &'a Path,
    /// Index of each category, or why it has none; and whether its crowds are to be ignored.
    classes: BTreeMap<String, Result<Category, String>>,
    /// Declared size of each listed image.
    sizes: BTreeMap<String, Option<(usize, usize)>>,
    /// Images that lack an object, or of which it cannot be known which they are: they are left out.
    broken: BTreeSet<String>,
    /// Ids by the name of the image, where no other has it: some programs put that in the place of the id.
    names: BTreeMap<String, Option<String>>,
}

#[derive(Clone, Copy)]
struct Category {
    class: usize,
    ignored: bool,
}

impl Ids<'_> {
    fn classes(&mut self, drawing: &mut Drawing, categories: &[&Value], annotations: &[&Value]) {
        let mut names: BTreeMap<String, &str> = BTreeMap::new();
        for category in categories {
            let (Some(id), Some(name)) = (id(&category["id"]), category["name"].as_str()) else {
                drawing.remark(self.file, "lists a category without id or name");
                continue;
            };
            if names.insert(id.clone(), name).is_some_and(|other| other != name) {
                self.classes.insert(id, Err("is of a category whose id is listed twice".to_owned()));
                continue;
            }
            if let Some((other, _)) = names.iter().find(|(other, n)| **other != id && **n == name) {
                let what =
                    format!("categories {other} and {id} are both called `{name}` and become one class");
                drawing.remark(self.file, what);
            }
            let ignored = name == super::IGNORED;
            // A category that is called so stands for what no shape covers; crowds of `ignore` for what is not known,
            // and it is a class only where it has other objects.
            let other = |a: &&Value| !is_crowd(a) && self::id(&a["category_id"]).as_ref() == Some(&id);
            let class = match name {
                super::BACKGROUND => 0,
                super::IGNORED if !annotations.iter().any(other) => usize::from(IGNORE),
                _ => drawing.class(name),
            };
            self.classes.insert(id, Ok(Category { class, ignored }));
        }
    }

    fn images(&mut self, drawing: &mut Drawing, images: &[&Value]) {
        let mut names = BTreeMap::new();
        for image in images {
            let name = image["file_name"].as_str().unwrap_or_default();
            let Some(id) = id(&image["id"]) else {
                drawing.problem(self.file, format!("image `{name}` has no id; it is left out"));
                continue;
            };
            if let Some(other) = names.insert(id.clone(), name).filter(|other| *other != name) {
                let what = format!("images `{other}` and `{name}` have the same id {id}; both are left out");
                drawing.problem(self.file, what);
                self.broken.insert(id.clone());
            }
            let named = self.names.entry(name.trim().to_owned()).or_insert_with(|| Some(id.clone()));
            *named = named.take().filter(|other| *other == id);
            self.sizes.insert(id, size(image));
        }
    }

    /// The id of the listed image that an annotation is of.
    fn listed(&self, image: &str) -> Option<String> {
        match self.sizes.contains_key(image) {
            true => Some(image.to_owned()),
            false => self.names.get(image)?.clone(),
        }
    }

    /// Shapes by image.
    ///
    /// # Errors
    /// When an annotation does not say of which image it is: any could lack it.
    fn shapes(
        &mut self,
        drawing: &mut Drawing,
        annotations: &[&Value],
    ) -> Result<BTreeMap<String, Vec<Shape>>, DataError> {
        let mut shapes: BTreeMap<String, Vec<Shape>> = BTreeMap::new();
        let (mut crowds, mut unlisted) = (0, Vec::new());
        for (object, annotation) in annotations.iter().enumerate() {
            let number = &annotation["id"];
            let Some(image) = id(&annotation["image_id"]) else {
                let what =
                    format!("annotation {number} has no image_id: which image lacks it cannot be known");
                return Err(DataError::one(self.file, what));
            };
            let Some(image) = self.listed(&image) else {
                let what = format!("annotation {number} is of image {image}, which is not listed");
                drawing.problem(self.file, &what);
                unlisted.push(what);
                continue;
            };
            match self.shape(object, annotation, self.sizes[&image]) {
                Ok((found, crowd)) => {
                    crowds += usize::from(crowd);
                    shapes.entry(image).or_default().extend(found);
                }
                Err(what) => {
                    self.broken.insert(image);
                    drawing.refuse(self.file, format!("annotation {number} {what}"));
                }
            }
        }
        if crowds > 0 {
            let what = format!("{crowds} crowds (iscrowd) are drawn as one area of their class each");
            drawing.remark(self.file, what);
        }
        if let Some(what) = unlisted.first() {
            self.without_object(drawing, &shapes, what);
        }
        Ok(shapes)
    }

    /// Leaves out images without any object: one that is of no listed image may be theirs.
    fn without_object(&mut self, drawing: &mut Drawing, shapes: &BTreeMap<String, Vec<Shape>>, why: &str) {
        let empty = |id: &&String| !shapes.contains_key(*id) && !self.broken.contains(*id);
        let empty: Vec<String> = self.sizes.keys().filter(empty).cloned().collect();
        if !empty.is_empty() {
            let ids = empty.iter().take(9).cloned().collect::<Vec<_>>().join(", ");
            let more = if empty.len() > 9 { ", ..." } else { "" };
            let what = format!(
                "{why}; images without an object may lack it and are left out ({} of them: {ids}{more})",
                empty.len()
            );
            drawing.problem(self.file, what);
            self.broken.extend(empty);
        }
    }

    /// Shapes of an annotation, and whether they are a crowd of a class.
    fn shape(
        &self,
        object: usize,
        annotation: &Value,
        size: Option<(usize, usize)>,
    ) -> Result<(Vec<Shape>, bool), String> {
        let category = id(&annotation["category_id"]).ok_or("has no category_id")?;
        let category = self.classes.get(&category).ok_or("is of a category that is not listed")?;
        let Category { class, ignored } = category.clone()?;
        let crowd = is_crowd(annotation);
        let class = if crowd && ignored { usize::from(IGNORE) } else { class };
        let areas = areas(&annotation["segmentation"], size)?;
        let shapes = areas.into_iter().map(|area| Shape { class, object, area }).collect();
        Ok((shapes, crowd && !ignored))
    }

    /// The file of each listed image. A file that several claim is for the one whose folders agree in most; where none
    /// does more than another, for none of them.
    fn paths<'v>(&self, drawing: &mut Drawing, images: &[&'v Value]) -> Vec<(String, &'v Value, PathBuf)> {
        let mut claims: BTreeMap<PathBuf, Vec<(usize, String, &'v Value, &'v str)>> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for image in images {
            let (Some(id), name) = (id(&image["id"]), image["file_name"].as_str().unwrap_or_default()) else {
                continue;
            };
            if !seen.insert((id.clone(), name)) {
                continue;
            }
            match drawing.pictures.called(name, None) {
                Ok(found) => {
                    let claim = (found.folders, id, *image, name);
                    claims.entry(found.path.to_owned()).or_default().push(claim);
                }
                Err(what) => drawing.problem(self.file, format!("names `{name}`, which {what}")),
            }
        }
        let mut paths = Vec::new();
        for (path, claims) in claims {
            let most = claims.iter().map(|c| c.0).max().unwrap_or(0);
            let alone = claims.iter().filter(|c| c.0 == most).count() == 1;
            for (folders, id, image, name) in claims {
                if alone && folders == most {
                    paths.push((id, image, path.clone()));
                } else {
                    let what =
                        format!("names `{name}`, but {} may be another image of that name", path.display());
                    drawing.problem(self.file, format!("{what}; it is left out"));
                }
            }
        }
        paths
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ids_are_the_same_in_every_writing() {
        for value in [json!(1), json!(1.0), json!("1"), json!(" 1"), json!("001")] {
            assert_eq!(id(&value).unwrap(), "1", "{value}");
        }
        assert_eq!((id(&json!("000")).unwrap(), id(&json!("01a")).unwrap()), ("0".into(), "01a".into()));
        assert_eq!(id(&json!("field_7")).unwrap(), "field_7");
        assert_eq!(id(&json!(-3)).unwrap(), "-3");
        assert_eq!(id(&json!(u64::MAX)).unwrap(), u64::MAX.to_string());
        for value in [json!(null), json!(1.5), json!(""), json!([1]), json!(true)] {
            assert_eq!(id(&value), None, "{value}");
        }
    }
}
