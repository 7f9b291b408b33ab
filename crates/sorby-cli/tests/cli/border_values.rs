//! Right values at the borders: what the values of masks and labels mean. The inputs lie in `tests/cases`.

use crate::{fail, sorby, succeed, workshop};
use std::fs;
use std::path::{Path, PathBuf};

fn case(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(path)
}

/// `sorby measure --json` of a file or folder of the cases: the summary, and what was said.
pub fn measured(path: &Path, more: &[&str]) -> (serde_json::Value, String) {
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
    let told = sorby(at, &["segment", "run", images, "--out", "seg"]);
    let told = String::from_utf8(told.stderr).unwrap();
    assert!(told.contains("3 of 5 images are finished already"), "{told}");
    assert_eq!(fs::metadata(at.join("seg/masks/carbide-001.png")).unwrap().modified().unwrap(), kept);
    assert_eq!((read("seg/trust.csv"), read("seg/done.jsonl")), (trust, done));
    assert_eq!(read("seg/masks/carbide-002.png"), mask);

    // Another model, another setting, other images: refused by what differs.
    assert!(fail(at, &["segment", "other", images, "--out", "seg"]).contains("another model"));
    assert!(fail(at, &["segment", "run", images, "--out", "seg", "--tta"]).contains("other scales"));
    fs::create_dir(at.join("more")).unwrap();
    fs::copy(at.join("data/images/carbide-001.png"), at.join("more/new.png")).unwrap();
    assert!(fail(at, &["segment", "run", "more", "--out", "seg"]).contains("other images"));
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
    assert!(fail(at, &["measure", "data/labels", "--out", "m", "--class", "0"]).contains("other arguments"));
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

/// `sorby measure` must refuse; gives the line.
pub fn refused(path: &Path, more: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    fail(folder.path(), &[&["measure", path.to_str().unwrap(), "--out", "m"], more].concat())
}

#[track_caller]
pub fn finds(path: &Path, more: &[&str], count: u64, area_percent: f64) -> String {
    let (json, told) = measured(path, more);
    let total = &json["total"];
    assert_eq!(total["count"], count, "{}: {told}", path.display());
    let area = 100.0 * total["area_fraction"].as_f64().unwrap();
    assert!((area - area_percent).abs() < 0.005, "{}: {area} %", path.display());
    told
}

#[test]
fn stored_values_count_whatever_the_photometric_says() {
    let at = |name: &str| case("c03-white-is-zero-masks").join(name);
    for name in ["plain.tif", "tifffile-bool.tif", "imagej-inverting-lut.tif"] {
        // The files of numpy and ImageJ store 1 and 255 for the larger part.
        let area = 100.0 * 8265.0 / 81920.0;
        finds(&at(name), &[], 5, area);
    }
}

/// Share of the second class in percent, and what was said.
pub fn checked(path: &Path) -> (f64, String) {
    let folder = tempfile::tempdir().unwrap();
    let output = sorby(folder.path(), &["data", "check", path.to_str().unwrap(), "--json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    (100.0 * json["classes"][1]["fraction"].as_f64().unwrap_or(f64::NAN), text)
}

#[test]
fn labels_have_the_shares_that_were_drawn() {
    for (name, share) in [
        ("c03-white-is-zero-masks/labels-bool", 11.42),
        ("c03-white-is-zero-masks/labels-imagej", 11.42),
        ("c15-palettes-differ/dataset", 11.42),
        ("c20-labels-refused/tif-palette", 11.42),
        ("c14-painted-edges/soft", 12.62),
    ] {
        let (found, told) = checked(&case(name));
        assert!((found - share).abs() < 0.01, "{name}: {found} {told}");
    }
    let told = checked(&case("c15-palettes-differ/dataset")).1;
    assert!(told.contains("its palette in another order"), "{told}");
    // Compression blurs colours: 11.42 % was painted.
    let (found, told) = checked(&case("c14-painted-edges/jpeg"));
    assert!((found - 11.42).abs() < 0.15 && told.contains("blends of paint"), "{found} {told}");
}

#[test]
fn classes_numbered_from_one_are_proposed_and_understood() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for part in ["images", "labels"] {
        fs::create_dir_all(at.join("d").join(part)).unwrap();
        for file in fs::read_dir(case("c20-labels-refused/ilastik12").join(part)).unwrap() {
            let file = file.unwrap().path();
            fs::copy(&file, at.join("d").join(part).join(file.file_name().unwrap())).unwrap();
        }
    }
    let proposal = succeed(at, &["data", "init", "d"]);
    assert!(proposal.contains("values = [1, 2]") && proposal.contains("value 1, 88.6 %"), "{proposal}");
    fs::write(at.join("d/dataset.toml"), proposal).unwrap();
    assert!((checked(&at.join("d")).0 - 11.42).abs() < 0.01);
    let two = "[[classes]]\nname = \"matrix\"\n[[classes]]\nname = \"carbide\"\n";
    fs::write(at.join("d/dataset.toml"), two).unwrap();
    let (found, told) = checked(&at.join("d"));
    assert!((found - 11.42).abs() < 0.01 && told.contains("ilastik"), "{told}");
    // Without a data set nobody says which is the matrix.
    assert!(refused(&at.join("d/labels"), &[]).contains("--values 1,2 or --values 0,1,2"));
    finds(&at.join("d/labels/i0.png"), &["--values", "1,2"], 3, 11.42);
}

#[test]
fn masks_of_other_programs() {
    let at = |name: &str| case("c04-measure-guesses-codes").join(name);
    let told = finds(&at("jpeg/q75.jpg"), &[], 5, 10.09);
    assert!(told.contains("noise of compression"), "{told}");
    finds(&at("antialiased/a.png"), &[], 5, 10.05);
    let told = finds(&at("instances/a.tif"), &[], 5, 10.09);
    assert!(told.contains("numbers of objects"), "{told}");
    finds(&at("instances/a.tif"), &["--values", "0,1,2,3,4,5"], 1, 2.39);
    let told = refused(&at("mixed"), &[]);
    assert!(told.contains("b.png: holds only 0 and 255 (0 (73655 pixels), 255 (8265 pixels))"), "{told}");
    assert!(told.contains("a.png holds 0 (73655 pixels), 1 (8265 pixels)"), "{told}");
    let told = refused(&at("greys"), &[]);
    assert!(told.contains("127 (8265 pixels)") && told.contains("--values 0,127,255"), "{told}");
    finds(&at("greys/a.png"), &["--values", "0,127,255"], 5, 10.09);
    finds(&at("greys/a.png"), &["--values", "0,127,255", "--class", "2"], 1, 2.39);
}

#[test]
fn touching_objects_stay_apart_and_pictures_are_no_masks() {
    let folder = tempfile::tempdir().unwrap();
    let touching = case("c13-touching-instances/touching");
    finds(&touching.join("a_cp_masks.tif"), &[], 12, 100.0 * 2400.0 / 12288.0);
    let told = refused(&touching.join("a.tif"), &[]);
    assert!(told.contains("a.tif") || told.contains("no mask could be measured"), "{told}");
    // One bad file does not stop the others.
    let arguments = ["measure", touching.to_str().unwrap(), "--out", "m", "--json"];
    let output = sorby(folder.path(), &arguments);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("a.tif: looks like a micrograph"), "{error}");
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["total"]["count"], 12);
    assert!(fs::read_to_string(folder.path().join("m/problems.csv")).unwrap().contains("micrograph"));
}

