//! Right values at the borders: measure. The inputs lie in `tests/cases`.

use crate::{fail, sorby, succeed, workshop};
use std::fs;
use std::path::{Path, PathBuf};

fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(name)
}

/// Standard output, standard error and exit code.
fn tell(folder: &Path, arguments: &[&str]) -> (String, String, Option<i32>) {
    let output = sorby(folder, arguments);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code())
}

/// `--json` of a command that must succeed.
#[track_caller]
fn json(folder: &Path, arguments: &[&str]) -> serde_json::Value {
    serde_json::from_str(&succeed(folder, &[arguments, &["--json"]].concat())).unwrap()
}

/// A column of a table by name.
#[track_caller]
fn column(table: &Path, name: &str) -> Vec<String> {
    let mut file = csv::Reader::from_path(table).unwrap();
    let at = file.headers().unwrap().iter().position(|h| h == name);
    let at = at.unwrap_or_else(|| panic!("{}: no column {name}", table.display()));
    file.records().map(|r| r.unwrap()[at].to_owned()).collect()
}

fn write(path: &Path, image: impl Into<image::DynamicImage>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    image.into().save(path).unwrap();
}

/// Stored grey values are those of the file, of whatever kind: scikit-image's `mean_intensity` of the same files.
#[test]
fn mean_intensity_is_the_stored_value() {
    let folder = tempfile::tempdir().unwrap();
    let (at, cases) = (folder.path(), case("c11-mean-intensity"));
    let masks = cases.join("masks");
    for (kind, right) in [
        ("u12", [2000.0, 3000.0]),
        ("f32", [2000.0, 3000.0]),
        ("i16", [2000.0, 3000.0]),
        ("u8", [125.0, 187.0]),
    ] {
        let images = cases.join(kind);
        succeed(
            at,
            &["measure", masks.to_str().unwrap(), "--images", images.to_str().unwrap(), "--out", kind],
        );
        let means: Vec<f64> = column(&at.join(kind).join("particles.csv"), "mean_intensity")
            .iter()
            .map(|v| v.parse().unwrap())
            .collect();
        assert_eq!(means, right, "{kind}");
    }
}

/// Colour has a column for each channel, as `regionprops_table` has; grey and colour in one batch do not share one.
#[test]
fn mean_intensity_of_colour_is_by_channel() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let object = |x: u32, y: u32| (4..10).contains(&x) && (3..9).contains(&y);
    for name in ["colour", "deep", "grey"] {
        let mask = image::GrayImage::from_fn(20, 16, |x, y| image::Luma([u8::from(object(x, y))]));
        write(&at.join(format!("masks/{name}.png")), mask);
    }
    let rgb = |x, y| image::Rgb(if object(x, y) { [10, 20, 30] } else { [1, 2, 3] });
    write(&at.join("images/colour.png"), image::RgbImage::from_fn(20, 16, rgb));
    type Deep = image::ImageBuffer<image::Rgb<u16>, Vec<u16>>;
    let deep = |x, y| image::Rgb(if object(x, y) { [1000, 2000, 60001] } else { [1, 2, 3] });
    write(&at.join("images/deep.png"), Deep::from_fn(20, 16, deep));
    // With a data bar below the field, and taller than its mask for that.
    let grey = |x, y| image::Luma([if object(x, y) { 77 } else { 255 }]);
    write(&at.join("images/grey.png"), image::GrayImage::from_fn(20, 20, grey));
    succeed(at, &["measure", "masks", "--images", "images", "--out", "o"]);
    let table = at.join("o/particles.csv");
    let row = |channel| column(&table, channel);
    assert_eq!(row("mean_intensity-0"), ["10.0000", "1000.0000", ""]);
    assert_eq!(row("mean_intensity-1"), ["20.0000", "2000.0000", ""]);
    assert_eq!(row("mean_intensity-2"), ["30.0000", "60001.0000", ""]);
    assert_eq!(row("mean_intensity"), ["", "", "77.0000"]);
    // Of another size there is no telling which pixel is which.
    write(&at.join("images/colour.png"), image::RgbImage::from_fn(21, 16, rgb));
    let (_, error, code) = tell(at, &["measure", "masks", "--images", "images", "--out", "o"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("picture is 21x16 but its mask is 20x16"), "{error}");
}

