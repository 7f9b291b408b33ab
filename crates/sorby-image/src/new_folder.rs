//! A folder of files that is there whole or not at all.

use crate::files::Refused;
use crate::names::parent_of;
use crate::write::sync_folder;
use crate::{ImageError, lock};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// File name of the lock in a folder under way.
const LOCK: &str = ".partial-lock";

/// A new folder under way. Files are written below [`NewFolder::path`], a hidden place; [`NewFolder::finish`] gives the
/// folder its name. Dropped before, it is removed; what a killed process left is removed by the next one that makes a
/// folder of this name.
#[derive(Debug)]
pub struct NewFolder {
    place: PathBuf,
    hidden: PathBuf,
    /// Held as long as this lives, so that two processes never write to one folder.
    lock: Option<File>,
}

impl NewFolder {
    /// Starts the folder that will be at `place`, and locks it against other processes.
    ///
    /// # Errors
    /// When `place` is a file or holds anything but hidden files, when another process makes a folder of this name, or
    /// when nothing can be written there.
    pub fn begin(place: &Path) -> Result<Self, ImageError> {
        let io = |e| ImageError::io(place, e);
        loop {
            require_new(place)?;
            let hidden = hidden(place).map_err(io)?;
            let Some(lock) = lock::take(&hidden.join(LOCK)).map_err(io)? else {
                let why = "another process is writing this folder; wait for it, or name another";
                return Err(ImageError::unreadable(place, why));
            };
            let new = Self { place: place.to_owned(), hidden, lock: Some(lock) };
            // Another process may have finished, or given up, while its lock was waited for.
            if new.hidden.join(LOCK).exists() && require_new(place).is_ok() {
                new.clear().map_err(io)?;
                return Ok(new);
            }
        }
    }

    /// Where its files are to be written until then.
    pub fn path(&self) -> &Path {
        &self.hidden
    }

    /// Gives the folder its name.
    ///
    /// # Errors
    /// When somebody else has made it meanwhile.
    pub fn finish(mut self) -> Result<(), ImageError> {
        self.put().map_err(|e| ImageError::io(&self.place, e))
    }

    fn put(&mut self) -> io::Result<()> {
        sync_below(&self.hidden)?;
        if self.hidden.starts_with(&self.place) {
            // Files after folders: a file shows that a data set is complete.
            let mut entries = fs::read_dir(&self.hidden)?.collect::<io::Result<Vec<_>>>()?;
            entries.retain(|e| e.file_name() != LOCK);
            entries.sort_by_key(|e| (e.path().is_file(), e.file_name()));
            for entry in entries {
                fs::rename(entry.path(), self.place.join(entry.file_name()))?;
            }
            return sync_folder(&self.place);
        }
        if cfg!(windows) {
            // No folder is renamed there in which a file is open.
            self.lock = None;
        }
        fs::rename(&self.hidden, &self.place)?;
        if let Err(error) = sync_folder(parent_of(&self.place)) {
            // What is reported as failed is not there, so that the same command can be given again.
            let _ = fs::rename(&self.place, &self.hidden);
            return Err(error);
        }
        // What cannot be removed is hidden, and does no harm.
        let _ = fs::remove_file(self.place.join(LOCK));
        Ok(())
    }

    /// Removes what is there, the lock apart.
    fn clear(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.hidden)? {
            let entry = entry?;
            match entry.file_type()?.is_dir() {
                true => fs::remove_dir_all(entry.path())?,
                false if entry.file_name() == LOCK => {}
                false => fs::remove_file(entry.path())?,
            }
        }
        Ok(())
    }
}

impl Drop for NewFolder {
    fn drop(&mut self) {
        // Finished folders have no lock here; a lock that is not held is another process's.
        if self.lock.is_some() && self.hidden.join(LOCK).exists() {
            // What cannot be removed is removed by the next one.
            let _ = self.clear();
            let _ = fs::remove_file(self.hidden.join(LOCK));
            let _ = fs::remove_dir(&self.hidden);
        }
    }
}

