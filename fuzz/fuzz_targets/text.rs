//! What users write: data set manifests, recipes, studies.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sorby_data::Manifest;
use std::path::Path;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(manifest) = Manifest::parse(text) {
        let _ = manifest.colours();
    }
    if let Ok(recipe) = sorby_train::parse(text, &[]) {
        // What is written is read back as it was.
        let written = recipe.to_toml();
        assert_eq!(sorby_train::parse(&written, &[]).unwrap().to_toml(), written);
    }
    let _ = sorby_study::StudySpec::parse(text, Path::new("/"));
    let _ = sorby_data::one_line(text);
});
