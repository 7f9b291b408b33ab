//! What Sorby's files are, by their names.

use std::path::Path;

/// Ending, format and media type.
const KINDS: [(&str, &str, &str); 15] = [
    ("csv", "csv", "text/csv"),
    ("json", "json", "application/json"),
    ("jsonl", "jsonl", "application/jsonl"),
    ("geojson", "geojson", "application/geo+json"),
    ("toml", "toml", "application/toml"),
    ("html", "html", "text/html"),
    ("md", "md", "text/markdown"),
    ("txt", "txt", "text/plain"),
    ("svg", "svg", "image/svg+xml"),
    ("png", "png", "image/png"),
    ("jpg", "jpg", "image/jpeg"),
    ("tif", "tiff", "image/tiff"),
    ("pdf", "pdf", "application/pdf"),
    ("zip", "zip", "application/zip"),
    ("parquet", "parquet", "application/vnd.apache.parquet"),
];

/// Name of a file, or of the folder that it is in with `/`, and what such files are.
const MEANINGS: [(&str, &str); 21] = [
    ("particles.csv", "every object that counts, a row each"),
    ("particles.parquet", "every object that counts, a row each, with units in the metadata of the columns"),
    ("images.csv", "sums and means of each image, and of all"),
    ("estimates.csv", "quantities over all images with their 95 % intervals and what these are made of"),
    ("sizes.csv", "how many objects have which size"),
    ("trust.csv", "what can be expected of each mask without its truth"),
    ("problems.csv", "files that could not be used, and why"),
    ("summary.json", "settings and results of the measurement"),
    ("calibration.json", "errors of the segmentation, learnt from labelled images"),
    ("lot.json", "everything that the report says"),
    ("job.toml", "how the lot was measured: model, classes, rules, limits"),
    ("made-by.json", "the command that wrote the folder it lies in"),
    ("masks/", "mask: class index of each pixel, 255 where unknown; its text says pixel size and classes"),
    ("masks-tiff/", "the same mask as OME-TIFF"),
    ("overlays/", "the micrograph, tinted by class"),
    ("confidence/", "how sure the model is of each pixel: 0 to 255 for 0 to 1"),
    ("probabilities/", "probability of a class at each pixel: 0 to 255 for 0 to 1"),
    (".geojson", "outlines of the objects, in pixels"),
    ("-RoiSet.zip", "outlines of the objects for ImageJ, in pixels"),
    (
        "-objects.tif",
        "number of the object at each pixel (`particle` in particles.csv), 0 for none; OME-TIFF",
    ),
    (".sig", "signature"),
];

/// Format and media type of a file.
pub fn kind(place: &str) -> (String, &'static str) {
    let ending = Path::new(place).extension().map_or(String::new(), |e| e.to_string_lossy().to_lowercase());
    let known = KINDS.iter().find(|(e, ..)| *e == ending);
    known.map_or((ending, "application/octet-stream"), |(_, format, media)| ((*format).to_owned(), media))
}

/// What a file holds, where that is known.
pub fn description(place: &str) -> Option<&'static str> {
    let (folder, name) = place.rsplit_once('/').unwrap_or(("", place));
    let is_in = |wanted: &str| wanted.strip_suffix('/').is_some_and(|f| folder.rsplit('/').next() == Some(f));
    let is_named =
        |wanted: &str| name == wanted || (wanted.starts_with(['.', '-']) && name.ends_with(wanted));
    MEANINGS.iter().find(|(wanted, _)| is_named(wanted) || is_in(wanted)).map(|(_, words)| *words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_name_or_folder() {
        assert!(description("measurements/carbide/particles.csv").unwrap().contains("a row each"));
        assert!(description("segmentation/masks/a.png").unwrap().contains("class index"));
        assert!(description("a-objects.tif").unwrap().contains("number of the object"));
        assert_eq!(description("notes.csv"), None);
        assert_eq!(kind("a/B.TIF"), ("tiff".to_owned(), "image/tiff"));
        assert_eq!(kind("a/b.sig"), ("sig".to_owned(), "application/octet-stream"));
    }
}
