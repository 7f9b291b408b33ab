//! From a model file and a micrograph to a mask.

#![warn(missing_docs, clippy::missing_errors_doc, clippy::missing_panics_doc)]

mod adapt;
mod bench;
mod domain;
pub mod foreign;
mod grey_windows;
mod model;
mod predict;
mod reliability;
mod self_test;
mod slide;

pub use adapt::MIXES;
pub use bench::{bench_image, bench_windows};
pub use burn::tensor::Device;
pub use domain::{Domain, MARKED};
pub use model::{CARD_FORMAT, MODEL_FILE, Model, ModelCard, ModelError, SeenImage, model_file};
pub use predict::{
    InferenceOptions, PredictError, Prediction, RowSink, ScoreMap, TTA_RATIOS, predict, predict_rows,
};
pub use reliability::{Calibrator, ExpectedIou, IouSum, Reliability, Residual};
pub use slide::{Window, windows, windows_per_batch};
pub use sorby_nn::device::Backend;
