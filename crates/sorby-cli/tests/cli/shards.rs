//! A lot of images cut into shards and joined again: the bytes of one process.

use crate::{command, fail, sorby, succeed, workshop};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// Every file below a folder with its bytes, those of shards, scripts and locks left out.
fn bytes(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            let name = path.strip_prefix(root).unwrap().to_owned();
            match path.is_dir() {
                true if name == Path::new("shards") || name == Path::new("submit") => {}
                true => folders.push(path),
                false if entry.file_name() == ".lock" => {}
                false => _ = found.insert(name, fs::read(path).unwrap()),
            }
        }
    }
    found
}

#[track_caller]
pub fn same(one: &Path, other: &Path) {
    let (one, other) = (bytes(one), bytes(other));
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    for (name, bytes) in &one {
        assert!(*bytes == other[name], "{} differs", name.display());
    }
}

/// A model and 60 small images of three sizes; one file is damaged.
pub fn lot(at: &Path) {
    succeed(
        at,
        &["train", "tiny.toml", "--data", "data", "--out", "model", "--set", "schedule.iterations=2"],
    );
    fs::create_dir(at.join("lot")).unwrap();
    for (seed, size) in [("3", "64x64"), ("4", "96x64"), ("5", "128x96")] {
        let out = format!("made-{seed}");
        succeed(at, &["synth", "--out", &out, "--images", "20", "--size", size, "--seed", seed]);
        for entry in fs::read_dir(at.join(out).join("images")).unwrap().flatten() {
            let name = format!("{seed}-{}", entry.file_name().to_string_lossy());
            fs::copy(entry.path(), at.join("lot").join(name)).unwrap();
        }
    }
    let first = fs::read_dir(at.join("lot")).unwrap().flatten().map(|e| e.path()).min().unwrap();
    fs::write(&first, "damaged").unwrap();
    assert_eq!(fs::read_dir(at.join("lot")).unwrap().count(), 60);
}

