//! One true mask in every coding, container, depth, photometric, palette, orientation and compression that Pillow and
//! tifffile can write (`reference/make_codings.py`): each verb finds the true numbers or refuses, never another number.

use crate::sorby;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Mutex;

#[derive(Deserialize)]
struct Index {
    width_px: u32,
    height_px: u32,
    files: Vec<Entry>,
}

#[derive(Clone, Deserialize)]
struct Entry {
    file: String,
    kind: String,
    /// Objects of class 1; -1 where the file has no meaning that could be known.
    count: i64,
    area_px: f64,
    field_px: f64,
    classes: usize,
}

impl Entry {
    fn path(&self, at: &Path) -> PathBuf {
        at.join("files").join(&self.file)
    }

    fn ending(&self) -> &str {
        self.file.rsplit('.').next().unwrap()
    }

    fn is_painted(&self) -> bool {
        self.kind.starts_with("painted") || self.file == "soft-red.png"
    }

    /// Soft edges and compression noise leave a pixel or two at each edge open; everything else is exact.
    fn tolerance(&self) -> f64 {
        if self.kind.contains("jpeg") || self.kind.contains("soft") || self.file.ends_with(".jpg") {
            0.03
        } else {
            1e-9
        }
    }

    fn is_area(&self, fraction: f64) -> bool {
        (fraction * self.field_px / self.area_px - 1.0).abs() <= self.tolerance()
    }
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Right,
    Refused,
    Wrong(String),
}

/// What a verb that ended well is held to; one that failed must have said why in one line.
fn judge(output: &Output, right: impl FnOnce(&str) -> Result<(), String>) -> Outcome {
    let error = String::from_utf8_lossy(&output.stderr);
    if error.contains("panicked") {
        return Outcome::Wrong(format!("panic: {error}"));
    }
    match output.status.code() {
        Some(0) => match right(&String::from_utf8_lossy(&output.stdout)) {
            Ok(()) => Outcome::Right,
            Err(found) => Outcome::Wrong(found),
        },
        Some(1 | 2) => Outcome::Refused,
        code => Outcome::Wrong(format!("exit code {code:?}: {error}")),
    }
}

fn number(json: &serde_json::Value, pointer: &str) -> f64 {
    json.pointer(pointer).and_then(serde_json::Value::as_f64).unwrap_or(f64::NAN)
}

/// Count and area of what `measure` found.
fn measured(entry: &Entry, text: &str, exact_area: bool) -> Result<(), String> {
    let json: serde_json::Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
    let (count, fraction) = (number(&json, "/total/count"), number(&json, "/total/area_fraction"));
    let fits = count == entry.count as f64 && (!exact_area || entry.is_area(fraction));
    if fits { Ok(()) } else { Err(format!("{count} objects, {:.4} of the area", fraction)) }
}

fn measure(entry: &Entry, at: &Path) -> Outcome {
    let out = format!("measured-{}", entry.file);
    let file = entry.path(at);
    let output = sorby(at, &["measure", file.to_str().unwrap(), "--out", &out, "--json"]);
    judge(&output, |text| measured(entry, text, true))
}

fn picture(at: &Path, index: &Index) {
    let (w, h) = (index.width_px, index.height_px);
    // No two rows alike, so that no check takes it for a flat picture.
    let grey = image::GrayImage::from_fn(w, h, |x, y| image::Luma([(60 + (x * 7 + y * 13) % 97) as u8]));
    for ending in ["png", "tif", "bmp", "jpg"] {
        grey.save(at.join(format!("picture.{ending}"))).unwrap();
    }
}

fn check(entry: &Entry, at: &Path) -> Outcome {
    let folder = at.join(format!("checked-{}", entry.file));
    for part in ["images", "labels"] {
        fs::create_dir_all(folder.join(part)).unwrap();
    }
    fs::copy(at.join("picture.png"), folder.join("images/a.png")).unwrap();
    fs::copy(entry.path(at), folder.join(format!("labels/a.{}", entry.ending()))).unwrap();
    let names = ["matrix", "carbide", "pore"];
    let class = |i: usize| {
        let paint = if entry.is_painted() && i == 1 { "label_color = \"#ff0000\"\n" } else { "" };
        format!("[[classes]]\nname = \"{}\"\n{paint}", names[i])
    };
    let kind = if entry.is_painted() { "[labels]\nkind = \"painted\"\n" } else { "" };
    let manifest = (0..entry.classes).map(class).collect::<String>() + kind;
    fs::write(folder.join("dataset.toml"), manifest).unwrap();
    let output = sorby(at, &["data", "check", folder.to_str().unwrap(), "--json"]);
    let fraction = |text: &str| -> Option<f64> {
        let json: serde_json::Value = serde_json::from_str(text).ok()?;
        json.pointer("/classes/1/fraction")?.as_f64()
    };
    // Problems of the picture, which is not steel, do not matter here: what the label was read as does.
    let text = String::from_utf8_lossy(&output.stdout);
    match fraction(&text) {
        Some(found) if entry.count >= 0 && entry.is_area(found) => Outcome::Right,
        Some(found) if output.status.success() => Outcome::Wrong(format!("{found:.4} of the area")),
        _ => judge(&output, |_| Err("ended well without a class".into())),
    }
}

