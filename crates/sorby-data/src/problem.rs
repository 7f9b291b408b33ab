//! What is wrong with a data set, one line per problem.

use sorby_image::OneLine;
use std::path::PathBuf;

/// One problem: where, what, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file or folder that is meant.
    pub path: PathBuf,
    /// What is wrong, and what to do; the text follows the path and a colon.
    pub what: String,
}

impl Problem {
    /// A problem `what` of the file or folder at `path`.
    pub fn new(path: impl Into<PathBuf>, what: impl std::fmt::Display) -> Self {
        Self { path: path.into(), what: what.to_string() }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{}: {}", OneLine(self.path.display()), OneLine(&self.what))
    }
}

impl From<sorby_image::ImageError> for Problem {
    fn from(e: sorby_image::ImageError) -> Self {
        use sorby_image::ImageError::{Io, Scale, Unreadable};
        match e {
            Unreadable { path, reason } => Self { path, what: reason },
            Io { path, cause } => Self::new(path, cause),
            Scale { path, cause } => Self::new(path, cause),
            other => Self::new("", other),
        }
    }
}

/// A data set that cannot be used.
#[derive(Debug)]
pub struct DataError(pub Vec<Problem>);

impl DataError {
    /// An error of a single problem.
    pub fn one(path: impl Into<PathBuf>, what: impl std::fmt::Display) -> Self {
        Self(vec![Problem::new(path, what)])
    }
}

impl std::fmt::Display for DataError {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self.0.as_slice() {
            [] => write!(f, "unknown problem"),
            [only] => only.fmt(f),
            [first, rest @ ..] => {
                write!(f, "{first} (and {} more; `sorby data check` lists all)", rest.len())
            }
        }
    }
}

impl std::error::Error for DataError {}
