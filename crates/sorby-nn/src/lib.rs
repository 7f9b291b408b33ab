//! The networks: PSPNet and DeepLabV3+ on a dilated ResNet-18, their losses, and their weights.
//!
//! Activations are channels last, `[n, h, w, c]`. Architecture and key names are those of
//! MMSegmentation, so that state dicts exchange by name. This crate knows neither files of images
//! nor recipes.

#![warn(missing_docs, clippy::missing_errors_doc, clippy::missing_panics_doc)]

pub mod backbone;
pub mod check;
pub mod device;
pub mod ema;
pub mod geometry;
mod head;
mod init;
pub mod layer;
pub mod loss;
pub mod ops;
pub mod optimizer;
pub mod segmentor;
pub mod state;
pub mod weights;
pub mod weights_file;

use init::Init;
pub use segmentor::{Arch, ModelSpec, Output, Segmentor, Stem};
pub use sorby_kernels::allocator::keep_freed_buffers;
pub use sorby_kernels::recycle::clear as release_buffers;
pub use sorby_kernels::{SimdLevel, simd_level};