/// One object nearly as large as the field: about 68 discs per million pixels and 24 pixels are right; what the weight
/// of that one object makes of it has no interval, and the object is named with the cure.
#[test]
fn an_edge_weight_that_decides_leaves_no_interval() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let mask = case("c10-one-weight-rules/frame-and-20.png");
    let mask = mask.to_str().unwrap();
    let (text, error, _) = tell(at, &["measure", mask, "--out", "a", "--spheres", "--json"]);
    assert!(error.contains("warning: the edge weight of one object decides"), "{error}");
    assert!(
        error.contains("frame-and-20 particle 1 (638 x 478 px in a field of 640 x 480) counts as 307200"),
        "{error}"
    );
    assert!(error.contains("99.99 %") && error.contains("--edges frame"), "{error}");
    let told: serde_json::Value = serde_json::from_str(&text).unwrap();
    for name in
        ["number_density_per_mpx", "mean_diameter_px", "d10_px", "d50_px", "d90_px", "mean_circularity"]
    {
        assert!(told["estimates"][name]["estimate"]["ci95"].is_null(), "{name}");
    }
    // Neither does what is made of the same weights; but the area fraction is no matter of weights.
    assert!(told["lognormal"].is_null() && told["spheres"]["saltykov"]["number_per_volume_ci95"].is_null());
    assert!(told["estimates"]["area_fraction_percent"]["estimate"]["ci95"].is_f64());
    assert_eq!(told["warnings"]["decided_by_edge_weights"]["objects"][0]["particle"], 1);
    let remarks = column(&at.join("a/estimates.csv"), "remark");
    assert_eq!(remarks.iter().filter(|r| r.contains("edge weight")).count(), 7, "{remarks:?}");

    // The cure that is named gives the right values: the discs alone.
    let framed = json(at, &["measure", mask, "--edges", "frame", "--out", "b"]);
    let value = |name: &str| framed["estimates"][name]["estimate"]["value"].as_f64().unwrap();
    assert!((value("mean_diameter_px") - 24.0).abs() < 0.5, "{framed}");
    // Six discs in the frame: few, and the interval holds the right value.
    let number = &framed["estimates"]["number_density_per_mpx"]["estimate"];
    let (density, ci95) = (number["value"].as_f64().unwrap(), number["ci95"].as_f64().unwrap());
    assert!((density - 20.0 / 0.3072).abs() < ci95 && ci95 < 100.0, "{number}");
    assert!(framed["warnings"]["decided_by_edge_weights"].is_null());
    for edges in ["exclude", "all"] {
        let (_, error, _) = tell(at, &["measure", mask, "--edges", edges, "--out", edges]);
        assert!(!error.contains("edge weight"), "{edges}: {error}");
    }
}

