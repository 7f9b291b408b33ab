//! Mistakes give one clear line that names the file and what to do, and exit code 2.

use crate::{fail, sorby, succeed, workshop};
use std::fs;
use std::path::Path;

/// Writes a grey PNG of one value.
fn picture(path: &Path, width: u32, height: u32, value: u8) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    image::GrayImage::from_pixel(width, height, image::Luma([value])).save(path).unwrap();
}

const TWO: &str = "[[classes]]\nname = \"matrix\"\n[[classes]]\nname = \"carbide\"\n";

#[test]
fn data_set_mistakes() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    assert!(fail(at, &["data", "init", "."]).contains("images/"));
    picture(&at.join("d/images/a.png"), 80, 70, 9);
    picture(&at.join("d/labels/a.png"), 80, 64, 0);
    let problems = || {
        let output = sorby(at, &["data", "check", "d"]);
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(problems().contains("data init"), "a missing manifest says how to get one");
    fs::write(at.join("d/dataset.toml"), TWO).unwrap();
    let text = problems();
    assert!(text.contains("80x64") && text.contains("80x70") && text.contains("data_bar"), "{text}");
    fs::write(at.join("d/dataset.toml"), format!("{TWO}[labels]\ndata_bar = \"crop\"\n")).unwrap();
    assert_eq!(sorby(at, &["data", "check", "d"]).status.code(), Some(0), "cropped as told");
    picture(&at.join("d/labels/a.png"), 80, 70, 7);
    assert!(problems().contains('7'), "a value that is no class is named");
    picture(&at.join("d/images/b.png"), 80, 70, 9);
    picture(&at.join("d/labels/c.png"), 80, 70, 0);
    let text = problems();
    assert!(text.contains("b.png") && text.contains("c.png"), "all problems at once: {text}");
    fs::write(at.join("d/dataset.toml"), format!("{TWO}[splitz]\n")).unwrap();
    assert!(problems().contains("splitz"));
}

#[test]
fn training_mistakes() {
    let folder = workshop();
    let at = folder.path();
    let train = |sets: &[&str]| {
        let mut arguments = vec!["train", "tiny.toml", "--data", "data", "--out", "run"];
        sets.iter().for_each(|s| arguments.extend(["--set", s]));
        fail(at, &arguments)
    };
    assert!(train(&["data.train=[\"nowhere\"]"]).contains("nowhere"));
    assert!(train(&["data.val=train"]).contains("both the training and the validation"));
    assert!(!at.join("run/model.safetensors").exists());
    fs::remove_dir_all(at.join("run")).unwrap();
    assert!(train(&["data.batch=1"]).contains("batch"));
    assert!(train(&["data.batch=100000"]).contains("memory"));
    fs::remove_dir_all(at.join("run")).unwrap();
    assert!(train(&["pretrained=absent.safetensors"]).contains("absent.safetensors"));
    fs::remove_dir_all(at.join("run")).unwrap();
    fs::write(at.join("half.safetensors"), b"\x10\0\0\0\0\0\0\0{").unwrap();
    assert!(train(&["pretrained=half.safetensors"]).contains("safetensors"));
    fs::remove_dir_all(at.join("run")).unwrap();
    assert!(train(&["optimizer.lr=1e30"]).contains("optimizer.lr"), "a loss that explodes is told");
    assert!(at.join("run/log.txt").is_file(), "what was learnt until then is kept");
    assert!(fail(at, &["train", "tiny.toml", "--data", "nothing"]).contains("nothing"));
    assert!(fail(at, &["train", "--resume", "data"]).contains("run folder"));

    // A class that never occurs in training cannot be learnt.
    let manifest = fs::read_to_string(at.join("data/dataset.toml")).unwrap();
    let more = manifest.replace("[[folders]]", "[[classes]]\nname = \"pearlite\"\n\n[[folders]]");
    fs::write(at.join("data/dataset.toml"), more).unwrap();
    fs::remove_dir_all(at.join("run")).unwrap();
    assert!(train(&[]).contains("pearlite"));
}

