//! Mistakes that look like data: found by comparing labels with images, and images with each other.

mod alignment;
mod confident;
mod contrast;
mod near_duplicates;

pub use alignment::{Alignment, Misplaced, Turn, alignment, repair};
pub use confident::{Doubts, HeldOut, Place, doubts};
pub use contrast::contrast_to_noise;
pub use near_duplicates::{Fingerprint, near_duplicates};
