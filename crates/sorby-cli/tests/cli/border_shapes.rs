//! Right values at the borders: objects of shapes. Those that touch stay two, and an image lacks none without a word.

use crate::imported::import;
use crate::{fail, sorby, succeed};
use sorby_data::Dataset;
use std::fs;
use std::path::Path;

/// A file in a folder that is made for it.
fn write(at: &Path, name: &str, content: impl AsRef<[u8]>) {
    let path = at.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn picture(at: &Path, name: &str) {
    write(at, name, "");
    image::GrayImage::from_fn(64, 48, |x, y| image::Luma([(x * 3 + y) as u8])).save(at.join(name)).unwrap();
}

/// Boxes as left and right in rows 10 to 20, in the words of a program.
fn boxes(boxes: &[(u32, u32)], one: impl Fn(usize, u32, u32) -> String) -> String {
    boxes.iter().enumerate().map(|(i, (l, r))| one(i, *l, *r)).collect::<Vec<_>>().join(",")
}

fn coco(images: &str, annotations: &str) -> String {
    format!(
        r#"{{"images":[{images}],"annotations":[{annotations}],"categories":[{{"id":1,"name":"grain"}}]}}"#
    )
}

fn polygon(l: u32, r: u32) -> String {
    format!("[[{l},10],[{r},10],[{r},20],[{l},20]]")
}

const THREE: [(u32, u32); 3] = [(10, 20), (20, 30), (30, 44)];

/// The same three boxes that touch, in every format of shapes; and as parts of one object, where a format has that.
#[test]
fn shapes_that_touch_are_two_objects() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let image = r#"{"id":1,"file_name":"a.png"}"#;
    let annotation = |i: usize, parts: &str| {
        format!(r#"{{"id":{i},"image_id":1,"category_id":1,"segmentation":{parts}}}"#)
    };
    let labelme = |group: &str| {
        let shape = |_: usize, l, r| {
            format!(
                r#"{{"label":"grain","shape_type":"polygon","group_id":{group},"points":{}}}"#,
                polygon(l, r)
            )
        };
        format!(
            r#"{{"imagePath":"a.png","imageWidth":64,"imageHeight":48,"shapes":[{}]}}"#,
            boxes(&THREE, shape)
        )
    };
    let feature = |kind: &str, coordinates: &str| {
        format!(
            r#"{{"type":"Feature","properties":{{"classification":{{"name":"grain"}}}},"geometry":{{"type":"{kind}","coordinates":{coordinates}}}}}"#
        )
    };
    let yolo = |_: usize, l: u32, r: u32| {
        let corner = |x: u32, y: u32| format!("{} {}", f64::from(x) / 64.0, f64::from(y) / 48.0);
        format!("0 {} {} {} {}\n", corner(l, 10), corner(r, 10), corner(r, 20), corner(l, 20))
    };
    let roi = |l: u32, r: u32| {
        let mut roi = vec![0u8; 64];
        roi[..8].copy_from_slice(&[b'I', b'o', b'u', b't', 0, 227, 1, 0]);
        roi[8..16].copy_from_slice(&[0, 10, 0, l as u8, 0, 20, 0, r as u8]);
        roi
    };
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (i, (l, r)) in THREE.into_iter().enumerate() {
        archive.start_file(format!("{i}.roi"), zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut archive, &roi(l, r)).unwrap();
    }
    let flat = |i: usize, l, r| annotation(i, &format!("[[{l},10,{r},10,{r},20,{l},20]]"));
    let parts = boxes(&THREE, |_, l, r| format!("[{l},10,{r},10,{r},20,{l},20]"));
    let separate = boxes(&THREE, |_, l, r| feature("Polygon", &format!("[{}]", polygon(l, r))));
    let together = boxes(&THREE, |_, l, r| format!("[{}]", polygon(l, r)));
    for (source, file, content, objects) in [
        ("coco", "c.json", coco(image, &boxes(&THREE, flat)).into_bytes(), 3),
        ("coco-parts", "c.json", coco(image, &annotation(1, &format!("[{parts}]"))).into_bytes(), 1),
        ("labelme", "a.json", labelme("null").into_bytes(), 3),
        ("labelme-group", "a.json", labelme("4").into_bytes(), 1),
        ("qupath", "a.geojson", format!("[{separate}]").into_bytes(), 3),
        ("qupath-parts", "a.geojson", feature("MultiPolygon", &format!("[{together}]")).into_bytes(), 1),
        ("yolo", "labels/a.txt", boxes(&THREE, yolo).replace(',', "").into_bytes(), 3),
        ("imagej", "a-RoiSet.zip", archive.finish().unwrap().into_inner(), 3),
    ] {
        picture(at, &format!("{source}/a.png"));
        write(at, &format!("{source}/{file}"), content);
        if source == "yolo" {
            write(at, "yolo/data.yaml", "names: [grain]\n");
        }
        let outcome = import(at, source, &[]);
        let line = if objects == 3 { 20 } else { 0 };
        assert_eq!(outcome.code, 0, "{source}: {}", outcome.told);
        assert_eq!(outcome.pixels_of_objects()["a"], (340 - line, line), "{source}: {}", outcome.told);
        assert_eq!(outcome.objects(at), objects, "{source}");
        let told = outcome.told.contains("objects touch in 2 places (3 objects): a line of 20 pixels");
        assert_eq!(told, objects == 3, "{source}: {}", outcome.told);
    }
}

#[test]
fn outlines_of_measured_objects_come_back_as_so_many() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::create_dir_all(at.join("numbers")).unwrap();
    let number = |x: u32, y: u32| image::Luma([if y < 20 { (x / 16 * 700) as u16 } else { 0 }]);
    image::ImageBuffer::<image::Luma<u16>, _>::from_fn(64, 48, number)
        .save(at.join("numbers/a.tif"))
        .unwrap();
    let measure =
        ["measure", "numbers", "--instances", "--out", "m", "--export", "roi,geojson", "--edges", "all"];
    succeed(at, &measure);
    for (source, file) in [("geojson", "a.geojson"), ("roi", "a-RoiSet.zip")] {
        picture(at, &format!("{source}/a.png"));
        fs::copy(at.join("m").join(file), at.join(source).join(file)).unwrap();
        let outcome = import(at, source, &[]);
        assert_eq!(outcome.pixels_of_objects()["a"], (48 * 20 - 40, 40), "{}", outcome.told);
        assert_eq!(outcome.objects(at), 3, "{source}");
    }
}

