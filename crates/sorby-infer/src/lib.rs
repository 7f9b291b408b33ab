//! From a model file and a micrograph to a mask, and from masks and labels to scores.

mod bench;
mod confusion;
mod golden;
mod model;
mod predict;
mod slide;

pub use bench::{bench_image, bench_windows};
pub use burn::tensor::Device;
pub use confusion::{ClassScores, Confusion, Scores};
pub use model::{CARD_FORMAT, Model, ModelCard, ModelError};
pub use predict::{Options, Prediction, TTA_RATIOS, predict, window_count};
pub use slide::{ScoreMap, WINDOWS_PER_BATCH, Window, slide, windows};
pub use sorby_nn::device::Backend;
