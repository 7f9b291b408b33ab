//! Opening files. A folder can be confined: from then on every file below it is reached from one open handle of that
//! folder, step by step, so that no link, no `..` and no exchange of a folder between a check and its use leads out of it
//! (`openat2`, or what stands for it; crate cap-std). Paths outside of confined folders are opened as everywhere.

use crate::names::parent_of;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};
use std::time::{Duration, SystemTime};

/// Why a file is not opened or replaced, though the system would.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The path leads out of the confined folder.
    #[error("leads out of the project's folder; copy it into the folder")]
    Outside,
    /// A folder, a pipe or a device is there.
    #[error("is no regular file")]
    NoFile,
    /// The file that would be replaced is read-only.
    #[error("is read-only and stays as it is; make it writable (chmod u+w), or choose another name")]
    ReadOnly,
    /// The path is a symbolic link whose target does not exist.
    #[error("is a link to nothing; remove the link, or make its target")]
    LinkToNothing,
    /// The file has a second name (a hard link), which would keep the old content.
    #[error(
        "has another name as well (a hard link), which would keep the old content; replace it by a copy of its own first"
    )]
    HardLink,
}

impl Refused {
    pub(crate) fn of(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref::<Self>().copied()
    }

    pub(crate) fn error(self) -> io::Error {
        let kind = match self {
            Self::NoFile => io::ErrorKind::InvalidInput,
            Self::LinkToNothing => io::ErrorKind::NotFound,
            _ => io::ErrorKind::PermissionDenied,
        };
        io::Error::new(kind, self)
    }
}

static CONFINED: RwLock<Vec<(PathBuf, Arc<Dir>)>> = RwLock::new(Vec::new());

/// A folder that is confined as long as this lives.
#[derive(Debug)]
pub struct Confined {
    root: PathBuf,
    dir: Arc<Dir>,
}

/// Confines an existing folder, given by its absolute path.
///
/// # Errors
/// When the folder cannot be opened.
pub fn confine(root: &Path) -> io::Result<Confined> {
    let dir = Arc::new(Dir::open_ambient_dir(root, ambient_authority())?);
    let mut list = CONFINED.write().unwrap_or_else(|e| e.into_inner());
    list.push((root.to_owned(), dir.clone()));
    Ok(Confined { root: root.to_owned(), dir })
}

impl Drop for Confined {
    fn drop(&mut self) {
        let mut list = CONFINED.write().unwrap_or_else(|e| e.into_inner());
        list.retain(|(_, dir)| !Arc::ptr_eq(dir, &self.dir));
    }
}

impl Confined {
    /// Whether the folder is still the one found at its path: neither renamed nor removed, nor another in its place.
    pub fn is_in_place(&self) -> bool {
        let (Ok(held), Ok(now)) = (self.dir.dir_metadata(), std::fs::metadata(&self.root)) else {
            return false;
        };
        #[cfg(unix)]
        {
            use cap_std::fs::MetadataExt as _;
            use std::os::unix::fs::MetadataExt as _;
            (held.dev(), held.ino()) == (now.dev(), now.ino())
        }
        #[cfg(not(unix))]
        {
            held.is_dir() && now.is_dir()
        }
    }
}

/// Handle of the confined folder that a path lies in, and the path from there.
fn held(path: &Path) -> Option<(Arc<Dir>, PathBuf)> {
    let list = CONFINED.read().unwrap_or_else(|e| e.into_inner());
    let (root, dir) = list.iter().rev().find(|(root, _)| path.starts_with(root))?;
    let inner = path.strip_prefix(root).ok()?;
    let inner = if inner.as_os_str().is_empty() { Path::new(".") } else { inner };
    Some((dir.clone(), inner.to_owned()))
}

/// What cap-std says of a way out is its own text, without a number of the system.
fn escapes(error: io::Error) -> io::Error {
    let own = error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error().is_none();
    if own && Refused::of(&error).is_none() { Refused::Outside.error() } else { error }
}

