//! Attacks that must fail: files. What was tried, before and now: docs/reliability.md.

use crate::{command, fail, succeed, workshop};
use sorby_image::LabelMap;
use std::fs;
use std::path::Path;

/// Bytes of every file below a folder.
fn contents(at: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut out = Vec::new();
    let mut folders = vec![at.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path => out.push((path.clone(), fs::read(path).unwrap())),
            }
        }
    }
    out.sort();
    out
}

/// An output that is told to replace an input: a micrograph, a label of the user's, a manifest, a model.
#[test]
fn no_output_replaces_a_file_of_another_kind() {
    let folder = workshop();
    let at = folder.path();
    let image = fs::read_dir(at.join("data/images")).unwrap().next().unwrap().unwrap().path();
    let label = at.join("data/labels").join(image.file_name().unwrap());
    fs::write(at.join("notes.txt"), "of the user").unwrap();
    let before = contents(at);
    let [image, label] = [&image, &label].map(|p| p.to_str().unwrap());
    for output in [image, "data/dataset.toml", "tiny.toml", "notes.txt", "data"] {
        let message = fail(at, &["label", "draft", image, "--strokes", label, "--out", output]);
        assert!(message.contains("overwritten") || message.contains("folder"), "{message}");
        let message = fail(at, &["data", "check", "data", "--page", output]);
        assert!(message.contains("overwritten") || message.contains("folder"), "{message}");
        // Any weights will do.
        let message = fail(at, &["model", "convert", image, "--out", output]);
        assert!(message.contains("overwritten") || message.contains("folder"), "{message}");
    }
    assert_eq!(contents(at), before);
    // Over their own kind they may be written.
    for _ in 0..2 {
        succeed(at, &["label", "draft", image, "--strokes", label, "--out", "draft.png"]);
        succeed(at, &["data", "check", "data", "--page", "check.html"]);
    }
}

/// What a training made, what somebody drew and what a report says are not made again in a second.
#[test]
fn masks_models_and_reports_are_not_replaced_by_lesser_things() {
    let folder = workshop();
    let at = folder.path();
    succeed(at, &["train", "tiny.toml", "--data", "data", "--out", "run"]);
    succeed(at, &["segment", "run", "data/images", "--out", "seg"]);
    succeed(at, &["report", "run", "--data", "data", "--out", "report.html"]);
    succeed(at, &["model", "convert", "run/model.safetensors", "--encoder", "--out", "encoder.safetensors"]);
    let before = contents(at);
    let image = "data/images/carbide-001.png";
    let draft = ["label", "draft", image, "--strokes", "data/labels/carbide-001.png", "--out"];
    for (words, output) in [
        (&draft[..], "seg/masks/carbide-001.png"),
        (&draft, "data/labels/carbide-001.png"),
        (&["data", "check", "data", "--page"], "report.html"),
        (&["model", "convert", "run/model.safetensors", "--encoder", "--out"], "run/model.safetensors"),
        (&["model", "convert", "encoder.safetensors", "--out"], "run/best.safetensors"),
    ] {
        let message = fail(at, &[words, &[output]].concat());
        assert!(message.contains("not overwritten"), "{output}: {message}");
    }
    for verb in ["synth", "bench measure --write"] {
        let words: Vec<&str> = verb.split(' ').collect();
        let out = if verb == "synth" { vec!["--out", "seg"] } else { vec!["seg"] };
        let message = fail(at, &[words, out].concat());
        assert!(message.contains("exists already"), "{verb}: {message}");
    }
    assert_eq!(contents(at), before);
}

/// An unset variable of a shell: `--out "$OUT"`.
#[test]
fn an_empty_name_is_no_folder() {
    let folder = workshop();
    let at = folder.path().join("data");
    let before = contents(&at);
    for words in [
        "data export . --format png",
        "data export . --format coco",
        "data export . --format nnunet",
        "data import . --format instances",
        "synth",
        "train ../tiny.toml --data .",
        "measure labels",
        "threshold images",
        "compare runs",
        "segment model images",
        "evaluate model --data .",
    ] {
        let words: Vec<&str> = words.split(' ').chain(["--out", ""]).collect();
        let message = fail(&at, &words);
        assert!(message.contains("names no folder"), "{words:?}: {message}");
    }
    assert_eq!(contents(&at), before);
}

/// Two commands into one folder at once: results of one of them only.
#[test]
fn one_process_at_a_time_writes_into_a_folder() {
    let folder = workshop();
    let at = folder.path();
    for round in 0..3 {
        let out = format!("out-{round}");
        let start = |class: &str| {
            let words = ["measure", "data/labels", "--class", class, "--out", &out];
            command(at, &words)
                .stderr(std::process::Stdio::piped())
                .stdout(std::process::Stdio::null())
                .spawn()
        };
        let both = [start("0").unwrap(), start("1").unwrap()].map(|child| child.wait_with_output().unwrap());
        let codes = both.each_ref().map(|o| o.status.code());
        assert!(codes == [Some(0), Some(2)] || codes == [Some(2), Some(0)], "{codes:?}");
        let loser = both.iter().find(|o| !o.status.success()).unwrap();
        let told = String::from_utf8_lossy(&loser.stderr);
        assert!(told.contains("another process writes") || told.contains("other arguments"), "{told}");
        let summary: serde_json::Value =
            serde_json::from_slice(&fs::read(at.join(&out).join("summary.json")).unwrap()).unwrap();
        let class = if codes[0] == Some(0) { "class 0" } else { "class 1" };
        assert_eq!(summary["class"], class);
        let all = fs::read_to_string(at.join(&out).join("images.csv")).unwrap();
        let count = summary["total"]["count"].to_string();
        assert!(all.lines().last().unwrap().starts_with(&format!("all,{count},")), "{all}");
    }
}

