//! Whole folders: what they take on the disk, and their removal. Links are links here, never what they stand for.

use crate::files;
use std::io;
use std::path::{Path, PathBuf};

/// Bytes of all files in a folder and the folders below; what cannot be read counts nothing.
pub fn bytes_in(folder: &Path) -> u64 {
    let paths = files::entries(folder).unwrap_or_default();
    let bytes = |path: &PathBuf| if files::is_folder(path) { bytes_in(path) } else { bytes_of(path) };
    paths.iter().map(bytes).sum()
}

/// Removes a folder with all that is in it, or a link alone. Gives the bytes that were freed.
///
/// # Errors
/// When something in it cannot be listed or removed; what was removed before that is gone.
pub fn remove_with_contents(path: &Path) -> io::Result<u64> {
    let bytes = bytes_of(path);
    match files::remove(path) {
        Ok(()) => return Ok(bytes),
        // Only a folder cannot be removed as a file is.
        Err(_) if files::is_folder(path) => {}
        Err(e) => return Err(e),
    }
    let mut freed = 0;
    for inner in files::entries(path)? {
        freed += remove_with_contents(&inner)?;
    }
    files::remove_folder(path)?;
    Ok(freed)
}

fn bytes_of(file: &Path) -> u64 {
    files::open(file).and_then(|f| f.metadata()).map_or(0, |m| m.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn links_are_removed_and_not_what_they_stand_for() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("run/checkpoints")).unwrap();
        std::fs::create_dir(at("images")).unwrap();
        std::fs::write(at("run/checkpoints/a"), [0; 100]).unwrap();
        std::fs::write(at("images/b"), [0; 10]).unwrap();
        std::os::unix::fs::symlink(at("images"), at("run/link")).unwrap();
        std::os::unix::fs::symlink(at("images/b"), at("run/file")).unwrap();
        assert!(remove_with_contents(&at("run")).unwrap() >= 100);
        assert!(!at("run").exists() && at("images/b").is_file());
        std::os::unix::fs::symlink(at("images"), at("run")).unwrap();
        remove_with_contents(&at("run")).unwrap();
        assert!(!at("run").exists() && at("images/b").is_file(), "the folder itself is a link");
    }
}
