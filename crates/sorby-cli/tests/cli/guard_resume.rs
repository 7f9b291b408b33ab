//! Attacks that must fail: on a run that goes on, on what reports are made from, and on reports. What was tried,
//! before and now: docs/reliability.md.

use crate::{command, fail, sorby, succeed, workshop};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tempfile::TempDir;

/// A finished run `whole` of six iterations with checkpoints of the fourth and the sixth, made once.
pub(crate) fn base() -> &'static Path {
    static BASE: OnceLock<TempDir> = OnceLock::new();
    BASE.get_or_init(|| {
        let folder = workshop();
        train(folder.path(), "whole", &[]);
        train(folder.path(), "other", &["--set", "seed=5"]);
        folder
    })
    .path()
}

fn train(at: &Path, run: &str, more: &[&str]) {
    let averaged = ["train", "tiny.toml", "--data", "data", "--out", run, "--set", "optimizer.ema_decay=0.7"];
    succeed(at, &[averaged.as_slice(), more].concat());
}

pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target)
        } else {
            fs::copy(entry.path(), target).map(|_| ()).unwrap()
        }
    }
}

/// A copy of the run and its data to attack: `run` and `data`.
pub(crate) fn victim() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(&base().join("whole"), &folder.path().join("run"));
    copy(&base().join("data"), &folder.path().join("data"));
    folder
}

/// The same, cut off after the fourth iteration.
pub(crate) fn cut_off() -> TempDir {
    let folder = victim();
    let run = folder.path().join("run");
    fs::remove_dir_all(run.join("checkpoints/iter_0000006")).unwrap();
    fs::remove_file(run.join("model.safetensors")).unwrap();
    folder
}

pub(crate) fn edit(file: &Path, change: impl FnOnce(String) -> String) {
    let text = fs::read_to_string(file).unwrap();
    let changed = change(text.clone());
    assert!(changed != text, "{} is not changed", file.display());
    fs::write(file, changed).unwrap();
}

pub(crate) fn resume(at: &Path) -> std::process::Output {
    sorby(at, &["train", "--resume", "run", "--data", "data"])
}

#[track_caller]
fn refused(at: &Path, what: &[&str]) -> String {
    let message = fail(at, &["train", "--resume", "run", "--data", "data"]);
    for word in what {
        assert!(message.contains(word), "`{word}` is not in: {message}");
    }
    message
}

/// Goes on to the bytes of the run that nobody disturbed; gives what was printed.
#[track_caller]
fn same_in_the_end(at: &Path) -> String {
    let output = resume(at);
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    for file in ["model.safetensors", "best.safetensors", "validation.jsonl", "recipe.toml", "identity.json"]
    {
        let read = |root: PathBuf| fs::read(root.join(file)).unwrap();
        assert!(read(at.join("run")) == read(base().join("whole")), "{file} differs: {text}");
    }
    text
}

