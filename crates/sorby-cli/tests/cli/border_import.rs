//! Right values at the borders: import. The inputs lie in `tests/cases`.

use crate::imported::import;
use crate::{fail, sorby, succeed, workshop};
use sorby_data::Dataset;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn case(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(name);
    assert!(path.exists(), "{}", path.display());
    path.to_str().unwrap().to_owned()
}

/// A folder with grey pictures of 64 x 48.
fn pictures(at: &Path, folder: &str, names: &[&str]) {
    for name in names {
        let path = at.join(folder).join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        image::GrayImage::from_fn(64, 48, |x, y| image::Luma([(x * 3 + y) as u8])).save(path).unwrap();
    }
}

#[test]
fn qupath_writes_one_object_without_a_list_and_classes_as_lists() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let three = import(at, &case("c05-qupath-one-object/three"), &[]);
    assert_eq!(three.code, 0, "{}", three.told);
    assert_eq!(three.pixels()["f1"]["carbide"], 400);
    let names = import(at, &case("c06-qupath-names/names"), &[]);
    assert_eq!(
        names.pixels()["a"],
        BTreeMap::from([("carbide: coarse".into(), 400), ("carbide: fine".into(), 400)])
    );
    let manifest = fs::read_to_string(names.data.join("dataset.toml")).unwrap();
    assert!(!manifest.contains("object"), "{manifest}");
}