/// Objects of which the edge cuts every one are not none.
#[test]
fn objects_that_are_all_cut_are_not_counted_as_none() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let band = image::GrayImage::from_fn(64, 48, |_, y| image::Luma([u8::from((10..20).contains(&y))]));
    write(&at.join("band.png"), band);
    let (text, error, _) = tell(at, &["measure", "band.png", "--out", "a", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(told["estimates"]["number_density_per_mpx"].is_null(), "{text}");
    assert!(error.contains("every class 1 particle of band is cut by the edge"), "{error}");
    // A field without any is a count of none.
    write(&at.join("none.png"), image::GrayImage::new(64, 48));
    let none = json(at, &["measure", "none.png", "--out", "b"]);
    assert_eq!(none["estimates"]["number_density_per_mpx"]["estimate"]["value"], 0.0);
}

/// Discs on a grid, swollen by so many pixels.
fn discs(path: &Path, seed: u32, swollen: f64) {
    let inside = |x: u32, y: u32| {
        let (cx, cy) = (f64::from(x / 24 * 24) + 12.0, f64::from(y / 24 * 24) + 12.0);
        let r = 3.0 + f64::from((x / 24 * 7 + y / 24 * 3 + seed) % 5) + swollen;
        (f64::from(x) - cx).hypot(f64::from(y) - cy) <= r
    };
    write(path, image::GrayImage::from_fn(240, 192, |x, y| image::Luma([u8::from(inside(x, y))])));
}

/// True masks compared with themselves know of no error; content tells, not names.
#[test]
fn the_truth_itself_teaches_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for seed in 0..4 {
        discs(&at.join(format!("truth/{seed}.png")), seed, 0.0);
        discs(&at.join(format!("masks/{seed}.png")), seed, 1.0);
        discs(&at.join(format!("copies/{seed}.png")), seed, 0.0);
        // The same but for what is not known.
        let mut holes = image::open(at.join(format!("truth/{seed}.png"))).unwrap().into_luma8();
        (0..240).for_each(|x| holes.put_pixel(x, 3, image::Luma([255])));
        write(&at.join(format!("holes/{seed}.png")), holes);
    }
    for copies in ["truth", "copies", "holes"] {
        let (_, error, code) =
            tell(at, &["measure", copies, "--truth", "truth", "--out", &format!("o-{copies}")]);
        assert_eq!(code, Some(0), "measuring true masks is right: {error}");
        assert!(error.contains("no calibration.json: the masks are the truth itself"), "{copies}: {error}");
        assert!(!at.join(format!("o-{copies}/calibration.json")).exists(), "{copies}");
    }
    // One copy among masks is left out by name; with fewer than three others there is nothing to learn.
    fs::copy(at.join("truth/2.png"), at.join("masks/2.png")).unwrap();
    succeed(at, &["measure", "masks", "--truth", "truth", "--out", "o"]);
    let read = || -> serde_json::Value {
        serde_json::from_str(&fs::read_to_string(at.join("o/calibration.json")).unwrap()).unwrap()
    };
    assert_eq!(read()["images"], serde_json::json!(["0", "1", "3"]));
    assert_eq!(read()["left_out"][0]["image"], "2");
    // Masks of other programs do not say what was trained on: that is not known, and said so.
    assert!(read()["held_out"].is_null() && read()["model_blake3"].is_null());
    let (text, ..) = tell(at, &["measure", "masks", "--calibration", "o/calibration.json", "--out", "p"]);
    assert!(text.contains("whether they trained the model is not known"), "{text}");
    fs::copy(at.join("truth/1.png"), at.join("masks/1.png")).unwrap();
    let (_, error, _) = tell(at, &["measure", "masks", "--truth", "truth", "--out", "o"]);
    assert!(error.contains("it takes three images or more, and here are 2"), "{error}");
    assert!(!at.join("o/calibration.json").exists(), "that of before is not left to be taken for this one's");
    // Masks without any object have no errors that could be taken out of others.
    for seed in 0..4 {
        write(&at.join(format!("none/{seed}.png")), image::GrayImage::new(240, 192));
    }
    let (_, error, _) = tell(at, &["measure", "none", "--truth", "truth", "--out", "o-none"]);
    assert!(error.contains("no calibration.json: too little class 1 is measured"), "{error}");
    // A file of an older version that was learnt so is refused.
    let bias = r#"{"quantity":"mean_diameter","images":3,"log_bias":0.0,"log_bias_standard_error":0.0,"log_spread":0.0}"#;
    let settings = "connectivity 8, min_area_px 0, exclude_edge false, split none, edges weighted";
    let old = format!(
        r#"{{"class":"class 1","settings":"{settings}","images":["0","1","2"],"biases":[{bias}],"size_classes":[]}}"#
    );
    fs::write(at.join("old.json"), old).unwrap();
    let error = fail(at, &["measure", "masks", "--calibration", "old.json", "--out", "q"]);
    assert!(error.contains("true masks compared with themselves"), "{error}");
}