#[test]
fn an_edited_recipe_is_refused() {
    let half = |text: String| text[..text.len() / 2].rsplit_once('\n').unwrap().0.to_owned() + "\n";
    let set = |from: &'static str, to: &'static str| move |text: String| text.replace(from, to);
    type Edit = Box<dyn Fn(String) -> String>;
    let attacks: Vec<(Edit, &[&str])> = vec![
        (Box::new(half), &["in recipe.toml is ", " and was "]),
        (Box::new(|text| text[..text.len() / 2 + 3].to_owned() + "\n= ["), &["recipe.toml", "put it back"]),
        (Box::new(|_| String::new()), &["data.batch in recipe.toml is 8 and was 2", "more"]),
        (Box::new(set("lr = 0.01", "lr = 0.02")), &["optimizer.lr in recipe.toml is 0.02 and was 0.01"]),
        (Box::new(set("seed = 0", "seed = 1")), &["seed in recipe.toml is 1 and was 0"]),
        (Box::new(set("crop = 64", "crop = 96")), &["data.crop in recipe.toml is 96 and was 64"]),
        (Box::new(set("batch = 2", "batch = 3")), &["data.batch in recipe.toml is 3 and was 2"]),
        (
            Box::new(set("ema_decay = 0.7", "ema_decay = 0.6")),
            &["optimizer.ema_decay in recipe.toml is 0.6 and was 0.7"],
        ),
        (
            Box::new(set("ema_decay = 0.7\n", "")),
            &["optimizer.ema_decay in recipe.toml is not set and was 0.7"],
        ),
        (
            Box::new(set("iterations = 6", "iterations = 8000")),
            &["schedule.iterations in recipe.toml is 8000 and was 6", "--iterations 8000"],
        ),
        (
            Box::new(set("kind = \"sgd\"", "kind = \"adamw\"")),
            &["optimizer.kind in recipe.toml is \"adamw\" and was \"sgd\""],
        ),
        (
            Box::new(set("kind = \"focal\"", "kind = \"cross_entropy\"")),
            &["loss.kind in recipe.toml is \"cross_entropy\" and was \"focal\""],
        ),
        (
            Box::new(set("augment = \"weak\"", "augment = \"strong\"")),
            &["augment in recipe.toml is \"strong\" and was \"weak\""],
        ),
        (
            Box::new(set("arch = \"deeplabv3plus\"", "arch = \"pspnet\"")),
            &["arch in recipe.toml is \"pspnet\" and was \"deeplabv3plus\""],
        ),
        (
            Box::new(set("dropout = 0.1", "dropout = 0.2")),
            &["model.dropout in recipe.toml is 0.2 and was 0.1"],
        ),
        (
            Box::new(set("checkpoint_every = 2", "checkpoint_every = 1")),
            &["schedule.checkpoint_every in recipe.toml is 1 and was 2"],
        ),
    ];
    let folder = cut_off();
    let (at, recipe) = (folder.path(), folder.path().join("run/recipe.toml"));
    let original = fs::read_to_string(&recipe).unwrap();
    for (change, what) in attacks {
        edit(&recipe, change);
        refused(at, what);
        fs::write(&recipe, &original).unwrap();
    }
    // Remarks and spaces are no change; what is gone comes back.
    edit(&recipe, |text| format!("# mine\n{}", text.replace("lr = 0.01", "lr   =  0.010")));
    let output = resume(at);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::remove_file(&recipe).unwrap();
    same_in_the_end(at);
}

