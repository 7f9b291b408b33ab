//! Names of files.

use std::path::Path;
use unicode_normalization::UnicodeNormalization as _;

/// A name as composed characters (NFC): macOS writes names decomposed, others as they were typed.
pub fn composed(name: &str) -> String {
    name.nfc().collect()
}

/// The folder that a file is in, or will be: `.` for a name alone.
pub fn parent_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
