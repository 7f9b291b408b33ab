//! Labels of other programs come in, and go out, without a pixel lost.

use crate::{fail, sorby, succeed, workshop};
use sorby_data::Dataset;
use std::fs;
use std::path::Path;

fn labels(at: &Path, data: &str) -> Vec<(String, Vec<u8>)> {
    let data = Dataset::open(&at.join(data)).unwrap();
    data.items.iter().map(|i| (i.name.clone(), data.load_label(i).unwrap().labels)).collect()
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn round_trips_lose_nothing() {
    let folder = workshop();
    let at = folder.path();
    let truth = labels(at, "data");
    assert!(truth.iter().all(|(_, l)| l.contains(&1)));

    for format in ["coco", "nnunet", "png"] {
        let out = format!("{format}-out");
        succeed(at, &["data", "export", "data", "--format", format, "--out", &out]);
        let back = if format == "png" {
            out.clone()
        } else {
            let back = format!("{format}-back");
            succeed(at, &["data", "import", &out, "--out", &back]);
            back
        };
        assert_eq!(labels(at, &back), truth, "{format}");
    }

    // Outlines that `measure` writes come back as the mask they were drawn around.
    let measure = ["measure", "data/labels", "--out", "m", "--nm-per-px", "1", "--export", "roi,geojson"];
    succeed(at, &measure);
    for (format, ending) in [("imagej", "zip"), ("qupath", "geojson")] {
        let source = at.join(format);
        copy_all(&at.join("data/images"), &source);
        for entry in fs::read_dir(at.join("m")).unwrap().flatten() {
            if entry.path().extension().is_some_and(|e| e == ending) {
                fs::copy(entry.path(), source.join(entry.file_name())).unwrap();
            }
        }
        let back = format!("{format}-back");
        succeed(at, &["data", "import", format, "--out", &back, "--class", "carbide"]);
        assert_eq!(labels(at, &back), truth, "{format}");
    }
    // Splits of whole folders and names go with a copy.
    let manifest = fs::read_to_string(at.join("png-out/dataset.toml")).unwrap();
    assert!(manifest.contains("carbide") && manifest.contains("train"), "{manifest}");
    let message = fail(at, &["data", "export", "data", "--format", "coco", "--out", "coco-out"]);
    assert!(message.contains("exists already"), "{message}");
}

/// A folder with one grey picture of 8 x 6, `a.png`.
fn picture(at: &Path, folder: &str) {
    fs::create_dir_all(at.join(folder)).unwrap();
    image::GrayImage::new(8, 6).save(at.join(folder).join("a.png")).unwrap();
}

/// Rows of the imported label of `a`.
fn rows(at: &Path, data: &str) -> Vec<String> {
    let (_, labels) = &self::labels(at, data)[0];
    labels.chunks(8).map(|r| r.iter().map(|l| char::from(b'0' + l)).collect()).collect()
}

/// A square of corners (1, 1) and (4, 4) of `pearlite`, then one of (3, 3) and (6, 5) of `carbide` over it.
const SQUARES: [&str; 6] = ["00000000", "01110000", "01110000", "01122200", "00022200", "00000000"];

#[test]
fn formats_of_the_wild() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();

    picture(at, "labelme");
    let shapes = r#"{"imagePath": "C:\\work\\a.png", "imageWidth": 8, "imageHeight": 6, "shapes": [
        {"label": "pearlite", "shape_type": "polygon", "points": [[1,1],[4,1],[4,4],[1,4]]},
        {"label": "carbide", "shape_type": "rectangle", "points": [[3,3],[6,5]]},
        {"label": "carbide", "shape_type": "line", "points": [[3,3],[6,5]]}]}"#;
    fs::write(at.join("labelme/a.json"), shapes).unwrap();
    let output = sorby(at, &["data", "import", "labelme", "--out", "labelme-back"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    assert!(told.contains("shape 3: a line has no area") && told.contains("1 pixels are claimed"), "{told}");
    assert_eq!(rows(at, "labelme-back"), SQUARES);
    // Names that LabelMe keeps for what is no class; and an object that cannot be read takes its image with it.
    let kept = shapes.replace("pearlite", "__ignore__");
    fs::write(at.join("labelme/a.json"), &kept).unwrap();
    succeed(at, &["data", "import", "labelme", "--out", "labelme-kept"]);
    let (_, label) = &labels(at, "labelme-kept")[0];
    assert_eq!(label.iter().filter(|l| **l == 255).count(), 8);
    let manifest = fs::read_to_string(at.join("labelme-kept/dataset.toml")).unwrap();
    assert!(!manifest.contains("ignore"), "{manifest}");
    fs::write(at.join("labelme/a.json"), shapes.replace("rectangle", "mask")).unwrap();
    let output = sorby(at, &["data", "import", "labelme", "--out", "labelme-lost"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("a mask without its picture") && told.contains("its image is left out"), "{told}");
    assert!(!at.join("labelme-lost").exists());

    picture(at, "yolo/images/train");
    fs::create_dir_all(at.join("yolo/labels/train")).unwrap();
    fs::write(at.join("yolo/data.yaml"), "names:\n  0: pearlite\n  1: carbide\n").unwrap();
    let x = |v: f64| v / 8.0;
    let y = |v: f64| v / 6.0;
    let square = |class, (l, t, r, b): (f64, f64, f64, f64)| {
        format!("{class} {} {} {} {} {} {} {} {}\n", x(l), y(t), x(r), y(t), x(r), y(b), x(l), y(b))
    };
    let text = square(0, (1.0, 1.0, 4.0, 4.0)) + &square(1, (3.0, 3.0, 6.0, 5.0));
    fs::write(at.join("yolo/labels/train/a.txt"), text).unwrap();
    succeed(at, &["data", "import", "yolo", "--out", "yolo-back"]);
    assert_eq!(rows(at, "yolo-back"), SQUARES);
    let manifest = fs::read_to_string(at.join("yolo-back/dataset.toml")).unwrap();
    assert!(manifest.contains("train = [\"a\"]"), "{manifest}");

    picture(at, "cvat/JPEGImages");
    fs::create_dir_all(at.join("cvat/SegmentationClass")).unwrap();
    let map = "# label:color_rgb:parts:actions\nbackground:0,0,0::\npearlite:10,20,30::\ncarbide:250,0,9::\n";
    fs::write(at.join("cvat/labelmap.txt"), map).unwrap();
    let colours = [[0, 0, 0], [10, 20, 30], [250, 0, 9]];
    let value = |x: u32, y: u32| usize::from(SQUARES[y as usize].as_bytes()[x as usize] - b'0');
    let mask = image::RgbImage::from_fn(8, 6, |x, y| image::Rgb(colours[value(x, y)]));
    mask.save(at.join("cvat/SegmentationClass/a.png")).unwrap();
    succeed(at, &["data", "import", "cvat", "--out", "cvat-back"]);
    assert_eq!(rows(at, "cvat-back"), SQUARES);

    picture(at, "objects");
    let numbers = image::ImageBuffer::<image::Luma<u16>, _>::from_fn(8, 6, |x, y| {
        image::Luma([if value(x, y) > 0 { 300 } else { 0 }])
    });
    numbers.save(at.join("objects/a_cp_masks.png")).unwrap();
    succeed(
        at,
        &["data", "import", "objects", "--format", "instances", "--out", "objects-back", "--class", "grain"],
    );
    let expected: Vec<String> = SQUARES.iter().map(|r| r.replace('2', "1")).collect();
    assert_eq!(rows(at, "objects-back"), expected);
}

#[test]
fn labels_that_do_not_fit_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    picture(at, "coco");
    let file = |width: u32, name: &str| {
        let text = format!(
            r#"{{"images": [{{"id": 1, "file_name": "{name}", "width": {width}, "height": 6}}],
                "categories": [{{"id": 7, "name": "carbide"}}],
                "annotations": [{{"id": 1, "image_id": 1, "category_id": 7, "segmentation": [[1,1,4,1,4,4,1,4]]}}]}}"#
        );
        fs::write(at.join("coco/annotations.json"), text).unwrap();
    };
    file(9, "a.png");
    let told = problems(at, &["data", "import", "coco", "--out", "none"]);
    assert!(told.contains("is for an image of 9x6") && told.contains("8x6"), "{told}");
    // A name that points elsewhere is looked up here all the same.
    file(8, "../../../etc/a.png");
    succeed(at, &["data", "import", "coco", "--out", "found"]);
    file(8, "b.png");
    assert!(problems(at, &["data", "import", "coco", "--out", "none"]).contains("b.png"));
    // A box is no outline, and must not become a picture without carbides.
    file(8, "a.png");
    let text = fs::read_to_string(at.join("coco/annotations.json")).unwrap();
    fs::write(at.join("coco/annotations.json"), text.replace("[[1,1,4,1,4,4,1,4]]", "[]")).unwrap();
    assert!(problems(at, &["data", "import", "coco", "--out", "none"]).contains("box without an outline"));
    assert!(!at.join("none").exists(), "nothing is half-written");
    let message = fail(at, &["data", "import", "coco", "--format", "word", "--out", "none"]);
    assert!(message.contains("coco, labelme"), "{message}");
    fs::write(at.join("coco/annotations.json"), "[".repeat(200_000)).unwrap();
    let told = problems(at, &["data", "import", "coco", "--format", "coco", "--out", "none"]);
    assert!(told.contains("no valid JSON"), "{told}");

    // Two labels of one image: neither wins.
    picture(at, "twice");
    fs::copy(at.join("twice/a.png"), at.join("twice/b.png")).unwrap();
    for name in ["a_labels.png", "a_cp_masks.png", "b_masks.png"] {
        image::GrayImage::from_fn(8, 6, |x, _| image::Luma([u8::from(x > 3)]))
            .save(at.join("twice").join(name))
            .unwrap();
    }
    let output = sorby(at, &["data", "import", "twice", "--format", "instances", "--out", "twice-back"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(1) && told.contains("two labels"), "{told}");
    assert_eq!(labels(at, "twice-back").iter().map(|l| l.0.as_str()).collect::<Vec<_>>(), ["b"]);
}

