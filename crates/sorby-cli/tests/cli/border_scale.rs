//! Right values at the borders: scale. One pixel size and one field, in every verb and on the page; statements that
//! contradict each other are refused everywhere.

use crate::{command, workshop};
use image::{GrayImage, Luma};
use serde_json::Value;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};

const NM: f64 = 7.344;
const SIZE: (u32, u32) = (120, 96);

/// A grey TIFF as Zeiss microscopes write it: tag 34118 states `nm` for a picture of `stored` pixels.
fn zeiss(path: &Path, picture: &GrayImage, nm: f64, stored: (u32, u32)) {
    let settings = format!(
        "AP_IMAGE_PIXEL_SIZE\r\nImage Pixel Size = {nm} nm\r\nDP_IMAGE_STORE\r\nStore resolution = {} * {}\r\n\0",
        stored.0, stored.1
    );
    let (width, height) = picture.dimensions();
    let entries = [
        (256u16, 4u16, 1u32, width),
        (257, 4, 1, height),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (273, 4, 1, 134 + settings.len() as u32),
        (277, 3, 1, 1),
        (278, 4, 1, height),
        (279, 4, 1, width * height),
        (34118, 2, settings.len() as u32, 134),
    ];
    let mut bytes = b"II\x2a\0\x08\0\0\0".to_vec();
    bytes.extend((entries.len() as u16).to_le_bytes());
    for (tag, kind, count, value) in entries {
        bytes.extend([tag.to_le_bytes(), kind.to_le_bytes()].concat());
        bytes.extend([count.to_le_bytes(), value.to_le_bytes()].concat());
    }
    bytes.extend([0; 4]);
    assert_eq!(bytes.len(), 134);
    bytes.extend(settings.as_bytes());
    bytes.extend(picture.as_raw());
    fs::write(path, bytes).unwrap();
}

/// The workshop's images as TIFF that state [`NM`], and a `dataset.toml` that says nothing of scale.
fn stated() -> tempfile::TempDir {
    let folder = workshop();
    let at = folder.path();
    for file in fs::read_dir(at.join("data/images")).unwrap().flatten().map(|f| f.path()) {
        let picture = image::open(&file).unwrap().into_luma8();
        zeiss(&file.with_extension("tif"), &picture, NM, SIZE);
        fs::remove_file(file).unwrap();
    }
    say(at, "");
    folder
}

/// Puts these lines in place of the manifest's `[scale]`.
fn say(at: &Path, scale: &str) {
    let file = at.join("data/dataset.toml");
    let text = fs::read_to_string(&file).unwrap();
    let (head, splits) = text.split_once("[splits]").unwrap();
    let head = head.split("[scale").next().unwrap();
    fs::write(file, format!("{head}{scale}\n[splits]{splits}")).unwrap();
}

/// A folder of results is of one command; here it is that of the last.
fn begin(at: &Path, arguments: &[&str]) {
    if let Some(out) = arguments.iter().position(|a| *a == "--out").map(|i| at.join(arguments[i + 1])) {
        let _ = fs::remove_dir_all(out);
    }
}

fn sorby(at: &Path, arguments: &[&str]) -> std::process::Output {
    begin(at, arguments);
    crate::sorby(at, arguments)
}

#[track_caller]
fn succeed(at: &Path, arguments: &[&str]) -> String {
    begin(at, arguments);
    crate::succeed(at, arguments)
}

/// The named column of the first line of a CSV.
fn cell(file: &Path, column: &str) -> String {
    let text = fs::read_to_string(file).unwrap();
    let mut lines = text.lines();
    let place = lines.next().unwrap().split(',').position(|c| c == column).unwrap();
    lines.next().unwrap().split(',').nth(place).unwrap().to_owned()
}

#[track_caller]
fn assert_nm(told: &str) {
    let nm: f64 = told.parse().unwrap_or_else(|_| panic!("{told:?} is no pixel size"));
    assert!((nm / NM - 1.0).abs() < 1e-3, "{nm} instead of {NM}");
}

fn noted(mask: &Path) -> f64 {
    sorby_image::MaskNote::read(mask).unwrap().nm_per_px.unwrap()
}

