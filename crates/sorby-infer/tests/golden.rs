//! A model file says when it is not what was saved.

use sorby_infer::{Device, Model, ModelCard};
use sorby_nn::weights::{from_safetensors, to_safetensors};
use sorby_nn::{Arch, ModelSpec, Segmentor, Stem};

#[test]
fn a_changed_network_is_refused() {
    let device = Device::flex();
    let spec = ModelSpec { arch: Arch::PspNet, stem: Stem::V1c, classes: 2, output_stride: 16 };
    let card = ModelCard { window_px: 64, stride_px: 32, ..ModelCard::new(spec) };
    let mut model = Model::new(card, Segmentor::new(spec, 3, &device));
    let bytes = model.to_bytes(&device).unwrap();
    assert_eq!(bytes, model.to_bytes(&device).unwrap(), "the same model gives the same bytes");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    std::fs::write(&path, &bytes).unwrap();
    let read = Model::read(&path, &device).unwrap();
    assert_eq!(read.card.golden.len(), 16 * 2);

    // Weights of the stem made large (new blocks start as their identity, so theirs would not show): the file is whole, the network another.
    let (mut state, metadata) = from_safetensors(&bytes).unwrap();
    state.get_mut("backbone.stem.3.weight").unwrap().values[..500].fill(2.0);
    std::fs::write(&path, to_safetensors(&state, metadata).unwrap()).unwrap();
    let error = Model::read(&path, &device).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("not what it was when it was saved"), "{error}");
}
