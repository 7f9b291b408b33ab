//! Who wrote labels, told by the files that are there.

use super::source_files::{files, files_below, json};
use super::{Format, imagej, qupath};
use serde_json::Value;
use std::path::Path;

/// Files that are opened to look what they are.
const LOOKED_AT: usize = 20;

/// Tells the format by the files that are there; `None` when several or none would fit.
pub fn detect(path: &Path) -> Option<Format> {
    if path.join("dataset.json").is_file() && path.join("labelsTr").is_dir() {
        return Some(Format::NnUnet);
    }
    if path.join("labelmap.txt").is_file() {
        return Some(Format::Cvat);
    }
    if path.is_file() && path.extension().is_some_and(|e| e == "yaml" || e == "yml") {
        return Some(Format::YoloSeg);
    }
    let mut found = Vec::new();
    for file in files_below(path, &["geojson", "gz", "roi", "zip", "json"]).iter().take(LOOKED_AT) {
        let kind = kind_of(file);
        if kind.is_some_and(|kind| !found.contains(&kind)) {
            found.extend(kind);
        }
    }
    let labels = path.join("labels");
    if path.is_dir()
        && (path.join("data.yaml").is_file() || labels.is_dir() && !files_below(&labels, &["txt"]).is_empty())
        || path.is_dir() && files(path, &["txt"]).iter().any(|f| f.ends_with("classes.txt"))
    {
        found.push(Format::YoloSeg);
    }
    match found[..] {
        [one] => Some(one),
        _ => None,
    }
}

fn kind_of(file: &Path) -> Option<Format> {
    let ending = file.extension()?.to_string_lossy().to_ascii_lowercase();
    match &*ending {
        "geojson" | "gz" => Some(Format::QuPath),
        "roi" => Some(Format::ImageJ),
        "zip" if qupath::is_archive(file) => Some(Format::QuPath),
        "zip" => imagej::is_archive(file).then_some(Format::ImageJ),
        _ => kind_of_json(&json(file).ok()?),
    }
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
