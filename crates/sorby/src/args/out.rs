//! Folders to write into.

use std::path::PathBuf;

/// A folder that is there, or one to be made: no file, and in no file.
pub(super) fn new_or_folder(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() {
        return Err("names no folder".into());
    }
    let path = PathBuf::from(text);
    match path.ancestors().find(|p| p.exists()) {
        Some(there) if !there.is_dir() => Err(format!("{} is a file; --out needs a folder", there.display())),
        _ => Ok(path),
    }
}
