//! What can go wrong with an image file.

use crate::scale::agreement::ScaleError;
use std::error::Error as _;
use std::path::{Path, PathBuf};

/// Why an image file cannot be read or written; each variant names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// Unreadable, truncated or not an image; `reason` says which and what to do.
    #[error("{}: {reason}", OneLine(path.display()))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do, in one line.
        reason: String,
    },
    /// The system refused to open, read or write the file.
    #[error("{}: {cause}", OneLine(path.display()))]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        cause: std::io::Error,
    },
    /// The disk or the user's quota is full.
    #[error("{}: the disk is full; free some space (what was written before is whole)", OneLine(path.display()))]
    DiskFull {
        /// The file that could not be written.
        path: PathBuf,
    },
    /// What is stated of the image's pixel size does not agree, or cannot be relied on.
    #[error("{}: {cause}", OneLine(path.display()))]
    Scale {
        /// The image file.
        path: PathBuf,
        /// Which statements of the pixel size disagree, or why none can be used.
        cause: ScaleError,
    },
}

/// Shows a value in one line: each control character becomes `?`. Names of files may hold line ends, and a user gets
/// one line for each problem.
pub struct OneLine<T>(pub T);

impl<T: std::fmt::Display> std::fmt::Display for OneLine<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let text = self.0.to_string();
        let shown: String = text.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
        f.write_str(&shown)
    }
}

impl ImageError {
    /// Whether a path led out of the folder that it is confined to.
    pub fn is_outside(&self) -> bool {
        let outside = crate::files::Refused::Outside.to_string();
        matches!(self, Self::Unreadable { reason, .. } if *reason == outside)
    }

    pub(crate) fn unreadable(path: &Path, reason: impl std::fmt::Display) -> Self {
        // What libraries say may have several lines; a user gets one.
        let reason = reason.to_string().split('\n').map(str::trim).collect::<Vec<_>>().join(" ");
        Self::Unreadable { path: path.to_owned(), reason }
    }

    pub(crate) fn scale(path: &Path, cause: ScaleError) -> Self {
        Self::Scale { path: path.to_owned(), cause }
    }

    /// A failure of the system with a file.
    pub fn io(path: &Path, cause: std::io::Error) -> Self {
        if is_full(&cause) {
            return Self::DiskFull { path: path.to_owned() };
        }
        if let Some(refused) = crate::files::Refused::of(&cause) {
            return Self::unreadable(path, refused);
        }
        // The cause may name a temporary file; the user knows the path only.
        let cause = if cause.raw_os_error().is_none() { cause.kind().into() } else { cause };
        Self::Io { path: path.to_owned(), cause }
    }
}

/// Whether an error is of a full disk, or has one inside: encoders wrap what the file says.
fn is_full(cause: &std::io::Error) -> bool {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(cause);
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            if matches!(io.kind(), StorageFull | QuotaExceeded) {
                return true;
            }
            // An error made of another gives that one's source, not the other itself.
            next = io.get_ref().map(|inner| inner as _).or_else(|| io.source());
        } else if let Some(png::EncodingError::IoError(io)) = error.downcast_ref() {
            next = Some(io);
        } else {
            next = error.source();
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Error, ErrorKind};

    #[test]
    fn a_line_end_in_a_name_makes_no_second_line() {
        let told = ImageError::unreadable(Path::new("a\nb\r.png"), "not a PNG").to_string();
        assert_eq!(told, "a?b?.png: not a PNG");
    }

    #[test]
    fn a_full_disk_is_named_however_deep_it_is_wrapped() {
        let full = || Error::from(ErrorKind::StorageFull);
        let wrapped = Error::other(png::EncodingError::IoError(full()));
        for cause in [full(), Error::other(full()), Error::other(wrapped), ErrorKind::QuotaExceeded.into()] {
            let told = ImageError::io(Path::new("a.png"), cause).to_string();
            assert!(told.starts_with("a.png: the disk is full"), "{told}");
        }
        let told = ImageError::io(Path::new("a.png"), Error::other("else")).to_string();
        assert!(!told.contains("full"), "{told}");
    }
}
