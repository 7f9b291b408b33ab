//! Right values at the borders: readers. The inputs lie in `tests/cases`.

use super::{command, fail, sorby, succeed, workshop};
use sorby_image::{Micrograph, Pixels, RawLabels, dimensions};
use std::path::{Path, PathBuf};

fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(name)
}

/// A model of seconds in `run`.
fn trained() -> tempfile::TempDir {
    let folder = workshop();
    succeed(folder.path(), &["train", "tiny.toml", "--data", "data", "--out", "run"]);
    folder
}

fn grey(path: &Path) -> Vec<u8> {
    Micrograph::read(path).unwrap_or_else(|e| panic!("{e}")).to_grey8()
}

#[test]
fn a_tiff_of_planes_in_tiles_is_read() {
    let images = case("c01-tiled-planar-tiff/images");
    assert_eq!(grey(&images.join("m_tiled_planar.tif")), grey(&images.join("a_good.png")));
    let folder = tempfile::tempdir().unwrap();
    let images = images.to_str().unwrap();
    let scale = sorby(folder.path(), &["scale", images]);
    let said = String::from_utf8_lossy(&scale.stdout);
    assert!(scale.stderr.is_empty() && said.contains("m_tiled_planar") && said.contains("z_good"), "{said}");
    succeed(folder.path(), &["threshold", images, "--out", "t"]);
    let found = |name: &str| std::fs::read(folder.path().join(format!("t/{name}-otsu.png"))).unwrap();
    assert_eq!(found("m_tiled_planar"), found("a_good"));
}

#[test]
fn one_image_that_cannot_be_read_does_not_stop_the_others() {
    let folder = trained();
    let at = folder.path();
    std::fs::create_dir(at.join("images")).unwrap();
    let whole = case("c01-tiled-planar-tiff/images");
    for name in ["a_good.png", "m_tiled_planar.tif", "z_good.png"] {
        std::fs::copy(whole.join(name), at.join("images").join(name)).unwrap();
    }
    // Tiles longer than the file, an unknown compression, a float picture, a cut JPEG.
    let tiled = std::fs::read(whole.join("m_tiled_planar.tif")).unwrap();
    std::fs::write(at.join("images/cut.tif"), &tiled[..tiled.len() - 500]).unwrap();
    std::fs::copy(case("c02-truncated-jpeg/cut50.jpg"), at.join("images/half.jpg")).unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sorby-image/tests/fixture");
    std::fs::copy(fixtures.join("float-counts.tif"), at.join("images/counts.tif")).unwrap();
    let output = sorby(at, &["segment", "run", "images", "--out", "results"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    for name in ["a_good", "m_tiled_planar", "z_good"] {
        assert!(at.join(format!("results/masks/{name}.png")).is_file(), "{name}: {said}");
    }
    let problems = std::fs::read_to_string(at.join("results/problems.csv")).unwrap();
    assert_eq!(problems.lines().count(), 4, "{problems}");
    for name in ["cut.tif", "half.jpg", "counts.tif"] {
        assert!(problems.contains(name), "{problems}");
    }
    // What a finished model cannot be set to is not advised.
    let counts = problems.lines().find(|line| line.contains("counts.tif")).unwrap();
    assert!(counts.contains("save it with 8 or 16 bits") && !counts.contains("in the recipe"), "{counts}");
    // As many rows of trust as masks.
    let trust = std::fs::read_to_string(at.join("results/trust.csv")).unwrap();
    assert_eq!(
        trust.lines().skip(1).filter(|line| line.contains("good") || line.contains("planar")).count(),
        trust.lines().count() - 1
    );
}

#[test]
fn a_cut_jpeg_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let (cut, whole) = (case("c02-truncated-jpeg/cut50.jpg"), case("c02-truncated-jpeg/whole.jpg"));
    let output = sorby(at, &["threshold", cut.to_str().unwrap(), "--out", "t"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("cut50.jpg") && said.contains("is the file complete?"), "{said}");
    assert!(!at.join("t/thresholds.csv").exists());
    succeed(at, &["threshold", whole.to_str().unwrap(), "--out", "w"]);
    let data = case("c02-truncated-jpeg/dataset");
    let check = sorby(at, &["data", "check", data.to_str().unwrap()]);
    let said =
        format!("{}{}", String::from_utf8_lossy(&check.stdout), String::from_utf8_lossy(&check.stderr));
    assert!(!check.status.success(), "{said}");
    assert!(said.contains("i1.jpg") && said.contains("is the file complete?"), "{said}");
    assert!(!said.contains("i0.jpg") && !said.contains("i2.jpg"), "{said}");
    std::fs::write(at.join("tiny.toml"), "[schedule]\niterations = 2\n[data]\ncrop = 64\nbatch = 2\n")
        .unwrap();
    let line = fail(at, &["train", "tiny.toml", "--data", data.to_str().unwrap(), "--out", "run"]);
    assert!(line.contains("i1.jpg") && line.contains("is the file complete?"), "{line}");
}

/// Columns and rows of class 1: first, and one behind the last.
fn extent(label: &Path) -> (usize, usize, [usize; 4], usize) {
    let RawLabels::Values(map) = RawLabels::read(label).unwrap() else { panic!() };
    let inside: Vec<(usize, usize)> = (0..map.labels.len())
        .filter(|i| map.labels[*i] == 1)
        .map(|i| (i % map.width, i / map.width))
        .collect();
    let columns = || inside.iter().map(|p| p.0);
    let rows = || inside.iter().map(|p| p.1);
    let edges = [columns().min(), columns().max().map(|x| x + 1), rows().min(), rows().max().map(|y| y + 1)];
    (map.width, map.height, edges.map(Option::unwrap), inside.len())
}

#[test]
fn shapes_lie_on_the_upright_picture() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for (name, size, object) in
        [("turned180", (128, 96), [88, 108, 56, 76]), ("turned90", (96, 128), [20, 40, 20, 40])]
    {
        let source = case("c16-exif").join(name);
        succeed(at, &["data", "import", source.to_str().unwrap(), "--out", name]);
        let label = at.join(name).join("labels/a.png");
        assert_eq!(extent(&label), (size.0, size.1, object, 400), "{name}");
        let image = at.join(name).join("images/a.jpg");
        assert_eq!(dimensions(&image), Some(size));
        if name == "turned90" {
            // Its picture shows no object.
            continue;
        }
        // The copied image is turned once, when it is read: the bright object lies under its label.
        let picture = grey(&image);
        let mean = |inside: bool| {
            let within = |i: &usize| {
                let (x, y) = (i % size.0, i / size.0);
                let object = (object[0]..object[1]).contains(&x) && (object[2]..object[3]).contains(&y);
                object == inside
            };
            let values: Vec<f64> = (0..picture.len()).filter(within).map(|i| f64::from(picture[i])).collect();
            values.iter().sum::<f64>() / values.len() as f64
        };
        assert!((mean(true) - mean(false)).abs() > 60.0, "{name}: {} {}", mean(true), mean(false));
    }
    // Labels drawn on the upright view fit it now.
    let labels = case("c16-exif/labels180");
    let said = succeed(at, &["data", "check", labels.to_str().unwrap()]);
    assert!(!said.contains("upside down") && !said.contains("mirrored"), "{said}");
}

#[test]
fn shapes_of_programs_that_do_not_turn_are_refused_on_turned_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::create_dir(at.join("q")).unwrap();
    std::fs::copy(case("c16-exif/turned180/a.jpg"), at.join("q/a.jpg")).unwrap();
    let outline = r#"{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Polygon","coordinates":
        [[[20,20],[40,20],[40,40],[20,40],[20,20]]]},"properties":{"objectType":"annotation"}}]}"#;
    std::fs::write(at.join("q/a.geojson"), outline).unwrap();
    let output = sorby(at, &["data", "import", "q", "--format", "qupath", "--out", "d"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("a.jpg") && said.contains("EXIF orientation"), "{said}");
}

