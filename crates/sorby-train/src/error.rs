//! Why a training run stopped or could not start.

use sorby_data::DataError;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    #[error(transparent)]
    Data(#[from] DataError),
    /// A file that cannot be written.
    #[error(transparent)]
    Write(#[from] sorby_image::ImageError),
    #[error("recipe: {0}")]
    Recipe(#[from] crate::RecipeError),
    #[error("{}: {cause}", path.display())]
    Io { path: PathBuf, cause: std::io::Error },
    #[error("{}: {reason}", path.display())]
    Run { path: PathBuf, reason: String },
    #[error("pretrained file {}: {reason}", path.display())]
    Pretrained { path: PathBuf, reason: String },
    #[error(
        "the loss became {loss} at iteration {iteration}; lower optimizer.lr (now {lr}) or check the labels. \
             Checkpoints up to then are kept"
    )]
    Diverged { iteration: u64, loss: f32, lr: f64 },
    #[error(
        "this run needs about {needed_mb} MB of memory but {available_mb} MB are free; lower data.batch or data.crop"
    )]
    Memory { needed_mb: u64, available_mb: u64 },
}

impl TrainError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |cause| Self::Io { path: path.to_owned(), cause }
    }

    pub(crate) fn run(path: &Path, reason: impl std::fmt::Display) -> Self {
        Self::Run { path: path.to_owned(), reason: reason.to_string() }
    }
}
