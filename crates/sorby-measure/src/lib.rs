//! From masks to numbers: objects, particle statistics, and the threshold method to compare with.
//!
//! Lengths are in pixels (`_px`) unless a pixel size is known; then they are in nanometres too (`_nm`).

mod components;
mod neighbours;
mod particles;
mod shape;
mod sizes;
mod threshold;

pub use components::{Connectivity, Objects, Region, Run, components, label_runs};
pub use neighbours::{nearest_centroids_px, nearest_edges_px};
pub use particles::{Comparison, Filter, Particles, Summary, compare, measure, pool};
pub use shape::Shape;
pub use sizes::{EdgeRule, FieldMean, Sizes, field_mean, fields_needed, sizes};
pub use threshold::{Sweep, otsu, sweep};
