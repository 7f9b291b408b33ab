//! Sorby's networks as files of other programs: ONNX, a bioimage.io package, weights and configuration of MMSegmentation.
//!
//! Files are made in memory from a model's card and its weights, [`Source`]; nothing is read or written here.

#![warn(missing_docs, clippy::missing_errors_doc, clippy::missing_panics_doc)]

mod bioimage;
mod fold;
mod meaning;
mod mmseg;
mod npy;
mod onnx;
mod pickle;
mod torch_file;
mod zipped;

pub use bioimage::{About, SampleError, Scores, TestPair, bioimageio_package, package_name};
pub use mmseg::{MmsegFiles, mmseg_files};
pub use onnx::{INPUT, LOGITS, OnnxOptions, PROBABILITIES, onnx_file};
pub use torch_file::state_dict_file;

use sorby_infer::ModelCard;
use sorby_nn::weights::StateDict;

/// A model to write.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// What it is and how images come to it.
    pub card: &'a ModelCard,
    /// All its tensors.
    pub state: &'a StateDict,
    /// BLAKE3 of its file.
    pub model_blake3: &'a str,
}

impl Source<'_> {
    /// Hash of the resolved recipe as `status.json` of its run has it; empty without a recipe.
    pub(crate) fn recipe_hash(&self) -> String {
        match self.card.recipe.as_str() {
            "" => String::new(),
            recipe => blake3::hash(recipe.as_bytes()).to_hex()[..16].to_owned(),
        }
    }
}

/// Why a model cannot be written for another program.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The weights are not those of the card's network.
    #[error("its weights lack the tensor `{key}`")]
    Missing {
        /// Name of the tensor.
        key: String,
    },
    /// A zip cannot be made.
    #[error("the zip cannot be made ({0})")]
    Zip(String),
    /// A picture of a package cannot be made.
    #[error("the package's picture cannot be made ({0})")]
    Picture(String),
}
