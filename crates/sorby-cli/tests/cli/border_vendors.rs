//! Right values at the borders: vendors. The inputs lie in `tests/cases`.

use crate::{sorby, succeed};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(name)
}

/// What `sorby scale` says of the files of a case: pixel size and verdict by name.
fn scales(name: &str) -> BTreeMap<String, (Option<f64>, String)> {
    let output = sorby(&case(name), &["scale", ".", "--json"]);
    assert_eq!(output.status.code(), Some(1), "some file states no scale");
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let records = answer["images"].as_array().unwrap();
    records
        .iter()
        .map(|record| {
            let file = Path::new(record["file"].as_str().unwrap()).file_name().unwrap();
            let verdict = record["verdict"].as_str().unwrap().to_owned();
            (file.to_str().unwrap().to_owned(), (record["nm_per_px"].as_f64(), verdict))
        })
        .collect()
}

#[test]
fn a_printing_resolution_in_cm_is_no_scale() {
    let found = scales("c08-imagej-cm-is-dpi");
    assert_eq!(found.len(), 2);
    for (file, dpi) in [("300dpi-cm.tif", "300 dpi"), ("72dpi-cm.tif", "72 dpi")] {
        let (nm, verdict) = &found[file];
        assert_eq!(*nm, None, "{file}");
        assert!(verdict.contains("no scale") && verdict.contains(dpi), "{verdict}");
    }
}

#[test]
fn what_vendors_state_is_read() {
    let found = scales("c19-vendor-scales");
    for file in [
        "titan-um.tif",
        "titan-nm.tif",
        "titan-m.tif",
        "slice.png",
        "phenom-um.tif",
        "helios-memento.tif",
        "jeol-sjis.tif",
        "jeol-latin.tif",
        "upper.bmp",
        "HIT-UP.JPG",
        "hit-utf16.tif",
        "fei-utf16.tif",
    ] {
        let (nm, verdict) = &found[file];
        assert!(nm.is_some_and(|nm| (nm / 50.0 - 1.0).abs() < 1e-4), "{file}: {nm:?} {verdict}");
        assert!(verdict.starts_with("reliable"), "{file}: {verdict}");
    }
    let (nm, verdict) = &found["fei50-ome70.tif"];
    assert_eq!(*nm, None);
    for word in ["REFUSED", "50.0000", "70.0000", "34682", "PhysicalSizeX"] {
        assert!(verdict.contains(word), "{verdict}");
    }
    assert_eq!(found.len(), 13, "every image of the case is judged: {:?}", found.keys());
}

/// The place names the file next to the image.
#[test]
fn the_table_says_in_which_file_a_scale_stands() {
    let text = succeed(&case("c19-vendor-scales"), &["scale", "slice.png", "upper.bmp", "HIT-UP.JPG"]);
    for name in ["slice-png.hdr", "upper.Txt", "HIT-UP.TXT"] {
        assert!(text.contains(name), "{text}");
    }
}
