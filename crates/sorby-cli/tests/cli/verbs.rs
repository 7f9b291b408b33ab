//! Values of options that no other test looks at.

use crate::{command, fail, sorby, succeed, workshop};
use serde_json::Value;
use sorby_image::{LabelMap, MaskNote, RawLabels};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;

fn json(at: &Path, arguments: &[&str]) -> Value {
    serde_json::from_str(&succeed(at, arguments)).unwrap()
}

fn read_labels(path: &Path) -> LabelMap {
    match RawLabels::read(path).unwrap() {
        RawLabels::Values(map) => map,
        RawLabels::Colours { .. } => panic!("{}: colours", path.display()),
    }
}

/// Squares of one class, by left, top and edge.
fn squares(at: &Path, name: &str, (width, height): (usize, usize), squares: &[(usize, usize, usize)]) {
    let mut map = LabelMap::filled(width, height, 0);
    for &(left, top, edge) in squares {
        for y in top..top + edge {
            map.labels[y * width + left..y * width + left + edge].fill(1);
        }
    }
    map.write_png(&at.join(name), &[[0; 3], [255; 3]]).unwrap();
}

/// One square of 10 x 10 inside and one that the edge cuts to 5 x 10, in 100 x 100.
#[test]
fn edge_rules_count_what_their_formulas_say() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::create_dir(at.join("m")).unwrap();
    squares(at, "m/a.png", (100, 100), &[(40, 40, 10), (0, 10, 10)]);
    // The edge would have cut the second: half of it lies outside.
    let mut map = read_labels(&at.join("m/a.png"));
    for y in 10..20 {
        map.labels[y * 100 + 5..y * 100 + 10].fill(0);
    }
    map.write_png(&at.join("m/a.png"), &[[0; 3], [255; 3]]).unwrap();
    let density = |more: &[&str], out: &str| {
        let all = [&["measure", "m", "--nm-per-px", "1000", "--json", "--out", out], more].concat();
        let summary = json(at, &all);
        let count = summary["total"]["count"].as_u64().unwrap();
        let per_um2 = &summary["estimates"]["number_density_per_um2"]["estimate"]["value"];
        (count, per_um2.as_f64())
    };
    // 100 x 100 pixels of 1 um.
    let near = |got: Option<f64>, want: f64| assert!((got.unwrap() - want).abs() < 1e-12, "{got:?}, {want}");
    let (count, all) = density(&["--edges", "all"], "all");
    assert_eq!(count, 2);
    near(all, 2.0 / 1e4);
    let (count, whole) = density(&["--edges", "exclude"], "whole");
    assert_eq!(count, 2);
    near(whole, 1.0 / 1e4);
    let (_, weighted) = density(&[], "weighted");
    near(weighted, (100.0f64 / 89.0).powi(2) / 1e4);
    let (count, without) = density(&["--exclude-edge", "--edges", "all"], "without");
    assert_eq!(count, 1, "left out of the counts too");
    near(without, 1.0 / 1e4);
}

/// A label that was moved by five rows is found, and the repaired copy has it where it was.
#[test]
fn a_repaired_copy_has_the_label_back_in_its_place() {
    let folder = workshop();
    let at = folder.path();
    let synth = ["synth", "--out", "big", "--images", "3", "--size", "256x256"];
    succeed(at, &synth);
    let file = at.join("big/labels/carbide-002.png");
    let before = read_labels(&file);
    let mut moved = before.clone();
    moved.labels.rotate_right(5 * 256);
    moved.write_png(&file, &[[0; 3], [255; 3]]).unwrap();
    let output = sorby(at, &["data", "check", "big", "--fix", "fixed"]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("carbide-002") && told.contains('5'), "{told}");
    let done = String::from_utf8(output.stderr).unwrap();
    assert!(done.contains("3 images copied, 1 labels moved, 0 turned"), "{done}");
    let after = read_labels(&at.join("fixed/labels/carbide-002.png"));
    let differs = |y: usize| after.labels[y * 256..][..256] != before.labels[y * 256..][..256];
    assert!(!(0..251).any(differs), "every row that the label still has");
    assert!(after.labels[251 * 256..].iter().all(|l| *l == 255), "what was moved out is not known");
    for name in ["carbide-001", "carbide-003"] {
        let read = |folder: &str| read_labels(&at.join(folder).join(format!("labels/{name}.png")));
        assert_eq!(read("fixed").labels, read("big").labels);
    }
    assert!(succeed(at, &["data", "check", "fixed"]).contains("no problems found"));
}