/// Shapes of one class over each other: a part of half or more is the same object, less is what outlines share.
#[test]
fn shapes_over_each_other_are_one_object_or_two() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for (i, (second, objects, word)) in [
        ((10, 20), 1, "1 shape half or more in another"),
        ((12, 17), 1, "1 shape half or more in another"),
        ((15, 25), 1, "1 shape half or more in another"),
        ((17, 30), 2, "objects touch in 1 place (2 objects)"),
        ((20, 30), 2, "objects touch in 1 place (2 objects)"),
        ((21, 30), 2, ""),
    ]
    .into_iter()
    .enumerate()
    {
        let source = format!("o{i}");
        picture(at, &format!("{source}/a.png"));
        let annotations = boxes(&[(10, 20), second], |i, l, r| {
            format!(
                r#"{{"id":{i},"image_id":1,"category_id":1,"segmentation":[[{l},10,{r},10,{r},20,{l},20]]}}"#
            )
        });
        write(at, &format!("{source}/c.json"), coco(r#"{"id":1,"file_name":"a.png"}"#, &annotations));
        let outcome = import(at, &source, &[]);
        assert_eq!(outcome.objects(at), objects, "{second:?}");
        assert!(outcome.told.contains(word), "{second:?}: {}", outcome.told);
        assert_eq!(outcome.told.contains("touch"), word.contains("touch"), "{}", outcome.told);
    }
}

/// Random labels of two classes, full of holes and diagonal contacts: COCO gives every pixel back.
#[test]
fn exported_objects_never_touch() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    picture(at, "d/images/a.png");
    fs::create_dir_all(at.join("d/labels")).unwrap();
    let mut state = 7u32;
    let label = image::GrayImage::from_fn(64, 48, |_, _| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        image::Luma([[0, 0, 1, 1, 2, 255][(state >> 16) as usize % 6]])
    });
    label.save(at.join("d/labels/a.png")).unwrap();
    write(
        at,
        "d/dataset.toml",
        "[[classes]]\nname='background'\n[[classes]]\nname='a'\n[[classes]]\nname='b'\n",
    );
    succeed(at, &["data", "export", "d", "--format", "coco", "--out", "coco"]);
    let back = import(at, "coco", &[]);
    assert!(!back.told.contains("touch"), "{}", back.told);
    let data = Dataset::open(&back.data).unwrap();
    assert_eq!(data.load_label(&data.items[0]).unwrap().labels, label.into_raw());
}