/// Folders whose name is no UTF-8 are named, made and found again.
#[cfg(target_os = "linux")]
#[test]
fn folders_may_have_names_that_are_no_utf8() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = workshop();
    let at = folder.path();
    let name = Path::new(std::ffi::OsStr::from_bytes(b"d\xe9"));
    fs::rename(at.join("data"), at.join(name)).unwrap();
    let run = |words: &[&str], out: &str| {
        let mut command = command(at, words);
        command.arg("--data").arg(name).arg("--out").arg(name.join(out));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    run(&["train", "tiny.toml"], "run");
    let mut again = command(at, &["train", "--resume"]);
    assert!(again.arg(name.join("run")).output().unwrap().status.success(), "finds its data again");
    let mut measure = command(at, &["measure"]);
    measure.arg(name.join("labels")).arg("--out").arg(name.join("m"));
    assert!(measure.output().unwrap().status.success());
}

/// A field of `columns` x `rows` objects of 3 x 3 pixels.
fn many_objects(path: &Path, columns: usize, rows: usize) {
    let (width, height) = (4 * columns, 4 * rows);
    let inside = |i: usize| u8::from(i % width % 4 < 3 && i / width % 4 < 3);
    let labels = (0..width * height).map(inside).collect();
    LabelMap { width, height, labels }.write_png(path, &[[0; 3], [255; 3]]).unwrap();
}

/// `measure` with outlines for other programs, in at most `limit_mb` of memory.
fn measure_within(at: &Path, limit_mb: u64, more: &[&str]) -> std::process::Output {
    let mut words = vec!["measure", "many.png", "--out", "m", "--json"];
    words.extend(more);
    let inner = command(at, &words);
    let program = inner.get_program().to_str().unwrap().to_owned();
    let quoted: Vec<String> = words.iter().map(|w| format!("'{w}'")).collect();
    let script = format!("ulimit -v {}; exec '{program}' --threads 2 {}", limit_mb * 1024, quoted.join(" "));
    std::process::Command::new("sh").current_dir(at).args(["-c", &script]).output().unwrap()
}

/// Outlines go to the file as they are made: memory grows with the objects' numbers, not with their texts.
#[test]
fn outlines_of_many_objects_take_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    many_objects(&at.join("many.png"), 250, 200);
    // 16 kB to an object, as it was, would be 800 MB.
    let output = measure_within(at, 700, &["--export", "geojson,roi"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["total"]["count"], 50_000);
    let geojson: serde_json::Value =
        serde_json::from_slice(&fs::read(at.join("m/many.geojson")).unwrap()).unwrap();
    let features = geojson["features"].as_array().unwrap();
    assert_eq!(features.len(), 50_000);
    assert_eq!(features[49_999]["properties"]["measurements"]["area_px"], 9);
    assert_eq!(features[251]["geometry"]["coordinates"][0][0], serde_json::json!([7, 4]));
    let archive = zip::ZipArchive::new(fs::File::open(at.join("m/many-RoiSet.zip")).unwrap()).unwrap();
    assert_eq!(archive.len(), 50_000);
}

/// `cargo xtask attack`
#[test]
#[ignore = "a minute, in a release build"]
fn attack_with_a_million_objects() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    many_objects(&at.join("many.png"), 1000, 1000);
    let start = std::time::Instant::now();
    let output = measure_within(at, 2048, &["--export", "geojson,roi,parquet"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    println!("10^6 objects with all exports: {:.1} s within 2 GB", start.elapsed().as_secs_f64());

    let (width, height) = (2000, 2000);
    let checkers = (0..width * height).map(|i| ((i % width + i / width) % 2) as u8).collect();
    LabelMap { width, height, labels: checkers }
        .write_png(&at.join("many.png"), &[[0; 3], [255; 3]])
        .unwrap();
    let start = std::time::Instant::now();
    fs::remove_dir_all(at.join("m")).unwrap();
    let output = measure_within(at, 8192, &["--connectivity", "4"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    println!("checkerboard of 2000 x 2000: {:.1} s", start.elapsed().as_secs_f64());

    let (width, height) = (8000, 8000);
    let comb = (0..width * height).map(|i| u8::from(i / width == 0 || i % width % 2 == 0)).collect();
    LabelMap { width, height, labels: comb }.write_png(&at.join("many.png"), &[[0; 3], [255; 3]]).unwrap();
    let start = std::time::Instant::now();
    fs::remove_dir_all(at.join("m")).unwrap();
    let output = measure_within(at, 8192, &["--export", "geojson"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    println!("comb of 8000 x 8000: {:.1} s", start.elapsed().as_secs_f64());
}
