//! How well masks agree with labels: counts first, ratios afterwards.

#![warn(missing_docs)]

mod confusion;
mod overlap;

pub use confusion::{ClassScores, Confusion, Scores};
pub use overlap::{Overlap, threshold_ious};
