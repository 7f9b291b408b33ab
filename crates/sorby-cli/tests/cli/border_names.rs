//! Masks, classes, pictures and values whose name means two things, or something else than it says.

use crate::{fail, sorby, succeed, workshop};
use sorby_image::{LabelMap, MaskNote};
use std::fs;
use std::path::Path;

fn read(path: &Path) -> LabelMap {
    match sorby_image::RawLabels::read(path).unwrap() {
        sorby_image::RawLabels::Values(map) => map,
        sorby_image::RawLabels::Colours { .. } => unreachable!("index labels"),
    }
}

/// A label of the workshop as a mask that Sorby made for classes of these names.
fn noted(at: &Path, image: usize, classes: &[&str], to: &str) {
    let map = read(&at.join(format!("data/labels/carbide-00{image}.png")));
    let note = MaskNote { classes: classes.iter().map(|c| c.to_string()).collect(), ..MaskNote::default() };
    map.write_mask(&at.join(to), &[[0; 3], [255; 3]], &note).unwrap();
}

fn told(at: &Path, arguments: &[&str]) -> (String, Option<i32>) {
    let output = sorby(at, arguments);
    (String::from_utf8(output.stderr).unwrap(), output.status.code())
}

#[test]
fn masks_of_other_classes_are_not_measured_together() {
    let folder = workshop();
    let at = folder.path();
    noted(at, 1, &["matrix", "carbide"], "two/carbide-001.png");
    noted(at, 2, &["carbide", "matrix"], "two/carbide-002.png");
    let error = fail(at, &["measure", "two", "--class", "carbide", "--out", "o"]);
    assert!(
        error
            .contains("001.png has the classes matrix, carbide, but two/carbide-002.png has carbide, matrix")
    );
    // With a data set it is known which is right; the other is left out.
    let (error, code) = told(at, &["measure", "two", "--data", "data", "--out", "o"]);
    assert_eq!(code, Some(1), "{error}");
    assert!(
        error.contains("problem: two/carbide-002.png: was drawn for the classes carbide, matrix"),
        "{error}"
    );
    let table = fs::read_to_string(at.join("o/images.csv")).unwrap();
    assert!(table.contains("carbide-001,") && !table.contains("carbide-002,"), "{table}");
    // A true mask of other classes is none.
    noted(at, 1, &["matrix", "carbide"], "one/carbide-001.png");
    noted(at, 1, &["matrix", "pore"], "true/carbide-001.png");
    let (error, code) = told(at, &["measure", "one", "--truth", "true", "--out", "p"]);
    assert!(
        code == Some(2) && error.contains("true/carbide-001.png: was drawn for the classes matrix, pore"),
        "{error}"
    );
}

#[test]
fn masks_made_of_other_images_teach_nothing() {
    let folder = workshop();
    let at = folder.path();
    succeed(at, &["train", "tiny.toml", "--data", "data", "--out", "run"]);
    succeed(at, &["segment", "run", "data/images", "--out", "seg"]);
    fs::create_dir(at.join("turned")).unwrap();
    for i in 1..=5 {
        let other = at.join(format!("seg/masks/carbide-00{}.png", i % 5 + 1));
        fs::copy(other, at.join(format!("turned/carbide-00{i}.png"))).unwrap();
    }
    let (error, code) = told(at, &["measure", "turned", "--data", "data", "--out", "o"]);
    assert_eq!(code, Some(0), "{error}");
    assert!(
        error.contains("warning: the pictures of carbide-001,") && error.contains("correct the names"),
        "{error}"
    );
    assert!(error.contains("its mask was made of another picture"), "{error}");
    assert!(!at.join("o/calibration.json").exists());
    let (error, _) = told(at, &["measure", "seg/masks", "--data", "data", "--out", "p"]);
    assert!(!error.contains("the pictures of"), "{error}");
}

#[test]
fn true_masks_inside_out_teach_nothing() {
    let folder = workshop();
    let at = folder.path();
    for i in 1..=5 {
        let name = format!("carbide-00{i}.png");
        let mut map = read(&at.join("data/labels").join(&name));
        map.labels.rotate_right(1);
        map.write_png(&at.join("masks").join(&name), &[[0; 3], [255; 3]]).unwrap();
        map.labels.iter_mut().for_each(|l| *l = 1 - *l);
        map.write_png(&at.join("inside-out").join(&name), &[[0; 3], [255; 3]]).unwrap();
    }
    let (error, _) =
        told(at, &["measure", "masks", "--truth", "inside-out", "--values", "0,1", "--out", "o"]);
    assert!(error.contains("less than chance would: are the true masks inside out"), "{error}");
    assert!(!at.join("o/calibration.json").exists());
    succeed(
        at,
        &["measure", "masks", "--truth", "inside-out", "--values", "0,1", "--class", "0", "--out", "p"],
    );
    let (error, _) = told(at, &["measure", "masks", "--truth", "data/labels", "--out", "q"]);
    assert!(!error.contains("chance") && at.join("q/calibration.json").exists(), "{error}");
}

