//! CPU numerics of Sorby's networks on plain slices, with no framework.
//!
//! Every tensor is `f32`, channels last (`[n, h, w, c]`, [`Nhwc`]): one pixel's channels are
//! contiguous, so each kernel vectorises over channels and matrix products need no im2col for
//! 1x1 convolutions. Convolution weights are given as PyTorch stores them, `[out, in/groups, kh, kw]`.
//!
//! All parallel loops split the work into pieces whose size depends on the problem only, and every
//! sum has a fixed order, so results are the same bytes for any number of threads.

#![warn(missing_docs, clippy::missing_errors_doc, clippy::missing_panics_doc)]

pub mod allocator;
pub mod channels;
pub mod conv;
mod depthwise;
pub mod dice;
mod dispatch;
mod epilogue;
pub mod focal;
mod focal_lanes;
mod folded;
mod gemm;
mod geometry;
mod im2col;
pub mod norm;
pub mod optimizer;
mod plan;
mod pointwise;
pub mod pool;
mod prefetch;
pub mod recycle;
pub mod resize;
mod scatter;
mod scratch;
pub mod sgemm_rate;
pub mod trace;
mod winograd;
mod zeroed;

pub use dispatch::{SimdLevel, simd_level};
pub use folded::FoldedConv;
use gemm::{Mat, gemm};
pub use geometry::{ConvGeometry, Nhwc};
pub use plan::{Algorithm, choose};
