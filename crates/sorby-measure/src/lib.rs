//! From masks to numbers: objects, particle statistics, and the threshold method to compare with.
//!
//! Lengths are in pixels (`_px`) unless a pixel size is known; then they are in nanometres too (`_nm`).

#![warn(missing_docs, clippy::missing_errors_doc, clippy::missing_panics_doc)]

mod calibration;
mod components;
mod edges;
mod estimate;
mod field;
mod grains;
mod intervals;
mod lines;
mod neighbours;
mod outline;
mod particles;
mod quantity;
mod raster;
mod ruling;
mod sauvola;
mod shape;
mod sizes;
mod split;
mod threshold;
mod unfold;
mod unknown;

pub use calibration::{Bias, Calibration, LeftOut, Pair, SizeClass};
pub use components::{Connectivity, Objects, Region, Run, components, label_runs, numbered};
pub use edges::{EdgeRule, EdgeWeights};
pub use estimate::{Estimate, IntervalInputs, estimate};
pub use field::{Field, sampling, value};
pub use grains::{GrainCounts, GrainSize, LargestGrain, contiguity, grain_counts, grain_size};
pub use intervals::{Spread, fields_needed, ratio_spread, t_975};
pub use lines::{Lines, lines};
pub use neighbours::{nearest_centroids_px, nearest_edges_px};
pub use outline::{Ring, each_outline, outlines, signed_area_px};
pub use particles::{Comparison, ObjectRule, Particles, Summary, compare, measure, measure_numbered, pool};
pub use quantity::Quantity;
pub use ruling::{HeavyObject, Ruling, ruling};
pub use sauvola::sauvola;
pub use shape::Shape;
pub use sizes::{Lognormal, Sizes, diameter_sd, lognormal, sizes};
pub use threshold::{Sweep, otsu, sweep};
pub use unfold::{
    SphereEstimate, Spheres, fullman_mean_diameter, saltykov, section_classes, unfold_fields,
    unfold_non_negative,
};
pub use unknown::LINE_WIDTH_PX;