/// Names of the images that take part in a run: others may change.
fn part_in(at: &Path) -> Vec<String> {
    let records: serde_json::Value =
        serde_json::from_slice(&fs::read(at.join("run/split.json")).unwrap()).unwrap();
    records.as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn other_classes_splits_and_data_are_refused() {
    let folder = cut_off();
    let (at, manifest) = (folder.path(), folder.path().join("data/dataset.toml"));
    let original = fs::read_to_string(&manifest).unwrap();
    let swap = |text: String| {
        text.replace("\"carbide\"", "\u{1}")
            .replace("\"matrix\"", "\"carbide\"")
            .replace('\u{1}', "\"matrix\"")
    };
    edit(&manifest, swap);
    refused(at, &["the classes in dataset.toml are carbide, matrix and were matrix, carbide"]);
    edit(&manifest, |_| original.replace("\"carbide\"", "\"pore\""));
    refused(at, &["are matrix, pore and were matrix, carbide"]);
    fs::write(&manifest, &original).unwrap();

    let names = part_in(at);
    let name = names[0].clone();
    let label = &at.join(format!("data/labels/{name}.png"));
    let bytes = fs::read(label).unwrap();
    fs::copy(at.join(format!("data/labels/{}.png", names[1])), label).unwrap();
    refused(at, &["label", &name]);
    // Nor does it help that the list of what took part is gone.
    fs::remove_file(at.join("run/split.json")).unwrap();
    refused(at, &["label", &name]);
    fs::write(label, &bytes).unwrap();

    let images = [&names[0], &names[1]].map(|name| at.join(format!("data/images/{name}.png")));
    let (one, two) = (fs::read(&images[0]).unwrap(), fs::read(&images[1]).unwrap());
    fs::write(&images[0], &two).unwrap();
    refused(at, &["image `", "changed since this run began"]);
    fs::write(&images[0], &one).unwrap();
    same_in_the_end(at);
}

#[test]
fn images_that_change_their_split_are_refused() {
    let folder = cut_off();
    let (at, manifest) = (folder.path(), folder.path().join("data/dataset.toml"));
    let mut table: toml::Table = fs::read_to_string(&manifest).unwrap().parse().unwrap();
    let splits = table["splits"].as_table_mut().unwrap();
    let moved = splits["train"].as_array_mut().unwrap().pop().unwrap();
    fs::write(&manifest, table.to_string()).unwrap();
    refused(at, &[moved.as_str().unwrap(), "the list of images"]);
    table["splits"]["val"].as_array_mut().unwrap().push(moved.clone());
    fs::write(&manifest, table.to_string()).unwrap();
    refused(at, &[moved.as_str().unwrap(), "the split of", "train to val"]);
}

/// Changes bytes in the numbers of a safetensors file.
pub(crate) fn damage(file: &Path, change: impl FnOnce(&mut [u8])) {
    let mut bytes = fs::read(file).unwrap();
    let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    change(&mut bytes[header..]);
    fs::write(file, bytes).unwrap();
}

const NEWEST: &str = "run/checkpoints/iter_0000006";

#[test]
fn a_damaged_checkpoint_is_named_and_the_older_one_used() {
    type Attack = Box<dyn Fn(&Path)>;
    let mut attacks: Vec<(String, Attack)> = Vec::new();
    for name in ["model", "optimizer", "average"] {
        let file = format!("{NEWEST}/{name}.safetensors");
        let at = file.clone();
        // The exponent's highest bit, and the lowest bit of a number.
        attacks
            .push((format!("{name} exponent"), Box::new(move |f| damage(&f.join(&at), |n| n[4003] ^= 0x40))));
        let at = file.clone();
        attacks
            .push((format!("{name} lowest bit"), Box::new(move |f| damage(&f.join(&at), |n| n[4000] ^= 1))));
        let at = file.clone();
        attacks.push((
            format!("{name} zeros"),
            Box::new(move |f| damage(&f.join(&at), |n| n[8192..12288].fill(0))),
        ));
        let at = file.clone();
        let other = base().join(format!("other/checkpoints/iter_0000006/{name}.safetensors"));
        attacks.push((
            format!("{name} of another run"),
            Box::new(move |f| fs::copy(&other, f.join(&at)).map(|_| ()).unwrap()),
        ));
        let at = file.clone();
        attacks.push((format!("{name} missing"), Box::new(move |f| fs::remove_file(f.join(&at)).unwrap())));
    }
    for (name, from, to) in [
        ("iteration", "\"iteration\": 6", "\"iteration\": 5"),
        ("iteration of ages", "\"iteration\": 6", "\"iteration\": 1152921504606846976"),
        ("a hash", "\"average.safetensors\": \"", "\"average.safetensors\": \"0"),
        ("best", "\"best\": [", "\"best\": [0"),
        ("no hashes", "\"blake3\"", "\"blake2\""),
    ] {
        let change: Attack =
            Box::new(move |f| edit(&f.join(NEWEST).join("state.json"), |t| t.replace(from, to)));
        attacks.push((format!("state: {name}"), change));
    }
    attacks.push((
        "state missing".into(),
        Box::new(|f| fs::remove_file(f.join(NEWEST).join("state.json")).unwrap()),
    ));
    let old = "{\"iteration\":6,\"best\":null,\"reliability\":null}";
    attacks.push((
        "state as older versions wrote it".into(),
        Box::new(move |f| fs::write(f.join(NEWEST).join("state.json"), old).unwrap()),
    ));
    attacks.push((
        "whole checkpoint of another run".into(),
        Box::new(|f| {
            fs::remove_dir_all(f.join(NEWEST)).unwrap();
            copy(&base().join("other/checkpoints/iter_0000006"), &f.join(NEWEST));
        }),
    ));
    attacks.push((
        "older one under the newest's name".into(),
        Box::new(|f| {
            fs::remove_dir_all(f.join(NEWEST)).unwrap();
            copy(&f.join("run/checkpoints/iter_0000004"), &f.join(NEWEST));
        }),
    ));
    for (name, attack) in &attacks {
        let folder = victim();
        attack(folder.path());
        let text = same_in_the_end(folder.path());
        assert!(text.contains("iter_0000006 is damaged: "), "{name}: {text}");
    }
    assert!(attacks.len() >= 24);
}

#[test]
fn without_a_whole_checkpoint_nothing_is_begun_anew() {
    let folder = victim();
    let at = folder.path();
    for iteration in [4, 6] {
        damage(&at.join(format!("run/checkpoints/iter_000000{iteration}/model.safetensors")), |n| n[99] ^= 4);
    }
    refused(at, &["iter_0000006", "no older checkpoint is whole"]);
    fs::remove_dir_all(at.join("run/checkpoints")).unwrap();
    fs::create_dir(at.join("run/checkpoints")).unwrap();
    refused(at, &["checkpoints are gone"]);
    let folder = cut_off();
    fs::remove_file(folder.path().join("run/identity.json")).unwrap();
    refused(folder.path(), &["identity.json", "is missing"]);
    let folder = cut_off();
    edit(&folder.path().join("run/identity.json"), |t| t.replace("lr = 0.01", "lr = 0.02"));
    refused(folder.path(), &["identity.json", "was changed"]);
}

#[test]
fn more_iterations_are_an_option_and_written_down() {
    let folder = victim();
    let at = folder.path();
    let longer = ["train", "--resume", "run", "--data", "data", "--iterations"];
    let with = |n: &'static str| [longer.as_slice(), &[n]].concat();
    let message = fail(at, &with("5"));
    assert!(message.contains("has done 6 iterations"), "{message}");
    let text = succeed(at, &with("8"));
    assert!(text.contains("trained 8 iterations"), "{text}");
    let recipe = fs::read_to_string(at.join("run/recipe.toml")).unwrap();
    assert!(
        recipe.starts_with("# schedule.iterations was 6 until iteration 6\n")
            && recipe.contains("iterations = 8"),
        "{recipe}"
    );
    let identity = fs::read_to_string(at.join("run/identity.json")).unwrap();
    assert!(identity.contains("\"schedule.iterations\"") && identity.contains("\"at\": 6"), "{identity}");
    let lines = fs::read_to_string(at.join("run/metrics.jsonl")).unwrap();
    let rates: Vec<f64> = lines
        .lines()
        .map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap()["lr"].as_f64().unwrap())
        .collect();
    // Six as they were, then those of a run of eight.
    let poly = |t: f64, last: f64| 0.01 * (1.0 - t / last).powf(0.9);
    let expected: Vec<f64> =
        (0..6).map(|t| poly(f64::from(t), 5.0)).chain((6..8).map(|t| poly(f64::from(t), 7.0))).collect();
    assert_eq!(rates.len(), 8);
    for (rate, expected) in rates.iter().zip(&expected) {
        assert!((rate - expected).abs() < 1e-12, "{rates:?}");
    }
    // It is this run now.
    let model = fs::read(at.join("run/model.safetensors")).unwrap();
    assert!(String::from_utf8_lossy(&model).contains("schedule.iterations was 6 until iteration 6"));
    assert!(resume(at).status.success());
    assert!(fs::read(at.join("run/model.safetensors")).unwrap() == model);
    // Its older checkpoint, of before the change, still counts as its own.
    damage(&at.join("run/checkpoints/iter_0000008/model.safetensors"), |n| n[99] ^= 4);
    let output = resume(at);
    let told =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.contains("iter_0000008 is damaged: "), "{told}");
    assert!(fs::read(at.join("run/model.safetensors")).unwrap() == model);
    edit(&at.join("run/recipe.toml"), |t| t.replace("iterations = 8", "iterations = 6"));
    refused(at, &["schedule.iterations in recipe.toml is 6 and was 8"]);
}

