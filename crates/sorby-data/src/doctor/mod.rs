//! Mistakes that look like data: found by comparing labels with images, and images with each other.

mod alignment;
mod confident;
mod twins;

pub use alignment::{Alignment, Misplaced, Turn, alignment, mend};
pub use confident::{Doubts, HeldOut, Place, doubts};
pub use twins::{Fingerprint, twins};
