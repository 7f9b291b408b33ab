//! A package of bioimage.io: a zip with the network as ONNX and as PyTorch weights, a pair of test tensors, a cover, and a
//! description that says what they are.

mod description;
mod documentation;
mod sample;
mod yaml;

pub use sample::{SampleError, TestPair};

use crate::onnx::{OnnxOptions, onnx_file};
use crate::torch_file::state_dict_file;
use crate::zipped::{Entry, zip};
use crate::{ExportError, Source};
use sorby_infer::ModelCard;

/// The network in PyTorch, the same file for every model.
const NETWORK: &str = include_str!("network.py");

/// What a package says of its model beyond the model's card.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// 5 to 128 letters, digits, spaces and `_+-()`; see [`package_name`].
    pub name: String,
    /// Who made it.
    pub author: Option<String>,
    /// SPDX identifier.
    pub licence: Option<String>,
    /// How well it did.
    pub scores: Option<Scores>,
    /// Height and width are free, from the model's window on.
    pub dynamic: bool,
    /// 16-bit weights in the ONNX file.
    pub half: bool,
}

/// A validation of the model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scores {
    /// Iterations trained.
    pub iteration: u64,
    /// Images that were validated on; 0: not known.
    pub images: usize,
    /// Of each class, 0 to 1.
    pub iou: Vec<Option<f64>>,
    /// Mean of those that there are.
    pub mean_iou: Option<f64>,
    /// Share of labelled pixels, 0 to 1.
    pub pixel_accuracy: Option<f64>,
}

/// Files of a package by name.
struct Files(Vec<Entry>);

impl Files {
    /// Bytes of the file `name`; none when there is no such file.
    fn of(&self, name: &str) -> &[u8] {
        self.0.iter().find(|e| e.name == name).map_or(&[], |e| &e.bytes)
    }
}

/// Pixels at each edge of a window that another window knows better.
fn halo_px(card: &ModelCard) -> usize {
    card.window_px.saturating_sub(card.stride_px) / 2
}

/// `name` with nothing that a package's name may not have.
pub fn package_name(name: &str) -> String {
    const LONGEST: usize = 128;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+-() ".contains(c);
    let clean: String = name.chars().map(|c| if allowed(c) { c } else { '-' }).take(LONGEST).collect();
    let clean = clean.trim().to_owned();
    // Five letters at least.
    if clean.len() < 5 { format!("Sorby {clean}").trim().to_owned() } else { clean }
}

/// Bytes of the package; the same model and test give the same bytes.
///
/// # Errors
/// [`ExportError::Missing`] when the weights are not those of the card's network, [`ExportError::Zip`] when a zip cannot be
/// made, [`ExportError::Picture`] when a picture cannot.
pub fn bioimageio_package(source: &Source, about: &About, test: &TestPair) -> Result<Vec<u8>, ExportError> {
    let card = source.card;
    let options = OnnxOptions { dynamic: about.dynamic, half: about.half, probabilities_only: true };
    // Training alone needs the auxiliary head.
    let mut state = source.state.clone();
    state.retain(|key, _| !key.starts_with("auxiliary_head."));
    let (side, classes) = (test.side_px, card.classes.len());
    let tensor = |channels: usize, values: &[f32]| crate::npy::npy(&[1, channels, side, side], values);
    let mut files = Files(vec![
        Entry::compressed("README.md", documentation::readme(source, about).into_bytes()),
        Entry::stored("cover.png", test.cover(&card.colours)?),
        Entry::stored("sample_input.png", test.input_picture()?),
        Entry::stored("sample_output.png", test.output_picture(&card.colours)?),
        Entry::compressed("test_input.npy", tensor(1, &test.input)),
        Entry::compressed("test_output.npy", tensor(classes, &test.output)),
        Entry::compressed("network.py", NETWORK.as_bytes().to_vec()),
        Entry::stored("weights.pt", state_dict_file(&state)?),
        Entry::stored("model.onnx", onnx_file(source, &options)?),
    ]);
    let description = description::description(source, about, &files);
    files.0.insert(0, Entry::stored("rdf.yaml", description.into_bytes()));
    zip(&files.0)
}

#[cfg(test)]
mod tests {
    use super::package_name;

    #[test]
    fn names_keep_to_what_is_allowed() {
        assert_eq!(package_name("runs/märz: 3"), "runs-m-rz- 3");
        assert_eq!(package_name("a"), "Sorby a");
        assert_eq!(package_name(&"x".repeat(300)).len(), 128);
    }
}