/// Opens a regular file for reading.
///
/// # Errors
/// As `File::open`; in a confined folder also when the path leads out of it, or to a pipe or device.
pub fn open(path: &Path) -> io::Result<File> {
    match held(path) {
        Some(_) => open_regular(path),
        None => File::open(path),
    }
}

/// Opens a regular file, in a confined folder or not: a pipe that nobody writes to would hold the reader for ever.
///
/// # Errors
/// As `File::open`; also where there is a pipe, a device or a folder.
pub fn open_regular(path: &Path) -> io::Result<File> {
    let file = match held(path) {
        Some((dir, inner)) => {
            let mut options = OpenOptions::new();
            options.read(true);
            #[cfg(unix)]
            cap_std::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
            dir.open_with(inner, &options).map_err(escapes)?.into_std()
        }
        None => {
            let mut options = File::options();
            options.read(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
            options.open(path)?
        }
    };
    if file.metadata()?.is_file() { Ok(file) } else { Err(Refused::NoFile.error()) }
}

/// All bytes of a regular file.
///
/// # Errors
/// As [`open_regular`]; also when reading fails.
pub fn read_regular(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_regular(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// All bytes of a file.
///
/// # Errors
/// As [`open`]; also when reading fails.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// All text of a file.
///
/// # Errors
/// As [`read`]; also when the text is not UTF-8.
pub fn read_to_string(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    open(path)?.read_to_string(&mut text)?;
    Ok(text)
}

/// Whether there is a regular file, links followed as far as they may be.
pub fn is_file(path: &Path) -> bool {
    match held(path) {
        Some((dir, inner)) => dir.metadata(inner).is_ok_and(|m| m.is_file()),
        None => path.is_file(),
    }
}

/// Whether there is a folder.
pub fn is_folder(path: &Path) -> bool {
    match held(path) {
        Some((dir, inner)) => dir.metadata(inner).is_ok_and(|m| m.is_dir()),
        None => path.is_dir(),
    }
}

/// Paths of what a folder holds, in no order.
///
/// # Errors
/// When the folder cannot be listed; in a confined folder also when the path leads out of it.
pub fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match held(folder) {
        Some((dir, inner)) => {
            let list = dir.read_dir(inner).map_err(escapes)?;
            list.map(|e| Ok(folder.join(e?.file_name()))).collect()
        }
        None => std::fs::read_dir(folder)?.map(|e| Ok(e?.path())).collect(),
    }
}

/// Makes a folder and those above it.
///
/// # Errors
/// When a folder cannot be made, or a file has its name; in a confined folder also when the path leads out of it.
pub fn create_folders(folder: &Path) -> io::Result<()> {
    match held(folder) {
        Some((_, inner)) if inner == Path::new(".") => Ok(()),
        Some((dir, inner)) => create_in(&dir, &inner),
        None => std::fs::create_dir_all(folder),
    }
}

fn create_in(dir: &Dir, inner: &Path) -> io::Result<()> {
    match dir.metadata(inner).map_err(escapes) {
        Ok(about) if about.is_dir() => Ok(()),
        Err(error) if Refused::of(&error).is_some() => Err(error),
        _ => dir.create_dir_all(inner).map_err(escapes),
    }
}

/// Removes a file, or a link.
///
/// # Errors
/// When the file is not there or cannot be removed; in a confined folder also when the path leads out of it.
pub fn remove(path: &Path) -> io::Result<()> {
    match held(path) {
        Some((dir, inner)) => dir.remove_file(inner).map_err(escapes),
        None => std::fs::remove_file(path),
    }
}

/// Removes an empty folder.
///
/// # Errors
/// When the folder is not there, is not empty or cannot be removed; in a confined folder also when the path leads
/// out of it.
pub fn remove_folder(folder: &Path) -> io::Result<()> {
    match held(folder) {
        Some((dir, inner)) => dir.remove_dir(inner).map_err(escapes),
        None => std::fs::remove_dir(folder),
    }
}

/// Gives a file or folder another name on the same disk.
///
/// # Errors
/// When it is not there, or the new name is taken by a folder that is not empty; in confined folders also when a path leads
/// out of its own, or only one of both is in one.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    match (held(from), held(to)) {
        (Some((from_dir, inner)), Some((to_dir, target))) => {
            from_dir.rename(inner, &to_dir, target).map_err(escapes)
        }
        (None, None) => std::fs::rename(from, to),
        _ => Err(Refused::Outside.error()),
    }
}

