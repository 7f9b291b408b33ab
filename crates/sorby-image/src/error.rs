//! What can go wrong with an image file.

use crate::scale::agreement::ScaleError;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// Unreadable, truncated or not an image; `reason` says which and what to do.
    #[error("{}: {reason}", path.display())]
    Unreadable { path: PathBuf, reason: String },
    #[error("{}: {cause}", path.display())]
    Io { path: PathBuf, cause: std::io::Error },
    /// What is stated of the image's pixel size does not agree, or cannot be relied on.
    #[error("{}: {cause}", path.display())]
    Scale { path: PathBuf, cause: ScaleError },
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
        if cause.kind() == std::io::ErrorKind::StorageFull {
            return Self::unreadable(
                path,
                "the disk is full; free some space (what was written before is whole)",
            );
        }
        if let Some(refused) = crate::files::Refused::of(&cause) {
            return Self::unreadable(path, refused);
        }
        // The cause may name a temporary file; the user knows the path only.
        let cause = if cause.raw_os_error().is_none() { cause.kind().into() } else { cause };
        Self::Io { path: path.to_owned(), cause }
    }
}