/// Makes a run look as older versions left it.
pub(crate) fn without_hashes(run: &Path) {
    fs::remove_file(run.join("identity.json")).unwrap();
    let status = run.join("status.json");
    let mut kept: serde_json::Value = serde_json::from_slice(&fs::read(&status).unwrap()).unwrap();
    for key in ["identity", "written"] {
        kept.as_object_mut().unwrap().remove(key);
    }
    fs::write(&status, kept.to_string()).unwrap();
    for entry in fs::read_dir(run.join("checkpoints")).unwrap() {
        let path = entry.unwrap().path().join("state.json");
        let state: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        fs::write(&path, state["content"]["progress"].to_string()).unwrap();
    }
}

#[test]
fn a_run_of_an_older_version_goes_on_and_it_is_said_that_it_cannot_be_checked() {
    let folder = cut_off();
    let at = folder.path();
    let run = at.join("run");
    without_hashes(&run);
    // What it did keep is compared.
    let recipe = fs::read_to_string(run.join("recipe.toml")).unwrap();
    edit(&run.join("recipe.toml"), |t| t.replace("kind = \"sgd\"", "kind = \"adamw\""));
    refused(at, &["recipe.toml", "is not the recipe that this run began with"]);
    // Without that too, nothing panics.
    let status = fs::read(run.join("status.json")).unwrap();
    fs::remove_file(run.join("status.json")).unwrap();
    refused(at, &["optimizer.kind"]);
    fs::remove_file(run.join("identity.json")).unwrap();
    fs::write(run.join("recipe.toml"), recipe).unwrap();
    fs::write(run.join("status.json"), status).unwrap();
    let split = fs::read(run.join("split.json")).unwrap();
    fs::remove_file(run.join("split.json")).unwrap();
    refused(at, &["split.json"]);
    fs::write(run.join("split.json"), split).unwrap();
    let output = resume(at);
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    assert_eq!(text.matches("cannot be checked").count(), 1, "{text}");
    let model = |run: PathBuf| fs::read(run.join("model.safetensors")).unwrap();
    assert!(model(run.clone()) == model(base().join("whole")));
    // From now on it knows itself.
    edit(&run.join("recipe.toml"), |t| t.replace("lr = 0.01", "lr = 0.02"));
    refused(at, &["optimizer.lr in recipe.toml is 0.02 and was 0.01"]);
}

