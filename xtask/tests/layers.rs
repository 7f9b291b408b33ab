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
    assert_eq!(documented.len(), crates - 1, "every crate but the library of jobs has its row");
    for (name, allowed) in documented {
        assert_eq!(used(&root, &name), allowed, "sorby-{name}");
    }
}

/// Rust files below a folder.
fn sources(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path());
    entries
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        .collect()
}

#[test]
fn burn_stays_in_three_crates() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for entry in std::fs::read_dir(root.join("crates")).unwrap() {
        let folder = entry.unwrap().path();
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let may = ["sorby-nn", "sorby-infer", "sorby-train"].contains(&name.as_str());
        let sees_burn = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap().contains("\nburn");
        assert_eq!(sees_burn, may, "{name}");
        for file in sources(&folder.join("src")) {
            let text = std::fs::read_to_string(&file).unwrap();
            assert!(may || !text.contains("burn::"), "{} names Burn", file.display());
        }
    }
}

/// The library of jobs knows no flags and prints nothing; its errors are its own.
#[test]
fn the_library_neither_parses_nor_prints() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/sorby");
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
    for word in ["clap", "anyhow", "indicatif", "ctrlc", "sorby-serve"] {
        assert!(!manifest.contains(&format!("\n{word}")), "{word}");
    }
    for file in sources(&root.join("src")) {
        let text = std::fs::read_to_string(&file).unwrap();
        // Examples in comments may print.
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for word in ["println!", "print!(", "std::env::args"] {
                assert!(!line.contains(word), "{}: {line}", file.display());
            }
        }
    }
}

/// The module for Python converts: of our crates it knows the library, and of the program how it is run.
#[test]
fn the_module_for_python_knows_the_library_and_how_the_program_is_run() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/sorby-py/src");
    let mut of_the_program = Vec::new();
    for file in sources(&root) {
        let text = std::fs::read_to_string(&file).unwrap();
        of_the_program.extend(text.split("sorby_cli::").skip(1).map(|rest| rest[..4].to_owned()));
        let others = text.matches("sorby_").count() - text.matches("sorby_cli::").count();
        assert_eq!(others, 0, "{} names another of our crates", file.display());
    }
    assert_eq!(of_the_program, ["run("]);
}

/// Where the program is another's module (Python's), the file of this process is not the program: one place knows what is.
#[test]
fn the_program_is_started_from_one_place() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut places = Vec::new();
    for entry in std::fs::read_dir(root.join("crates")).unwrap() {
        for file in sources(&entry.unwrap().path().join("src")) {
            if std::fs::read_to_string(&file).unwrap().contains("current_exe") {
                places.push(file.file_name().unwrap().to_string_lossy().into_owned());
            }
        }
    }
    assert_eq!(places, ["program.rs"]);
}

/// Verbs are short: flags to options, events to words.
#[test]
fn verbs_stay_short() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/sorby-cli/src/commands");
    for file in sources(&root) {
        let lines = std::fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= 100, "{}: {lines} lines", file.display());
    }
}

/// `a/{b,c}.rs` as `a/b.rs` and `a/c.rs`.
fn spelt_out(path: &str) -> Vec<String> {
    let Some((before, rest)) = path.split_once('{') else { return vec![path.to_owned()] };
    let (list, after) = rest.split_once('}').unwrap();
    list.split(',').map(|part| format!("{before}{part}{after}")).collect()
}

/// Every file and folder that the documents name is there.
#[test]
fn paths_of_the_documents_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut checked = 0;
    for entry in std::fs::read_dir(root.join("docs")).unwrap() {
        let file = entry.unwrap().path();
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        let quoted = text.split('`').skip(1).step_by(2);
        let starts = ["sorby/", "sorby-", "crates/", "web/src", "web/tests", "xtask/", "reference/"];
        for path in quoted.filter(|q| starts.iter().any(|s| q.starts_with(s)) && q.contains('/')) {
            if path.contains([' ', '*', '\n']) {
                continue;
            }
            for path in spelt_out(path) {
                let there = root.join(&path).exists() || root.join("crates").join(&path).exists();
                assert!(there, "{} names {path}", file.display());
                checked += 1;
            }
        }
    }
    assert!(checked > 50, "{checked}");
}

#[test]
fn names_of_a_run_folder_s_files_stand_once() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let owner = root.join("crates/sorby-train/src/run_file.rs");
    let text = std::fs::read_to_string(&owner).unwrap();
    let names: Vec<&str> = text.split('"').skip(1).step_by(2).filter(|n| n.contains('.')).collect();
    assert!(names.len() > 10 && names.contains(&"recipe.toml"), "{names:?}");
    for entry in std::fs::read_dir(root.join("crates")).unwrap() {
        for file in sources(&entry.unwrap().path().join("src")) {
            let text = std::fs::read_to_string(&file).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            for name in names.iter().filter(|_| file.canonicalize().unwrap() != owner.canonicalize().unwrap())
            {
                assert!(!code.contains(&format!("\"{name}\"")), "{} spells {name}", file.display());
            }
        }
    }
}
