//! Labels from a few strokes and clicks.
//!
//! ```text
//! grey image -> Features --+
//! strokes (LabelMap) ------+-> Forest -> Draft (a class and its probability for every pixel)
//! one click -> object_at -> the pixels of one object
//! confidence of a mask -> doubtful_region -> where a label would help most
//! ```

#![warn(missing_docs, clippy::missing_errors_doc, clippy::missing_panics_doc)]

mod draft;
mod features;
mod fill;
mod forest;
mod next;

pub use draft::{Draft, draft};
pub use features::{FEATURES, Features};
pub use fill::{Fill, Span, object_at};
pub use next::{Region, doubtful_region};
