//! nnU-Net's folders: `dataset.json`, `imagesTr/case_0000.png`, `labelsTr/case.png` with class numbers.

use super::source_files::{composed, files, json, stem, whole};
use super::{IGNORED, Imported, ImportedImage, Source};
use crate::problem::{DataError, Problem};
use sorby_image::{IGNORE, LabelFile, LabelMap, LabelValues};
use std::path::{Path, PathBuf};

pub(super) fn read(source: &Source) -> Result<Imported, DataError> {
    let root = source.path;
    let file = root.join("dataset.json");
    let value = json(&file).map_err(|p| DataError(vec![p]))?;
    let Some(labels) = value["labels"].as_object() else {
        return Err(DataError::one(file, "has no labels"));
    };
    let mut numbered: Vec<(u64, String)> = Vec::new();
    let mut ignore = None;
    for (name, number) in labels {
        // Older files have number: name.
        // A number may be written as 1, 1.0 or text.
        let (number, name) = match (whole(number), name.parse::<u64>(), number.as_str()) {
            (Some(_), Ok(_), Some(text)) => {
                let what =
                    format!("has a label `{name}`: `{text}`; which of them is its number cannot be known");
                return Err(DataError::one(file, what));
            }
            (Some(number), ..) => (number, name.clone()),
            (None, Ok(number), Some(name)) => (number, name.to_owned()),
            _ => {
                let why = if number.is_array() { " (regions are not read)" } else { "" };
                return Err(DataError::one(file, format!("label `{name}` has no single whole number{why}")));
            }
        };
        if name == IGNORED {
            ignore = Some(number);
        } else {
            numbered.push((number, name));
        }
    }
    numbered.sort();
    if numbered.iter().enumerate().any(|(i, n)| n.0 != i as u64) {
        return Err(DataError::one(file, "has labels that are not numbered 0, 1, 2, ..."));
    }
    let classes: Vec<String> = numbered.into_iter().map(|n| composed(&n.1)).collect();
    let (mut images, mut problems) = (Vec::new(), Vec::new());
    let folder = source.images.map_or_else(|| root.join("imagesTr"), |i| i.to_owned());
    let packed = files(&root.join("labelsTr"), &["gz", "nii", "nrrd", "mha"]).len();
    if packed > 0 {
        let what = format!(
            "labelsTr holds {packed} volumes (NIfTI and the like), which are not read; convert them to PNG or TIFF"
        );
        problems.push(Problem::new(root, what));
    }
    for path in files(&root.join("labelsTr"), &sorby_image::EXTENSIONS) {
        let name = stem(&path);
        let image = match image(&folder, &name) {
            Ok(image) => image,
            Err(what) => {
                problems.push(Problem::new(&path, what));
                continue;
            }
        };
        let label = LabelFile::read(&path)
            .map_err(Problem::from)
            .and_then(|file| decode(file, classes.len(), ignore).map_err(|what| Problem::new(&path, what)));
        match label {
            Ok(label) => images.push(ImportedImage { name, image, label, split: None }),
            Err(problem) => problems.push(problem),
        }
    }
    Ok(Imported { classes, images, problems, remarks: Vec::new() })
}

/// The image of a case, in its only channel.
fn image(folder: &Path, name: &str) -> Result<PathBuf, String> {
    let of_stem = |wanted: &str| -> Vec<PathBuf> {
        files(folder, &sorby_image::EXTENSIONS).into_iter().filter(|p| stem(p) == wanted).collect()
    };
    if !of_stem(&format!("{name}_0001")).is_empty() {
        return Err("its image has several channels; only single ones are read".to_owned());
    }
    let mut found = of_stem(&format!("{name}_0000"));
    if found.is_empty() {
        found = of_stem(name);
    }
    match &found[..] {
        [one] => Ok(one.clone()),
        [] => Err("its image is not found in imagesTr".to_owned()),
        [a, b, ..] => Err(format!("its image may be {} or {}; leave one", a.display(), b.display())),
    }
}

fn decode(file: LabelFile, classes: usize, ignore: Option<u64>) -> Result<LabelMap, String> {
    if file.lossy {
        return Err(
            "was compressed with loss (JPEG), which changes class numbers; save labels as PNG or TIFF".into(),
        );
    }
    let (width, height) = (file.width, file.height);
    let mut map = match file.values {
        LabelValues::Small(labels) => LabelMap { width, height, labels },
        LabelValues::Wide(_) => return Err("has values beyond 255, which stand for no label".into()),
        LabelValues::Colours(_) => return Err("is a colour picture, not class numbers".into()),
    };
    for label in &mut map.labels {
        *label = match *label {
            l if usize::from(l) < classes => l,
            l if ignore == Some(u64::from(l)) => IGNORE,
            l => return Err(format!("has the value {l}, which stands for no label")),
        };
    }
    Ok(map)
}