/// From training to calibration: hashes and parts travel with the masks.
#[test]
fn masks_say_what_made_them_and_calibrations_are_of_new_images() {
    let folder = workshop();
    let at = folder.path();
    let toml = fs::read_to_string(at.join("data/dataset.toml")).unwrap();
    // Images 1 and 2 train, 3 validates, the others are new.
    let head = toml.split("[splits]").next().unwrap();
    let splits = "[splits]\ntrain = [\"carbide-001\", \"carbide-002\"]\nval = [\"carbide-003\"]\n\
                  test = [\"carbide-004\", \"carbide-005\"]\n";
    fs::write(at.join("data/dataset.toml"), format!("{head}{splits}")).unwrap();
    succeed(at, &["train", "tiny.toml", "--data", "data", "--out", "run"]);
    succeed(at, &["train", "tiny.toml", "--data", "data", "--out", "other", "--set", "seed=9"]);
    let hash = |path: &str| blake3::hash(&fs::read(at.join(path)).unwrap()).to_hex().to_string();
    let model = hash("run/model.safetensors");
    let told = succeed(at, &["model", "info", "run"]);
    assert!(
        told.contains(&format!("BLAKE3 {model}")) && told.contains("trained on 2 images, validated on 1"),
        "{told}"
    );

    succeed(at, &["segment", "run", "data/images", "--out", "seg"]);
    let note = |name: &str| {
        sorby_image::MaskNote::read(&at.join(format!("seg/masks/{name}.png"))).unwrap().origin.unwrap()
    };
    let origin = note("carbide-001");
    let pixels =
        sorby_image::Micrograph::read(&at.join("data/images/carbide-001.png")).unwrap().pixels_blake3();
    assert_eq!((origin.model_blake3, origin.image_blake3), (model.clone(), pixels));
    assert_eq!(origin.settings, "window 64 px, stride 48 px, tta no, flip no, match-scale no");
    use sorby_image::ImagePart::{Train, Unseen, Val};
    let parts = ["1", "2", "3", "4", "5"].map(|i| note(&format!("carbide-00{i}")).image_part.unwrap());
    assert_eq!(parts, [Train, Train, Val, Unseen, Unseen]);
    // Known again under any name and in another format.
    let copy = image::open(at.join("data/images/carbide-002.png")).unwrap();
    write(&at.join("new/renamed.tif"), copy);
    succeed(at, &["segment", "run", "new", "--out", "seg2"]);
    let note = sorby_image::MaskNote::read(&at.join("seg2/masks/renamed.png")).unwrap();
    assert_eq!(note.origin.unwrap().image_part, Some(Train));

    // Whatever a model of six iterations finds: masks of the model that differ from the truth.
    for i in 1..=5 {
        let path = at.join(format!("seg/masks/carbide-00{i}.png"));
        let origin = sorby_image::MaskNote::read(&path).unwrap();
        let mut mask =
            match sorby_image::RawLabels::read(&at.join(format!("data/labels/carbide-00{i}.png"))).unwrap() {
                sorby_image::RawLabels::Values(map) => map,
                sorby_image::RawLabels::Colours { .. } => unreachable!("index labels"),
            };
        mask.labels.rotate_right(1);
        mask.write_mask(&path, &[[0; 3], [255; 3]], &origin).unwrap();
    }
    let measure = ["measure", "seg/masks", "--data", "data", "--out", "m"];
    let (_, error, _) = tell(at, &measure);
    assert!(error.contains("2 of 5 images trained the model (carbide-001, carbide-002)"), "{error}");
    let learnt: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(at.join("m/calibration.json")).unwrap()).unwrap();
    assert_eq!(learnt["images"], serde_json::json!(["carbide-003", "carbide-004", "carbide-005"]));
    assert_eq!(
        learnt["left_out"][1],
        serde_json::json!({"image": "carbide-002", "reason": "it trained the model"})
    );
    assert_eq!((learnt["model_blake3"].as_str(), learnt["held_out"].as_bool()), (Some(&*model), Some(true)));
    let with = |masks: &'static str, out: &'static str| {
        ["measure", masks, "--calibration", "m/calibration.json", "--class", "carbide", "--out", out]
    };
    let told = succeed(at, &with("seg/masks", "n1"));
    assert!(told.contains("its errors on held-out labelled images"), "{told}");
    // Another model, other settings, or masks that do not say: their errors are not these.
    succeed(at, &["segment", "other", "data/images", "--out", "seg3"]);
    let error = fail(at, &with("seg3/masks", "n3"));
    assert!(
        error.contains(&model[..12]) && error.contains(&hash("other/model.safetensors")[..12]),
        "{error}"
    );
    succeed(at, &["segment", "run", "data/images", "--out", "seg4", "--flip"]);
    let error = fail(at, &with("seg4/masks", "n4"));
    assert!(error.contains("flip no") && error.contains("flip yes"), "{error}");
    let plain = image::open(at.join("seg/masks/carbide-004.png")).unwrap().into_luma8();
    write(&at.join("plain/carbide-004.png"), plain.clone());
    let error = fail(
        at,
        &[
            "measure",
            "plain",
            "--calibration",
            "m/calibration.json",
            "--data",
            "data",
            "--class",
            "carbide",
            "--out",
            "n5",
        ],
    );
    assert!(error.contains("a model that is not known"), "{error}");
    // Only training images: nothing to learn from.
    let (_, error, _) = tell(
        at,
        &[
            "measure",
            "seg/masks/carbide-001.png",
            "seg/masks/carbide-002.png",
            "--data",
            "data",
            "--out",
            "q",
        ],
    );
    assert!(error.contains("here are 0 (left out: carbide-001: it trained the model;"), "{error}");
    // A mask of an older version has no hash and is read as ever.
    let text = sorby_image::MaskNote::read(&at.join("seg/masks/carbide-004.png")).unwrap();
    let old = sorby_image::MaskNote { origin: None, ..text };
    let map = sorby_image::LabelMap {
        width: 120,
        height: 96,
        labels: plain.pixels().map(|p| u8::from(p.0[0] > 0)).collect(),
    };
    map.write_mask(&at.join("old/carbide-004.png"), &[[0; 3], [255; 3]], &old).unwrap();
    succeed(at, &["measure", "old", "--out", "o"]);
}

