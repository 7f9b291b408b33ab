//! COCO: one JSON file for all images. Areas are polygons or run lengths down the columns.

use super::shapes::{Area, Shape};
use super::{Drawing, Imported, Source, files, image_called, json};
use crate::problem::{DataError, Problem};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub(super) fn read(source: &Source) -> Result<Imported, DataError> {
    let file = annotation_file(source.path)?;
    let value = json(&file).map_err(|p| DataError(vec![p]))?;
    let list = |key: &str| value[key].as_array().cloned().unwrap_or_default();
    let mut drawing = Drawing::new(source);
    let mut classes: BTreeMap<i64, usize> = BTreeMap::new();
    for category in list("categories") {
        if let (Some(id), Some(name)) = (category["id"].as_i64(), category["name"].as_str()) {
            // A category that is called so stands for what no shape covers.
            let index = if name == super::BACKGROUND { 0 } else { drawing.class(name) };
            classes.insert(id, index);
        }
    }
    let mut shapes: BTreeMap<i64, Vec<Shape>> = BTreeMap::new();
    let listed: BTreeSet<i64> = list("images").iter().filter_map(|i| i["id"].as_i64()).collect();
    let sizes: BTreeMap<i64, (usize, usize)> =
        list("images").iter().filter_map(|i| Some((i["id"].as_i64()?, size(i)?))).collect();
    // Images that lack an object, or share their name with another, are left out.
    let mut broken: BTreeSet<i64> = BTreeSet::new();
    for annotation in list("annotations") {
        let id = &annotation["id"];
        let Some(image) = annotation["image_id"].as_i64().filter(|i| listed.contains(i)) else {
            drawing
                .problems
                .push(Problem::new(&file, format!("annotation {id} is of an image that is not listed")));
            continue;
        };
        let found = (|| {
            let category = annotation["category_id"].as_i64().ok_or("has no category_id")?;
            let class = *classes.get(&category).ok_or("is of a category that is not listed")?;
            let areas = areas(&annotation["segmentation"], sizes.get(&image).copied())?;
            Ok(areas.into_iter().map(move |area| Shape { class, area }))
        })();
        match found {
            Ok(areas) => shapes.entry(image).or_default().extend(areas),
            Err(what) => {
                let what: &str = what;
                broken.insert(image);
                drawing.refuse(&file, format!("annotation {id} {what}"));
            }
        }
    }
    let beside = file.parent().unwrap_or(Path::new("."));
    let within = beside.join("images");
    let folders: Vec<&Path> = source.images.into_iter().chain([beside, &within]).collect();
    let mut paths = BTreeSet::new();
    for image in list("images") {
        let name = image["file_name"].as_str().unwrap_or_default();
        let Some(path) = image_called(name, &folders) else {
            drawing
                .problems
                .push(Problem::new(&file, format!("names `{name}`, which is not found; give --images")));
            continue;
        };
        if !paths.insert(path.clone()) {
            let what = format!("names `{name}`, but {} goes by that name for another image", path.display());
            drawing.problems.push(Problem::new(&file, what));
            continue;
        }
        let id = image["id"].as_i64().unwrap_or(-1);
        if broken.contains(&id) {
            continue;
        }
        let own = shapes.remove(&id).unwrap_or_default();
        drawing.add(&file, path, size(&image), &own);
    }
    Ok(drawing.finish())
}

fn annotation_file(path: &Path) -> Result<PathBuf, DataError> {
    if path.is_file() {
        return Ok(path.to_owned());
    }
    match &files(path, &["json"])[..] {
        [one] => Ok(one.clone()),
        several => {
            let what = format!("has {} JSON files; name the one that is meant", several.len());
            Err(DataError::one(path, what))
        }
    }
}

fn size(image: &Value) -> Option<(usize, usize)> {
    Some((image["width"].as_u64()? as usize, image["height"].as_u64()? as usize))
}