#[test]
fn a_trial_counts_the_objects_that_are_there() {
    let folder = workshop();
    let at = folder.path();
    let rows = json(at, &["label", "trial", "data", "--strokes", "4", "--json"]);
    let truth = fs::read_to_string(at.join("data/truth.csv")).unwrap();
    let rows = rows["trials"].as_array().unwrap();
    assert_eq!(rows.len(), 5);
    for (row, line) in rows.iter().zip(truth.lines().skip(1)) {
        let mut cells = line.split(',');
        assert_eq!(row["image"], cells.next().unwrap());
        let objects = row["objects"].as_u64().unwrap();
        assert_eq!(objects, cells.next().unwrap().parse::<u64>().unwrap());
        assert!(row["fills_that_serve"].as_u64() <= row["fills_that_find"].as_u64());
        assert!(row["fills_that_find"].as_u64().unwrap() <= objects);
        let agreement = row["agreement_percent"].as_f64().unwrap();
        assert!((50.0..=100.0).contains(&agreement), "{agreement}");
        assert!(row["polygon_clicks"].as_u64().unwrap() >= 3 * objects);
    }
}

/// Images of half the magnification are enlarged for the network; the mask is of the image, and says so.
#[test]
fn another_magnification_is_matched_and_written_down() {
    let folder = workshop();
    let at = folder.path();
    succeed(at, &["train", "tiny.toml", "--data", "data", "--set", "schedule.iterations=1", "--out", "run"]);
    let nm = json(at, &["data", "check", "data", "--json"])["nm_per_px"][0].as_f64().unwrap();
    let coarse = (2.0 * nm).to_string();
    let image = "data/images/carbide-001.png";
    let base = ["segment", "run", image, "--nm-per-px", &coarse];
    let plain = sorby(at, &[&base[..], &["--out", "plain"]].concat());
    assert!(String::from_utf8(plain.stderr).unwrap().contains("try --match-scale"));
    let matched = sorby(at, &[&base[..], &["--match-scale", "--out", "matched"]].concat());
    let told = String::from_utf8(matched.stderr).unwrap();
    assert!(told.contains(&format!("{:.2} nm per pixel are brought to {nm:.2}", 2.0 * nm)), "{told}");
    let mask = at.join("matched/masks/carbide-001.png");
    let map = read_labels(&mask);
    assert_eq!((map.width, map.height), (120, 96));
    let note = MaskNote::read(&mask).unwrap();
    assert_eq!(note.nm_per_px, Some(2.0 * nm));
    assert!(note.origin.unwrap().settings.ends_with("match-scale yes"));
    let refused = sorby(at, &["segment", "run", image, "--match-scale", "--out", "none"]);
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(told.contains("needs the image's pixel size") && refused.status.code() == Some(2), "{told}");
}

#[test]
fn a_time_becomes_whole_tens_of_iterations() {
    let folder = workshop();
    let at = folder.path();
    // Long enough on any machine, so it is ended when it has said how many there will be.
    let long = ["train", "tiny.toml", "--data", "data", "--time", "1h", "--out", "run"];
    let mut training = command(at, &long).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(training.stderr.take().unwrap()).lines().map(Result::unwrap);
    let line = lines.find(|l| l.contains("iterations fit into 1 h 00 min")).unwrap();
    let said: u64 = line.split(' ').next().unwrap().parse().unwrap();
    assert!(lines.any(|l| l.contains(&format!("{said} iterations -> run"))));
    training.kill().unwrap();
    training.wait().unwrap();
    let recipe: toml::Table = fs::read_to_string(at.join("run/recipe.toml")).unwrap().parse().unwrap();
    let kept = recipe["schedule"]["iterations"].as_integer().unwrap() as u64;
    assert!(said == kept && said.is_multiple_of(10) && said > 0, "{said}, {kept}");
    let told = fail(at, &["train", "tiny.toml", "--data", "data", "--time", "0.01s", "--out", "none"]);
    assert!(told.contains("not even ten iterations fit") && !at.join("none").exists(), "{told}");
}