/// Scores on images that the model knows are warned of, in the terminal and in red on the page.
#[test]
fn scores_on_training_images_are_warned_of() {
    let folder = workshop();
    let at = folder.path();
    succeed(at, &["train", "tiny.toml", "--data", "data", "--out", "run"]);
    let evaluate = |model: &str, split: &str| {
        let (text, error, code) =
            tell(at, &["evaluate", model, "--data", "data", "--split", split, "--json"]);
        assert_eq!(code, Some(0), "{error}");
        (serde_json::from_str::<serde_json::Value>(&text).unwrap(), error)
    };
    let (told, error) = evaluate("run", "train");
    assert!(error.contains("3 of 3 images trained this model"), "{error}");
    assert_eq!(told["standing"]["trained_the_model"].as_array().unwrap().len(), 3);
    let (_, error) = evaluate("run", "all");
    assert!(error.contains("3 of 5 images trained this model"), "{error}");
    for split in ["val", "test"] {
        let (told, error) = evaluate("run", split);
        assert!(!error.contains("warning"), "{split}: {error}");
        assert_eq!(told["standing"]["trained_the_model"], serde_json::json!([]));
    }
    // The best of several validations was chosen by them; as the only file, too.
    let (told, error) = evaluate("run/best.safetensors", "val");
    assert!(error.contains("1 of 1 images chose this iteration"), "{error}");
    assert_eq!(told["standing"]["chose_the_model"].as_array().unwrap().len(), 1);
    fs::copy(at.join("run/best.safetensors"), at.join("copied.safetensors")).unwrap();
    assert!(evaluate("copied.safetensors", "val").1.contains("chose this iteration"));
    assert!(evaluate("copied.safetensors", "train").1.contains("trained this model"), "the file alone knows");
    let info = succeed(at, &["model", "info", "copied.safetensors"]);
    assert!(info.contains("chosen among the iterations"), "{info}");
    // The same pictures in another data set, under other names.
    let toml = fs::read_to_string(at.join("data/dataset.toml")).unwrap();
    for folder in ["images", "labels"] {
        for i in 1..=5 {
            fs::create_dir_all(at.join("again").join(folder)).unwrap();
            let (old, new) = (
                format!("data/{folder}/carbide-00{i}.png"),
                format!("again/{folder}/carbide-00{}.png", 6 - i),
            );
            fs::copy(at.join(old), at.join(new)).unwrap();
        }
    }
    fs::write(at.join("again/dataset.toml"), toml).unwrap();
    let (_, error, _) = tell(at, &["evaluate", "run", "--data", "again", "--split", "train"]);
    assert!(error.contains("1 of 3 images trained this model (carbide-003)"), "{error}");

    let (_, error, _) = tell(at, &["report", "run", "--data", "data", "--split", "all"]);
    assert!(error.contains("warning: 3 of 5 images trained this model"), "{error}");
    let page = fs::read_to_string(at.join("run/report.html")).unwrap();
    assert!(
        page.contains("<p class=\"warning\" role=\"alert\">3 of 5 images trained this model"),
        "in red, on top"
    );
    assert!(!at.join("run/calibration.json").exists(), "two images that did not train are too few: {error}");
    assert!(error.contains("no calibration.json: it takes three images or more, and here are 2"), "{error}");
}