#[test]
fn a_bad_byte_in_a_log_costs_nothing_else() {
    let folder = victim();
    let at = folder.path();
    for (file, line, byte) in
        [("metrics.jsonl", 1, 0xff), ("metrics.jsonl", 3, b'x'), ("validation.jsonl", 0, 0)]
    {
        let path = at.join("run").join(file);
        let bytes = fs::read(&path).unwrap();
        let mut lines: Vec<Vec<u8>> = bytes.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
        lines[line][2] = byte;
        fs::write(&path, lines.concat()).unwrap();
        let output = resume(at);
        let text =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}");
        assert!(text.contains(&format!("{file}: line {} cannot be read", line + 1)), "{text}");
        assert_eq!(fs::read(&path).unwrap(), lines.concat(), "{file} is as it was");
        fs::write(&path, &bytes[..bytes.len() - 5]).unwrap();
        assert!(resume(at).status.success());
        // The cut line was of the last iteration, which the checkpoint holds: it is dropped, no other is.
        assert_eq!(fs::read(&path).unwrap(), lines_without_last(&bytes), "{file}");
        fs::write(&path, &bytes).unwrap();
    }
}

fn lines_without_last(bytes: &[u8]) -> Vec<u8> {
    let lines: Vec<&[u8]> = bytes.split_inclusive(|b| *b == b'\n').collect();
    lines[..lines.len() - 1].concat()
}

/// Changes the first number after `key` in a file of JSON.
fn change_number(file: &Path, key: &str, to: &str) {
    edit(file, |text| {
        let start = text.find(key).unwrap() + key.len();
        let start = start + text[start..].find(|c: char| c.is_ascii_digit()).unwrap();
        let end = start + text[start..].find(|c: char| !c.is_ascii_digit() && c != '.').unwrap();
        format!("{}{to}{}", &text[..start], &text[end..])
    });
}

#[test]
fn changed_results_are_not_compared() {
    let folder = victim();
    let at = folder.path();
    copy(&base().join("other"), &at.join("other"));
    let arguments = ["compare", "run", "other", "--out", "c"];
    succeed(at, &arguments);
    for (file, key, to, told) in [
        ("validation_images.json", "matrix", "999999", "its label has"),
        ("validation_images.json", "matrix", "18446744073709551615", "classes"),
        ("validation.jsonl", "mean_iou\":", "18000000000000000000", "mean_iou is 1.8e19"),
        ("validation.jsonl", "mean_iou\":", "1e308", "mean_iou is 1e308"),
        ("validation.jsonl", "pixel_accuracy\":", "1.5", "pixel_accuracy"),
        ("metrics.jsonl", "seconds\":", "1e300", "line 1"),
    ] {
        let path = at.join("other").join(file);
        let whole = fs::read(&path).unwrap();
        change_number(&path, key, to);
        let message = fail(at, &arguments);
        assert!(message.contains(file) && message.contains(told), "{file}, {key}: {message}");
        if file != "validation_images.json" {
            let message = fail(at, &["report", "other", "--data", "data", "--out", "r.html"]);
            assert!(message.contains(file) && message.contains(told), "{message}");
        }
        fs::write(&path, whole).unwrap();
    }
    // A score of the last validation alone.
    let path = at.join("other/validation.jsonl");
    edit(&path, |text| {
        let at = text.rfind("\"mean_iou\":0.").unwrap() + "\"mean_iou\":0.".len();
        format!("{}9{}", &text[..at], &text[at + 1..])
    });
    let message = fail(at, &arguments);
    assert!(
        message.contains("validation.jsonl: line 2") && message.contains("the mean of its iou"),
        "{message}"
    );
}