/// The page's server on a folder.
struct Page(Child, String);

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Page {
    fn open(at: &Path, folder: &str) -> Self {
        let mut command = command(at, &["serve", folder, "--no-open", "--no-token", "--port", "0"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let host = line.trim().strip_prefix("http://").unwrap().split('/').next().unwrap().to_owned();
        Self(child, host)
    }

    fn ask(&self, request: &str, body: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(&self.1).unwrap();
        let head = format!(
            "{request} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            self.1,
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        let json = body.find('{').and_then(|from| serde_json::from_str(&body[from..=body.rfind('}')?]).ok());
        (status, json.unwrap_or(Value::Null))
    }

    fn get(&self, path: &str) -> (u16, Value) {
        self.ask(&format!("GET /api/{path}"), "")
    }

    fn measure(&self, of: &str, images: &[&str]) -> Value {
        let asked = serde_json::json!({"of": of, "class": 1, "images": images}).to_string();
        let (status, answer) = self.ask("POST /api/measure", &asked);
        assert_eq!(status, 200, "{answer}");
        answer
    }

    fn card(&self, name: &str) -> Value {
        let (_, project) = self.get("project");
        project["images"].as_array().unwrap().iter().find(|c| c["name"] == name).unwrap().clone()
    }
}

#[test]
fn one_pixel_size_in_every_verb() {
    let folder = stated();
    let at = folder.path();
    let json = |arguments: &[&str]| -> Value { serde_json::from_str(&succeed(at, arguments)).unwrap() };
    let scales = json(&["scale", "data/images", "--json"]);
    assert!(scales["images"].as_array().unwrap().iter().all(|s| s["nm_per_px"] == NM), "{scales}");
    let proposed = succeed(at, &["data", "init", "data"]);
    assert!(proposed.contains("nm_per_px = 7.344   # as all 5 files state"), "{proposed}");
    let checked = succeed(at, &["data", "check", "data"]);
    assert!(checked.contains("pixel size 7.3440 nm") && !checked.contains("no pixel size"), "{checked}");
    assert_eq!(json(&["data", "check", "data", "--json"])["nm_per_px"], serde_json::json!([NM, NM]));

    succeed(at, &["train", "tiny.toml", "--data", "data", "--out", "run"]);
    let card = succeed(at, &["model", "info", "run"]);
    assert!(card.contains("7.3440 to 7.3440 nm per pixel"), "{card}");
    let evaluated = json(&["evaluate", "run", "--data", "data", "--split", "val", "--json"]);
    assert_eq!(evaluated["nm_per_px"]["carbide-004"], NM);

    succeed(at, &["segment", "run", "data/images", "--out", "seg", "--tiff"]);
    assert_eq!(noted(&at.join("seg/masks/carbide-001.png")), NM);
    assert_nm(&cell(&at.join("seg/trust.csv"), "nm_per_px"));
    for (masks, more) in [
        ("seg/masks", &[][..]),
        ("seg/masks-tiff", &[]),
        ("seg/masks", &["--data", "data"]),
        ("data/labels", &["--data", "data"]),
        ("data/labels", &["--images", "data/images"]),
    ] {
        succeed(at, &[&["measure", masks, "--class", "1", "--out", "out"], more].concat());
        assert_nm(&cell(&at.join("out/images.csv"), "nm_per_px"));
    }
    // A model of 7.344 nm warns of another magnification.
    let far = image::open(at.join("data/images/carbide-001.tif")).unwrap().into_luma8();
    zeiss(&at.join("far.tif"), &far, 2.0 * NM, SIZE);
    let warned = sorby(at, &["segment", "run", "far.tif", "--out", "far"]);
    assert!(String::from_utf8_lossy(&warned.stderr).contains("14.69 nm per pixel"), "{warned:?}");

    succeed(at, &["threshold", "data/images", "--truth", "data/labels", "--out", "thresholds"]);
    let table = at.join("thresholds/thresholds.csv");
    let [nm, px] = ["mean_radius_nm", "mean_radius_px"].map(|c| cell(&table, c).parse::<f64>().unwrap());
    assert!((nm / px / NM - 1.0).abs() < 2e-3, "{nm} nm, {px} px");
    let mut strokes = GrayImage::from_pixel(SIZE.0, SIZE.1, Luma([255]));
    (0..40).for_each(|x| strokes.put_pixel(x, 10, Luma([u8::from(x > 20)])));
    strokes.save(at.join("strokes.png")).unwrap();
    let draft =
        ["label", "draft", "data/images/carbide-001.tif", "--strokes", "strokes.png", "--out", "draft.png"];
    succeed(at, &draft);
    assert_eq!(noted(&at.join("draft.png")), NM);
    succeed(at, &["report", "run", "--data", "data", "--split", "val", "--out", "report.html"]);
    let report = fs::read_to_string(at.join("report.html")).unwrap();
    assert!(report.contains("Pixel size by: Zeiss settings") && report.contains("7.3440"));
}

#[test]
fn one_pixel_size_in_a_study() {
    let folder = stated();
    let at = folder.path();
    let text = "protocol = 'paper'\narchs = ['pspnet']\ntricks = ['S']\nbase = 'tiny.toml'\n\
                recipe.schedule.iterations = 1\n";
    fs::write(at.join("n2.toml"), text).unwrap();
    succeed(at, &["study", "run", "n2.toml", "--data", "data", "--out", "n2"]);
    let card = succeed(at, &["model", "info", "n2/runs/pspnet_base_all_s0"]);
    assert!(card.contains("7.3440 to 7.3440 nm per pixel"), "{card}");
    succeed(at, &["study", "report", "n2"]);
    let tables: String = fs::read_dir(at.join("n2/report"))
        .unwrap()
        .flatten()
        .filter(|f| f.path().extension().is_some_and(|e| e == "csv"))
        .map(|f| fs::read_to_string(f.path()).unwrap())
        .collect();
    assert!(tables.contains("mean radius (nm)") && !tables.contains("mean radius (px)"), "{tables}");

    say(at, "[scale]\nnm_per_px = 38.76\n");
    let refused = sorby(at, &["study", "run", "n2.toml", "--data", "data", "--out", "other"]);
    assert_both(&String::from_utf8_lossy(&refused.stderr));
    assert_ne!(refused.status.code(), Some(0));
}

#[test]
fn one_pixel_size_on_the_page() {
    let folder = stated();
    let at = folder.path();
    let page = Page::open(at, "data");
    let card = page.card("carbide-001");
    assert_eq!((&card["nm_per_px"], &card["scale_problem"]), (&Value::from(NM), &Value::Null));
    assert!(card["scale_source"].as_str().unwrap().contains("Zeiss"), "{card}");
    let (_, image) = page.get("images/carbide-001");
    assert_eq!((&image["nm_per_px"], &image["field_rows"]), (&Value::from(NM), &Value::from(96)));
    let measured = page.measure("labels", &["carbide-001", "carbide-002"]);
    assert_eq!(measured["images"][0]["nm_per_px"], NM);
    assert_eq!(measured["scaled"], true);
    let centre = &measured["images"][0]["objects"][0];
    let [x, y] = ["x", "y"].map(|c| centre[c].as_f64().unwrap() as u32);
    let (_, object) = page.get(&format!("images/carbide-001/object?of=labels&x={x}&y={y}"));
    assert!(object["object"].is_null() || object["nm_per_px"] == NM, "{object}");

    // The manifest contradicts the files: a red mark, and nothing is measured.
    say(at, "[scale]\nnm_per_px = 38.76\n");
    let card = page.card("carbide-001");
    assert_eq!(card["nm_per_px"], Value::Null);
    assert_both(card["scale_problem"].as_str().unwrap());
    let (_, image) = page.get("images/carbide-001");
    assert_eq!(image["nm_per_px"], Value::Null);
    assert_both(image["scale_problem"].as_str().unwrap());
    let measured = page.measure("labels", &["carbide-001"]);
    assert!(measured["images"].as_array().unwrap().is_empty(), "{measured}");
    assert_both(measured["problems"][0]["problem"].as_str().unwrap());
    for path in ["object?of=labels&x=3&y=3", "thresholds?class=1"] {
        let (status, refused) = page.get(&format!("images/carbide-001/{path}"));
        assert_eq!(status, 422, "{path}: {refused}");
        assert_both(refused["error"].as_str().unwrap());
    }
    // One word for this image alone that agrees with its file puts it right; the others stay refused.
    say(at, "[scale]\nnm_per_px = 38.76\n[scale.images]\n\"carbide-001\" = 7.4\n");
    assert_eq!(page.card("carbide-001")["nm_per_px"], 7.4);
    assert!(page.card("carbide-002")["scale_problem"].is_string());
}

#[track_caller]
fn assert_both(message: &str) {
    assert!(message.contains("38.76") && message.contains("7.344"), "both values are listed: {message}");
}

#[test]
fn a_contradiction_is_refused_by_every_verb() {
    let folder = stated();
    let at = folder.path();
    succeed(at, &["train", "tiny.toml", "--data", "data", "--out", "run"]);
    succeed(at, &["segment", "run", "data/images", "--out", "seg"]);
    let strokes =
        GrayImage::from_fn(SIZE.0, SIZE.1, |x, _| Luma([if x < 9 { u8::from(x > 4) } else { 255 }]));
    strokes.save(at.join("strokes.png")).unwrap();
    say(at, "[scale]\nnm_per_px = 38.76\n");
    let image = "data/images/carbide-001.tif";
    let refused: &[&[&str]] = &[
        &["data", "check", "data"],
        &["train", "tiny.toml", "--data", "data", "--out", "other"],
        &["evaluate", "run", "--data", "data", "--split", "val"],
        &["report", "run", "--data", "data", "--split", "val"],
        &["measure", "seg/masks", "--class", "1", "--data", "data", "--out", "out"],
        &["measure", "data/labels", "--class", "1", "--data", "data", "--out", "out"],
        &["measure", "seg/masks", "--class", "1", "--nm-per-px", "38.76", "--out", "out"],
        &[
            "measure",
            "data/labels",
            "--class",
            "1",
            "--images",
            "data/images",
            "--nm-per-px",
            "38.76",
            "--out",
            "out",
        ],
        &["segment", "run", image, "--data", "data", "--out", "no"],
        &["segment", "run", image, "--nm-per-px", "38.76", "--out", "no"],
        &["threshold", image, "--data", "data", "--out", "no"],
        &["threshold", image, "--nm-per-px", "38.76", "--out", "no"],
        &["label", "draft", image, "--strokes", "strokes.png", "--data", "data", "--out", "no.png"],
        &["label", "trial", "data"],
    ];
    for arguments in refused {
        let output = sorby(at, arguments);
        let told = [output.stdout, output.stderr].concat();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", String::from_utf8_lossy(&told));
        assert_both(&String::from_utf8_lossy(&told));
    }
    assert!(
        !at.join("other").exists() && !at.join("no").join("masks").exists() && !at.join("no.png").exists()
    );
}

#[test]
fn a_resized_file_is_refused_by_every_verb() {
    let folder = stated();
    let at = folder.path();
    succeed(at, &["train", "tiny.toml", "--data", "data", "--out", "run"]);
    let half = |picture: &GrayImage| {
        image::imageops::resize(picture, SIZE.0 / 2, SIZE.1 / 2, image::imageops::FilterType::Nearest)
    };
    let place = at.join("data/images/carbide-001.tif");
    zeiss(&place, &half(&image::open(&place).unwrap().into_luma8()), NM, SIZE);
    let place = at.join("data/labels/carbide-001.png");
    let sorby_image::RawLabels::Values(label) = sorby_image::RawLabels::read(&place).unwrap() else {
        panic!("an index mask")
    };
    half(&GrayImage::from_raw(SIZE.0, SIZE.1, label.labels).unwrap()).save(place).unwrap();
    let image = "data/images/carbide-001.tif";
    let label = "data/labels/carbide-001.png";
    let refused = |said: &str| {
        let commands: &[&[&str]] = &[
            &["data", "check", "data"],
            &["train", "tiny.toml", "--data", "data", "--out", "other"],
            &["measure", label, "--class", "1", "--data", "data", "--out", "out"],
            &["segment", "run", image, "--data", "data", "--out", "no", "--window", "48", "--stride", "48"],
            &["threshold", image, "--data", "data", "--out", "no"],
        ];
        for arguments in commands {
            let output = sorby(at, arguments);
            let told = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
            assert_eq!(output.status.code(), Some(2), "{said} {arguments:?}: {told}");
            assert!(told.contains("120x96") && told.contains("60x48"), "{said} {arguments:?}: {told}");
        }
        let page = Page::open(at, "data");
        assert!(page.card("carbide-001")["scale_problem"].as_str().unwrap().contains("60x48"));
        assert!(page.card("carbide-002")["scale_problem"].is_null());
    };
    refused("");
    let proposed = succeed(at, &["data", "init", "data"]);
    assert!(
        proposed.contains("# carbide-001: ") && proposed.contains("\"carbide-002\" = 7.344"),
        "{proposed}"
    );
    // The size before, said for all images, does not settle it; the right one for this image does.
    say(at, &format!("[scale]\nnm_per_px = {NM}\n"));
    refused("repeated");
    say(at, &format!("[scale]\nnm_per_px = {NM}\n[scale.images]\n\"carbide-001\" = {}\n", 2.0 * NM));
    succeed(at, &["measure", label, "--class", "1", "--data", "data", "--out", "out"]);
    assert_eq!(cell(&at.join("out/images.csv"), "nm_per_px"), "14.6880");
}

/// A picture of 200x160 whose last 20 rows are a white bar with text and a scale bar of 100 pixels.
fn with_bar() -> GrayImage {
    GrayImage::from_fn(200, 160, |x, y| {
        let ink = y == 150 && (20..121).contains(&x)
            || (144..157).contains(&y) && (x == 20 || x == 120)
            || (146..154).contains(&y) && (140..180).contains(&x) && x % 5 == 0;
        Luma([if y < 140 {
            90 + ((x * 7 + y * 13) % 60) as u8
        } else if ink {
            0
        } else {
            255
        }])
    })
}

/// A data set of one picture with a data bar, whose label (rows `rows`) marks the left quarter; `a_m` belongs to `a`.
fn barred(at: &Path, rows: u32, policy: &str) {
    for folder in ["set/images", "set/labels"] {
        fs::create_dir_all(at.join(folder)).unwrap();
    }
    with_bar().save(at.join("set/images/a.png")).unwrap();
    let label = GrayImage::from_fn(200, rows, |x, _| Luma([u8::from(x < 50)]));
    label.save(at.join("set/labels/a_m.png")).unwrap();
    let manifest = format!(
        "[[classes]]\nname = \"matrix\"\n[[classes]]\nname = \"carbide\"\n[[folders]]\nimages = \"images\"\n\
         labels = \"labels\"\nlabel_suffix = \"_m\"\n[labels]\ndata_bar = \"{policy}\"\n[scale]\nnm_per_px = 5\n"
    );
    fs::write(at.join("set/dataset.toml"), manifest).unwrap();
}

/// Labels that cover the bar, that lack its rows, and that have a row of it left: the field is the same.
#[test]
fn labels_are_measured_on_the_field_alone() {
    for (rows, policy, field) in [(160, "refuse", 140), (140, "crop", 140), (160, "none", 160)] {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        barred(at, rows, policy);
        succeed(at, &["measure", "set/labels", "--class", "carbide", "--data", "set", "--out", "out"]);
        let table = at.join("out/images.csv");
        assert_eq!(cell(&table, "image"), "a", "the suffix is no part of the image's name");
        assert_eq!(cell(&table, "field_area_px"), (200 * field).to_string(), "{rows} {policy}");
        assert_eq!(cell(&table, "area_fraction_percent"), "25.00", "{rows} {policy}");
        assert_eq!(cell(&table, "nm_per_px"), "5.0000");
        // A copy of the label somewhere else still belongs to its image.
        fs::create_dir(at.join("elsewhere")).unwrap();
        fs::copy(at.join("set/labels/a_m.png"), at.join("elsewhere/a_m.png")).unwrap();
        succeed(at, &["measure", "elsewhere", "--class", "carbide", "--data", "set", "--out", "again"]);
        assert_eq!(cell(&at.join("again/images.csv"), "field_area_px"), (200 * field).to_string());
        let page = Page::open(at, "set");
        let measured = page.measure("labels", &["a"]);
        let on_page = &measured["images"][0];
        assert_eq!(on_page["objects"][0]["area_px"], 50 * field, "{measured}");
        assert_eq!(on_page["summary"]["area_fraction"], 0.25, "{measured}");
        assert_eq!(page.get("images/a").1["field_rows"], if policy == "none" { 160 } else { 140 });
    }
}

/// The bar that is drawn into a picture is a statement of its scale, wherever its length is known.
#[test]
fn a_drawn_bar_contradicts_a_repeated_pixel_size() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    barred(at, 160, "refuse");
    let sidecar = "[SemImageFile]\r\nPixelSize=5\r\nMicronMarker=1000\r\n";
    fs::write(at.join("set/images/a.txt"), sidecar).unwrap();
    // 100 pixels are 1000 nm: 10 nm per pixel, not 5 as the sidecar and dataset.toml say.
    let refused: &[&[&str]] = &[
        &["data", "check", "set"],
        &["measure", "set/labels", "--class", "1", "--data", "set", "--out", "out"],
        &["threshold", "set/images", "--data", "set", "--out", "no"],
        &["threshold", "set/images", "--nm-per-px", "5", "--out", "no"],
    ];
    for arguments in refused {
        let output = sorby(at, arguments);
        let told = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {told}");
        assert!(told.contains("5.0000") && told.contains("10.0000"), "{arguments:?}: {told}");
    }
    let page = Page::open(at, "set");
    let (_, image) = page.get("images/a");
    assert!(image["scale_problem"].as_str().unwrap().contains("10.0000"), "{image}");
    assert!(page.card("a")["scale_problem"].is_string(), "the gallery knows it once the pixels were read");
    assert!(page.measure("labels", &["a"])["images"].as_array().unwrap().is_empty());
    // The length of the bar is right: the pixel size is.
    let fix = fs::read_to_string(at.join("set/dataset.toml")).unwrap().replace("= 5", "= 10");
    fs::write(at.join("set/dataset.toml"), fix).unwrap();
    succeed(at, &["measure", "set/labels", "--class", "1", "--data", "set", "--out", "out"]);
    assert_eq!(cell(&at.join("out/images.csv"), "nm_per_px"), "10.0000");
}

/// Without a data set, the picture itself shows which rows of another program's label are its bar.
#[test]
fn a_label_is_measured_on_the_field_of_its_picture() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    barred(at, 160, "refuse");
    fs::rename(at.join("set/labels/a_m.png"), at.join("set/labels/a.png")).unwrap();
    let measure = ["measure", "set/labels", "--class", "1", "--images", "set/images", "--out", "out"];
    let told = sorby(at, &measure);
    assert!(String::from_utf8_lossy(&told.stderr).contains("last 20 rows"), "{told:?}");
    assert_eq!(cell(&at.join("out/images.csv"), "field_area_px"), "28000");
    succeed(at, &["measure", "set/labels", "--class", "1", "--out", "out"]);
    assert_eq!(cell(&at.join("out/images.csv"), "field_area_px"), "32000", "nothing is known of a picture");
}

/// A label drawn in Sorby repeats what the manifest said then; a manifest that was corrected is not held up by it. A
/// model's mask is: it was made at another magnification.
#[test]
fn a_corrected_manifest_counts_for_labels_and_not_for_masks() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    barred(at, 160, "refuse");
    let label = sorby_image::LabelMap { width: 200, height: 160, labels: [0, 1].repeat(16_000) };
    let note = |source: &str| sorby_image::MaskNote {
        origin: None,
        nm_per_px: Some(38.76),
        scale_source: source.to_owned(),
        classes: vec!["matrix".into(), "carbide".into()],
    };
    label
        .write_mask(
            &at.join("set/labels/a_m.png"),
            &[[0; 3], [255; 3]],
            &note("dataset.toml, [scale] nm_per_px"),
        )
        .unwrap();
    label
        .write_mask(&at.join("masks/a.png"), &[[0; 3], [255; 3]], &note("dataset.toml, [scale] nm_per_px"))
        .unwrap();
    succeed(at, &["measure", "set/labels", "--class", "1", "--data", "set", "--out", "out"]);
    assert_eq!(cell(&at.join("out/images.csv"), "nm_per_px"), "5.0000");
    let refused = sorby(at, &["measure", "masks", "--class", "1", "--data", "set", "--out", "out"]);
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(
        refused.status.code() == Some(2) && told.contains("38.7600") && told.contains("5.0000"),
        "{told}"
    );
    label.write_mask(&at.join("set/labels/a_m.png"), &[[0; 3], [255; 3]], &note("--nm-per-px")).unwrap();
    let refused = sorby(at, &["measure", "set/labels", "--class", "1", "--data", "set", "--out", "out"]);
    assert_eq!(refused.status.code(), Some(2), "a person's word still counts");
}

/// A copy of a data set lacks the files next to the images; what they state goes into its manifest.
#[test]
fn a_copy_keeps_the_pixel_size_of_a_sidecar() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    barred(at, 160, "refuse");
    let manifest = at.join("set/dataset.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.split("[scale]").next().unwrap()).unwrap();
    fs::write(at.join("set/images/a.txt"), "[SemImageFile]\r\nPixelSize=12.5\r\n").unwrap();
    succeed(at, &["data", "export", "set", "--format", "png", "--out", "copy"]);
    let checked: Value =
        serde_json::from_slice(&sorby(at, &["data", "check", "copy", "--json"]).stdout).unwrap();
    assert_eq!(checked["nm_per_px"], serde_json::json!([12.5, 12.5]), "{checked}");
}