#[test]
fn values_and_class_numbers_mean_one_thing() {
    let folder = workshop();
    let at = folder.path();
    let error = fail(at, &["measure", "data/labels", "--values", "0,0", "--out", "o"]);
    assert!(error.contains("--values names 0 twice"), "{error}");
    let many: Vec<String> = (0..300).map(|v| v.to_string()).collect();
    let error = fail(at, &["measure", "data/labels", "--values", &many.join(","), "--out", "o"]);
    assert!(error.contains("300 classes are too many"), "{error}");
    noted(at, 1, &["matrix", "carbide"], "one/carbide-001.png");
    for option in [&["--values", "1,0"][..], &["--instances"]] {
        let error = fail(at, &[&["measure", "one", "--out", "o"][..], option].concat());
        assert!(error.contains(&format!("leave out {}", option[0])), "{error}");
    }
    assert!(!at.join("o").exists());
    // Classes whose names are numbers: by default index 1 is measured, whatever it is called.
    let toml = fs::read_to_string(at.join("data/dataset.toml")).unwrap();
    let renamed =
        toml.replace("name = \"matrix\"", "name = \"1\"").replace("name = \"carbide\"", "name = \"2\"");
    let plain = succeed(at, &["measure", "data/labels", "--data", "data", "--out", "a", "--json"]);
    fs::write(at.join("data/dataset.toml"), renamed).unwrap();
    let numbered = succeed(at, &["measure", "data/labels", "--data", "data", "--out", "b", "--json"]);
    let count =
        |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap()["total"]["count"].clone();
    assert_eq!(count(&numbered), count(&plain));
    let error = fail(at, &["measure", "data/labels", "--data", "data", "--class", "1", "--out", "c"]);
    assert!(error.contains("is the name of class 0, and the number of class `2`"), "{error}");
    succeed(at, &["measure", "data/labels", "--data", "data", "--class", "2", "--out", "c"]);
}

#[test]
fn one_file_that_is_not_known_does_not_stop_the_others() {
    let folder = workshop();
    let at = folder.path();
    succeed(at, &["data", "export", "data", "--format", "png", "--out", "copy"]);
    // Two pictures of one name.
    fs::copy(at.join("copy/images/carbide-001.png"), at.join("copy/images/carbide-001.tif")).unwrap();
    let (error, code) = told(at, &["measure", "data/labels", "--images", "copy/images", "--out", "o"]);
    assert_eq!(code, Some(1), "{error}");
    assert!(error.contains("carbide-001.tif have the same name, and which is meant is not known"), "{error}");
    assert_eq!(
        fs::read_to_string(at.join("o/images.csv")).unwrap().lines().count(),
        6,
        "a head, four images, all"
    );
    // A label of the data set that is cut.
    let label = at.join("data/labels/carbide-002.png");
    let bytes = fs::read(&label).unwrap();
    fs::write(&label, &bytes[..bytes.len() / 2]).unwrap();
    for masks in ["copy/labels", "data/labels"] {
        let (error, code) =
            told(at, &["measure", masks, "--data", "data", "--out", &format!("p-{}", &masks[..4])]);
        assert_eq!(code, Some(1), "{error}");
        assert_eq!(error.matches("problem: ").count(), 1, "{error}");
        assert!(error.contains("data/labels/carbide-002.png: cannot be decoded"), "{error}");
    }
    // What learns or scores needs all of them.
    assert!(fail(at, &["train", "tiny.toml", "--data", "data", "--out", "r"]).contains("carbide-002"));
    let error = fail(at, &["measure", "copy/labels", "--out", ""]);
    assert!(error.contains("names no folder"), "{error}");
    let error =
        fail(at, &["measure", "copy/labels", "--data", "data", "--out", "p-copy", "--min-area-px", "9"]);
    assert!(error.contains("other arguments (nothing, now --min-area-px 9)"), "{error}");
}

/// A copy of a damaged file would look like a good one: import leaves it out, export refuses.
#[test]
fn damaged_pictures_are_not_copied() {
    let folder = workshop();
    let at = folder.path();
    succeed(at, &["data", "export", "data", "--format", "coco", "--out", "coco"]);
    let cut = |path: &str| {
        let bytes = fs::read(at.join(path)).unwrap();
        fs::write(at.join(path), &bytes[..bytes.len() * 3 / 5]).unwrap();
    };
    cut("coco/images/carbide-003.png");
    let (error, code) = told(at, &["data", "import", "coco", "--out", "back"]);
    assert!(code == Some(1) && error.contains("problem: ") && error.contains("carbide-003.png"), "{error}");
    assert_eq!(fs::read_dir(at.join("back/images")).unwrap().count(), 4);
    cut("data/images/carbide-002.png");
    for format in ["png", "coco", "nnunet"] {
        let error = fail(at, &["data", "export", "data", "--format", format, "--out", "again"]);
        assert!(error.contains("carbide-002.png"), "{error}");
    }
    assert!(!at.join("again").exists());
}
