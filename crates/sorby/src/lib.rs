//! Learn to segment steel micrographs from a handful of labelled images, and turn masks into numbers that carry their
//! uncertainty.
//!
//! ```
//! # use sorby_data::synth::{Kind, SynthSet, write_dataset};
//! # let folder = tempfile::tempdir()?;
//! # let at = |name: &str| folder.path().join(name);
//! # let set = SynthSet { kind: Kind::Carbide, images: 5, width: 96, height: 96, seed: 0 };
//! # write_dataset(&at("steel"), set)?;
//! use sorby::*;
//! let changes = ["schedule.iterations=4", "data.batch=2", "data.crop=64"].map(String::from);
//! let recipe = NamedRecipe::read("coffee".as_ref(), &changes)?;
//! let options = TrainOptions { out: Some(at("run")), ..TrainOptions::default() };
//! let (run, _) = train(recipe, &at("steel"), &options, &())?;
//!
//! let mut segmenter = Segmenter::open(&run, &InferenceSettings::default())?;
//! let shot = Shot::read(&at("steel/images/carbide-001.png"), &Said::default())?;
//! segmenter.segment(&shot)?.write(&at("mask.png"))?;
//!
//! let options = MeasureOptions { nm_per_px: Some(20.0), ..MeasureOptions::default() };
//! let measured = measure(&[at("mask.png")], &options, &())?;
//! println!("{}", measured.results().estimates.shown().to_text());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Jobs take options, report [events](Event) to an [`Observer`] (`&()` for none) and return values; errors are one
//! [`Error`] whose text is one line that says which file, what is wrong and what to do. Same seed, same data, same version:
//! the same bytes, whatever the number of threads.

#![warn(missing_docs, clippy::missing_errors_doc, clippy::missing_panics_doc)]

pub mod bench;
mod budget;
mod charts;
mod checksum;
pub mod classes;
mod clean;
pub mod cluster;
mod compare;
pub mod data;
mod data_package;
mod device_check;
mod error;
mod evaluate;
mod event;
mod inference;
pub mod job;
pub mod label;
pub mod listing;
pub mod lot;
mod mask_file;
pub mod masks;
pub mod measure;
pub mod model;
mod out_folder;
mod program;
mod provenance;
pub mod publish;
pub mod report;
pub mod scale;
mod scale_report;
mod segment;
mod shard;
mod shard_task;
pub mod study;
pub mod tables;
mod threads;
pub mod threshold;
mod train;
mod trust_table;
pub mod words;

pub use clean::clean;
pub use compare::{Comparison, compare};
pub use device_check::{DeviceCheckOptions, DeviceReport, LayerReport, check_device};
pub use error::{Error, Result};
pub use evaluate::{EvaluateOptions, Evaluation, evaluate};
pub use event::{Event, Observer};
pub use inference::{DeviceOptions, InferenceSettings};
pub use mask_file::{MaskFile, NewMask, is_own_mask, read_mask, write_mask};
pub use measure::{MeasureOptions, Measurement, measure};
pub use out_folder::{MadeBy, OutFolder};
pub use program::{PROGRAM_VARIABLE, Program};
pub use scale_report::{ScaleReport, report_scales};
pub use segment::{
    SegmentOptions, Segmented, SegmentedFolder, Segmenter, Trust, Wanted, segment, share_segmentation,
};
pub use shard::{Part, Shard};
pub use sorby_data::Dataset;
pub use sorby_image::{ArrayValues, LabelMap, Micrograph, Pixels, Said, Shot};
pub use sorby_infer::Device;
pub use sorby_report::Paper;
pub use sorby_score::{ClassScores, Confusion, Scores};
pub use sorby_train::Recipe;
pub use threads::{THREADS, check_threads, most_threads, on_threads};
pub use train::{NamedRecipe, TrainOptions, Training, outcome_json, scores_json, train};
pub use trust_table::{TRUST_FILE, TrustRow};