/// The environment of every start is kept.
#[test]
fn a_resumed_run_keeps_the_environments_of_its_starts() {
    let folder = workshop();
    let at = folder.path();
    succeed(at, &["train", "tiny.toml", "--data", "data", "--out", "run"]);
    let read =
        || -> Value { serde_json::from_slice(&fs::read(at.join("run/environment.json")).unwrap()).unwrap() };
    let first = read();
    assert!(first["earlier_starts"].is_null() && first["arguments"][1] == "train");
    succeed(at, &["--threads", "1", "train", "--resume", "run", "--iterations", "8"]);
    let second = read();
    assert_eq!((&second["threads"], &second["earlier_starts"]), (&1.into(), &vec![first].into()));
}

/// With a browser a PDF, without one a line that says so; the page is there either way.
#[test]
fn a_report_is_printed_where_there_is_a_browser() {
    let folder = workshop();
    let at = folder.path();
    succeed(at, &["train", "tiny.toml", "--data", "data", "--set", "schedule.iterations=1", "--out", "run"]);
    let output = sorby(at, &["report", "run", "--data", "data", "--pdf"]);
    assert!(fs::read_to_string(at.join("run/report.html")).unwrap().contains("</html>"));
    if output.status.success() {
        let pdf = fs::read(at.join("run/report.pdf")).unwrap();
        assert!(pdf.starts_with(b"%PDF-") && pdf.len() > 10_000, "{} bytes", pdf.len());
        assert!(pdf.windows(5).any(|w| w == b"%%EOF"), "whole");
    } else {
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains("browser") && !at.join("run/report.pdf").exists(), "{told}");
    }
}

#[test]
fn shells_and_manuals_know_every_verb() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let text = succeed(at, &["completions", shell]);
        assert!(text.contains("segment") && text.contains("nm-per-px"), "{shell}");
    }
    succeed(at, &["man", "--out", "man"]);
    for page in ["sorby", "sorby-segment", "sorby-data-check", "sorby-study-run"] {
        let text = fs::read_to_string(at.join(format!("man/{page}.1"))).unwrap();
        assert!(text.contains(&format!(".TH {page} 1")), "{page}");
    }
}

#[test]
fn a_finished_training_gives_its_checkpoints_back_and_an_unfinished_one_keeps_them() {
    let folder = workshop();
    let at = folder.path();
    succeed(at, &["train", "tiny.toml", "--data", "data", "--out", "done"]);
    let checkpoints = at.join("done/checkpoints");
    assert!(fs::read_dir(&checkpoints).unwrap().count() > 0);
    let model = fs::read(at.join("done/model.safetensors")).unwrap();
    let said = succeed(at, &["clean", "done"]);
    assert!(said.contains("MB freed") && !said.contains(" 0.0 MB"), "{said}");
    assert!(!checkpoints.exists());
    assert_eq!(fs::read(at.join("done/model.safetensors")).unwrap(), model);
    succeed(at, &["report", "done", "--data", "data"]);
    assert!(succeed(at, &["clean", "done"]).contains("0.0 MB"), "nothing more to free");
    fs::create_dir(at.join("half")).unwrap();
    for file in ["recipe.toml", "identity.json"] {
        fs::copy(at.join("done").join(file), at.join("half").join(file)).unwrap();
    }
    fs::create_dir(at.join("half/checkpoints")).unwrap();
    fs::write(at.join("half/checkpoints/kept"), "").unwrap();
    assert!(fail(at, &["clean", "half"]).contains("--resume"));
    assert!(at.join("half/checkpoints/kept").is_file());
    assert!(fail(at, &["clean", "data"]).contains("not a run folder"));
}