/// A model that found nothing is told of first, and is nearer to nothing.
#[test]
fn a_model_that_found_nothing_says_so() {
    let folder = workshop();
    let at = folder.path();
    // Labels of next to no carbide teach a model to find none.
    for i in [1, 2, 3] {
        let mut label = sorby_image::LabelMap::filled(120, 96, 0);
        label.labels[50 * 120 + 60] = 1;
        label
            .write_png(&at.join(format!("data/labels/carbide-00{i}.png")), &[[0; 3], [0xe6, 0x9f, 0x00]])
            .unwrap();
    }
    let more = ["--set", "schedule.iterations=12", "--set", "optimizer.lr=0.05"];
    let trained =
        succeed(at, &[&["train", "tiny.toml", "--data", "data", "--out", "run"][..], &more].concat());
    let found = succeed(at, &["segment", "run", "data/images", "--out", "seg"]);
    assert!(found.starts_with("the model found no carbide in 5 of 5 images"), "{found}");
    let line = "the model found no carbide in 1 of 1 images";
    assert!(trained.starts_with(line) || trained.contains(&format!("\n{line}")), "{trained}");
    assert!(succeed(at, &["evaluate", "run", "--data", "data"]).starts_with(line));
    let told = succeed(at, &["report", "run", "--data", "data"]);
    assert!(told.starts_with(line), "{told}");
    let page = fs::read_to_string(at.join("run/report.html")).unwrap();
    assert!(page.contains(&format!("role=\"alert\">{line}")) && page.contains("The model found none of the"));
    assert!(!page.contains("nearer: -100"));
}

/// A report says where its files are as seen from itself.
#[test]
fn a_moved_report_is_computed_again() {
    let folder = workshop();
    let at = folder.path();
    fs::create_dir(at.join("project")).unwrap();
    fs::rename(at.join("data"), at.join("project/data")).unwrap();
    succeed(at, &["train", "tiny.toml", "--data", "project/data", "--out", "project/run"]);
    // A label that does not lie on its image is reported.
    succeed(at, &["report", "project/run", "--data", "project/data", "--split", "test"]);
    let page = fs::read_to_string(at.join("project/run/report.html")).unwrap();
    assert!(!page.contains(at.to_str().unwrap()), "no path of this machine");
    assert!(
        page.contains("../data/images/carbide-005.png")
            && page.contains("nothing wrong in the images scored")
    );
    fs::rename(at.join("project"), at.join("elsewhere")).unwrap();
    let told = succeed(at, &["replay", "elsewhere/run/report.html"]);
    assert!(told.contains("are the same again"), "{told}");
    fs::rename(at.join("elsewhere/data"), at.join("elsewhere/steel")).unwrap();
    let error = fail(at, &["replay", "elsewhere/run/report.html"]);
    assert!(error.contains("its data set") && error.contains("--data PLACE"), "{error}");
    succeed(at, &["replay", "elsewhere/run/report.html", "--data", "elsewhere/steel"]);
    fs::rename(at.join("elsewhere/run"), at.join("elsewhere/first")).unwrap();
    succeed(at, &["replay", "elsewhere/first/report.html", "--data", "elsewhere/steel"]);
    fs::copy(at.join("elsewhere/first/report.html"), at.join("mailed.html")).unwrap();
    let error = fail(at, &["replay", "mailed.html", "--data", "elsewhere/steel"]);
    assert!(
        error.contains("carries no model") || error.contains("--run PLACE") || error.contains("No such file"),
        "{error}"
    );
    succeed(at, &["replay", "mailed.html", "--run", "elsewhere/first", "--data", "elsewhere/steel"]);
    let image = at.join("elsewhere/steel/images/carbide-005.png");
    let mut grey = image::open(&image).unwrap().into_luma8();
    grey.get_pixel_mut(5, 5).0[0] ^= 1;
    grey.save(&image).unwrap();
    let error = fail(at, &["replay", "elsewhere/first/report.html", "--data", "elsewhere/steel"]);
    assert!(error.contains("carbide-005.png has changed since the report was made"), "{error}");
}

/// What `data check` finds in the scored images stands on the page.
#[test]
fn a_label_that_lies_beside_its_image_is_told_of_in_the_report() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    succeed(at, &["synth", "--out", "data", "--images", "5", "--size", "320x256", "--seed", "4"]);
    let recipe =
        "[data]\nbatch = 2\ncrop = 64\n[schedule]\niterations = 1\n[inference]\nwindow = 128\nstride = 128\n";
    fs::write(at.join("tiny.toml"), recipe).unwrap();
    succeed(at, &["train", "tiny.toml", "--data", "data", "--out", "run"]);
    let path = at.join("data/labels/carbide-005.png");
    let mut label = match sorby_image::RawLabels::read(&path).unwrap() {
        sorby_image::RawLabels::Values(map) => map,
        sorby_image::RawLabels::Colours { .. } => unreachable!("index labels"),
    };
    label.labels.rotate_right(2 * 320);
    label.write_png(&path, &[[0; 3], [0xe6, 0x9f, 0x00]]).unwrap();
    let checked = String::from_utf8(sorby(at, &["data", "check", "data"]).stdout).unwrap();
    assert!(checked.contains("carbide-005"), "{checked}");
    let (_, error, _) = tell(at, &["report", "run", "--data", "data", "--split", "test"]);
    assert!(error.contains("warning: sorby data check: labels/carbide-005.png"), "{error}");
    let page = fs::read_to_string(at.join("run/report.html")).unwrap();
    assert!(page.contains("role=\"alert\">sorby data check: labels&#x2f;carbide-005.png"));
    // Of images that are not scored nothing is said.
    let (_, error, _) = tell(at, &["report", "run", "--data", "data", "--split", "val"]);
    assert!(!error.contains("data check"), "{error}");
}

