//! Weight files: safetensors with a model card, and PyTorch's archives.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sorby_infer::ModelCard;
use sorby_nn::weights::from_safetensors;
use sorby_nn::weights_file::read_weights;
use std::sync::LazyLock;

static FOLDER: LazyLock<std::path::PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("sorby-fuzz-weights-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
});

fuzz_target!(|data: &[u8]| {
    if let Ok((_, metadata)) = from_safetensors(data) {
        let _ = ModelCard::of(&metadata);
    }
    let path = FOLDER.join("a.pth");
    std::fs::write(&path, data).unwrap();
    let _ = read_weights(&path);
});