/// Discs on a ground; centre and radius of each in pixels.
const DISCS: [(i64, i64, i64); 4] = [(20, 20, 9), (60, 25, 12), (95, 60, 10), (30, 70, 7)];

pub fn disc_at(x: u32, y: u32) -> Option<usize> {
    DISCS.iter().position(|(cx, cy, r)| (i64::from(x) - cx).pow(2) + (i64::from(y) - cy).pow(2) <= r * r)
}

pub fn area_percent() -> f64 {
    let pixels = (0..120 * 96).filter(|i| disc_at(i % 120, i / 120).is_some()).count();
    100.0 * pixels as f64 / (120.0 * 96.0)
}

pub fn grey(path: &Path, value: impl Fn(Option<usize>) -> u8) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    image::GrayImage::from_fn(120, 96, |x, y| image::Luma([value(disc_at(x, y))])).save(path).unwrap();
}

#[test]
fn variants_that_nobody_has_sent_yet() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let area = area_percent();
    let two = |back: u8, front: u8| move |disc: Option<usize>| if disc.is_some() { front } else { back };

    // One file inside out, alone and among others.
    for (name, back, front) in [("a", 0, 255), ("b", 0, 255), ("c", 255, 0)] {
        grey(&at("polarity").join(format!("{name}.png")), two(back, front));
    }
    let told = refused(&at("polarity"), &[]);
    assert!(told.contains("c.png: looks inside out"), "{told}");
    finds(&at("polarity"), &["--values", "0,255"], 9, (2.0 * area + 100.0 - area) / 3.0);

    // White of 16 bits; black and white among masks with soft edges.
    let deep = image::ImageBuffer::<image::Luma<u16>, _>::from_fn(120, 96, |x, y| {
        image::Luma([if disc_at(x, y).is_some() { 65535 } else { 0 }])
    });
    deep.save(at("deep.png")).unwrap();
    finds(&at("deep.png"), &[], 4, area);
    grey(&at("one/a.png"), two(0, 255));
    fs::copy(case("c04-measure-guesses-codes/antialiased/a.png"), at("one/soft.png")).unwrap();
    let told = finds(&at("one"), &[], 9, (area * 11520.0 + 10.047 * 72000.0) / 83520.0);
    assert!(told.contains("soft.png: is black and white with soft edges"), "{told}");

    // Numbers of objects beyond 16 bits cannot be saved here; beyond 8 bits, with gaps and one cut in two.
    let ids = image::ImageBuffer::<image::Luma<u16>, _>::from_fn(120, 96, |x, y| {
        image::Luma([disc_at(x, y).map_or(0, |i| if i == 1 && x == 60 { 0 } else { 1000 * i as u16 + 7 })])
    });
    ids.save(at("ids.png")).unwrap();
    assert_eq!(measured(&at("ids.png"), &[]).0["total"]["count"], 4, "each number is an object");
    assert!(refused(&at("ids.png"), &["--split", "2"]).contains("apart already"));
    assert!(refused(&at("ids.png"), &["--class", "2"]).contains("numbers of objects"));
    // A few numbers in 8 bits may be classes.
    grey(&at("few.png"), |disc| disc.map_or(0, |i| i as u8 + 1));
    let told = refused(&at("few.png"), &[]);
    assert!(told.contains("--instances") && told.contains("--values 0,1,2,3,4"), "{told}");
    finds(&at("few.png"), &["--instances"], 4, area);
    assert_eq!(measured(&at("few.png"), &["--class", "2"]).0["total"]["count"], 1);
    let told = refused(&at("few.png"), &["--instances", "--values", "0,1"]);
    assert!(told.contains("exclude each other"), "{told}");

    // No value 1: no object in silence.
    grey(&at("seven.png"), two(0, 7));
    assert!(refused(&at("seven.png"), &[]).contains("--class 7"));
    finds(&at("seven.png"), &["--class", "7"], 4, area);
    grey(&at("white.png"), two(255, 255));
    assert!(refused(&at("white.png"), &[]).contains("255 only"));

    // A picture in two colours, and objects in the transparency.
    let coloured = image::RgbImage::from_fn(120, 96, |x, y| {
        image::Rgb(if disc_at(x, y).is_some() { [255, 0, 0] } else { [0, 0, 0] })
    });
    coloured.save(at("red.png")).unwrap();
    let output = sorby(folder.path(), &["measure", "red.png", "--out", "m"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && told.contains("#ff0000"), "{told}");
    let clear = image::RgbaImage::from_fn(120, 96, |x, y| {
        image::Rgba([9, 9, 9, if disc_at(x, y).is_some() { 255 } else { 0 }])
    });
    clear.save(at("clear.png")).unwrap();
    let told =
        String::from_utf8(sorby(folder.path(), &["measure", "clear.png", "--out", "m"]).stderr).unwrap();
    assert!(told.contains("transparent"), "{told}");
    let cut_out = image::RgbaImage::from_fn(120, 96, |x, y| {
        image::Rgba(if disc_at(x, y).is_some() { [255; 4] } else { [0; 4] })
    });
    cut_out.save(at("cut.png")).unwrap();
    finds(&at("cut.png"), &[], 4, area);
    assert!(!at("m").exists(), "where nothing was measured the folder stays free");

    // A micrograph, also one that is smooth.
    for (name, step) in [("rough", 37), ("smooth", 1)] {
        let path = at(name).with_extension("png");
        let value = |x: u32, y: u32| (70 + (x * step + y * 3 / 2 + x * y / 40) % 97) as u8;
        image::GrayImage::from_fn(120, 96, |x, y| image::Luma([value(x, y)])).save(&path).unwrap();
        let error = String::from_utf8(
            sorby(folder.path(), &["measure", path.to_str().unwrap(), "--out", "m"]).stderr,
        );
        assert!(error.unwrap().contains("looks like a micrograph"), "{name}");
    }
}

/// A mask that Sorby wrote says itself what it holds, whatever lies next to it.
#[test]
fn masks_of_sorby_among_others() {
    let folder = workshop();
    let at = folder.path();
    let label = sorby_image::LabelMap::filled(120, 96, 1);
    label.write_mask(&at.join("masks/own.png"), &[[0; 3]; 2], &sorby_image::MaskNote::default()).unwrap();
    grey(&at.join("masks/other.png"), |disc| if disc.is_some() { 255 } else { 0 });
    let (json, _) = measured(&at.join("masks"), &[]);
    assert_eq!(json["total"]["count"], 5);
    assert_eq!(json["values"], "0 = class 0, 255 = class 1");
    // Labels of a data set are measured as they are learnt.
    let (json, _) = measured(&at.join("data/labels"), &["--data", at.join("data").to_str().unwrap()]);
    assert_eq!(json["class"], "carbide");
}
