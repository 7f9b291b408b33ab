//! Training: recipe, schedule, loop, checkpoints and the run folder.

#![warn(missing_docs, clippy::missing_errors_doc, clippy::missing_panics_doc)]

mod bench;
mod checkpoint;
mod error;
mod grey_choice;
mod identity;
mod kept_counts;
mod log;
mod memory;
mod nothing_found;
mod past_run;
mod preset;
mod recipe;
mod run_file;
mod run_folder;
mod schedule;
mod seal;
mod split_record;
mod start;
mod step;
mod trainer;
mod validate;
mod written;

pub use bench::bench_training;
pub use error::TrainError;
pub use grey_choice::GreyRangeSetting;
pub use kept_counts::LabelPixels;
pub use log::{ImpossibleValue, LogLine};
pub use memory::{available_bytes, estimated_bytes, peak_bytes, values_of};
pub use nothing_found::{nothing_found, nothing_found_by_run};
pub use past_run::PastRun;
pub use preset::{PRESETS, preset};
pub use recipe::{
    Data, Inference, Loss, LossKind, Model, Optimizer, OptimizerKind, Policy, Recipe, RecipeError, Schedule,
    apply_override, parse, parse_table,
};
pub use run_file::RunFile;
pub use run_folder::{ImageCounts, Metric, RunFolder, State, Status, ValidationRecord};
pub use schedule::{one_cycle_lr, poly_lr};
pub use sorby_data::one_line;
pub use sorby_nn::Arch;
pub use split_record::{ImageHash, SplitRecord, part_in};
pub use start::{BUILTIN_NAME, BegunWith, Pretrained, check_pretrained};
pub use step::StepCost;
pub use trainer::{Event, Outcome, Trainer, file_blake3};
pub use validate::validate;
pub use written::Written;
