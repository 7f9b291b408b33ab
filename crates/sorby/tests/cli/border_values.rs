//! Right values at the borders: what the values of masks and labels mean. The inputs lie in `tests/cases`.

use crate::{fail, sorby, succeed, workshop};
use std::fs;
use std::path::{Path, PathBuf};

fn case(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(path)
}

/// `sorby measure --json` of a file or folder of the cases: the summary, and what was said.
fn measured(path: &Path, more: &[&str]) -> (serde_json::Value, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = path.to_str().unwrap();
    let output = sorby(folder.path(), &[&["measure", path, "--out", "m", "--json"], more].concat());
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{path}: {told}");
    (serde_json::from_slice(&output.stdout).unwrap(), told)
}

#[test]
fn lines_of_255_between_grains_are_boundaries() {
    let grains = |name: &str| {
        let more = ["--grains", "--nm-per-px", "1354.6667"];
        measured(&case("c09-void-lines-between-grains").join(name), &more)
    };
    let ((known, _), (void, told)) = (grains("line0.png"), grains("line255.png"));
    let size = |json: &serde_json::Value, key: &str| json["grain_size"][key].as_f64().unwrap();
    assert!((size(&known, "grains_per_mm2") - 217.97).abs() < 0.01, "{known}");
    assert!((size(&known, "g_planimetric") - 4.814).abs() < 0.001);
    assert_eq!(void["grain_size"], known["grain_size"]);
    assert_eq!(void["estimates"], known["estimates"]);
    assert!(told.contains("9900 pixels of 255 are lines"), "{told}");
}

/// A second command never writes among the results of a first; the same command goes on.
#[test]
fn a_folder_of_results_is_of_one_command() {
    let folder = workshop();
    let at = folder.path();
    let train = ["train", "tiny.toml", "--data", "data", "--set", "schedule.iterations=1"];
    succeed(at, &[&train[..], &["--out", "run"]].concat());
    succeed(at, &[&train[..], &["--out", "other", "--set", "seed=1"]].concat());
    let images = "data/images";
    succeed(at, &["segment", "run", images, "--out", "seg"]);
    let masks = || fs::read_dir(at.join("seg/masks")).unwrap().count();
    assert_eq!(masks(), 5);
    let read = |path: &str| fs::read(at.join(path)).unwrap();
    let (trust, done, mask) =
        (read("seg/trust.csv"), read("seg/done.jsonl"), read("seg/masks/carbide-002.png"));

    // Interrupted: some masks are gone, the last line was cut short, trust.csv was not written yet.
    fs::remove_file(at.join("seg/masks/carbide-002.png")).unwrap();
    fs::remove_file(at.join("seg/trust.csv")).unwrap();
    fs::write(at.join("seg/done.jsonl"), &done[..done.len() - 40]).unwrap();
    let kept = fs::metadata(at.join("seg/masks/carbide-001.png")).unwrap().modified().unwrap();
    let told = succeed(at, &["segment", "run", images, "--out", "seg"]);
    assert!(told.contains("3 of 5 images are finished already"), "{told}");
    assert_eq!(fs::metadata(at.join("seg/masks/carbide-001.png")).unwrap().modified().unwrap(), kept);
    assert_eq!((read("seg/trust.csv"), read("seg/done.jsonl")), (trust, done));
    assert_eq!(read("seg/masks/carbide-002.png"), mask);

    // Another model, another setting, other images: refused by what differs.
    assert!(fail(at, &["segment", "other", images, "--out", "seg"]).contains("another model"));
    assert!(fail(at, &["segment", "run", images, "--out", "seg", "--tta"]).contains("another scales"));
    fs::create_dir(at.join("more")).unwrap();
    fs::copy(at.join("data/images/carbide-001.png"), at.join("more/new.png")).unwrap();
    assert!(fail(at, &["segment", "run", "more", "--out", "seg"]).contains("another images"));
    succeed(at, &["segment", "run", "more", "--out", "seg", "--add"]);
    assert_eq!(masks(), 6);
    let trust = fs::read_to_string(at.join("seg/trust.csv")).unwrap();
    assert_eq!(trust.lines().count(), 1 + 2 * 6, "{trust}");
    // The mask of an image that is gone is not measured with those of the others.
    let told = fail(at, &["segment", "run", images, "--out", "seg"]);
    assert!(told.contains("new.png") && told.contains("--add"), "{told}");
    // Another picture of the same name is segmented anew.
    fs::copy(at.join("data/images/carbide-003.png"), at.join("more/new.png")).unwrap();
    succeed(at, &["segment", "run", "more", "--out", "seg", "--add"]);
    let decoded = |path: &str| image::open(at.join(path)).unwrap().into_rgb8();
    assert!(decoded("seg/masks/new.png") == decoded("seg/masks/carbide-003.png"));
    succeed(at, &["segment", "other", "more", "--out", "seg", "--put-aside", "earlier"]);
    assert_eq!((masks(), at.join("earlier/seg-1/trust.csv").is_file()), (1, true));

    // The other verbs.
    fs::create_dir(at.join("mine")).unwrap();
    fs::write(at.join("mine/notes.txt"), "mine").unwrap();
    succeed(at, &["measure", "data/labels", "--out", "m"]);
    succeed(at, &["measure", "data/labels", "--out=m", "--json"]);
    assert!(
        fail(at, &["measure", "data/labels", "--out", "m", "--class", "0"]).contains("another arguments")
    );
    succeed(at, &["threshold", "data/images", "--out", "t"]);
    let model = ["evaluate", "run", "--data", "data", "--split", "val"];
    let verbs: [&[&str]; 6] = [
        &["measure", "data/labels"],
        &["threshold", images],
        &["segment", "run", images],
        &model,
        &["compare", "run", "other"],
        &["data", "export", "data", "--format", "png"],
    ];
    for verb in verbs {
        for out in ["t", "mine", "tiny.toml"] {
            if (verb[0], out) != ("threshold", "t") {
                fail(at, &[verb, &["--out", out]].concat());
            }
        }
    }
    let report = ["report", "run", "--data", "data"];
    assert!(fail(at, &[&report[..], &["--out", "mine/notes.txt"]].concat()).contains("no report"));
    succeed(at, &[&report[..], &["--out", "r.html"]].concat());
    let told = fail(at, &["report", "other", "--data", "data", "--out", "r.html"]);
    assert!(told.contains("is the report of") && told.contains("/run"), "{told}");
    succeed(at, &[&report[..], &["--out", "r.html"]].concat());
    assert_eq!(fs::read_to_string(at.join("mine/notes.txt")).unwrap(), "mine");
    assert_eq!(fs::read_dir(at.join("mine")).unwrap().count(), 1);
}
