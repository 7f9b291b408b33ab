//! What the program is made of: licences, sources, duplicates, build scripts, unsafe code. Cargo fetches the sources
//! that only other platforms build, where they are missing. `deny.toml` says the same to cargo-deny, which also knows
//! of advisories.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn metadata() -> serde_json::Value {
    let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
    let arguments = ["metadata", "--format-version", "1", "--locked"];
    let output = Command::new(cargo).args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Licences that a closed product may build on, too. MPL-2.0 binds only changes of its own files.
const ALLOWED: [&str; 15] = [
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "0BSD",
    "CC0-1.0",
    "BSL-1.0",
    "Unicode-3.0",
    "Unlicense",
    "MIT-0",
    "CDLA-Permissive-2.0",
    "MPL-2.0",
];

/// Whether an SPDX expression can be met by allowed licences alone.
fn is_met(expression: &str) -> bool {
    let text = expression.replace(['(', ')'], " ").replace('/', " OR ");
    // `A AND (B OR C)`: every part between ANDs needs one allowed alternative.
    text.split(" AND ").all(|part| part.split(" OR ").any(|one| ALLOWED.contains(&one.trim())))
}

/// Name and licence of all that is built without the optional GPU features.
fn built() -> Vec<(String, String)> {
    let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
    let arguments = ["tree", "--workspace", "--locked", "--prefix", "none", "--target", "all"];
    let output = Command::new(cargo)
        .args(arguments)
        .args(["--format", "{p}|{l}"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let pair = |line: &str| {
        line.split_once('|').map(|(name, licence)| (name.to_owned(), licence.replace(" (*)", "")))
    };
    text.lines().filter_map(pair).collect()
}

#[test]
fn every_licence_is_permissive() {
    let built = built();
    assert!(built.len() > 200);
    for (name, licence) in built {
        assert!(is_met(licence.trim()), "{name}: licence `{licence}`");
    }
    assert!(is_met("MIT OR Apache-2.0") && is_met("(MIT OR GPL-3.0) AND Zlib") && !is_met("GPL-3.0-only"));
}

#[test]
fn every_source_is_the_registry() {
    for package in metadata()["packages"].as_array().unwrap() {
        if let Some(source) = package["source"].as_str() {
            let registry = source.starts_with("registry+https://github.com/rust-lang/crates.io-index");
            assert!(registry, "{}: {source}", package["name"]);
        }
    }
}

/// One crate must be built again when the page that it holds is; its script says that to cargo and nothing else.
#[test]
fn build_scripts_of_ours_do_nothing() {
    let metadata = metadata();
    for package in metadata["packages"].as_array().unwrap().iter().filter(|p| p["source"].is_null()) {
        for target in package["targets"].as_array().unwrap() {
            if !target["kind"].as_array().unwrap().iter().any(|k| k == "custom-build") {
                continue;
            }
            let text = std::fs::read_to_string(target["src_path"].as_str().unwrap()).unwrap();
            let code = text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with("//"));
            let harmless = |l: &str| {
                ["fn main() {", "}"].contains(&l) || l.starts_with("println!(\"cargo::rerun-if-changed=")
            };
            let others: Vec<&str> = code.filter(|l| !harmless(l)).collect();
            assert!(others.is_empty(), "{}: {others:?}", package["name"]);
        }
    }
}

#[test]
fn unsafe_code_is_forbidden_but_where_numbers_meet_memory() {
    let mut lenient = BTreeMap::new();
    for entry in std::fs::read_dir(root().join("crates")).unwrap().flatten() {
        let text = std::fs::read_to_string(entry.path().join("Cargo.toml")).unwrap();
        if !text.contains("[lints]\nworkspace = true") {
            lenient.insert(entry.file_name().into_string().unwrap(), text.contains("unsafe_code = \"deny\""));
        }
    }
    let expected = [("sorby-kernels".to_owned(), true), ("sorby-nn".to_owned(), true)];
    assert_eq!(lenient, BTreeMap::from(expected));
    let workspace = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(workspace.contains("[workspace.lints.rust]\nunsafe_code = \"forbid\""));
}
