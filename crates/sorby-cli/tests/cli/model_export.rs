//! `sorby model export`: files for other programs, whole or not at all, and never over what is another's.

use crate::{fail, sorby, succeed, workshop};
use sorby_image::RawLabels;
use std::fs;
use std::io::Read as _;
use std::path::Path;

/// Texts of a zip's files by name; other files as empty texts.
fn texts(path: &Path) -> Vec<(String, String)> {
    let mut zip = zip::ZipArchive::new(fs::File::open(path).unwrap()).unwrap();
    (0..zip.len())
        .map(|i| {
            let mut entry = zip.by_index(i).unwrap();
            let mut text = String::new();
            let _ = entry.read_to_string(&mut text);
            (entry.name().unwrap().into_owned(), text)
        })
        .collect()
}

#[test]
fn exports_hold_what_they_should_and_replace_only_their_own() {
    let folder = workshop();
    let at = folder.path();
    succeed(at, &["train", "tiny.toml", "--data", "data", "--out", "run"]);
    let export = |words: &[&str]| succeed(at, &[&["model", "export", "run", "--format"], words].concat());

    let first = export(&["onnx"]);
    assert!(first.contains("run/model.onnx"), "{first}");
    let bytes = fs::read(at.join("run/model.onnx")).unwrap();
    // Classes, hash of the recipe and of the model are in the file.
    let status: serde_json::Value =
        serde_json::from_slice(&fs::read(at.join("run/status.json")).unwrap()).unwrap();
    let model = blake3::hash(&fs::read(at.join("run/model.safetensors")).unwrap()).to_hex();
    for text in [r#"["matrix","carbide"]"#, status["recipe_hash"].as_str().unwrap(), model.as_str()] {
        assert!(bytes.windows(text.len()).any(|w| w == text.as_bytes()), "{text}");
    }
    export(&["onnx"]);
    assert_eq!(fs::read(at.join("run/model.onnx")).unwrap(), bytes, "the same model, the same bytes");

    let printed =
        export(&["bioimageio", "--licence", "CC-BY-4.0", "--author", "A. Author", "--name", "Härte/1"]);
    assert!(!printed.contains("look at"), "{printed}");
    let files = texts(&at.join("run/model.bioimageio.zip"));
    let description = &files.iter().find(|(name, _)| name == "rdf.yaml").unwrap().1;
    for line in ["license: \"CC-BY-4.0\"", "name: \"H-rte-1\"", "scale: 12.5", "halo: 8", "size: 64"] {
        assert!(description.contains(line), "{line}: {description}");
    }
    let readme = &files.iter().find(|(name, _)| name == "README.md").unwrap().1;
    let last = fs::read_to_string(at.join("run/validation.jsonl")).unwrap();
    let last: serde_json::Value = serde_json::from_str(last.lines().last().unwrap()).unwrap();
    let score = format!("| mean IoU | {:.2} % |", 100.0 * last["mean_iou"].as_f64().unwrap());
    assert!(readme.contains("# Validation") && readme.contains(&score), "{score}: {readme}");

    export(&["mmseg", "--out", "theirs.pth"]);
    let config = fs::read_to_string(at.join("theirs.py")).unwrap();
    assert!(config.contains("crop_size=(64, 64), stride=(48, 48)"), "{config}");
    // The way back gives the same weights and so the same mask.
    succeed(at, &["model", "convert", "theirs.pth", "--out", "back.safetensors"]);
    for (model, out) in [("run", "a"), ("back.safetensors", "b")] {
        succeed(at, &["segment", model, "data/images", "--out", out]);
    }
    // Notes of the masks name two models; their pixels are the same.
    for mask in fs::read_dir(at.join("a/masks")).unwrap() {
        let name = mask.unwrap().file_name();
        let read = |out: &str| RawLabels::read(&at.join(out).join("masks").join(&name)).unwrap();
        assert!(read("a") == read("b"), "{name:?}");
    }
}

#[test]
fn what_is_anothers_is_not_replaced() {
    let folder = workshop();
    let at = folder.path();
    succeed(at, &["train", "tiny.toml", "--data", "data", "--out", "run"]);
    fs::write(at.join("theirs.onnx"), b"\x08\x07\x12\x07pytorch").unwrap();
    fs::write(at.join("theirs.py"), "model = dict()\n").unwrap();
    let before = fs::read(at.join("run/model.safetensors")).unwrap();
    for (format, out, word) in [
        ("onnx", "theirs.onnx", "overwritten"),
        ("onnx", "run/model.safetensors", "overwritten"),
        ("bioimageio", "theirs.onnx", "overwritten"),
        ("mmseg", "theirs.pth", "theirs.py"),
        ("mmseg", "new.py", ".pth"),
        ("onnx", "data", "folder"),
    ] {
        let message = fail(at, &["model", "export", "run", "--format", format, "--out", out]);
        assert!(message.contains(word), "{format} {out}: {message}");
    }
    assert_eq!(fs::read(at.join("run/model.safetensors")).unwrap(), before);
    assert_eq!(fs::read_to_string(at.join("theirs.py")).unwrap(), "model = dict()\n");
    assert!(!at.join("theirs.pth").exists() && !at.join("new.py").exists());
    for (words, word) in [
        (&["--format", "mmseg", "--half"][..], "--half"),
        (&["--format", "onnx", "--licence", "MIT"], "--licence"),
        (&["--format", "bioimageio", "--image", "tiny.toml"], "tiny.toml"),
    ] {
        let message = fail(at, &[&["model", "export", "run"], words].concat());
        assert!(message.contains(word), "{message}");
    }
    // A test image smaller than the model's window.
    image::GrayImage::from_pixel(48, 48, image::Luma([90])).save(at.join("small.png")).unwrap();
    let image = "small.png";
    let message = fail(at, &["model", "export", "run", "--format", "bioimageio", "--image", image]);
    assert!(message.contains("64 a side"), "{message}");
    let output = sorby(at, &["model", "export", "run", "--format", "tensorflow"]);
    assert_eq!(output.status.code(), Some(2));
}
