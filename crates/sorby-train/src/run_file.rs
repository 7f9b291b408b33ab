//! The names of a run folder's files, each in one place.

use std::path::{Path, PathBuf};

/// A file or folder of a run folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunFile {
    /// The resolved recipe.
    Recipe,
    /// The recipe as it was typed.
    Source,
    /// Versions, threads, command line, of every start.
    Environment,
    /// Where the data set was.
    DataPath,
    /// Images with their parts and hashes.
    Split,
    /// Recipe, classes and data as they were at the beginning.
    Identity,
    /// The file that the weights began from, with its hash.
    Pretrained,
    /// State, iteration, best score, hashes of what was written.
    Status,
    /// One line for each iteration.
    Metrics,
    /// One line for each validation.
    Validation,
    /// Counts of the last validation by image.
    ImageCounts,
    /// Folder: masks of the last validation.
    ValidationMasks,
    /// Folder: what a stopped run goes on from.
    Checkpoints,
    /// What was printed.
    Log,
    /// The model after the last iteration.
    Model,
    /// The model of the best validation.
    Best,
}

impl RunFile {
    /// Its name in the run folder.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Recipe => "recipe.toml",
            Self::Source => "source.toml",
            Self::Environment => "environment.json",
            Self::DataPath => "data_path.txt",
            Self::Split => "split.json",
            Self::Identity => "identity.json",
            Self::Pretrained => "pretrained.json",
            Self::Status => "status.json",
            Self::Metrics => "metrics.jsonl",
            Self::Validation => "validation.jsonl",
            Self::ImageCounts => "validation_images.json",
            Self::ValidationMasks => "validation",
            Self::Checkpoints => "checkpoints",
            Self::Log => "log.txt",
            Self::Model => sorby_infer::MODEL_FILE,
            Self::Best => "best.safetensors",
        }
    }

    /// Where it is in the run folder `root`.
    pub fn path_in(self, root: &Path) -> PathBuf {
        root.join(self.name())
    }
}

impl std::fmt::Display for RunFile {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