/// Rings that are listed together make up one object, but each is full: COCO knows no holes in polygons.
fn areas(segmentation: &Value, size: Option<(usize, usize)>) -> Result<Vec<Area>, &'static str> {
    if let Some(rings) = segmentation.as_array() {
        if rings.is_empty() {
            return Err("is a box without an outline");
        }
        let ring = |ring: &Value| {
            let numbers: Option<Vec<f64>> = ring.as_array()?.iter().map(Value::as_f64).collect();
            let corners = numbers
                .filter(|n| n.len() >= 6 && n.len() % 2 == 0)?
                .chunks_exact(2)
                .map(|p| (p[0], p[1]))
                .collect();
            Some(Area::Rings(vec![corners]))
        };
        return rings
            .iter()
            .map(ring)
            .collect::<Option<_>>()
            .ok_or("has a polygon of fewer than three corners, or of no numbers");
    }
    let declared = &segmentation["size"];
    let (height, width) = match (declared[0].as_u64(), declared[1].as_u64()) {
        (Some(h), Some(w)) => (h, w),
        _ => return Err("has no polygon and no run lengths"),
    };
    if size.is_some_and(|s| s != (width as usize, height as usize)) {
        return Err("has run lengths of another size than its image");
    }
    let counts = match &segmentation["counts"] {
        Value::String(text) => unpack(text.as_bytes()).ok_or("has damaged run lengths")?,
        Value::Array(list) => {
            list.iter().map(Value::as_u64).collect::<Option<Vec<_>>>().ok_or("has damaged run lengths")?
        }
        _ => return Err("has no run lengths"),
    };
    let total = counts.iter().try_fold(0u64, |sum, n| sum.checked_add(*n));
    let area = height.checked_mul(width).filter(|a| *a <= 1 << 32);
    if area.is_none() || total.is_none_or(|t| Some(t) > area) {
        return Err("has run lengths beyond its image");
    }
    let (mut runs, mut at) = (Vec::new(), 0);
    for (i, count) in counts.into_iter().enumerate() {
        if i % 2 == 1 {
            runs.push((at, count));
        }
        at += count;
    }
    Ok(vec![Area::Columns { height, runs }])
}

/// COCO's packed run lengths: five bits to a character from `0` on, the sixth says that more follow; from the third
/// number on, differences to the last but one.
fn unpack(text: &[u8]) -> Option<Vec<u64>> {
    let mut counts: Vec<i64> = Vec::new();
    let mut bytes = text.iter();
    while let Some(first) = bytes.next() {
        let (mut value, mut shift, mut byte) = (0i64, 0, first.checked_sub(48)?);
        loop {
            value |= i64::from(byte & 0x1f) << shift;
            shift += 5;
            if byte & 0x20 == 0 {
                break;
            }
            if shift > 50 {
                return None;
            }
            byte = bytes.next()?.checked_sub(48)?;
        }
        if byte & 0x10 != 0 {
            value |= -1 << shift;
        }
        if counts.len() > 2 {
            value = value.checked_add(counts[counts.len() - 2])?;
        }
        counts.push(value);
    }
    counts.into_iter().map(|c| u64::try_from(c).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn run_lengths_go_down_the_columns() {
        let Ok(found) = areas(&json!({"size": [3, 4], "counts": [2, 3, 7]}), Some((4, 3))) else { panic!() };
        assert_eq!(found, [Area::Columns { height: 3, runs: vec![(2, 3)] }]);
        // 3 rows, 4 columns: from (0, 2) down and on to (1, 0), (1, 1).
        let shape = Shape { class: 1, area: found.into_iter().next().unwrap() };
        let (map, told) = super::super::shapes::draw((4, 3), &[shape]);
        assert_eq!((map.labels, told.len()), (vec![0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0], 0));
        assert!(areas(&json!({"size": [3, 4], "counts": [2, 11]}), None).is_err());
        assert!(areas(&json!({"size": [3, 4], "counts": [2, 1]}), Some((3, 4))).is_err());
        assert!(areas(&json!({"size": [1u64 << 40, 1u64 << 40], "counts": [1]}), None).is_err());
    }

    #[test]
    fn packed_run_lengths_are_pycocotools() {
        // pycocotools.mask.encode of a 10 x 10 mask with rows 2 to 5 of columns 3 to 5 and columns 1 to 8 of row 7.
        let plain = [17, 1, 9, 1, 4, 4, 1, 1, 4, 4, 1, 1, 4, 4, 1, 1, 9, 1, 9, 1, 9, 1, 12];
        assert_eq!(unpack(b"a0190K3MM33MM33MM8000003").unwrap(), plain);
        // By the definition: 5, 40 and 3 with 3 - 0 as it is the third; the fourth is a difference to the second.
        let pack = |v: i64| char::from(48 + (v & 0x1f) as u8);
        let text: String = [5, 9, 3, 2].map(pack).into_iter().collect();
        assert_eq!(unpack(text.as_bytes()), Some(vec![5, 9, 3, 11]));
        assert_eq!(unpack(b"\x01"), None);
        assert_eq!(unpack(b"PPPPPPPPPPPPPPPPPPPPP"), None);
    }
}