#[test]
fn other_mistakes() {
    let folder = workshop();
    let at = folder.path();
    assert!(
        fail(at, &["segment", "absent.safetensors", "data/images", "--out", "o"])
            .contains("absent.safetensors")
    );
    fs::write(at.join("bare.safetensors"), b"\x02\0\0\0\0\0\0\0{}").unwrap();
    assert!(fail(at, &["segment", "bare.safetensors", "data/images", "--out", "o"]).contains("model card"));
    assert!(fail(at, &["measure", "data/labels", "--out", "o", "--nm-per-px", "-3"]).contains("-3"));
    assert!(
        fail(at, &["measure", "data/labels", "--out", "o", "--scale-accuracy", "80"])
            .contains("--scale-accuracy")
    );
    assert!(fail(at, &["measure", "data/labels", "--out", "o", "--split", "0"]).contains("--split"));
    std::fs::write(at.join("wrong.json"), "{}").unwrap();
    assert!(
        fail(at, &["measure", "data/labels", "--out", "o", "--calibration", "wrong.json"])
            .contains("calibration.json")
    );
    assert!(fail(at, &["measure", "data/labels", "--out", "o", "--connectivity", "6"]).contains('6'));
    assert!(
        fail(at, &["measure", "data/labels", "--data", "data", "--class", "rust", "--out", "o"])
            .contains("carbide")
    );
    assert!(fail(at, &["threshold", "nowhere", "--out", "o"]).contains("nowhere"));
    assert!(fail(at, &["segment", "x", "data/images", "--out", "o", "--device", "tpu"]).contains("tpu"));
    assert!(fail(at, &["synth", "--out", "data"]).contains("data"), "never overwrites a data set");
    assert!(fail(at, &["--threads", "0", "doctor"]).contains("threads"));
    assert!(!at.join("o").exists(), "nothing half-written");
    assert!(succeed(at, &["doctor"]).contains("cpu     available"));
    let check = ["system", "--device", "cpu", "--arch", "pspnet", "--batch", "1", "--crop", "32"];
    assert!(succeed(at, &check).ends_with("all layers agree with the CPU\n"));
    assert!(fail(at, &["system", "--device", "gpu"]).contains("choose one of cpu, vulkan"));
    let alone = crate::sorby(at, &["system", "--crop", "64"]);
    assert!(alone.status.code() == Some(2) && String::from_utf8_lossy(&alone.stderr).contains("--device"));
}

#[test]
fn what_was_found_is_said_when_a_page_of_it_cannot_be_written() {
    let folder = crate::workshop();
    let at = folder.path();
    std::fs::remove_file(at.join("data/labels/carbide-002.png")).unwrap();
    std::fs::create_dir(at.join("there")).unwrap();
    std::fs::write(at.join("there/x"), "x").unwrap();
    let output = crate::sorby(at, &["data", "check", "data", "--fix", "there"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.code() == Some(2) && text.contains("carbide-002"), "{text}");
}

#[test]
fn proposals_are_valid_whatever_files_are_called() {
    let folder = crate::workshop();
    let at = folder.path();
    for (from, to) in [("carbide-001", "u\u{308}ber"), ("carbide-002", "a\"b"), ("carbide-003", "c'd")] {
        for part in ["images", "labels"] {
            let place = |name: &str| at.join("data").join(part).join(format!("{name}.png"));
            std::fs::rename(place(from), place(to)).unwrap();
        }
    }
    let proposal = crate::succeed(at, &["data", "init", "data"]);
    std::fs::write(at.join("data/dataset.toml"), &proposal).unwrap();
    let text = crate::succeed(at, &["data", "check", "data"]);
    assert!(text.contains("5 labelled images"), "{text}");
}

#[test]
fn classes_whose_results_would_have_the_same_files_are_refused() {
    let folder = crate::workshop();
    let at = folder.path();
    let path = at.join("data/dataset.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.replace("\"matrix\"", "\"Fe-C\"").replace("\"carbide\"", "\"fe/c\"");
    std::fs::write(&path, text).unwrap();
    let output = crate::sorby(at, &["data", "check", "data"]);
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(output.status.code() == Some(2) && said.contains("same file names"), "{said}");
}