#[test]
fn kinds_of_tiff_show_the_same_picture() {
    let at = case("c21-tiff-kinds");
    let reference = grey(&at.join("png8.png"));
    for (name, most) in [
        ("tif-miniswhite16.tif", 0),
        ("tif-defl-pred3-f32be.tif", 0),
        ("tif-lzw-pred2-be16.tif", 0),
        ("tif-zstd.tif", 0),
        ("png-interlaced.png", 0),
        ("png16-trns.png", 0),
        ("bmp-rle8.bmp", 0),
        ("bmp-topdown.bmp", 0),
        ("jpg-cmyk.jpg", 6),
    ] {
        let found = grey(&at.join(name));
        let off = found.iter().zip(&reference).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(found.len() == reference.len() && off <= most, "{name}: {off} grey levels off");
    }
    let colours = |name: &str| match Micrograph::read(&at.join(name)).unwrap().pixels {
        Pixels::Rgb8(values) => values,
        _ => panic!("{name} has lost its colours"),
    };
    let (found, pillow) = (colours("tif-jpeg-ycbcr.tif"), colours("tif-jpeg-ycbcr-by-pillow.png"));
    // Decoders round each of luminance and chrominance their own way; what the network sees is the grey.
    let off = found.iter().zip(&pillow).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
    assert!(found.len() == pillow.len() && off <= 3, "{off} grey levels off");
    let greys = [grey(&at.join("tif-jpeg-ycbcr.tif")), grey(&at.join("tif-jpeg-ycbcr-by-pillow.png"))];
    assert!(greys[0].iter().zip(&greys[1]).all(|(a, b)| a.abs_diff(*b) <= 2));
    let Pixels::Grey8(fax) = Micrograph::read(&at.join("tif-g4.tif")).unwrap().pixels else { panic!() };
    assert!(fax.iter().all(|v| matches!(v, 0 | 255)) && fax.len() == reference.len());
    let folder = tempfile::tempdir().unwrap();
    for (name, cure) in [("tif-12bit.tif", "save it with 16 bits"), ("tif-4bit.tif", "save it with 8 bits")] {
        let output = sorby(folder.path(), &["threshold", at.join(name).to_str().unwrap(), "--out", name]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && said.contains(cure), "{said}");
    }
}

#[test]
fn a_file_where_a_folder_should_be_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("FILE"), "mine").unwrap();
    let image = case("c01-tiled-planar-tiff/images/a_good.png");
    let image = image.to_str().unwrap();
    for arguments in [
        ["segment", "run", image].as_slice(),
        &["threshold", image],
        &["measure", image],
        &["evaluate", "run", "--data", "data"],
        &["synth"],
        &["train", "coffee", "--data", "data"],
        &["data", "import", "a"],
        &["data", "export", "a", "--format", "png"],
        &["compare", "run"],
        &["study", "run", "a.toml", "--data", "data"],
        &["study", "report", "a"],
    ] {
        for out in ["FILE", "FILE/inside"] {
            let line = fail(at, &[arguments, &["--out", out]].concat());
            assert!(line.contains("FILE is a file; --out needs a folder"), "{line}");
        }
    }
    assert_eq!(std::fs::read_to_string(at.join("FILE")).unwrap(), "mine");
    assert!(
        command(at, &["synth", "--out", "new/folder", "--images", "1", "--size", "64x64"])
            .output()
            .unwrap()
            .status
            .success()
    );
}