/// As nnU-Net's labels, or as object numbers; then measured.
fn import(entry: &Entry, at: &Path) -> Outcome {
    let (source, out) = (at.join(format!("source-{}", entry.file)), format!("imported-{}", entry.file));
    let ending = entry.ending();
    let numbers = entry.kind == "object numbers";
    if numbers {
        fs::create_dir_all(&source).unwrap();
        fs::copy(at.join("picture.tif"), source.join("a.tif")).unwrap();
        fs::copy(entry.path(at), source.join(format!("a_masks.{ending}"))).unwrap();
    } else {
        for part in ["imagesTr", "labelsTr"] {
            fs::create_dir_all(source.join(part)).unwrap();
        }
        fs::copy(at.join(format!("picture.{ending}")), source.join(format!("imagesTr/a_0000.{ending}")))
            .unwrap();
        fs::copy(entry.path(at), source.join(format!("labelsTr/a.{ending}"))).unwrap();
        let labels = if entry.classes == 3 { ", \"pore\": 2" } else { "" };
        let json = format!(
            "{{\"channel_names\": {{\"0\": \"SEM\"}}, \"labels\": {{\"matrix\": 0, \"carbide\": 1{labels}}}, \
             \"numTraining\": 1, \"file_ending\": \".{ending}\"}}"
        );
        fs::write(source.join("dataset.json"), json).unwrap();
    }
    let format = if numbers { "instances" } else { "nnunet" };
    let source = source.to_str().unwrap().to_owned();
    let output =
        sorby(at, &["data", "import", &source, "--format", format, "--class", "grain", "--out", &out]);
    let outcome = judge(&output, |_| Ok(()));
    if outcome != Outcome::Right {
        return outcome;
    }
    let labels = format!("{out}/labels");
    let output = sorby(at, &["measure", &labels, "--out", &format!("{out}-measured"), "--json"]);
    // Lines between objects that touch cost area.
    judge(&output, |text| measured(entry, text, !entry.file.contains("touching")))
}

type Verb = (&'static str, fn(&Entry, &Path) -> Outcome);

const VERBS: [Verb; 3] = [("measure", measure), ("data check", check), ("data import", import)];

#[test]
fn every_coding_is_read_right_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let archive =
        fs::File::open(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/codings.zip")).unwrap();
    let mut archive = zip::ZipArchive::new(archive).unwrap();
    let mut text = String::new();
    archive.by_name("index.json").unwrap().read_to_string(&mut text).unwrap();
    archive.extract(at.join("files")).unwrap();
    let index: Index = serde_json::from_str(&text).unwrap();
    picture(at, &index);

    let found = Mutex::new(Vec::new());
    let next = std::sync::atomic::AtomicUsize::new(0);
    let work = || {
        while let Some(entry) = index.files.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
            let outcomes = VERBS.map(|(_, verb)| verb(entry, at));
            found.lock().unwrap().push((entry.clone(), outcomes));
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(work);
        }
    });
    report(&found.into_inner().unwrap());
}

/// Prints right, refused and wrong for each verb and kind; fails where anything is wrong, or too much is refused.
fn report(found: &[(Entry, [Outcome; 3])]) {
    let mut kinds: BTreeMap<(&str, &str), [usize; 3]> = BTreeMap::new();
    let mut total = [[0; 3]; 3];
    let mut wrong = Vec::new();
    for (entry, outcomes) in found {
        for (i, outcome) in outcomes.iter().enumerate() {
            let column = match outcome {
                Outcome::Right => 0,
                Outcome::Refused => 1,
                Outcome::Wrong(what) => {
                    wrong.push(format!("{} of {} ({}): {what}", VERBS[i].0, entry.file, entry.kind));
                    2
                }
            };
            kinds.entry((VERBS[i].0, &entry.kind)).or_default()[column] += 1;
            total[i][column] += 1;
        }
    }
    for ((verb, kind), [right, refused, wrong]) in &kinds {
        println!("{verb:<12} {kind:<28} right {right:>3}  refused {refused:>3}  wrong {wrong:>3}");
    }
    for (i, [right, refused, wrong]) in total.iter().enumerate() {
        println!("{} of {} files: right {right}, refused {refused}, wrong {wrong}", VERBS[i].0, found.len());
    }
    wrong.sort();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    // To refuse everything would be easy.
    assert!(total.iter().zip(LEAST_RIGHT).all(|(t, least)| t[0] >= least), "{total:?}");
}

/// Files that each verb read right on 2026-11-27, less a few.
const LEAST_RIGHT: [usize; 3] = [315, 275, 200];