/// Opens a file to be locked; makes it and its folder where they are missing.
pub(crate) fn open_lock(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        create_folders(folder)?;
    }
    match held(path) {
        Some((dir, inner)) => {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(false);
            Ok(dir.open_with(inner, &options).map_err(escapes)?.into_std())
        }
        None => File::options().write(true).create(true).truncate(false).open(path),
    }
}

/// Handle of the folder that a file is in, or will be, and its name there. Links are followed to the file that they
/// stand for, which is in the same confined folder if the path is.
pub(crate) fn place(path: &Path) -> io::Result<(Dir, PathBuf)> {
    let name = |path: &Path| path.file_name().map(PathBuf::from).ok_or(Refused::NoFile.error());
    let nothing = |e: io::Error| match e.kind() {
        io::ErrorKind::NotFound => Refused::LinkToNothing.error(),
        _ => escapes(e),
    };
    match held(path) {
        Some((dir, inner)) => {
            let folder = parent_of(&inner);
            if folder != Path::new(".") {
                create_in(&dir, folder)?;
            }
            let is_link = dir.symlink_metadata(&inner).is_ok_and(|m| m.is_symlink());
            let real = if is_link { dir.canonicalize(&inner).map_err(nothing)? } else { inner };
            Ok((dir.open_dir(parent_of(&real)).map_err(escapes)?, name(&real)?))
        }
        None => {
            std::fs::create_dir_all(parent_of(path))?;
            let real = if path.is_symlink() {
                std::fs::canonicalize(path).map_err(nothing)?
            } else {
                path.to_owned()
            };
            Ok((Dir::open_ambient_dir(parent_of(&real), ambient_authority())?, name(&real)?))
        }
    }
}

/// Detects whether a file has been replaced or written to: two states of an unchanged file are equal. Where the system
/// keeps it, the time of the last change of its entry is part of this, which no program can set back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileState {
    device_and_number: (u64, u64),
    bytes: u64,
    modified: Duration,
    changed: (i64, i64),
}

impl FileState {
    /// Whether the last change is so long ago that another would show: clocks of file systems tick a few times in a
    /// hundredth of a second.
    pub fn is_settled(&self) -> bool {
        let changed =
            Duration::new(self.changed.0.max(0) as u64, self.changed.1.clamp(0, 999_999_999) as u32);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        now > self.modified.max(changed) + Duration::from_millis(100)
    }
}

/// The state of a file.
///
/// # Errors
/// As [`open`].
pub fn state(path: &Path) -> io::Result<FileState> {
    let about = open(path)?.metadata()?;
    let modified = about.modified()?.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    #[cfg(unix)]
    let (device_and_number, changed) = {
        use std::os::unix::fs::MetadataExt as _;
        ((about.dev(), about.ino()), (about.ctime(), about.ctime_nsec()))
    };
    #[cfg(not(unix))]
    let (device_and_number, changed) = ((0, 0), (0, 0));
    Ok(FileState { device_and_number, bytes: about.len(), modified, changed })
}

/// Whether a path leads out of the confined folder that it begins in; of a path that begins in none this cannot be said.
pub fn leads_out(path: &Path) -> bool {
    let Some((dir, inner)) = held(path) else { return false };
    dir.metadata(inner).map_err(escapes).is_err_and(|e| Refused::of(&e) == Some(Refused::Outside))
}

