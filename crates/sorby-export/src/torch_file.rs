//! A file of PyTorch (`.pt`, `.pth`): a zip that holds a pickle and, next to it, the bytes of each tensor.

use crate::ExportError;
use crate::pickle::{Value, pickle};
use crate::zipped::{Entry, zip};
use sorby_image::STATE_DICT_MARK;
use sorby_nn::weights::StateDict;

/// Bytes of a file that `torch.load(weights_only=True)` reads. `around` makes the file's content from the weights, a dict
/// of tensors.
pub(crate) fn torch_file(
    state: &StateDict,
    around: impl FnOnce(Value) -> Value,
) -> Result<Vec<u8>, ExportError> {
    let tensor = |(storage, (key, array)): (usize, (&String, &sorby_nn::weights::Array))| {
        (key.clone(), Value::Tensor { storage, shape: array.shape.clone() })
    };
    let weights = Value::Dict(state.iter().enumerate().map(tensor).collect());
    let mut entries = vec![
        Entry::stored(STATE_DICT_MARK, pickle(&around(weights))),
        Entry::stored("sorby/byteorder", b"little".to_vec()),
    ];
    for (storage, array) in state.values().enumerate() {
        let bytes = array.values.iter().flat_map(|v| v.to_le_bytes()).collect();
        entries.push(Entry::stored(&format!("sorby/data/{storage}"), bytes));
    }
    entries.push(Entry::stored("sorby/version", b"3\n".to_vec()));
    zip(&entries)
}

/// The weights alone: a dict of tensors by MMSegmentation's names.
///
/// # Errors
/// [`ExportError::Zip`] when the zip cannot be made.
pub fn state_dict_file(state: &StateDict) -> Result<Vec<u8>, ExportError> {
    torch_file(state, |weights| weights)
}
