//! PyTorch's own files (made by `reference/make_weight_files.py`), and safetensors, read to the same arrays.

use sorby_nn::weights::{Array, StateDict, to_safetensors};
use sorby_nn::weights_file::read_weights;
use sorby_nn::{Arch, ModelSpec, Segmentor, Stem};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reference/fixtures/weights").join(name)
}

fn expected() -> StateDict {
    let values: Vec<f32> = (0..6).map(|i| i as f32 / 4.0).collect();
    let array = |shape: &[usize], values: &[f32]| Array { shape: shape.to_vec(), values: values.to_vec() };
    [
        ("conv1.weight", array(&[2, 3], &values)),
        ("bn1.running_mean", array(&[2], &[0.25, 1.0])),
        ("half.weight", array(&[2, 3], &values)),
        ("brain.weight", array(&[2, 3], &values)),
        ("double.weight", array(&[2, 3], &values)),
        // A transposed view of the same memory.
        ("view.weight", array(&[3, 2], &[0.0, 0.75, 0.25, 1.0, 0.5, 1.25])),
    ]
    .into_iter()
    .map(|(key, a)| (key.to_owned(), a))
    .collect()
}

#[test]
fn every_layout_gives_the_same_arrays() {
    for name in ["zip.pth", "legacy.pth"] {
        assert_eq!(read_weights(&file(name)).unwrap().0, expected(), "{name}");
    }
    let nested: StateDict = expected().into_iter().map(|(key, a)| (format!("backbone.{key}"), a)).collect();
    assert_eq!(read_weights(&file("nested.pth")).unwrap().0, nested);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("same.pth");
    std::fs::write(&path, to_safetensors(&expected(), HashMap::new()).unwrap()).unwrap();
    assert_eq!(read_weights(&path).unwrap().0, expected(), "the content tells, not the name");
}

#[test]
fn nothing_is_executed_and_damage_is_told() {
    let folder = tempfile::tempdir().unwrap();
    std::env::set_current_dir(folder.path()).unwrap();
    assert!(read_weights(&file("trap.pth")).is_err());
    assert!(!Path::new("executed").exists());
    let whole = std::fs::read(file("zip.pth")).unwrap();
    for length in [0, 1, 8, 100, whole.len() / 2, whole.len() - 1] {
        std::fs::write("cut.pth", &whole[..length]).unwrap();
        assert!(read_weights(Path::new("cut.pth")).is_err(), "{length} bytes");
    }
    assert!(read_weights(Path::new("absent.pth")).is_err());
}

#[test]
fn encoders_go_from_model_to_model_and_say_what_they_lack() {
    let device = sorby_nn::device::Backend::from_name("cpu").unwrap().open().unwrap();
    let spec = |arch, stem| ModelSpec { arch, stem, classes: 2, output_stride: 8 };
    let mut from = Segmentor::new(spec(Arch::PspNet, Stem::V1c), 1, &device);
    let state = from.state();
    let mut to = Segmentor::new(spec(Arch::DeepLabV3Plus, Stem::V1c), 2, &device);
    let keys = to.load_encoder(state.clone(), false).unwrap();
    assert!(keys.missing.is_empty() && keys.skipped.iter().all(|k| !k.starts_with("backbone.layer")));
    assert!(keys.skipped.iter().any(|k| k.contains("decode_head")), "heads are no part of an encoder");
    let after = to.state();
    assert!(keys.loaded.iter().all(|key| after[key] == state[key]) && keys.loaded.len() > 100);
    // Another stem: refused with the remedy, or taken in part on request.
    let mut other = Segmentor::new(spec(Arch::DeepLabV3Plus, Stem::V1), 2, &device);
    let error = other.load_encoder(state.clone(), false).unwrap_err().to_string();
    assert!(error.contains("stem = \"v1c\""), "{error}");
    let keys = other.load_encoder(state, true).unwrap();
    assert!(keys.missing.iter().all(|k| k.contains("conv1") || k.contains("bn1")) && keys.loaded.len() > 90);
}