/// Runs a command that ends with problems.
#[track_caller]
pub fn with_problems(at: &Path, words: &[&str]) -> String {
    let output = sorby(at, words);
    assert_eq!(output.status.code(), Some(1), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn with<'a>(words: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    words.iter().chain(more).copied().collect()
}

#[test]
fn four_shards_joined_are_the_bytes_of_one_process() {
    let folder = workshop();
    let at = folder.path();
    lot(at);
    let segment = ["segment", "model", "lot", "--tiff", "--probabilities", "--nm-per-px", "20", "--out"];
    with_problems(at, &with(&segment, &["one"]));
    let shard = |i: &'static str| with(&segment, &["many", "--shard", i]);
    // Shards 1 and 3 at the same time; a command of other settings is refused meanwhile.
    let mut working = command(at, &shard("1/4")).stderr(Stdio::null()).spawn().unwrap();
    sorby(at, &shard("3/4"));
    working.wait().unwrap();
    let other = ["segment", "model", "lot", "--nm-per-px", "30", "--out", "many", "--shard", "2/4"];
    assert!(fail(at, &other).contains("another nm-per-px"));
    let merge = with(&segment, &["many", "--merge"]);
    let printed = fail(at, &with(&segment, &["many", "--merge=4"]));
    assert!(
        printed.contains("2/4 (0 of ") && printed.contains("4/4 (0 of ") && !printed.contains("3/4"),
        "{printed}"
    );
    sorby(at, &shard("2/4"));
    // The last one by what Slurm says; tasks count from 0 where N is given.
    let slurm = command(at, &shard("auto/4")).env("SLURM_ARRAY_TASK_ID", "3").output().unwrap();
    assert!(slurm.status.code().unwrap() <= 1, "{}", String::from_utf8_lossy(&slurm.stderr));
    // A mask that is lost: its shard is named, and does only what is missing.
    let lost = fs::read_dir(at.join("many/shards/4-of-4/masks")).unwrap().flatten().next().unwrap().path();
    fs::remove_file(&lost).unwrap();
    assert!(fail(at, &merge).contains("not finished: 4/4 ("));
    let kept = at.join("many/shards/4-of-4/overlays");
    let times = || -> Vec<_> {
        let entries = fs::read_dir(&kept).unwrap().flatten();
        entries.map(|e| (e.file_name(), e.metadata().unwrap().modified().unwrap())).collect()
    };
    let before = times();
    sorby(at, &shard("4/4"));
    let after = times();
    assert_eq!(after.iter().filter(|t| !before.contains(t)).count(), 1, "one image is done again");
    let printed = with_problems(at, &merge);
    assert!(printed.contains("59 of 60 images segmented"), "{printed}");
    same(&at.join("one"), &at.join("many"));
    // Again, and by one process in the joined folder: nothing changes.
    with_problems(at, &merge);
    with_problems(at, &with(&segment, &["many"]));
    same(&at.join("one"), &at.join("many"));
}

#[test]
fn masks_measured_in_shards_are_the_tables_of_one_process() {
    let folder = workshop();
    let at = folder.path();
    for (seed, size) in [("3", "96x80"), ("4", "128x96")] {
        let out = format!("made-{seed}");
        succeed(at, &["synth", "--out", &out, "--images", "30", "--size", size, "--seed", seed]);
        fs::create_dir_all(at.join("masks")).unwrap();
        fs::create_dir_all(at.join("images")).unwrap();
        for kind in ["labels", "images"] {
            for entry in fs::read_dir(at.join(&out).join(kind)).unwrap().flatten() {
                let name = format!("{seed}-{}", entry.file_name().to_string_lossy());
                fs::copy(entry.path(), at.join(if kind == "labels" { "masks" } else { "images" }).join(name))
                    .unwrap();
            }
        }
    }
    let measure = [
        "measure",
        "masks",
        "--truth",
        "masks",
        "--images",
        "images",
        "--split",
        "1",
        "--export",
        "roi,geojson,parquet",
        "--grains",
        "--spheres",
        "--plan",
        "5",
        "--out",
    ];
    succeed(at, &with(&measure, &["one"]));
    for i in ["1/3", "3/3"] {
        succeed(at, &with(&measure, &["many", "--shard", i]));
    }
    assert!(fail(at, &with(&measure, &["many", "--merge"])).contains("not finished: 2/3 (0 of "));
    succeed(at, &with(&measure, &["many", "--shard", "2/3"]));
    // A line that a kill cut short is measured again, the others are not.
    let path = at.join("many/shards/1-of-3/measured.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, &text[..text.len() - 40]).unwrap();
    assert!(fail(at, &with(&measure, &["many", "--merge"])).contains("not finished: 1/3 ("));
    succeed(at, &with(&measure, &["many", "--shard", "1/3"]));
    let lines = fs::read_to_string(&path).unwrap().lines().count();
    assert_eq!(lines, text.lines().count() + 1, "one mask is measured again");
    succeed(at, &with(&measure, &["many", "--merge"]));
    same(&at.join("one"), &at.join("many"));
}

#[test]
fn a_lot_in_shards_is_the_lot_of_one_process() {
    let folder = crate::routine::laboratory();
    let at = folder.path();
    crate::routine::job_of_areas(at);
    succeed(at, &["job", "lock", "job.toml"]);
    // The same picture twice: it counts once, whichever shards its files are in.
    let first = fs::read_dir(at.join("new/images")).unwrap().flatten().map(|e| e.path()).min().unwrap();
    fs::copy(&first, at.join("new/images/again.png")).unwrap();
    let run = ["run", "job.toml", "new/images", "--set", "lot=12", "--report-number", "7", "--out"];
    with_problems(at, &with(&run, &["one"]));
    succeed(at, &with(&run, &["many", "--shard", "1/2"]));
    assert!(fail(at, &with(&run, &["many", "--merge"])).contains("2/2 (0 of "));
    assert!(fail(at, &["run", "job.toml", "new/images", "--out", "many", "--shard", "2/2"]).contains("lot"));
    succeed(at, &with(&run, &["many", "--shard", "2/2"]));
    with_problems(at, &with(&run, &["many", "--merge"]));
    for part in ["segmentation", "measurements"] {
        same(&at.join("one").join(part), &at.join("many").join(part));
    }
    let results = |lot: &str| -> serde_json::Value {
        let text = fs::read_to_string(at.join(lot).join("lot.json")).unwrap();
        let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(value.as_object_mut().unwrap().remove("date").is_some(), "{text}");
        value
    };
    assert_eq!(results("one"), results("many"));
    // What the shards left is no part of the lot, and may go.
    succeed(at, &["verify", "many"]);
    fs::remove_dir_all(at.join("many/segmentation/shards")).unwrap();
    succeed(at, &["verify", "many"]);
}
