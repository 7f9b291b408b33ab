//! `--json`: every verb prints one object that says what it is, and docs/json.md names every verb.

use crate::{sorby, succeed, workshop};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// The one object that a verb prints.
#[track_caller]
fn object(at: &Path, verb: &[&str], code: i32) -> Value {
    let output = sorby(at, &[verb, &["--json"]].concat());
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{verb:?}: {error}");
    let value: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{verb:?}: {e}: {error}"));
    assert_eq!((&value["schema_version"], &value["exit_code"]), (&json!(1), &json!(code)), "{verb:?}");
    value
}

#[test]
fn every_verb_answers_with_one_object() {
    let folder = workshop();
    let at = folder.path();
    succeed(at, &["train", "tiny.toml", "--data", "data", "--out", "run"]);
    let model = "run/model.safetensors";
    let small = ["--window", "64", "--stride", "64"];
    for (schema, key, code, verb) in [
        ("data-init", "dataset_toml", 0, &["data", "init", "data"][..]),
        ("data-check", "problems", 0, &["data", "check", "data"]),
        ("data-classes", "classes", 0, &["data", "classes", "data"]),
        ("data-export", "images", 0, &["data", "export", "data", "--format", "coco", "--out", "c.json"]),
        ("data-import", "classes", 0, &["data", "import", "c.json", "--images", "data/images", "--out", "i"]),
        ("label-next", "suggestions", 0, &["label", "next", "data"]),
        ("label-trial", "trials", 0, &["label", "trial", "data", "--strokes", "3"]),
        ("train", "iterations", 0, &["train", "tiny.toml", "--data", "data", "--out", "again"]),
        ("evaluate", "scores", 0, &["evaluate", "run", "--data", "data", "--split", "val"]),
        ("segment", "segmented", 0, &["segment", "run", "data/images", "--out", "s"]),
        ("scale", "images", 1, &["scale", "data/images"]),
        (
            "measure",
            "estimates",
            0,
            &["measure", "data/labels", "--data", "data", "--class", "carbide", "--out", "m"],
        ),
        ("threshold", "methods", 0, &["threshold", "data/images", "--out", "t"]),
        ("job-new", "lock_sha256", 0, &["job", "new", model, "--out", "j.toml", "--nm-per-px", "12.5"]),
        ("job-lock", "changes", 0, &["job", "lock", "j.toml"]),
        ("lot", "warnings", 1, &["run", "j.toml", "data/images", "--out", "lot"]),
        ("verify", "faults", 0, &["verify", "lot"]),
        ("synth", "images", 0, &["synth", "--out", "y", "--images", "2", "--size", "64x64"]),
        ("demo", "page", 0, &["demo", "--out", "shown", "--iterations", "1"]),
        ("report", "mean_iou", 0, &["report", "run", "--data", "data"]),
        ("replay", "verdict", 0, &["replay", "run/report.html"]),
        ("compare", "tables", 0, &["compare", "run", "again", "--out", "cmp"]),
        ("model-info", "lines", 0, &["model", "info", model]),
        ("model-export", "files", 0, &["model", "export", model, "--format", "onnx", "--out", "m.onnx"]),
        ("clean", "runs", 0, &["clean", "again"]),
        ("system", "devices", 0, &["system"]),
        ("bench", "sgemm_gflop_per_s", 0, &["bench", "gemm", "--repeats", "1"]),
        ("completions", "completions", 0, &["completions", "bash"]),
        ("man", "pages", 0, &["man", "--out", "pages"]),
        ("error", "error", 2, &["verify", "data"]),
    ] {
        let line = match schema {
            "evaluate" | "segment" | "report" => [verb, &small].concat(),
            _ => verb.to_vec(),
        };
        let value = object(at, &line, code);
        assert_eq!(value["schema"], format!("sorby-{schema}"), "{verb:?}");
        assert!(value.get(key).is_some(), "{verb:?} has no `{key}`: {value}");
    }
    assert_eq!(object(at, &["verify", "data"], 2)["verb"], "verify");
}

#[test]
fn the_table_of_the_docs_names_every_verb() {
    let folder = tempfile::tempdir().unwrap();
    succeed(folder.path(), &["man", "--out", "pages"]);
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/json.md");
    let docs = fs::read_to_string(docs).unwrap();
    let pages: Vec<String> = fs::read_dir(folder.path().join("pages"))
        .unwrap()
        .map(|page| page.unwrap().file_name().into_string().unwrap().trim_end_matches(".1").to_owned())
        .collect();
    let is_group = |page: &String| pages.iter().any(|other| other.starts_with(&format!("{page}-")));
    let verbs: Vec<String> =
        pages.iter().filter(|page| !is_group(page)).map(|p| p.replacen("sorby-", "", 1)).collect();
    assert!(verbs.len() > 25, "{verbs:?}");
    for verb in verbs {
        assert!(docs.contains(&format!("`{}`", verb.replace('-', " "))), "docs/json.md lacks `{verb}`");
    }
}
