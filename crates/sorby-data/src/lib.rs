//! Data sets of labelled micrographs: finding, checking and reading them, drawing training crops,
//! and making synthetic ones.

#![warn(missing_docs, clippy::missing_errors_doc, clippy::missing_panics_doc)]

mod augment;
mod check;
mod coding;
mod colour;
mod crop;
mod dataset;
pub mod doctor;
pub mod import;
mod label_file;
mod label_versions;
mod listing;
mod manifest;
mod manifest_edit;
mod problem;
mod proposal;
mod sample;
mod scale_proposal;
pub mod synth;
mod toml_words;

pub use augment::Augment;
pub use check::{ClassCount, Summary, check};
pub use coding::{Expected, Label, LabelCoding, ObjectNumbers};
pub use colour::{Colour, ColourError, default_colour};
pub use crop::{CropBox, CropRule};
pub use dataset::{Dataset, Item, locate};
pub use label_file::{finish_replacements, read_label, remove_label, require_classes, save_label};
pub use label_versions::{ChangedBy, LabelRecord, LabelVersion, LabelVersions};
pub use listing::{Entry, entries, entries_of};
pub use manifest::{
    Class, DataBar, Folder, LabelKind, Labels, Manifest, ManifestError, Missing, Scale, repeated_value,
};
pub use manifest_edit::{NewClass, put_classes, put_image_name, put_into_split, put_scale};
pub use problem::{DataError, Problem};
pub use proposal::propose;
pub use sample::{Batch, CropSource, Normalisation, Sample, batch};
pub use toml_words::one_line;
