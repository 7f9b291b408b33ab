//! Files of pictures: which are meant, and what they are called.

use crate::Result;
use crate::error::refuse;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Image files named directly or found in named folders, in order. Hidden and non-image files of
/// folders are passed over; a file named directly must exist.
///
/// # Errors
/// For a file that is not there, a folder without images, and two images of one name.
pub fn images(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut out = Vec::new();
    for path in paths {
        if path.is_dir() {
            let entries = fs_err::read_dir(path)?.collect::<Result<Vec<_>, _>>()?;
            let mut found: Vec<PathBuf> = entries.into_iter().map(|e| e.path()).collect();
            found.retain(|p| p.is_file() && sorby_image::is_image(p) && !stem(p).starts_with('.'));
            found.sort();
            if found.is_empty() {
                refuse!("{}: no PNG, TIFF, JPEG or BMP images in this folder", path.display());
            }
            out.extend(found);
        } else if path.is_file() {
            out.push(path.clone());
        } else {
            refuse!("{}: no such file or folder", path.display());
        }
    }
    let mut known: HashMap<String, &PathBuf> = HashMap::new();
    for path in &out {
        // As results are called: of names that are no UTF-8 several are one.
        if let Some(other) = known.insert(stem(path), path) {
            refuse!(
                "{} and {} have the same name; their results would overwrite each other",
                other.display(),
                path.display()
            );
        }
    }
    Ok(out)
}

/// File name without ending.
pub fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// The image file of this name in a folder, whatever its ending.
///
/// # Errors
/// When the folder cannot be read, or two files have this name.
pub fn find_by_stem(folder: &Path, stem: &str) -> Result<Option<PathBuf>> {
    let entries = fs_err::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    let mut found: Vec<PathBuf> = entries
        .into_iter()
        .map(|e| e.path())
        .filter(|p| sorby_image::is_image(p) && p.file_stem().is_some_and(|s| s.to_string_lossy() == stem))
        .collect();
    found.sort();
    if let [one, another, ..] = &found[..] {
        refuse!(
            "{} and {} have the same name, and which is meant is not known; leave one of them",
            one.display(),
            another.display()
        );
    }
    Ok(found.into_iter().next())
}
