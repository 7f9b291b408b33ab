//! Attacks that must fail: on a run that goes on, on what reports are made from, and on reports. What was tried,
//! before and now: docs/reliability.md.

use crate::{fail, sorby, succeed, workshop};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tempfile::TempDir;

/// A finished run `whole` of six iterations with checkpoints of the fourth and the sixth, made once.
fn base() -> &'static Path {
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

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target)
        } else {
            drop(fs::copy(entry.path(), target).unwrap())
        }
    }
}

/// A copy of the run and its data to attack: `run` and `data`.
fn victim() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(&base().join("whole"), &folder.path().join("run"));
    copy(&base().join("data"), &folder.path().join("data"));
    folder
}

/// The same, cut off after the fourth iteration.
fn cut_off() -> TempDir {
    let folder = victim();
    let run = folder.path().join("run");
    fs::remove_dir_all(run.join("checkpoints/iter_0000006")).unwrap();
    fs::remove_file(run.join("model.safetensors")).unwrap();
    folder
}

fn edit(file: &Path, change: impl FnOnce(String) -> String) {
    let text = fs::read_to_string(file).unwrap();
    let changed = change(text.clone());
    assert!(changed != text, "{} is not changed", file.display());
    fs::write(file, changed).unwrap();
}

fn resume(at: &Path) -> std::process::Output {
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
        (Box::new(half), &["recipe.toml", "more"]),
        (Box::new(|text| text[..text.len() / 2 + 3].to_owned() + "\n= ["), &["recipe.toml"]),
        (Box::new(|_| String::new()), &["data.batch in recipe.toml is 8 and was 2", "more"]),
        (Box::new(set("lr = 0.01", "lr = 0.02")), &["optimizer.lr in recipe.toml is 0.02 and was 0.01"]),
        (Box::new(set("seed = 0", "seed = 1")), &["seed in recipe.toml is 1 and was 0"]),
        (Box::new(set("crop = 64", "crop = 96")), &["data.crop"]),
        (Box::new(set("batch = 2", "batch = 3")), &["data.batch"]),
        (Box::new(set("ema_decay = 0.7", "ema_decay = 0.6")), &["optimizer.ema_decay"]),
        (
            Box::new(set("ema_decay = 0.7\n", "")),
            &["optimizer.ema_decay in recipe.toml is not set and was 0.7"],
        ),
        (Box::new(set("iterations = 6", "iterations = 8000")), &["schedule.iterations", "--iterations 8000"]),
        (Box::new(set("kind = \"sgd\"", "kind = \"adamw\"")), &["optimizer.kind"]),
        (Box::new(set("kind = \"focal\"", "kind = \"cross_entropy\"")), &["loss.kind"]),
        (Box::new(set("augment = \"weak\"", "augment = \"strong\"")), &["augment"]),
        (Box::new(set("arch = \"deeplabv3plus\"", "arch = \"pspnet\"")), &["arch"]),
        (Box::new(set("dropout = 0.1", "dropout = 0.2")), &["model.dropout"]),
        (Box::new(set("checkpoint_every = 2", "checkpoint_every = 1")), &["schedule.checkpoint_every"]),
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

#[test]
fn other_classes_splits_and_data_are_refused() {
    let folder = cut_off();
    let (at, manifest) = (folder.path(), folder.path().join("data/dataset.toml"));
    let original = fs::read_to_string(&manifest).unwrap();
    let swap = |text: String| {
        text.replace("carbide", "\u{1}").replace("matrix", "carbide").replace('\u{1}', "matrix")
    };
    edit(&manifest, swap);
    refused(at, &["the classes in dataset.toml are carbide, matrix and were matrix, carbide"]);
    edit(&manifest, |_| original.replace("carbide", "pore"));
    refused(at, &["classes", "pore"]);
    fs::write(&manifest, &original).unwrap();

    let label = fs::read_dir(at.join("data/labels")).unwrap().next().unwrap().unwrap().path();
    let (bytes, name) =
        (fs::read(&label).unwrap(), label.file_stem().unwrap().to_string_lossy().into_owned());
    let mut map = sorby_image::LabelMap::read_png(&label).unwrap();
    map.labels[7] = 1 - map.labels[7];
    map.write_png(&label, &[[0; 3], [255; 3]]).unwrap();
    refused(at, &["label", &name]);
    // Nor does it help that the list of what took part is gone.
    fs::remove_file(at.join("run/split.json")).unwrap();
    refused(at, &["label", &name]);
    fs::write(&label, &bytes).unwrap();

    let images: Vec<_> = fs::read_dir(at.join("data/images")).unwrap().map(|e| e.unwrap().path()).collect();
    let (one, two) = (fs::read(&images[0]).unwrap(), fs::read(&images[1]).unwrap());
    fs::write(&images[0], &two).unwrap();
    refused(at, &["image `", "changed since it began"]);
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
fn damage(file: &Path, change: impl FnOnce(&mut [u8])) {
    let mut bytes = fs::read(file).unwrap();
    let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    change(&mut bytes[header..]);
    fs::write(file, bytes).unwrap();
}

#[test]
fn a_damaged_checkpoint_is_named_and_the_older_one_used() {
    let newest = "run/checkpoints/iter_0000006";
    type Attack = Box<dyn Fn(&Path)>;
    let mut attacks: Vec<(String, Attack)> = Vec::new();
    for name in ["model", "optimizer", "average"] {
        let file = format!("{newest}/{name}.safetensors");
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
            Box::new(move |f| drop(fs::copy(&other, f.join(&at)).unwrap())),
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
            Box::new(move |f| edit(&f.join(newest).join("state.json"), |t| t.replace(from, to)));
        attacks.push((format!("state: {name}"), change));
    }
    attacks.push((
        "state missing".into(),
        Box::new(|f| fs::remove_file(f.join(newest).join("state.json")).unwrap()),
    ));
    let old = "{\"iteration\":6,\"best\":null,\"reliability\":null}";
    attacks.push((
        "state as older versions wrote it".into(),
        Box::new(move |f| fs::write(f.join(newest).join("state.json"), old).unwrap()),
    ));
    attacks.push((
        "whole checkpoint of another run".into(),
        Box::new(|f| {
            fs::remove_dir_all(f.join(newest)).unwrap();
            copy(&base().join("other/checkpoints/iter_0000006"), &f.join(newest));
        }),
    ));
    attacks.push((
        "older one under the newest's name".into(),
        Box::new(|f| {
            fs::remove_dir_all(f.join(newest)).unwrap();
            copy(&f.join("run/checkpoints/iter_0000004"), &f.join(newest));
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
    assert!(resume(at).status.success());
    assert!(fs::read(at.join("run/model.safetensors")).unwrap() == model);
    // Its older checkpoint, of before the change, still counts as its own.
    damage(&at.join("run/checkpoints/iter_0000008/model.safetensors"), |n| n[99] ^= 4);
    assert!(resume(at).status.success());
    assert!(fs::read(at.join("run/model.safetensors")).unwrap() == model);
    edit(&at.join("run/recipe.toml"), |t| t.replace("iterations = 8", "iterations = 6"));
    refused(at, &["schedule.iterations in recipe.toml is 6 and was 8"]);
}

/// Makes a run look as older versions left it.
fn without_hashes(run: &Path) {
    fs::remove_file(run.join("identity.json")).unwrap();
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
