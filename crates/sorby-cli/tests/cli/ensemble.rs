//! `--ensemble`: several models, one answer.

use crate::{sorby, succeed, workshop};
use sorby_image::MaskNote;
use std::fs;

/// The mask names every model that made it, has no interval of the expected IoU, and another ensemble may not go on in the same
/// folder; one model twice is refused before anything is written.
#[test]
fn masks_of_an_ensemble_say_so() {
    let folder = workshop();
    let at = folder.path();
    succeed(at, &["train", "tiny.toml", "--data", "data", "--out", "run"]);
    succeed(at, &["train", "tiny.toml", "--data", "data", "--out", "other", "--set", "arch=pspnet"]);
    let segment = ["segment", "run", "data/images/carbide-005.png", "--out", "both"];
    let ensemble = [&segment[..], &["--ensemble", "other"]].concat();
    succeed(at, &ensemble);
    let hash = |run: &str| blake3::hash(&fs::read(at.join(run).join("model.safetensors")).unwrap()).to_hex();
    let origin = MaskNote::read(&at.join("both/masks/carbide-005.png")).unwrap().origin.unwrap();
    assert_eq!(origin.model_blake3, hash("run").as_str());
    assert!(origin.settings.ends_with(&format!("ensemble with {}", hash("other"))), "{}", origin.settings);
    let evaluated = succeed(
        at,
        &["evaluate", "run", "--data", "data", "--split", "val", "--ensemble", "other", "--json"],
    );
    let evaluated: serde_json::Value = serde_json::from_str(&evaluated).unwrap();
    assert_eq!(evaluated["ensemble_blake3"], serde_json::json!([hash("other").as_str()]));

    let refused = |arguments: &[&str], why: &str| {
        let output = sorby(at, arguments);
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && error.contains(why), "{error}");
    };
    refused(&segment, "both");
    let twice = ["segment", "run", "data/images", "--out", "twice", "--ensemble", "run"];
    refused(&twice, "--ensemble run: cannot be averaged with run: is the same model once more");
    assert!(!at.join("twice").exists());
}
