//! The crates may use each other only as docs/architecture.md says.

use std::collections::BTreeSet;
use std::path::Path;

/// Crates named after "may use" in the table, by crate.
fn documented(root: &Path) -> Vec<(String, BTreeSet<String>)> {
    let text = std::fs::read_to_string(root.join("docs/architecture.md")).unwrap();
    let row = |line: &str| -> Option<(String, BTreeSet<String>)> {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let name = cells.first()?.strip_prefix("`sorby-")?.strip_suffix('`')?;
        let uses = cells.get(2)?.split(',').map(str::trim).filter(|s| !s.is_empty());
        Some((name.to_owned(), uses.map(str::to_owned).collect()))
    };
    text.lines().filter_map(row).collect()
}

/// Sorby crates in `[dependencies]` of a manifest.
fn used(root: &Path, name: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(root.join(format!("crates/sorby-{name}/Cargo.toml"))).unwrap();
    let section = text.split("[dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    let entry = |line: &str| Some(line.strip_prefix("sorby-")?.split(['.', ' ', '=']).next()?.to_owned());
    section.lines().filter_map(entry).collect()
}

#[test]
fn dependencies_are_as_documented() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let documented = documented(&root);
    let crates = std::fs::read_dir(root.join("crates")).unwrap().count();
    assert_eq!(documented.len(), crates - 1, "every crate but the program is in the table");
    for (name, allowed) in documented {
        assert_eq!(used(&root, &name), allowed, "sorby-{name}");
    }
}

#[test]
fn burn_stays_in_three_crates() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for entry in std::fs::read_dir(root.join("crates")).unwrap() {
        let folder = entry.unwrap().path();
        let sees_burn = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap().contains("\nburn");
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        assert_eq!(sees_burn, ["sorby-nn", "sorby-infer", "sorby-train"].contains(&name.as_str()), "{name}");
    }
}