/// An object that cannot be placed takes its image with it.
#[test]
fn coco_objects_without_a_place() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let square = "[[4,4,14,4,14,14,4,14]]";
    let one = |image: &str, parts: &str| {
        format!(r#"{{"id":1,"image_id":{image},"category_id":1,"segmentation":{parts}}}"#)
    };
    let two = r#"{"id":1,"file_name":"a.png"},{"id":2,"file_name":"b.png"}"#;
    let texts = r#"{"id":"001","file_name":"a.png"},{"id":"002","file_name":"b.png"}"#;
    for (i, (images, image, parts, code, word)) in [
        (two, "1", r#"{"size":[64,48],"counts":[100,200,2772]}"#, 1, "another size than its image"),
        (two, "1", r#"{"size":[480,640],"counts":[100,200,306900]}"#, 1, "another size than its image"),
        (two, "1", r#"{"size":[48,64],"counts":[100,100,2872]}"#, 0, ""),
        (two, "1", "[[0.2,0.2,0.4,0.2,0.4,0.4,0.2,0.4]]", 1, "corners between 0 and 1"),
        (two, "1", "[[0,0,1,0,1,1,0,1]]", 0, ""),
        (two, "1", "[[200,200,240,200,240,240]]", 1, "none of the objects of"),
        (two, "7", square, 1, "image 7, which is not listed; images without an object may lack it"),
        (two, "\"a.png\"", square, 0, ""),
        (texts, "1", square, 0, ""),
    ]
    .into_iter()
    .enumerate()
    {
        let source = format!("p{i}");
        picture(at, &format!("{source}/a.png"));
        picture(at, &format!("{source}/b.png"));
        let annotations = [one(image, parts), one("2", square)].join(",");
        write(at, &format!("{source}/c.json"), coco(images, &annotations));
        let outcome = import(at, &source, &[]);
        let names: Vec<String> = outcome.pixels_of_objects().into_keys().collect();
        let expected = if code == 0 { "a b" } else { "b" };
        assert_eq!((outcome.code, names.join(" ").as_str()), (code, expected), "{}", outcome.told);
        assert!(outcome.told.contains(word), "{}", outcome.told);
        if code == 0 {
            let right = if parts.starts_with("[[0,0") { 1 } else { 100 };
            assert_eq!(outcome.pixels_of_objects()["a"], (right, 0), "{parts}");
        }
    }
}

#[test]
fn yolo_names_in_quotes_and_poses() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let square = "0.1 0.1 0.4 0.1 0.4 0.4 0.1 0.4";
    for (i, (names, class)) in [
        ("names: ['a, b', 'c']\n", "c"),
        ("names: {0: 'a, b', 1: \"c # d\"}\n", "c # d"),
        ("\"names\": [\"a\", \"c\"]\n", "c"),
        ("names:\n  - a\n  - 'c: d'\n", "c: d"),
    ]
    .into_iter()
    .enumerate()
    {
        let source = format!("y{i}");
        picture(at, &format!("{source}/images/a.png"));
        write(at, &format!("{source}/labels/a.txt"), format!("1 {square}\n"));
        write(at, &format!("{source}/data.yaml"), names);
        let outcome = import(at, &source, &[]);
        assert_eq!(outcome.code, 0, "{names}: {}", outcome.told);
        assert_eq!(Dataset::open(&outcome.data).unwrap().manifest.class_names(), ["background", class]);
    }
    picture(at, "pose/images/a.png");
    write(at, "pose/labels/a.txt", "0 0.3 0.3 0.2 0.2 0.25 0.25 1 0.35 0.35 1\n");
    write(at, "pose/data.yaml", "kpt_shape: [2, 3]\nnames: [carbide]\n");
    let pose = import(at, "pose", &[]);
    assert!(pose.code == 2 && pose.told.contains("kpt_shape"), "{}", pose.told);
}

#[test]
fn names_and_numbers_as_other_programs_write_them() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let feature = format!(r#"{{"type":"Polygon","coordinates":[{}]}}"#, polygon(10, 20));
    for (source, file) in [
        ("q1", "a.tif.geojson"),
        ("q2", "a.tif - Series 0.geojson"),
        ("q3", "a.TIF.geojson"),
        ("q4", "a.geojson"),
    ] {
        picture(at, &format!("{source}/a.tif"));
        picture(at, &format!("{source}/b.tif"));
        write(at, &format!("{source}/{file}"), &feature);
        let outcome = import(at, source, &[]);
        assert_eq!((outcome.code, outcome.pixels_of_objects()["a"].0), (0, 100), "{file}: {}", outcome.told);
    }
    picture(at, "q5/a.tif");
    write(at, "q5/a.tif - Series 3.geojson", &feature);
    assert_eq!(import(at, "q5", &[]).code, 2);

    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive.start_file("0015-0015.roi", zip::write::SimpleFileOptions::default()).unwrap();
    let mut roi = vec![0u8; 64];
    roi[..16].copy_from_slice(&[b'I', b'o', b'u', b't', 0, 227, 1, 0, 0, 10, 0, 10, 0, 20, 0, 20]);
    std::io::Write::write_all(&mut archive, &roi).unwrap();
    let archive = archive.finish().unwrap().into_inner();
    picture(at, "roi/a.tif");
    write(at, "roi/RoiSet.zip", &archive);
    let alone = import(at, "roi", &[]);
    assert_eq!((alone.code, alone.pixels_of_objects()["a"].0), (0, 100), "{}", alone.told);
    assert!(
        alone.told.contains("RoiSet.zip: names no image") && alone.told.contains("a.tif"),
        "{}",
        alone.told
    );
    picture(at, "roi/b.tif");
    assert_eq!(import(at, "roi", &[]).code, 2);

    for (i, (numbers, word)) in [
        (r#"{"background":"0","carbide":"1"}"#, ""),
        (r#"{"background":0.0,"carbide":1.0}"#, ""),
        (r#"{"0":"background","1":"carbide"}"#, ""),
        (r#"{"background":0,"carbide":[1,2]}"#, "regions are not read"),
        (r#"{"background":0,"carbide":1.5}"#, "no single whole number"),
        (r#"{"0":"0","1":"1"}"#, "cannot be known"),
    ]
    .into_iter()
    .enumerate()
    {
        let source = format!("n{i}");
        picture(at, &format!("{source}/imagesTr/a_0000.png"));
        fs::create_dir_all(at.join(&source).join("labelsTr")).unwrap();
        let label = image::GrayImage::from_fn(64, 48, |x, _| image::Luma([u8::from(x < 10)]));
        label.save(at.join(&source).join("labelsTr/a.png")).unwrap();
        write(at, &format!("{source}/dataset.json"), format!(r#"{{"labels":{numbers}}}"#));
        let outcome = import(at, &source, &[]);
        assert_eq!(outcome.code, if word.is_empty() { 0 } else { 2 }, "{numbers}: {}", outcome.told);
        assert!(outcome.told.contains(word), "{}", outcome.told);
    }

    picture(at, "nan/a.png");
    write(at, "nan/c.json", coco(r#"{"id":1,"file_name":"a.png"}"#, r#"{"segmentation":[[NaN,1]]}"#));
    let message = fail(at, &["data", "import", "nan", "--out", "no"]);
    assert!(message.contains("nan/c.json: is no valid JSON") && message.contains("column"), "{message}");
}

#[test]
fn a_damaged_picture_is_not_exported() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    succeed(at, &["synth", "--out", "data", "--images", "2", "--size", "120x96"]);
    let images = fs::read_dir(at.join("data/images")).unwrap().map(|e| e.unwrap().path());
    let last = images.max().unwrap();
    let whole = fs::read(&last).unwrap();
    fs::write(&last, &whole[..whole.len() * 6 / 10]).unwrap();
    for format in ["coco", "png", "nnunet"] {
        let message = fail(at, &["data", "export", "data", "--format", format, "--out", "no"]);
        assert!(message.contains(last.file_name().unwrap().to_str().unwrap()), "{message}");
        assert!(message.contains("complete") && !at.join("no").exists(), "{message}");
    }
}

#[test]
#[cfg(unix)]
fn a_line_end_in_a_name_makes_no_second_line() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    write(at, "f/bad\nname.png", "no picture");
    let told = String::from_utf8(sorby(at, &["scale", "f"]).stdout).unwrap();
    assert!(told.contains("f/bad?name.png: not a PNG"), "{told}");
    assert!(!told.lines().any(|line| line.starts_with("name.png")), "{told}");
    let message = fail(at, &["data", "import", "f/no\nfolder", "--out", "no"]);
    assert!(message.contains("f/no folder: no such file"), "{message}");
}