/// Refuses a folder that holds anything but hidden files, such as file browsers leave.
///
/// # Errors
/// When the folder holds anything, is a file, or cannot be read.
pub(crate) fn require_new(place: &Path) -> Result<(), ImageError> {
    if place.is_file() || !is_empty(place).map_err(|e| ImageError::io(place, e))? {
        return Err(ImageError::unreadable(
            place,
            "exists already; name a new folder, nothing is overwritten",
        ));
    }
    Ok(())
}

/// Whether a folder holds nothing but hidden files, or is not there.
///
/// # Errors
/// As `read_dir`.
pub fn is_empty(folder: &Path) -> io::Result<bool> {
    let entries = match fs::read_dir(folder) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(true),
        entries => entries?,
    };
    for entry in entries {
        if !entry?.file_name().to_string_lossy().starts_with('.') {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Next to the folder; in it where it is there already, for it may be a disk of its own, or where somebody works.
fn hidden(place: &Path) -> io::Result<PathBuf> {
    if place.is_symlink() && !place.exists() {
        return Err(Refused::LinkToNothing.error());
    }
    if place.is_dir() {
        return Ok(place.join(".partial-folder"));
    }
    let Some(name) = place.file_name() else { return Err(Refused::NoFile.error()) };
    let mut hidden = std::ffi::OsString::from(".partial-");
    hidden.push(name);
    Ok(parent_of(place).join(hidden))
}

/// Makes the names in a folder and those below it outlast a power cut.
fn sync_below(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_below(&entry.path())?;
        }
    }
    sync_folder(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::write::atomically;

    fn names(folder: &Path) -> Vec<String> {
        let list = fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        let mut list: Vec<_> = list.collect();
        list.sort();
        list
    }

    fn fill(folder: &NewFolder) {
        atomically(&folder.path().join("images/a.txt"), b"a").unwrap();
        atomically(&folder.path().join("dataset.toml"), b"b").unwrap();
    }

    #[test]
    fn a_folder_is_there_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("new/set");
        let folder = NewFolder::begin(&place).unwrap();
        fill(&folder);
        assert!(!place.exists());
        drop(folder);
        assert!(names(&dir.path().join("new")).is_empty(), "given up: nothing stays");
        let folder = NewFolder::begin(&place).unwrap();
        fill(&folder);
        folder.finish().unwrap();
        assert_eq!(names(&dir.path().join("new")), ["set"]);
        assert_eq!(names(&place), ["dataset.toml", "images"]);
        assert!(NewFolder::begin(&place).unwrap_err().to_string().contains("exists already"));
        assert!(NewFolder::begin(&place.join("dataset.toml")).is_err());
    }

    #[test]
    fn what_a_killed_process_left_is_not_in_the_next_one() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("set");
        fs::create_dir_all(dir.path().join(".partial-set/images")).unwrap();
        fs::write(dir.path().join(".partial-set/images/half.png"), "x").unwrap();
        let folder = NewFolder::begin(&place).unwrap();
        fill(&folder);
        folder.finish().unwrap();
        assert_eq!(names(&place.join("images")), ["a.txt"]);
    }

    #[test]
    fn a_folder_that_is_there_stays_the_same_folder() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(".DS_Store"), "x").unwrap();
        let folder = NewFolder::begin(dir.path()).unwrap();
        fill(&folder);
        folder.finish().unwrap();
        assert_eq!(names(dir.path()), [".DS_Store", "dataset.toml", "images"]);
    }

    #[test]
    fn two_never_make_one_folder() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("set");
        let first = NewFolder::begin(&place).unwrap();
        assert!(NewFolder::begin(&place).unwrap_err().to_string().contains("another process"));
        fill(&first);
        let waiting = std::thread::spawn({
            let place = place.clone();
            move || NewFolder::begin(&place).map(drop)
        });
        std::thread::sleep(std::time::Duration::from_millis(300));
        first.finish().unwrap();
        assert!(waiting.join().unwrap().is_err(), "who waited does not write over it");
        assert_eq!(names(&place), ["dataset.toml", "images"]);
    }
}