#[test]
fn changed_counts_are_reported_by_a_study_and_trained_again() {
    let folder = workshop();
    let at = folder.path();
    let text = "protocol = 'paper'\narchs = ['pspnet']\ntricks = ['S']\nbase = 'tiny.toml'\n\
                recipe.schedule.iterations = 1\n";
    // A name that looks like an option stays a name.
    fs::write(at.join("-h.toml"), text).unwrap();
    let run = ["study", "run", "./-h.toml", "--data", "data"];
    succeed(at, &run);
    let study = at.join("studies/-h");
    let report = ["study", "report", "studies/-h", "--tables-only"];
    succeed(at, &report);
    let counts = study.join("runs/pspnet_S_all_s0/validation_images.json");
    change_number(&counts, "matrix", "7");
    let message = fail(at, &report);
    assert!(
        message.contains("pspnet_S_all_s0/validation_images.json") && message.contains("sum to"),
        "{message}"
    );
    assert!(succeed(at, &["study", "status", "studies/-h"]).contains("damaged: "));
    let output = sorby(at, &run);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && told.contains("set aside and trained again"), "{told}");
    assert!(study.join("runs/pspnet_S_all_s0.old-1").is_dir());
    succeed(at, &report);
}

/// The report of the finished run on its images, and its bytes.
fn reported() -> (TempDir, String) {
    let folder = victim();
    succeed(folder.path(), &["report", "run", "--data", "data"]);
    let page = fs::read_to_string(folder.path().join("run/report.html")).unwrap();
    (folder, page)
}

fn replay(at: &Path, page: &str) -> (Option<i32>, String) {
    fs::write(at.join("run/report.html"), page).unwrap();
    let output = sorby(at, &["replay", "run/report.html"]);
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(!text.contains("panicked"), "{text}");
    (output.status.code(), text)
}

/// Replaces the first match after a place.
fn after(page: &str, place: &str, from: &str, to: &str) -> String {
    let start = page.find(place).unwrap();
    page[..start].to_owned() + &page[start..].replacen(from, to, 1)
}

/// The first number of a cell after a place becomes another.
fn other_cell(page: &str, place: &str, to: &str) -> String {
    let cell = page.find(place).unwrap();
    let start = cell + page[cell..].find("<td class=\"n\">").unwrap() + "<td class=\"n\">".len();
    let end = start + page[start..].find('<').unwrap();
    format!("{}{to}{}", &page[..start], &page[end..])
}

/// 8 becomes 9 in every cell.
fn eights(page: &str) -> String {
    let mut parts = page.split("<td class=\"n\">");
    let mut out = parts.next().unwrap().to_owned();
    for part in parts {
        let end = part.find('<').unwrap();
        out += &format!("<td class=\"n\">{}{}", part[..end].replace('8', "9"), &part[end..]);
    }
    out
}

fn pictures_swapped(page: &str) -> String {
    let parts: Vec<&str> = page.split("data:image/png;base64,").collect();
    let split = |part: &str| part.split_once('"').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let (a, a_rest) = split(parts[1]);
    // Where a model found nothing, its overlay is the picture itself.
    let other = (2..parts.len()).find(|&i| split(parts[i]).0 != a).expect("two pictures that differ");
    let (b, b_rest) = split(parts[other]);
    let mut parts: Vec<String> = parts.iter().map(|p| (*p).to_owned()).collect();
    (parts[1], parts[other]) = (format!("{b}\"{a_rest}"), format!("{a}\"{b_rest}"));
    parts.join("data:image/png;base64,")
}

/// The list of files in the record, emptied or with one file left out.
fn without_hashes_in_record(page: &str, all: bool) -> String {
    let start = page.find("&quot;files&quot;:{").unwrap() + "&quot;files&quot;:{".len();
    let end = start + page[start..].find('}').unwrap();
    let rest = if all { "" } else { page[start..end].split_once(',').unwrap().1 };
    format!("{}{rest}{}", &page[..start], &page[end..])
}