/// Refuses to replace a file of the user's that is read-only, or that has several names: the others would keep the old
/// content.
///
/// # Errors
/// [`Refused::ReadOnly`] or [`Refused::HardLink`], with the path.
pub fn require_unprotected(path: &Path) -> Result<(), crate::ImageError> {
    let refuse = |why: Refused| Err(crate::ImageError::io(path, why.error()));
    let Ok(about) = open(path).and_then(|f| f.metadata()) else { return Ok(()) };
    if about.permissions().readonly() {
        return refuse(Refused::ReadOnly);
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        if about.nlink() > 1 {
            return refuse(Refused::HardLink);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal<T: std::fmt::Debug>(result: io::Result<T>) -> Option<Refused> {
        let error = result.unwrap_err();
        Refused::of(&error).or_else(|| panic!("{error:?}"))
    }

    #[test]
    fn nothing_outside_of_a_confined_folder_is_reached() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap().join("project");
        std::fs::create_dir_all(root.join("images")).unwrap();
        std::fs::write(root.join("images/a.txt"), "a").unwrap();
        std::fs::write(dir.path().join("secret.txt"), "secret").unwrap();
        let confined = confine(&root).unwrap();
        assert_eq!(read_to_string(&root.join("images/a.txt")).unwrap(), "a");
        assert_eq!(read_to_string(&root.join("images/../images/a.txt")).unwrap(), "a");
        assert_eq!(refusal(read(&root.join("../secret.txt"))), Some(Refused::Outside));
        assert!(!is_file(&root.join("../secret.txt")) && !is_folder(&root.join("..")));
        assert_eq!(refusal(entries(&root.join(".."))), Some(Refused::Outside));
        assert_eq!(refusal(create_folders(&root.join("../made"))), Some(Refused::Outside));
        assert_eq!(refusal(remove(&root.join("../secret.txt"))), Some(Refused::Outside));
        assert_eq!(refusal(place(&root.join("../new.txt"))), Some(Refused::Outside));
        assert_eq!(refusal(open(&root.join("images"))), Some(Refused::NoFile));
        assert_eq!(entries(&root.join("images")).unwrap(), [root.join("images/a.txt")]);
        drop(confined);
        assert!(read(&root.join("../secret.txt")).is_ok(), "nothing is confined any more");
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_inside_only() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap().join("project");
        std::fs::create_dir_all(&root).unwrap();
        std::fs::write(dir.path().join("secret.txt"), "secret").unwrap();
        std::fs::write(root.join("own.txt"), "own").unwrap();
        symlink(dir.path(), root.join("out")).unwrap();
        symlink(dir.path().join("secret.txt"), root.join("absolute.txt")).unwrap();
        symlink("../secret.txt", root.join("relative.txt")).unwrap();
        symlink("own.txt", root.join("inside.txt")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        let _confined = confine(&root).unwrap();
        for path in ["out/secret.txt", "absolute.txt", "relative.txt"] {
            assert_eq!(refusal(read(&root.join(path))), Some(Refused::Outside), "{path}");
            assert_eq!(refusal(place(&root.join(path))), Some(Refused::Outside), "{path}");
        }
        assert!(read(&root.join("loop")).is_err());
        assert_eq!(read_to_string(&root.join("inside.txt")).unwrap(), "own");
        assert_eq!(place(&root.join("inside.txt")).unwrap().1, Path::new("own.txt"));
    }

    #[test]
    fn a_folder_that_was_renamed_is_not_in_place() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("project");
        std::fs::create_dir(&root).unwrap();
        let confined = confine(&root).unwrap();
        assert!(confined.is_in_place());
        std::fs::rename(&root, dir.path().join("moved")).unwrap();
        assert!(!confined.is_in_place());
        std::fs::create_dir(&root).unwrap();
        assert!(cfg!(not(unix)) || !confined.is_in_place(), "another folder of the same name");
    }
}
