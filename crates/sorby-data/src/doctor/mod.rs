//! Mistakes that look like data: found by comparing labels with images, and images with each other.

mod alignment;
mod twins;

pub use alignment::{Alignment, Misplaced, Turn, alignment, mend};
pub use twins::{Fingerprint, twins};