#[test]
fn no_forged_report_is_the_same_again() {
    let (folder, page) = reported();
    let at = folder.path();
    let (code, told) = replay(at, &page);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("are the same again, and the page to the byte"), "{told}");
    let other_processor = after(&page, "&quot;processor&quot;", "&quot;cpu ", "&quot;cpu old ");
    type Forgery<'a> = (&'a str, String, i32);
    let forged: Vec<Forgery> = vec![
        ("an accuracy", other_cell(&page, "<h2>Accuracy", "99.99"), 1),
        ("every cell", eights(&page), 1),
        ("an estimate", other_cell(&page, "95 % intervals", "0.01"), 1),
        ("the title", after(&page, "<h1>", "carbide", "ferrite"), 1),
        ("the browser's title", after(&page, "<title>", "carbide", "ferrite"), 1),
        ("number of images", after(&page, "class=\"subtitle\"", " images", "0 images"), 1),
        ("pictures swapped", pictures_swapped(&page), 1),
        ("a byte of a picture", after(&page, "base64,", "A", "B"), 1),
        ("a caption", after(&page, "<figcaption>", "input", "truth"), 1),
        ("a bar", after(&page, "Size of carbide", "height=\"", "height=\"1"), 1),
        ("a curve", after(&page, "Training loss", "L", "L9"), 1),
        ("an axis", after(&page, "Training loss", "loss", "lass"), 1),
        ("minutes", after(&page, "iterations in ", "iterations in ", "iterations in 1"), 1),
        ("the recipe", after(&page, "<h2>Recipe", "lr = 0.01", "lr = 0.02"), 1),
        ("the method", after(&page, "<h2>Method", "TP &#x2f; (TP", "TP &#x2f; (FP"), 1),
        ("a shown hash", after(&page, "<h2>Made from", "<td class=\"long\">", "<td class=\"long\">0"), 1),
        ("a warning gone", page.replacen("<h2>Accuracy</h2>", "<h2>Accuracy</h2><p>None wrong.</p>", 1), 1),
        ("a space", after(&page, "<h2>", "<h2>", " <h2>"), 1),
        ("a line end", page.clone() + "\n", 1),
        ("a comment", page.replacen("<h1>", "<!-- x --><h1>", 1), 1),
        ("a hidden text", page.replacen("<h2>", "<p hidden>accredited</p><h2>", 1), 1),
        ("a script", page.replacen("</html>", "<script>document.title = 1</script></html>", 1), 1),
        ("a style", page.replacen("</style>", "td { display: none }</style>", 1), 1),
        ("an attribute", page.replacen("<table>", "<table onclick=\"x()\">", 1), 1),
        (
            "a number of the record",
            page.replacen("&quot;mean_iou&quot;:0.", "&quot;mean_iou&quot;:0.9", 1),
            1,
        ),
        ("the record's last digit", last_digit(&page, "&quot;mean_iou&quot;:0."), 1),
        ("no hashes", without_hashes_in_record(&page, true), 2),
        ("a hash less", without_hashes_in_record(&page, false), 2),
        ("a hash", after(&page, "model.safetensors&quot;:", "&quot;:&quot;", "&quot;:&quot;0"), 2),
        ("no record", page.replacen("sorby-record", "sorby-recard", 1), 2),
        ("half a record", page[..page.len() - 300].to_owned(), 2),
        ("another processor and every cell", eights(&other_processor), 1),
        ("another processor and an accuracy", other_cell(&other_processor, "<h2>Accuracy", "99.99"), 1),
        ("another processor and a picture", pictures_swapped(&other_processor), 1),
        ("an older page", page.replacen("&quot;processor&quot;", "&quot;processer&quot;", 1), 2),
    ];
    for (name, forgery, expected) in &forged {
        assert!(*forgery != page, "{name}: nothing is forged");
        let (code, told) = replay(at, forgery);
        assert_eq!(code, Some(*expected), "{name}: {told}");
        assert!(!told.contains("are the same again"), "{name}: {told}");
    }
    assert!(forged.len() >= 30);
    let (_, told) = replay(at, &other_cell(&page, "<h2>Accuracy", "99.99"));
    assert!(told.contains("`Accuracy`: `99.99` in the report, `") && told.contains("` now"), "{told}");
    // That a page was made on another processor is said.
    let (code, told) = replay(at, &other_processor);
    assert!(code == Some(0) && told.contains("another kind of processor"), "{told}");
}

/// The last digit of the first number after a place becomes another.
fn last_digit(page: &str, place: &str) -> String {
    let start = page.find(place).unwrap() + place.len();
    let end = start + page[start..].find(|c: char| !c.is_ascii_digit()).unwrap();
    let other = if &page[end - 1..end] == "5" { "6" } else { "5" };
    format!("{}{other}{}", &page[..end - 1], &page[end..])
}