/// The hash of a run's images sees the lower bits of 16 and the pixel size; a run of an older version, whose hash did
/// not, goes on.
#[test]
fn a_run_goes_on_only_with_the_pixels_it_began_with() {
    let folder = workshop();
    let at = folder.path();
    type Deep = image::ImageBuffer<image::Luma<u16>, Vec<u16>>;
    for i in 1..=5 {
        let path = at.join(format!("data/images/carbide-00{i}.png"));
        let grey = image::open(&path).unwrap().into_luma8();
        Deep::from_fn(120, 96, |x, y| image::Luma([u16::from(grey.get_pixel(x, y).0[0]) * 256 + 40]))
            .save(&path)
            .unwrap();
    }
    succeed(at, &["train", "tiny.toml", "--data", "data", "--out", "run", "--set", "schedule.iterations=2"]);
    let resume = ["train", "--resume", "run"];
    succeed(at, &resume);
    // An older version wrote hashes of 8-bit copies, and no pixel size.
    let new = fs::read_to_string(at.join("run/split.json")).unwrap();
    let mut old: serde_json::Value = serde_json::from_str(&new).unwrap();
    for record in old.as_array_mut().unwrap() {
        let record = record.as_object_mut().unwrap();
        let name = record["name"].as_str().unwrap();
        let image = sorby_image::Micrograph::read(&at.join(format!("data/images/{name}.png"))).unwrap();
        let hash = blake3::hash(&image.to_grey8()).to_hex().to_string();
        record.insert("image_blake3".into(), hash.into());
        record.remove("nm_per_px");
        record.remove("image_hash");
    }
    fs::write(at.join("run/split.json"), old.to_string()).unwrap();
    succeed(at, &resume);
    assert_eq!(
        fs::read_to_string(at.join("run/split.json")).unwrap(),
        new,
        "and has the better hash from then on"
    );
    let path = at.join("data/images/carbide-001.png");
    let mut deep = image::open(&path).unwrap().into_luma16();
    let before = fs::read(&path).unwrap();
    deep.get_pixel_mut(60, 40).0[0] ^= 1;
    deep.save(&path).unwrap();
    let error = fail(at, &resume);
    assert!(error.contains("image `carbide-001` changed since this run began"), "{error}");
    fs::write(&path, before).unwrap();
    let toml = fs::read_to_string(at.join("data/dataset.toml")).unwrap();
    let line = toml.lines().find(|l| l.starts_with("nm_per_px")).unwrap();
    fs::write(at.join("data/dataset.toml"), toml.replace(line, "nm_per_px = 99.0")).unwrap();
    let error = fail(at, &resume);
    assert!(error.contains("pixel size of `carbide-001`") && error.contains("99 nm"), "{error}");
    fs::write(at.join("data/dataset.toml"), toml).unwrap();
    succeed(at, &resume);
}

