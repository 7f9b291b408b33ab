//! Detects who wrote labels, by the files that are there.

use super::source_files::{files, files_below, json};
use super::{Format, imagej, qupath};
use crate::problem::Problem;
use serde_json::Value;
use std::path::Path;

/// Files that are opened to look what they are.
const LOOKED_AT: usize = 20;

/// Detects the format by the files that are there; `None` when several or none would fit.
///
/// # Errors
/// When no file shows it, and a JSON file that could is damaged.
pub fn detect(path: &Path) -> Result<Option<Format>, Problem> {
    if let Some(format) = by_names(path) {
        return Ok(Some(format));
    }
    let (mut found, mut damaged) = (Vec::new(), None);
    for file in files_below(path, &["geojson", "gz", "roi", "zip", "json"]).iter().take(LOOKED_AT) {
        match kind_of(file) {
            Ok(Some(kind)) if !found.contains(&kind) => found.push(kind),
            Ok(_) => {}
            Err(problem) => damaged = damaged.or(Some(problem)),
        }
    }
    if is_yolo(path) {
        found.push(Format::YoloSeg);
    }
    match (&found[..], damaged) {
        ([one], _) => Ok(Some(*one)),
        ([], Some(problem)) => Err(problem),
        _ => Ok(None),
    }
}

fn by_names(path: &Path) -> Option<Format> {
    if path.join("dataset.json").is_file() && path.join("labelsTr").is_dir() {
        return Some(Format::NnUnet);
    }
    if path.join("labelmap.txt").is_file() {
        return Some(Format::Cvat);
    }
    if path.is_file() && path.extension().is_some_and(|e| e == "yaml" || e == "yml") {
        return Some(Format::YoloSeg);
    }
    None
}

fn is_yolo(path: &Path) -> bool {
    let labels = path.join("labels");
    path.is_dir()
        && (path.join("data.yaml").is_file()
            || labels.is_dir() && !files_below(&labels, &["txt"]).is_empty()
            || files(path, &["txt"]).iter().any(|f| f.ends_with("classes.txt")))
}

fn kind_of(file: &Path) -> Result<Option<Format>, Problem> {
    let ending = file.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    Ok(match &*ending {
        "geojson" | "gz" => Some(Format::QuPath),
        "roi" => Some(Format::ImageJ),
        "zip" if qupath::is_archive(file) => Some(Format::QuPath),
        "zip" => imagej::is_archive(file).then_some(Format::ImageJ),
        _ => kind_of_json(&json(file)?),
    })
}

fn kind_of_json(value: &Value) -> Option<Format> {
    if value.get("shapes").is_some() {
        Some(Format::LabelMe)
    } else if value.get("annotations").is_some() {
        Some(Format::Coco)
    } else {
        qupath::is_geojson(value).then_some(Format::QuPath)
    }
}