#[test]
fn everything_that_a_report_shows_something_of_is_hashed() {
    let (folder, page) = reported();
    let at = folder.path();
    for file in [
        "run/metrics.jsonl",
        "run/validation.jsonl",
        "run/split.json",
        "run/model.safetensors",
        "data/dataset.toml",
    ] {
        let path = at.join(file);
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, [&bytes[..], b"\n"].concat()).unwrap();
        let (code, told) = replay(at, &page);
        let name = file.rsplit('/').next().unwrap();
        assert!(code == Some(2) && told.contains(name) && told.contains("has changed"), "{file}: {told}");
        fs::write(&path, bytes).unwrap();
    }
    // However many are gone, it is one line.
    for entry in fs::read_dir(at.join("data/images")).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    fs::remove_dir_all(at.join("data/labels")).unwrap();
    let message = fail(at, &["replay", "run/report.html"]);
    assert!(message.contains("files are not what the report was made from"), "{message}");
}

#[test]
fn numbers_that_cannot_be_are_refused_by_name() {
    let folder = base();
    let recipe =
        |key: &str| fail(folder, &["train", "tiny.toml", "--data", "data", "--out", "never", "--set", key]);
    for (key, range) in [
        ("data.input_scale=1e-9", "from 0.01 to 4"),
        ("optimizer.lr=1e300", "from 1e-12 to 1e30"),
        ("schedule.iterations=1152921504606846976", "to 1000000000"),
        ("inference.window=1000000", "to 16384"),
    ] {
        let message = recipe(key);
        let name = key.split('=').next().unwrap();
        assert!(message.contains(name) && message.contains(range), "{message}");
    }
    assert!(!folder.join("never").exists());
    for threads in ["100000", "1000000000000000000", "0"] {
        let message = fail(folder, &["--threads", threads, "doctor"]);
        assert!(message.contains("--threads"), "{message}");
        assert!(threads == "0" || message.contains("at most"), "{message}");
    }
    let mut by_variable = command(folder, &["doctor"]);
    let told = by_variable.env("RAYON_NUM_THREADS", "100000").output().unwrap();
    assert!(String::from_utf8_lossy(&told.stderr).contains("RAYON_NUM_THREADS 100000"));
    let draft =
        ["label", "draft", "a.png", "--strokes", "b.png", "--out", "never.png", "--classes", "1000000"];
    assert!(fail(folder, &draft).contains("--classes"));
    assert!(fail(folder, &["label", "trial", "data", "--strokes", "100000000000"]).contains("--strokes"));
    assert!(
        fail(folder, &["synth", "--out", "never", "--images", "18446744073709551615"]).contains("--images")
    );
    let measure = |option: &str, value: &str| {
        fail(folder, &["measure", "data/labels", "--out", "never", option, value])
    };
    assert!(measure("--class", "255").contains("left out"));
    for value in ["1e308", "1e-308", "inf", "nan", "-5", "0"] {
        assert!(measure("--nm-per-px", value).contains("from 0.001 to 1000000"), "{value}");
    }
    for option in ["--min-area-px", "--split", "--scale-accuracy", "--plan", "--connectivity", "--class"] {
        let message = measure(option, "-5");
        assert!(message.contains(option), "{option}: {message}");
        assert!(!message.contains("unexpected argument"), "{option}: {message}");
    }
    let message = fail(folder, &["--threads", "-5", "doctor"]);
    assert!(message.contains("--threads") && message.contains("whole number"), "{message}");
    assert!(!folder.join("never").exists());
}

#[test]
fn a_name_that_a_spreadsheet_would_compute_is_text() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::create_dir(at.join("masks")).unwrap();
    let label = fs::read_dir(base().join("data/labels")).unwrap().next().unwrap().unwrap().path();
    let names = ["=1+1", "+cmd", "-a", "@SUM(A1)", "-5", "plain"];
    for name in names {
        fs::copy(&label, at.join("masks").join(format!("{name}.png"))).unwrap();
    }
    succeed(at, &["measure", "masks", "--out", "m", "--nm-per-px", "10"]);
    let (mut tables, mut text) = (0, String::new());
    for entry in fs::read_dir(at.join("m")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "csv") {
            tables += 1;
            text += &fs::read_to_string(&path).unwrap();
            let mut file = csv::ReaderBuilder::new().has_headers(false).from_path(&path).unwrap();
            for cell in file.records().flat_map(|r| r.unwrap().iter().map(str::to_owned).collect::<Vec<_>>())
            {
                let formula =
                    cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.parse::<f64>().is_err();
                assert!(!formula, "{}: {cell}", path.display());
                assert!(!cell.contains("inf") && cell != "NaN", "{}: {cell}", path.display());
            }
        }
    }
    assert!(tables >= 2);
    assert!(text.contains("'=1+1") && text.contains("\n-5,"), "{text}");
}