#[test]
fn qupath_in_every_frame_and_packing() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let polygon = r#"{"type":"MultiPolygon","coordinates":[[[[4,4],[24,4],[24,24],[4,24]],[[10,10],[12,10],[12,12],[10,12]]],[[[30,4],[40,4],[40,14],[30,14]]]]}"#;
    let feature = format!(
        r#"{{"type":"Feature","geometry":{polygon},"properties":{{"objectType":"annotation","classification":{{"name":"carbide"}}}}}}"#
    );
    let expected = 400 - 4 + 100;
    let gz = |text: &str| {
        use std::io::Write as _;
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packed.write_all(text.as_bytes()).unwrap();
        packed.finish().unwrap()
    };
    let utf16 = |text: &str| -> Vec<u8> {
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    };
    let collection = format!(r#"{{"type":"FeatureCollection","features":[{feature}]}}"#);
    for (i, (file, content)) in [
        ("a.geojson", feature.clone().into_bytes()),
        ("a.json", format!("\u{feff}[{feature}]\r\n").into_bytes()),
        ("a.geojson", utf16(&collection)),
        ("a.geojson.gz", gz(&collection)),
        ("a.geojson", format!(r#"[{collection}]"#).into_bytes()),
        (
            "a.geojson",
            feature
                .replace(polygon, &format!(r#"{{"type":"GeometryCollection","geometries":[{polygon}]}}"#))
                .into_bytes(),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let source = format!("q{i}");
        pictures(at, &source, &["a.tif"]);
        fs::write(at.join(&source).join(file), content).unwrap();
        let outcome = import(at, &source, &[]);
        assert_eq!((outcome.code, outcome.of("carbide")), (0, expected), "{file} {i}: {}", outcome.told);
    }
    // Points and lines are passed over; what cannot be read takes its image with it, not the others.
    pictures(at, "mixed", &["a.tif", "b.tif", "c.tif"]);
    let line =
        r#"{"type":"Feature","geometry":{"type":"LineString","coordinates":[[1,1],[9,9]]},"properties":{}}"#;
    fs::write(at.join("mixed/a.geojson"), format!("[{feature},{line}]")).unwrap();
    fs::write(at.join("mixed/b.geojson"), feature.replace("MultiPolygon", "Circle")).unwrap();
    fs::write(at.join("mixed/c.geojson"), "{\"type\":\"FeatureCollection\",\"features\":[]}").unwrap();
    let mixed = import(at, "mixed", &[]);
    assert_eq!(mixed.code, 1, "{}", mixed.told);
    assert_eq!(mixed.pixels().keys().collect::<Vec<_>>(), ["a", "c"]);
    for word in
        ["LineString has no area", "Circle that cannot be read; its image is left out", "holds no area"]
    {
        assert!(mixed.told.contains(word), "{word}: {}", mixed.told);
    }
    // JSON of something else is no image without objects.
    pictures(at, "other", &["a.tif", "b.tif"]);
    fs::write(at.join("other/a.geojson"), &feature).unwrap();
    fs::write(at.join("other/b.json"), "{\"project\": 1}").unwrap();
    let other = import(at, "other", &["--format", "qupath"]);
    assert_eq!((other.code, other.pixels().len()), (1, 1));
    assert!(other.told.contains("b.json: is no GeoJSON"), "{}", other.told);
}

#[test]
fn imagej_notes_and_insets_are_no_objects() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for (name, word) in [("text", "is a text"), ("image", "is a picture laid over")] {
        let outcome =
            import(at, &case(&format!("c07-imagej-text-and-image-roi/{name}")), &["--class", "carbide"]);
        assert_eq!((outcome.code, outcome.of("carbide")), (0, 400), "{}", outcome.told);
        assert_eq!(outcome.bounds(1), [20, 20, 40, 40]);
        assert!(outcome.told.contains(word), "{}", outcome.told);
    }
    // ImageJ's own archives are packed, macOS adds files of its own, and the same image lies in a subfolder.
    let square = |x: u8| {
        let mut roi = vec![0u8; 64];
        roi[..8].copy_from_slice(&[b'I', b'o', b'u', b't', 0, 227, 1, 0]);
        roi[8..16].copy_from_slice(&[0, 4, 0, x, 0, 14, 0, x + 10]);
        roi
    };
    let archive = |entries: &[(&str, Vec<u8>)]| {
        use std::io::Write as _;
        let mut bytes = std::io::Cursor::new(Vec::new());
        let mut archive = zip::ZipWriter::new(&mut bytes);
        for (name, content) in entries {
            archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            archive.write_all(content).unwrap();
        }
        archive.finish().unwrap();
        bytes.into_inner()
    };
    pictures(at, "packed", &["x/a.tif", "y/a.tif"]);
    let entries = [("0004-0009.roi", square(4)), ("sub/b.ROI", square(30)), ("__MACOSX/._b.roi", vec![0; 9])];
    fs::write(at.join("packed/x/RoiSet_a.zip"), archive(&entries)).unwrap();
    fs::write(at.join("packed/y/a.roi"), square(5)).unwrap();
    let packed = import(at, "packed", &["--class", "carbide"]);
    assert_eq!(packed.code, 0, "{}", packed.told);
    let pixels: Vec<(String, usize)> = packed.pixels().into_iter().map(|(n, p)| (n, p["carbide"])).collect();
    assert_eq!(pixels, [("x_a".to_owned(), 200), ("y_a".into(), 100)]);
    // An archive without a region is no image without objects.
    pictures(at, "empty", &["a.tif"]);
    fs::write(at.join("empty/a.zip"), archive(&[("notes.txt", vec![1])])).unwrap();
    assert_eq!(import(at, "empty", &["--format", "imagej"]).code, 2);
}

#[test]
fn coco_ids_and_names_of_every_writing() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for name in ["string-ids", "flat"] {
        let outcome = import(at, &case(&format!("c17-coco-ids/{name}")), &[]);
        assert_eq!((outcome.code, outcome.of("carbide")), (0, 400), "{name}: {}", outcome.told);
    }
    let same = import(at, &case("c17-coco-ids/same-name"), &[]);
    assert_eq!(same.code, 2, "{}", same.told);
    assert!(same.told.contains("val/001.png") && same.told.contains("train/001.png"), "{}", same.told);

    // The same names in two folders that are there.
    pictures(at, "both", &["images/train/001.png", "images/val/001.png", "images/Grä.png"]);
    let coco = |images: &str, annotations: &str| {
        format!(
            r#"{{"images":[{images}],"annotations":[{annotations}],"categories":[{{"id":"c","name":"carbide"}}]}}"#
        )
    };
    let annotation = |image: &str, edge: u32| {
        format!(
            r#"{{"id":1,"image_id":{image},"category_id":"c","segmentation":[[4,4,{e},4,{e},{e},4,{e}]]}}"#,
            e = 4 + edge
        )
    };
    let images = r#"{"id":1,"file_name":"D:\\set\\train\\001.png","width":"64","height":48.0},
        {"id":"2","file_name":"val/001.png"},{"id":3,"file_name":"GRA\u0308.PNG"}"#;
    let all = [annotation("1.0", 10), annotation("2", 20), annotation("\"3\"", 30)].join(",");
    fs::write(at.join("both/instances.json"), coco(images, &all)).unwrap();
    let both = import(at, "both", &[]);
    assert_eq!(both.code, 0, "{}", both.told);
    let pixels: Vec<(String, usize)> = both.pixels().into_iter().map(|(n, p)| (n, p["carbide"])).collect();
    assert_eq!(pixels, [("Grä".to_owned(), 900), ("train_001".into(), 100), ("val_001".into(), 400)]);

    // What cannot be known is refused, by name.
    pictures(at, "odd", &["a.png", "b.png"]);
    let two = r#"{"id":1,"file_name":"a.png"},{"id":2,"file_name":"b.png"}"#;
    for (images, annotations, code, word) in [
        (two, annotation("null", 9), 2, "no image_id"),
        (two, annotation("1", 9) + "," + &annotation("7", 9), 1, "image 7, which is not listed"),
        (
            two,
            annotation("1", 9).replace("\"c\"", "5") + "," + &annotation("2", 9),
            1,
            "category that is not listed",
        ),
        (r#"{"id":1,"file_name":"a.png"},{"id":1,"file_name":"b.png"}"#, annotation("1", 9), 2, "same id 1"),
        (r#"{"id":1,"file_name":"a.png"},{"id":2,"file_name":"x/a.png"}"#, annotation("1", 9), 1, "x/a.png"),
        (
            r#"{"id":1,"file_name":"a.png","width":65,"height":48},{"id":2,"file_name":"b.png"}"#,
            annotation("1", 9) + "," + &annotation("2", 9),
            1,
            "65x48",
        ),
        (two, String::new(), 2, "no annotation"),
        (two, annotation("1", 9).replace("[[4,4,", "[[4,4,4,") + "," + &annotation("2", 9), 1, "odd count"),
    ] {
        fs::write(at.join("odd/instances.json"), coco(images, &annotations)).unwrap();
        let outcome = import(at, "odd", &[]);
        assert!(
            outcome.code == code && outcome.told.contains(word),
            "{word}: {} {}",
            outcome.code,
            outcome.told
        );
    }
    let named_twice =
        coco(two, &annotation("1", 9)).replace("}]}", "},{\"id\":\"d\",\"name\":\"carbide\"}]}");
    fs::write(at.join("odd/instances.json"), named_twice).unwrap();
    let outcome = import(at, "odd", &[]);
    assert!(outcome.code == 0 && outcome.told.contains("both called `carbide`"), "{}", outcome.told);
    fs::write(at.join("odd/instances.json"), r#"{"images":[],"annotations":null,"categories":[]}"#).unwrap();
    assert!(import(at, "odd", &["--format", "coco"]).told.contains("no list `annotations`"));
}

#[test]
fn what_is_not_read_says_what_to_export() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    pictures(at, "cvat", &["a.png"]);
    fs::write(at.join("cvat/annotations.xml"), "<annotations/>").unwrap();
    assert!(fail(at, &["data", "import", "cvat", "--out", "no"]).contains("Segmentation mask 1.1"));
    pictures(at, "nn", &["imagesTr/a_0000.png"]);
    fs::create_dir_all(at.join("nn/labelsTr")).unwrap();
    fs::write(at.join("nn/labelsTr/a.nii.gz"), [0]).unwrap();
    fs::write(at.join("nn/dataset.json"), r#"{"labels":{"background":0,"carbide":1}}"#).unwrap();
    let volumes = import(at, "nn", &[]);
    assert!(volumes.code == 2 && volumes.told.contains("1 volumes"), "{}", volumes.told);
}

#[test]
fn labelme_shapes_of_its_heirs() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for (name, pixels, bounds) in [
        ("rect4", 400, [20, 20, 40, 40]),
        ("rotation", 400, [20, 20, 40, 40]),
        ("mask", 100, [25, 25, 35, 35]),
        ("ellipse", 160, [50, 35, 70, 45]),
    ] {
        let outcome = import(at, &case(&format!("c20-labels-refused/{name}")), &[]);
        assert_eq!((outcome.code, outcome.of("carbide")), (0, pixels), "{name}: {}", outcome.told);
        assert_eq!(outcome.bounds(1), bounds, "{name}");
    }
    // Folders, an image named from elsewhere, numbers as labels, and an image that was renamed.
    let shapes = |path: &str, label: &str| {
        format!(
            r#"{{"imagePath":{path},"imageHeight":48,"shapes":[{{"label":{label},"points":[[4,4],[14,14]],"shape_type":"rectangle"}}]}}"#
        )
    };
    pictures(at, "tree", &["x/1.png", "y/1.png", "images/far.png"]);
    fs::create_dir_all(at.join("tree/json")).unwrap();
    fs::write(at.join("tree/x/1.json"), shapes("\"1.png\"", "7")).unwrap();
    fs::write(at.join("tree/y/1.json"), shapes("null", "\"a\"")).unwrap();
    fs::write(at.join("tree/json/far.json"), shapes(r#""..\\images\\far.png""#, "\"a\"")).unwrap();
    let tree = import(at, "tree", &[]);
    assert_eq!(tree.code, 0, "{}", tree.told);
    assert_eq!(tree.pixels().keys().collect::<Vec<_>>(), ["far", "x_1", "y_1"]);
    assert_eq!(tree.pixels()["x_1"], BTreeMap::from([("7".into(), 100)]));
    pictures(at, "renamed", &["old.png", "new.png", "fine.png"]);
    fs::write(at.join("renamed/new.json"), shapes("\"old.png\"", "\"a\"")).unwrap();
    fs::write(at.join("renamed/fine.json"), shapes("\"fine.png\"", "\"a\"")).unwrap();
    let renamed = import(at, "renamed", &[]);
    assert_eq!((renamed.code, renamed.pixels().len()), (1, 1), "{}", renamed.told);
    assert!(renamed.told.contains("`imagePath`"), "{}", renamed.told);
}

#[test]
fn yolo_texts_of_every_editor() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let marked = import(at, &case("c20-labels-refused/yolo-bom"), &[]);
    assert_eq!((marked.code, marked.of("carbide")), (0, 400), "{}", marked.told);
    // Ten rows and ten columns from (4, 4).
    let square = |class: &str| {
        let (x, y) = (|v: f64| v / 64.0, |v: f64| v / 48.0);
        format!("{class} {} {} {} {} {} {} {} {}", x(4.), y(4.), x(14.), y(4.), x(14.), y(14.), x(4.), y(14.))
    };
    let utf16: Vec<u8> =
        format!("\u{feff}{}\r\n", square("1")).encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (i, (content, names)) in [
        (
            format!("{}\r\n\r\n", square("1")).into_bytes(),
            "\u{feff}names:\r\n  0: a\r\n  1: carbide\r\nnc: 2\r\n",
        ),
        (utf16, "names: [a, carbide]\n"),
        (square("1.0").replace(' ', ", ").into_bytes(), "names:\n- a\n- carbide\n"),
        (square("1").replace(' ', ",").into_bytes(), "names: {0: a, 1: carbide}"),
        (
            format!("{}\r{}", square("1"), square("0")).replacen(&square("0"), "", 1).into_bytes(),
            "nc: 2\nnames: ['a', 'carbide']",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let source = format!("y{i}");
        pictures(at, &source, &["train/images/p.png", "valid/images/p.png"]);
        fs::create_dir_all(at.join(&source).join("train/labels")).unwrap();
        fs::write(at.join(&source).join("README.roboflow.txt"), "notes").unwrap();
        fs::write(at.join(&source).join("data.yaml"), names).unwrap();
        fs::write(at.join(&source).join("train/labels/p.txt"), content).unwrap();
        let outcome = import(at, &source, &["--format", "yolo-seg"]);
        assert_eq!((outcome.code, outcome.of("carbide")), (0, 100), "{i}: {}", outcome.told);
        assert!(outcome.told.contains("1 images have no label file"), "{}", outcome.told);
        let manifest = fs::read_to_string(outcome.data.join("dataset.toml")).unwrap();
        assert!(manifest.contains("train = [\"p\"]"), "{manifest}");
    }
    for (content, names, word) in [
        (square("1"), "nc: 3\nnames: [a, b]\n", "nc: 3"),
        (square("2"), "names: [a, b]\n", "class 2"),
        (square("0"), "names: [a, a]\n", "`a` twice"),
        ("0 0.5 0.5 0.1 0.1".to_owned(), "names: [a, b]\n", "box"),
        ("0 0.5 0.5 0.1 0.1 0.9".to_owned(), "names: [a, b]\n", "box with a confidence"),
        (square("0").replace('.', ","), "names: [a, b]\n", "commas"),
    ] {
        pictures(at, "bad", &["images/p.png"]);
        fs::create_dir_all(at.join("bad/labels")).unwrap();
        fs::write(at.join("bad/data.yaml"), names).unwrap();
        fs::write(at.join("bad/labels/p.txt"), content).unwrap();
        let outcome = import(at, "bad", &[]);
        assert!(outcome.code == 2 && outcome.told.contains(word), "{word}: {}", outcome.told);
    }
}

#[test]
fn objects_that_touch_stay_apart() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let source = case("c13-touching-instances/touching");
    let outcome = import(at, &source, &["--format", "instances", "--class", "grain"]);
    assert_eq!(outcome.code, 0, "{}", outcome.told);
    assert!(outcome.told.contains("touch in 11 places (12 objects)"), "{}", outcome.told);
    let pixels = &outcome.pixels()["a"];
    assert_eq!(pixels["grain"] + pixels["ignored"], 2400);
    assert_eq!(pixels["ignored"], 11 * 20, "a line of one pixel at each contact");
    succeed(
        at,
        &[
            "measure",
            outcome.data.join("labels").to_str().unwrap(),
            "--out",
            "m",
            "--nm-per-px",
            "1",
            "--edges",
            "all",
        ],
    );
    let particles = fs::read_to_string(at.join("m/particles.csv")).unwrap();
    assert_eq!(particles.lines().count(), 1 + 12, "{particles}");
    // napari's default on macOS.
    let wide = import(at, &case("c20-labels-refused/int64"), &["--format", "instances", "--class", "g"]);
    assert_eq!(wide.code, 0, "{}", wide.told);
    assert_eq!(wide.of("g") + wide.of("ignored"), 2400);
    // Numbers beyond the whole numbers of a float, that differ by one and touch.
    pictures(at, "high", &["a.png"]);
    let numbers: Vec<u32> =
        (0..64 * 48).map(|i| if i < 640 { u32::MAX - u32::from(i % 64 < 32) } else { 0 }).collect();
    let mut tiff = std::io::Cursor::new(Vec::new());
    tiff::encoder::TiffEncoder::new(&mut tiff)
        .unwrap()
        .write_image::<tiff::encoder::colortype::Gray32>(64, 48, &numbers)
        .unwrap();
    fs::write(at.join("high/a_labels.tif"), tiff.into_inner()).unwrap();
    let high = import(at, "high", &["--format", "instances", "--class", "g"]);
    assert!(high.told.contains("touch in 1 place (2 objects)"), "{}", high.told);
    assert_eq!(high.pixels()["a"], BTreeMap::from([("g".into(), 630), ("ignored".into(), 10)]));
    // A strip of 255 far above the numbers does not count; a micrograph or soft edges are no numbers.
    let numbers = |name: &str, value: &dyn Fn(u32, u32) -> u8| {
        pictures(at, name, &["a.png"]);
        let mask = image::GrayImage::from_fn(64, 48, |x, y| image::Luma([value(x, y)]));
        mask.save(at.join(name).join("a_masks.png")).unwrap();
        import(at, name, &["--format", "instances", "--class", "g"])
    };
    let squares = |x: u32, y: u32| if x % 16 < 8 && y % 16 < 8 { (1 + x / 16 + y / 16 * 4) as u8 } else { 0 };
    let strip = numbers("strip", &|x, y| if y < 40 { squares(x, y) } else { 255 });
    assert!(
        strip.told.contains("the value 255 (512 pixels), far above its object numbers"),
        "{}",
        strip.told
    );
    let expected = [("g".into(), 12 * 64), ("ignored".into(), 512)];
    assert_eq!(strip.pixels()["a"], BTreeMap::from(expected));
    let rough = numbers("rough", &|x, y| (70 + (x * 37 + y * 3 + x * y / 4) % 97) as u8);
    assert!(rough.code != 0 && rough.told.contains("looks like a micrograph"), "{}", rough.told);
    let near = numbers("near", &|x, y| if y < 40 { 20 * squares(x, y) } else { 255 });
    assert!(near.code != 0 && near.told.contains("255 above its object numbers"), "{}", near.told);
    // Numbers in a folder of their own, as napari and others save them, in subfolders.
    let numbers = |x: u32, y: u32| image::Luma([if y < 10 { (x / 16 * 700) as u16 } else { 0 }]);
    pictures(at, "apart", &["images/x/1.png", "images/y/1.png"]);
    for folder in ["x", "y"] {
        fs::create_dir_all(at.join("apart/masks").join(folder)).unwrap();
        let mask = image::ImageBuffer::<image::Luma<u16>, _>::from_fn(64, 48, numbers);
        mask.save(at.join("apart/masks").join(folder).join("1.tif")).unwrap();
    }
    let apart =
        import(at, "apart/masks", &["--images", "apart/images", "--format", "instances", "--class", "grain"]);
    assert_eq!(apart.code, 0, "{}", apart.told);
    for name in ["x_1", "y_1"] {
        assert_eq!(apart.pixels()[name], BTreeMap::from([("grain".into(), 460), ("ignored".into(), 20)]));
    }
    let message = fail(at, &["data", "import", "apart/masks", "--images", "nowhere", "--out", "no"]);
    assert!(message.contains("--images nowhere: no such folder"), "{message}");
    // Two labels of one image: neither is taken.
    pictures(at, "twice", &["a.png", "b.png"]);
    for name in ["a_labels.png", "a_cp_masks.png", "b_masks.png"] {
        image::GrayImage::from_fn(64, 48, |x, _| image::Luma([u8::from(x > 3)]))
            .save(at.join("twice").join(name))
            .unwrap();
    }
    let twice = import(at, "twice", &["--format", "instances"]);
    assert_eq!((twice.code, twice.pixels().keys().next().unwrap().as_str()), (1, "b"));
    assert!(twice.told.contains("has two labels"), "{}", twice.told);
    // Nothing but background is nothing to learn from.
    pictures(at, "blank", &["a.png"]);
    image::GrayImage::new(64, 48).save(at.join("blank/a_masks.png")).unwrap();
    let blank = import(at, "blank", &["--format", "instances"]);
    assert!(blank.code == 2 && blank.told.contains("no object in any image"), "{}", blank.told);
    // No background at all.
    pictures(at, "full", &["a.png"]);
    image::GrayImage::from_fn(64, 48, |x, _| image::Luma([1 + (x / 20) as u8]))
        .save(at.join("full/a_masks.png"))
        .unwrap();
    assert!(import(at, "full", &["--format", "instances"]).told.contains("no pixel of 0"));
}

/// Labels of a data set by name.
fn labels(data: &Path) -> BTreeMap<String, Vec<u8>> {
    let data = Dataset::open(data).unwrap();
    data.items.iter().map(|i| (i.name.clone(), data.load_label(i).unwrap().labels)).collect()
}

#[test]
fn exports_keep_every_pixel_and_grey_value() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let ignored = case("c12-export-loses/with-255");
    let truth = labels(Path::new(&ignored));
    assert_eq!(truth["case"].iter().filter(|l| **l == 255).count(), 100);
    for format in ["coco", "nnunet", "png"] {
        let out = format!("255-{format}");
        succeed(at, &["data", "export", &ignored, "--format", format, "--out", &out]);
        let back = if format == "png" { at.join(out) } else { import(at, &out, &[]).data };
        assert_eq!(labels(&back), truth, "{format}");
    }
    let coco = fs::read_to_string(at.join("255-coco/annotations.json")).unwrap();
    let coco: serde_json::Value = serde_json::from_str(&coco).unwrap();
    let crowds: Vec<_> =
        coco["annotations"].as_array().unwrap().iter().filter(|a| a["iscrowd"] == 1).collect();
    assert_eq!((crowds.len(), &crowds[0]["area"]), (1, &100.into()));
    assert_eq!(coco["categories"].as_array().unwrap().last().unwrap()["name"], "ignore");

    let deep = case("c12-export-loses/12bit");
    succeed(at, &["data", "export", &deep, "--format", "nnunet", "--out", "deep"]);
    for name in ["i0", "i1"] {
        let values = |path: PathBuf| image::open(path).unwrap().into_luma16().into_raw();
        let before = values(Path::new(&deep).join(format!("images/{name}.png")));
        assert_eq!(values(at.join(format!("deep/imagesTr/{name}_0000.png"))), before);
        assert!(before.iter().collect::<std::collections::BTreeSet<_>>().len() > 80);
    }
}

#[test]
fn exports_of_floats_colours_and_reserved_names() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let manifest = |classes: [&str; 2]| {
        format!("[[classes]]\nname = '{}'\n[[classes]]\nname = '{}'\n", classes[0], classes[1])
    };
    let set = |name: &str, classes: [&str; 2]| {
        fs::create_dir_all(at.join(name).join("images")).unwrap();
        fs::create_dir_all(at.join(name).join("labels")).unwrap();
        fs::write(at.join(name).join("dataset.toml"), manifest(classes)).unwrap();
    };
    let label = |name: &str, image: &str| {
        // Objects that touch, a hole, single pixels, and pixels that are not counted.
        let label = image::GrayImage::from_fn(9, 7, |x, y| {
            image::Luma([match (x, y) {
                (3, 3) => 0,
                (2..5, 2..5) | (5, 5) | (8, 6) => 1,
                (0, _) => 255,
                _ => 0,
            }])
        });
        label.save(at.join(name).join("labels").join(image)).unwrap();
    };
    set("float", ["matrix", "carbide"]);
    let floats: Vec<f32> = (0..63).map(|i| i as f32 * 1.5 - 20.0).collect();
    let mut tiff = std::io::Cursor::new(Vec::new());
    tiff::encoder::TiffEncoder::new(&mut tiff)
        .unwrap()
        .write_image::<tiff::encoder::colortype::Gray32Float>(9, 7, &floats)
        .unwrap();
    fs::write(at.join("float/images/a.tif"), tiff.get_ref()).unwrap();
    image::ImageBuffer::<image::Luma<u16>, _>::from_fn(9, 7, |x, y| image::Luma([(x * 4000 + y) as u16]))
        .save(at.join("float/images/b.png"))
        .unwrap();
    label("float", "a.png");
    label("float", "b.png");
    let said = sorby(at, &["data", "export", "float", "--format", "nnunet", "--out", "float-out"]);
    let said = String::from_utf8(said.stderr).unwrap();
    assert!(said.contains("`matrix`") && said.contains("comes back as `background`"), "{said}");
    assert_eq!(&fs::read(at.join("float-out/imagesTr/a_0000.tif")).unwrap(), tiff.get_ref());
    assert!(fs::read_to_string(at.join("float-out/dataset.json")).unwrap().contains("\".tif\""));
    let back = import(at, "float-out", &[]);
    assert_eq!(labels(&back.data), labels(&at.join("float")));
    let deep = image::open(back.data.join("images/b.tif")).unwrap().into_luma16();
    assert_eq!(deep.get_pixel(8, 6).0, [32006]);
    succeed(at, &["data", "export", "float", "--format", "coco", "--out", "float-coco"]);
    assert_eq!(labels(&import(at, "float-coco", &[]).data), labels(&at.join("float")));
    assert_eq!(&fs::read(at.join("float-coco/images/a.tif")).unwrap(), tiff.get_ref());

    set("colour", ["background", "carbide"]);
    image::RgbImage::from_fn(9, 7, |x, y| image::Rgb([x as u8, y as u8, 9]))
        .save(at.join("colour/images/a.png"))
        .unwrap();
    label("colour", "a.png");
    succeed(at, &["data", "export", "colour", "--format", "nnunet", "--out", "colour-out"]);
    let colour = image::open(at.join("colour-out/imagesTr/a_0000.png")).unwrap();
    assert_eq!(colour, image::open(at.join("colour/images/a.png")).unwrap());
    image::GrayImage::new(9, 7).save(at.join("colour/images/b.png")).unwrap();
    label("colour", "b.png");
    assert!(
        fail(at, &["data", "export", "colour", "--format", "nnunet", "--out", "no"]).contains("is in colour")
    );

    for (name, format) in
        [("background", "coco"), ("ignore", "nnunet"), ("ignore", "coco"), ("__ignore__", "coco")]
    {
        set("reserved", ["matrix", name]);
        image::GrayImage::new(9, 7).save(at.join("reserved/images/a.png")).unwrap();
        label("reserved", "a.png");
        let message = fail(at, &["data", "export", "reserved", "--format", format, "--out", "no"]);
        assert!(message.contains("rename it"), "{message}");
        assert!(!at.join("no").exists());
    }
}

#[test]
fn checkpoints_of_mmsegmentation_become_models() {
    let folder = workshop();
    let at = folder.path();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reference/fixtures/weights");
    let checkpoint = fixtures.join("mmseg.pth");
    let checkpoint = checkpoint.to_str().unwrap();
    // As a model it is refused with what to do, by every verb that takes one.
    for verb in [
        ["segment", checkpoint, "data/images"].as_slice(),
        &["evaluate", checkpoint, "--data", "data", "--split", "val"],
    ] {
        let message = fail(at, &[verb, &["--out", "none"]].concat());
        assert!(message.contains("file of PyTorch") && message.contains("model convert"), "{message}");
    }
    let info = succeed(at, &["model", "info", checkpoint]);
    assert!(info.contains("matrix, carbide, pearlite") && info.contains("5 further tensors"), "{info}");
    let said = succeed(
        at,
        &["model", "convert", checkpoint, "--classes", "matrix, carbide,pearlite", "--out", "m.safetensors"],
    );
    assert!(said.contains("3 classes (matrix, carbide, pearlite)") && said.contains("DeepLabV3+"), "{said}");
    assert!(fs::metadata(at.join("m.safetensors")).unwrap().len() < 51_000_000, "no optimiser state");
    let message = fail(at, &["model", "convert", checkpoint, "--classes", "a,b", "--out", "n.safetensors"]);
    assert!(
        message.contains("has 3 classes, not 2; the file names them matrix, carbide, pearlite"),
        "{message}"
    );
    assert!(!at.join("n.safetensors").exists());
    let message =
        fail(at, &["model", "convert", "m.safetensors", "--classes", "a,b,c", "--out", "n.safetensors"]);
    assert!(message.contains("a model of Sorby already"), "{message}");

    // It segments: the mask is the largest of MMSegmentation's probabilities, but where two are as good as equal.
    let bytes = fs::read(fixtures.join("mmseg_answer.safetensors")).unwrap();
    let (answer, _) = sorby_nn::weights::from_safetensors(&bytes).unwrap();
    let picture = answer["picture"].values.iter().map(|v| *v as u8).collect();
    fs::create_dir_all(at.join("pictures")).unwrap();
    image::GrayImage::from_raw(64, 64, picture).unwrap().save(at.join("pictures/p.png")).unwrap();
    succeed(at, &["segment", "m.safetensors", "pictures", "--out", "found", "--no-data-bar"]);
    let sorby_image::RawLabels::Values(mask) =
        sorby_image::RawLabels::read(&at.join("found/masks/p.png")).unwrap()
    else {
        panic!("no mask");
    };
    let truth = &answer["probabilities"].values;
    let p = |class: usize, at: usize| truth[class * 4096 + at];
    let off = (0..4096).filter(|i| {
        let best = (0..3).max_by(|a, b| p(*a, *i).total_cmp(&p(*b, *i))).unwrap();
        usize::from(mask.labels[*i]) != best && p(best, *i) - p(usize::from(mask.labels[*i]), *i) > 1e-3
    });
    assert_eq!(off.count(), 0);

    // Heads too start a training, if they fit.
    let train = |set: &[&str], out: &str| {
        let mut all =
            vec!["train", "tiny.toml", "--data", "data", "--out", out, "--set", "schedule.iterations=1"];
        all.extend(set.iter().flat_map(|s| ["--set", s]));
        sorby(at, &all)
    };
    let pretrained = format!("pretrained={checkpoint}");
    let output = train(&[&pretrained, "pretrained_heads=true"], "wrong");
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.code() == Some(2) && error.contains("heads are for 3 classes, the network has 2"),
        "{error}"
    );
    let first = train(&[], "first");
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    let second = train(
        &["pretrained=first/model.safetensors", "pretrained_heads=true", "optimizer.lr=1e-9", "seed=9"],
        "second",
    );
    assert!(second.status.success(), "{}", String::from_utf8_lossy(&second.stderr));
    let keys: serde_json::Value =
        serde_json::from_slice(&fs::read(at.join("second/pretrained.json")).unwrap()).unwrap();
    let has = |key: &str| keys["loaded"].as_array().unwrap().iter().any(|k| k == key);
    assert!(has("decode_head.conv_seg.weight") && has("auxiliary_head.conv_seg.weight"));
    assert!(keys["missing"].as_array().unwrap().is_empty());
    let weights =
        |run: &str| sorby_nn::weights_file::read_weights(&at.join(run).join("model.safetensors")).unwrap().0;
    let (a, b) = (weights("first"), weights("second"));
    let off = a["decode_head.conv_seg.weight"].values.iter().zip(&b["decode_head.conv_seg.weight"].values);
    assert!(off.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) < 1e-6, "another seed, the same heads");
}