/// What a command that must fail says before its one error.
fn problems(at: &Path, arguments: &[&str]) -> String {
    fail(at, arguments);
    String::from_utf8(sorby(at, arguments).stderr).unwrap()
}

#[test]
fn a_label_without_the_data_bar_goes_out_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    picture(at, "bar/images");
    fs::create_dir_all(at.join("bar/labels")).unwrap();
    let label = image::GrayImage::from_fn(8, 4, |x, _| image::Luma([u8::from(x > 3)]));
    label.save(at.join("bar/labels/a.png")).unwrap();
    let manifest = "[[classes]]\nname = \"m\"\n[[classes]]\nname = \"c\"\n[labels]\ndata_bar = \"crop\"\n";
    fs::write(at.join("bar/dataset.toml"), manifest).unwrap();
    succeed(at, &["data", "export", "bar", "--format", "nnunet", "--out", "bar-out"]);
    succeed(at, &["data", "import", "bar-out", "--out", "bar-back"]);
    let got: Vec<String> = labels(at, "bar-back")[0].1.chunks(8).map(|r| format!("{r:?}")).collect();
    assert_eq!(got.len(), 6, "as tall as the image");
    assert!(got[..4].iter().all(|r| r == "[0, 0, 0, 0, 1, 1, 1, 1]"), "{got:?}");
    assert!(got[4..].iter().all(|r| r == "[255, 255, 255, 255, 255, 255, 255, 255]"), "{got:?}");
}
