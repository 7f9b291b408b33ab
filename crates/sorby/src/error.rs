//! The one error of all jobs.

use sorby_data::{DataError, Problem};
use sorby_image::{ArrayError, ImageError, ScaleError};
use sorby_infer::ModelError;
use sorby_nn::device::DeviceProblem;
use sorby_nn::weights::WeightsError;
use sorby_study::SpecError;
use sorby_train::{RecipeError, TrainError};
use std::fmt;

/// Why a job was refused or failed, as one line: which file, what is wrong, what to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// What was asked for is not possible, in words.
    Refused(String),
    /// An error, and what was being done.
    In(String, Box<Error>),
    /// A picture, a mask or a file of results cannot be read or written.
    Image(ImageError),
    /// A data set cannot be used.
    Data(DataError),
    /// Statements of a pixel size disagree.
    Scale(ScaleError),
    /// A model cannot be read.
    Model(ModelError),
    /// Weights cannot be read or written.
    Weights(WeightsError),
    /// There is no such device to compute on.
    Device(DeviceProblem),
    /// A training cannot start or go on.
    Train(TrainError),
    /// A recipe is wrong.
    Recipe(RecipeError),
    /// A study file is wrong.
    Study(SpecError),
    /// The system refuses a file.
    Io(std::io::Error),
    /// A file holds no valid JSON or TOML.
    Format(String),
}

/// What jobs return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Whether nothing more can be written, of any file.
    pub fn disk_is_full(&self) -> bool {
        match self {
            Error::Image(ImageError::DiskFull { .. }) => true,
            Error::In(_, error) => error.disk_is_full(),
            Error::Train(TrainError::Write(ImageError::DiskFull { .. })) => true,
            _ => false,
        }
    }
}

fn causes<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |e| e.source())
}

impl fmt::Display for Error {
    /// All of it, the causes too: who shows an error needs no other call.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Refused(what) | Error::Format(what) => f.write_str(what),
            Error::In(context, error) => write!(f, "{context}: {error}"),
            _ => {
                let mut text = String::new();
                for cause in self.cause().into_iter().flat_map(causes) {
                    let cause = cause.to_string();
                    // Some say their cause themselves.
                    if !text.ends_with(&cause) {
                        text += if text.is_empty() { "" } else { ": " };
                        text += &cause;
                    }
                }
                f.write_str(&text)
            }
        }
    }
}

/// The causes are part of the text, so there is no `source`.
impl std::error::Error for Error {}

macro_rules! of_other_crates {
    ($($variant:ident($of:ty)),* $(,)?) => {
        $(impl From<$of> for Error {
            fn from(error: $of) -> Self {
                Self::$variant(error)
            }
        })*

        impl Error {
            fn cause(&self) -> Option<&(dyn std::error::Error + 'static)> {
                match self {
                    $(Self::$variant(error) => Some(error),)*
                    Self::Refused(_) | Self::In(..) | Self::Format(_) => None,
                }
            }
        }
    };
}

of_other_crates!(
    Image(ImageError),
    Data(DataError),
    Scale(ScaleError),
    Model(ModelError),
    Weights(WeightsError),
    Device(DeviceProblem),
    Train(TrainError),
    Recipe(RecipeError),
    Study(SpecError),
    Io(std::io::Error),
);

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem.to_string())
    }
}

impl From<ArrayError> for Error {
    fn from(error: ArrayError) -> Self {
        Self::Refused(error.to_string())
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Format(error.to_string())
    }
}

impl From<toml::ser::Error> for Error {
    fn from(error: toml::ser::Error) -> Self {
        Self::Format(error.to_string())
    }
}

/// Adds what was being done to an error, or makes one of what is missing.
pub(crate) trait Context<T> {
    fn context(self, context: impl fmt::Display) -> Result<T>;
    fn with_context<C: fmt::Display>(self, context: impl FnOnce() -> C) -> Result<T>;
}

impl<T, E: Into<Error>> Context<T> for Result<T, E> {
    fn context(self, context: impl fmt::Display) -> Result<T> {
        self.with_context(|| context)
    }

    fn with_context<C: fmt::Display>(self, context: impl FnOnce() -> C) -> Result<T> {
        self.map_err(|e| Error::In(context().to_string(), Box::new(e.into())))
    }
}

impl<T> Context<T> for Option<T> {
    fn context(self, context: impl fmt::Display) -> Result<T> {
        self.with_context(|| context)
    }

    fn with_context<C: fmt::Display>(self, context: impl FnOnce() -> C) -> Result<T> {
        self.ok_or_else(|| Error::Refused(context().to_string()))
    }
}

/// An error in words.
macro_rules! refused {
    ($($words:tt)*) => {
        $crate::Error::Refused(format!($($words)*))
    };
}

/// Returns an error in words.
macro_rules! refuse {
    ($($words:tt)*) => {
        return Err($crate::error::refused!($($words)*))
    };
}

pub(crate) use {refuse, refused};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_its_causes_and_keeps_its_kind() {
        let full = ImageError::DiskFull { path: "a.png".into() };
        let words = full.to_string();
        let error = Err::<(), _>(full).context("a.tif").unwrap_err();
        assert_eq!(error.to_string(), format!("a.tif: {words}"));
        assert!(error.disk_is_full() && !refused!("no room").disk_is_full());
        let io = std::io::Error::other("gone");
        assert_eq!(Error::from(io).to_string(), "gone");
    }
}
