//! Folders to write into.

use clap::builder::{OsStringValueParser, TypedValueParser};
use std::path::PathBuf;

/// A folder that is there, or one to be made: no file, and in no file.
pub(super) fn new_or_folder() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().try_map(|text| require_folder(PathBuf::from(text)))
}

fn require_folder(path: PathBuf) -> Result<PathBuf, String> {
    if path.as_os_str().is_empty() {
        return Err("names no folder".into());
    }
    match path.ancestors().find(|p| p.exists()) {
        Some(there) if !there.is_dir() => Err(format!("{} is a file; --out needs a folder", there.display())),
        _ => Ok(path),
    }
}