/// `measure` knows of images that are unlike the training set: from the mask's note, or from `trust.csv`.
#[test]
fn measure_names_the_images_unlike_the_training_set() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let origin = |hash: &str, unlike: Option<bool>| sorby_image::Origin {
        model_blake3: "m".into(),
        image_blake3: hash.into(),
        settings: "window 64 px".into(),
        image_part: Some(sorby_image::ImagePart::Unseen),
        unlike_training: unlike,
    };
    let mask = |path: &str, origin: Option<sorby_image::Origin>| {
        let mut map = sorby_image::LabelMap::filled(40, 30, 0);
        (10..20).for_each(|y| map.labels[y * 40 + 10..y * 40 + 20].fill(1));
        let note = sorby_image::MaskNote {
            classes: vec!["matrix".into(), "carbide".into()],
            origin,
            ..sorby_image::MaskNote::default()
        };
        map.write_mask(&at.join(path), &[[0; 3], [255; 3]], &note).unwrap();
    };
    let times = std::cell::Cell::new(0);
    let unlike = |masks: &str| {
        times.set(times.get() + 1);
        let out = format!("o{}", times.get());
        let (text, error, code) = tell(at, &["measure", masks, "--out", &out, "--json"]);
        assert_eq!(code, Some(0), "{error}");
        let told: serde_json::Value = serde_json::from_str(&text).unwrap();
        (told["warnings"]["unlike_training"].clone(), error)
    };
    // By the note, wherever the masks were copied to.
    mask("far/a.png", Some(origin("A", Some(true))));
    mask("far/b.png", Some(origin("B", Some(false))));
    let (names, error) = unlike("far");
    assert_eq!(names, serde_json::json!(["a"]));
    assert!(error.contains("1 of 2 images are unlike those the model learnt from (a)"), "{error}");
    assert_eq!(column(&at.join("o1/images.csv"), "unlike_training"), ["yes", "no", "yes"]);
    assert_eq!(column(&at.join("o1/particles.csv"), "unlike_training"), ["yes", "no"]);
    // By the table that lies with masks of an older version.
    mask("seg/masks/a.png", None);
    mask("seg/masks/b.png", None);
    let head = "image,class,expected_IoU_percent,expected_IoU_low_percent,expected_IoU_high_percent,\
                mean_confidence_percent,distance_from_training,unlike_training,nm_per_px";
    let table = |rows: &str| fs::write(at.join("seg/trust.csv"), format!("{head}\n{rows}")).unwrap();
    table(
        "a,matrix,99,98,100,99,0.4,no,\na,carbide,80,70,90,99,0.4,no,\nb,matrix,50,,,60,2.1,yes,\nb,carbide,50,,,60,2.1,yes,\n",
    );
    assert_eq!(unlike("seg/masks").0, serde_json::json!(["b"]));
    // One mask alone, and from within its folder.
    assert_eq!(unlike("seg/masks/b.png").0, serde_json::json!(["b"]));
    let output = sorby(&at.join("seg/masks"), &["measure", "b.png", "--out", "../../within"]);
    assert!(String::from_utf8(output.stderr).unwrap().contains("unlike those the model learnt from (b)"));
    // A table that does not list a mask is of another run; the mask's own note still holds.
    mask("seg/masks/c.png", Some(origin("C", Some(true))));
    let (names, error) = unlike("seg/masks");
    assert_eq!(names, serde_json::json!(["b", "c"]));
    assert!(error.contains("trust.csv does not list c"), "{error}");
    // Of the same name, but of another image.
    mask("seg/masks/b.png", Some(origin("B", Some(false))));
    fs::write(
        at.join("seg/trust.csv"),
        format!("{head},image_blake3,model_blake3\na,carbide,80,70,90,99,0.4,no,,A,m\nb,carbide,50,,,60,2.1,yes,,X,m\nc,carbide,50,,,60,2.1,yes,,C,m\n"),
    )
    .unwrap();
    let (names, error) = unlike("seg/masks");
    assert_eq!(names, serde_json::json!(["c"]));
    assert!(error.contains("is of other images of the same names than b"), "{error}");
    // Where note and table differ, either is enough to be looked at.
    mask("seg/masks/b.png", Some(origin("X", Some(false))));
    assert_eq!(unlike("seg/masks").0, serde_json::json!(["b", "c"]));
    // Without a table and without a note nothing is known, and nothing is said.
    fs::remove_file(at.join("seg/trust.csv")).unwrap();
    let (names, error) = unlike("seg/masks/a.png");
    assert_eq!(names, serde_json::json!([]));
    assert!(!error.contains("unlike"), "{error}");
    let last = at.join(format!("o{}/images.csv", times.get()));
    assert_eq!(column(&last, "unlike_training"), ["", ""]);
    // A table that is none stops nothing.
    fs::write(at.join("seg/trust.csv"), "\u{0}\u{1}nothing").unwrap();
    assert!(unlike("seg/masks").1.contains("cannot be read as a table of `sorby segment`"));
    // A label folder next to a table of the same names is not spoken of by it.
    mask("seg/labels/b.png", None);
    table("b,carbide,50,,,60,2.1,yes,\n");
    assert_eq!(unlike("seg/labels").0, serde_json::json!([]));
}
