//! The pixel size: read from files, carried by masks, refused when two statements disagree.

use crate::{sorby, succeed, workshop};
use std::fs;

#[test]
fn the_scale_travels_from_the_file_to_the_table() {
    let folder = workshop();
    let at = folder.path();
    succeed(at, &["train", "tiny.toml", "--data", "data", "--out", "run"]);
    fs::create_dir(at.join("sem")).unwrap();
    for name in ["whole", "resized", "silent"] {
        fs::copy(at.join("data/images/carbide-001.png"), at.join(format!("sem/{name}.png"))).unwrap();
    }
    let sidecar = |size: &str| format!("[SemImageFile]\r\nDataSize={size}\r\nPixelSize=20\r\n");
    fs::write(at.join("sem/whole.txt"), sidecar("120x80")).unwrap();
    fs::write(at.join("sem/resized.txt"), sidecar("240x192")).unwrap();

    let output = sorby(at, &["scale", "sem"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "not every file states a reliable scale");
    assert!(text.contains("Hitachi") && text.contains("REFUSED") && text.contains("240x192"), "{text}");

    // The resized file is refused by name, with both sizes; the others are done.
    let output = sorby(at, &["segment", "run", "sem", "--out", "seg"]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(
        error.contains("resized.png") && error.contains("240x192") && error.contains("120x96"),
        "{error}"
    );
    assert!(!at.join("seg/masks/resized.png").exists());

    // 16 of 96 rows are the data bar: they belong to no class and to no area.
    let mask = |name: &str| match sorby_image::RawLabels::read(&at.join("seg/masks").join(name)).unwrap() {
        sorby_image::RawLabels::Values(map) => map,
        colours => panic!("{colours:?}"),
    };
    assert_eq!(mask("whole.png").histogram()[255], 16 * 120);
    assert_eq!(mask("silent.png").histogram()[255], 0);

    let row = |arguments: &[&str], name: &str| -> std::collections::HashMap<String, String> {
        succeed(at, arguments);
        let table = fs::read_to_string(at.join(name).join("images.csv")).unwrap();
        let mut lines = table.lines();
        let columns = lines.next().unwrap().split(',').map(str::to_owned);
        let values = lines.find(|l| l.starts_with(name)).unwrap().split(',').map(str::to_owned);
        columns.zip(values).collect()
    };
    let measured = row(&["measure", "seg/masks", "--class", "0", "--out", "whole"], "whole");
    assert_eq!(measured["nm_per_px"].parse::<f64>().unwrap(), 20.0, "{measured:?}");
    let measured = row(&["measure", "seg/masks/silent.png", "--class", "0", "--out", "silent"], "silent");
    assert_eq!(measured["nm_per_px"], "", "nothing is guessed: {measured:?}");

    let output = sorby(at, &["measure", "seg/masks/whole.png", "--out", "other", "--nm-per-px", "25"]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(error.contains("25.0000") && error.contains("20.0000"), "both values are told: {error}");
    succeed(at, &["measure", "seg/masks/whole.png", "--out", "near", "--nm-per-px", "20.2"]);
}

/// A picture with a burnt-in bar and nothing else: the length next to the bar gives the pixel size, and the bar is no
/// part of the field.
#[test]
fn a_drawn_bar_gives_the_scale() {
    let folder = workshop();
    let at = folder.path();
    succeed(at, &["train", "tiny.toml", "--data", "data", "--out", "run", "--set", "schedule.iterations=1"]);
    let image = image::GrayImage::from_fn(200, 160, |x, y| {
        let ink = y == 150 && (20..121).contains(&x)
            || (144..157).contains(&y) && (x == 20 || x == 120)
            || (146..154).contains(&y) && (140..180).contains(&x) && x % 5 == 0;
        image::Luma([if y < 140 {
            90 + ((x * 7 + y * 13) % 60) as u8
        } else if ink {
            0
        } else {
            255
        }])
    });
    image.save(at.join("burnt.png")).unwrap();
    let segment = ["segment", "run", "burnt.png", "--out", "seg", "--window", "64", "--stride", "64"];
    succeed(at, &[&segment[..], &["--bar-nm", "2000"]].concat());
    let note = sorby_image::MaskNote::read(&at.join("seg/masks/burnt.png")).unwrap();
    assert_eq!(note.nm_per_px, Some(20.0));
    assert!(note.scale_source.contains("--bar-nm"), "{note:?}");
    let sorby_image::RawLabels::Values(mask) =
        sorby_image::RawLabels::read(&at.join("seg/masks/burnt.png")).unwrap()
    else {
        panic!("an index mask")
    };
    assert_eq!(mask.histogram()[255], 20 * 200);
    let whole = [
        "segment",
        "run",
        "burnt.png",
        "--out",
        "whole",
        "--window",
        "64",
        "--no-data-bar",
        "--stride",
        "64",
    ];
    succeed(at, &whole);
    let whole = sorby_image::RawLabels::read(&at.join("whole/masks/burnt.png")).unwrap();
    let sorby_image::RawLabels::Values(whole) = whole else { panic!("an index mask") };
    assert_eq!(whole.histogram()[255], 0, "the user says that there is no bar");
    // Two statements that disagree: refused, with both.
    let again = |out: &'static str| segment.map(|word| if word == "seg" { out } else { word });
    let output = sorby(at, &[&again("both")[..], &["--bar-nm", "2000", "--nm-per-px", "25"]].concat());
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("25.0000") && error.contains("20.0000"), "{error}");
    let plain = ["segment", "run", "data/images/carbide-001.png", "--out", "plain", "--bar-nm", "2000"];
    let error = String::from_utf8(sorby(at, &plain).stderr).unwrap();
    assert!(error.contains("no scale bar is found"), "{error}");

    // A label that runs into the bar is not scored there, nor trained on.
    for folder in ["burnt/images", "burnt/labels"] {
        fs::create_dir_all(at.join(folder)).unwrap();
    }
    image.save(at.join("burnt/images/a.png")).unwrap();
    image::GrayImage::from_pixel(200, 160, image::Luma([1])).save(at.join("burnt/labels/a.png")).unwrap();
    let manifest = fs::read_to_string(at.join("data/dataset.toml")).unwrap();
    let classes: String =
        manifest.lines().take_while(|l| !l.starts_with("[splits")).map(|l| format!("{l}\n")).collect();
    fs::write(at.join("burnt/dataset.toml"), classes).unwrap();
    let scores = [
        "evaluate", "run", "--data", "burnt", "--split", "all", "--json", "--window", "64", "--stride", "64",
    ];
    let scores: serde_json::Value = serde_json::from_str(&succeed(at, &scores)).unwrap();
    let pixels: u64 = scores["confusion"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|r| r.as_array().unwrap())
        .filter_map(|n| n.as_u64())
        .sum();
    assert_eq!(pixels, 200 * 140, "{scores}");
}
