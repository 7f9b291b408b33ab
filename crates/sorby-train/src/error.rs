//! Why a training run stopped or could not start.

use sorby_data::DataError;
use sorby_nn::device::DeviceFailure;
use std::path::{Path, PathBuf};

/// Why a training stopped or could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The data set, its splits or its classes cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A file that cannot be written.
    #[error(transparent)]
    Write(#[from] sorby_image::ImageError),
    /// The recipe is wrong.
    #[error("recipe: {0}")]
    Recipe(#[from] crate::RecipeError),
    /// A file of the run cannot be read, written, renamed or removed.
    #[error("{}: {cause}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The folder is no run, or not one that can go on.
    #[error("{}: {reason}", path.display())]
    Run {
        /// The run folder, or the file in it.
        path: PathBuf,
        /// What is wrong and what can be done, in words.
        reason: String,
    },
    /// Another process works on the run.
    #[error("{}: {reason}", path.display())]
    Held {
        /// The run folder.
        path: PathBuf,
        /// Who, in words.
        reason: String,
    },
    /// A file of a past run is not what that run wrote: one line that names it.
    #[error("{0}")]
    NotAsWritten(String),
    /// The recipe's pretrained weights cannot be used.
    #[error("pretrained weights {start}: {reason}")]
    Pretrained {
        /// The recipe's word for them: a file, or `builtin`.
        start: String,
        /// What is wrong and what can be done, in words.
        reason: String,
    },
    /// The device gave up; says what can be done.
    #[error(transparent)]
    Device(#[from] DeviceFailure),
    /// The loss is infinite or no number.
    #[error(
        "the loss became {loss} at iteration {iteration}; lower optimizer.lr (now {lr}) or check the labels. \
             Checkpoints up to then are kept"
    )]
    Diverged {
        /// Number of the iteration, from 1.
        iteration: u64,
        /// The loss.
        loss: f32,
        /// Learning rate of that iteration.
        lr: f64,
    },
    /// Memory does not suffice; found before anything is trained.
    #[error(
        "this run needs about {needed_mb} MB of memory but {available_mb} MB are free; lower data.batch or data.crop"
    )]
    Memory {
        /// Estimated peak of the run, in units of 2^20 bytes.
        needed_mb: u64,
        /// What is free, in units of 2^20 bytes.
        available_mb: u64,
    },
}

impl TrainError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |cause| Self::Io { path: path.to_owned(), cause }
    }

    pub(crate) fn held(path: &Path, reason: String) -> Self {
        Self::Held { path: path.to_owned(), reason }
    }

    pub(crate) fn run(path: &Path, reason: impl std::fmt::Display) -> Self {
        Self::Run { path: path.to_owned(), reason: reason.to_string() }
    }
}
