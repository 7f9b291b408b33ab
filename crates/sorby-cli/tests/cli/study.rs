//! `sorby study` from the outside.

use crate::{command, fail, sorby, succeed, workshop};
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Modification times of all models of a study.
pub fn models(study: &Path) -> Vec<(std::ffi::OsString, std::time::SystemTime)> {
    let entries = fs::read_dir(study.join("runs")).unwrap().flatten();
    let mut out: Vec<_> = entries
        .filter_map(|e| {
            Some((e.file_name(), fs::metadata(e.path().join("model.safetensors")).ok()?.modified().ok()?))
        })
        .collect();
    out.sort();
    out
}

#[test]
fn the_papers_protocol_from_file_to_tables() {
    let folder = workshop();
    let at = folder.path();
    let text = "protocol = 'paper'\narchs = ['pspnet']\ntricks = ['S', 'fast']\nbase = 'tiny.toml'\n\
                recipe.schedule.iterations = 2\n[trick.fast]\ntitle = 'Higher rate'\nset.optimizer.lr = 0.02\n";
    fs::write(at.join("n2.toml"), text).unwrap();
    let study = ["study", "run", "n2.toml", "--data", "data", "--out", "n2", "--jobs", "2"];
    // Killed at its first finished training, and taken up again.
    let mut child = command(at, &study).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let limit = Instant::now() + Duration::from_secs(300);
    while !at.join("n2/runs/pspnet_base_all_s0/model.safetensors").exists()
        && child.try_wait().unwrap().is_none()
    {
        assert!(Instant::now() < limit, "the study does not get on");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let told = succeed(at, &study);
    assert!(told.contains("finished: ") && told.contains("pspnet_fast_all_s0"), "{told}");
    let before = models(&at.join("n2"));
    assert!(before.len() >= 3);
    succeed(at, &study);
    assert_eq!(before, models(&at.join("n2")), "nothing is trained twice");

    // Another recipe is another run: the old one is set aside, not lost.
    fs::write(at.join("n2.toml"), text.replace("0.02", "0.03")).unwrap();
    succeed(at, &study);
    let aside = at.join("n2/runs/pspnet_fast_all_s0.old-1/model.safetensors");
    assert!(aside.is_file());
    // And taken back, when the study asks for it again.
    let made = fs::metadata(&aside).unwrap().modified().unwrap();
    fs::write(at.join("n2.toml"), text).unwrap();
    succeed(at, &study);
    let back = fs::metadata(at.join("n2/runs/pspnet_fast_all_s0/model.safetensors")).unwrap();
    assert_eq!(back.modified().unwrap(), made);
    fs::write(at.join("n2.toml"), text.replace("0.02", "0.03")).unwrap();
    succeed(at, &study);

    // What the study says stays, whatever becomes of the base's file.
    fs::rename(at.join("tiny.toml"), at.join("away.toml")).unwrap();
    let status: serde_json::Value =
        serde_json::from_str(&succeed(at, &["study", "status", "n2", "--json"])).unwrap();
    fs::rename(at.join("away.toml"), at.join("tiny.toml")).unwrap();
    assert!(
        status["missing"].as_array().unwrap().is_empty() && status["done"].as_array().unwrap().len() >= 3
    );
    succeed(at, &["study", "report", "n2"]);
    let table = fs::read_to_string(at.join("n2/report/table1.csv")).unwrap();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines[0], "data,model,baseline mIoU (%),S (points),fast (points)");
    assert!(lines[1].starts_with("data,PSPNet,") && lines[2].starts_with("mean,"), "{table}");
    for file in [
        "table2.tex",
        "figure2.png",
        "figure3.png",
        "figure7a.svg",
        "figure8.md",
        "learning.svg",
        "report.html",
    ] {
        assert!(at.join("n2/report").join(file).is_file(), "{file}");
    }
    let html = fs::read_to_string(at.join("n2/report/report.html")).unwrap();
    assert!(!html.contains("<script") && !html.contains("src=\"http"), "self-contained");
    trainings_are_put_side_by_side(at);
}

/// Baseline and trick of the study above.
fn trainings_are_put_side_by_side(at: &Path) {
    let runs = ["n2/runs/pspnet_base_all_s0", "n2/runs/pspnet_fast_all_s0"];
    succeed(at, &["compare", runs[0], runs[1], "--out", "beside"]);
    let mut table = csv::Reader::from_path(at.join("beside/runs.csv")).unwrap();
    let heads = table.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    let cell = |row: usize, head: &str| rows[row][heads.iter().position(|h| h == head).unwrap()].to_owned();
    let number = |row, head| cell(row, head).parse::<f64>().unwrap();
    assert_eq!((cell(0, "run"), cell(1, "run")), ("pspnet_base_all_s0".into(), "pspnet_fast_all_s0".into()));
    let recipes = fs::read_to_string(at.join("beside/recipes.csv")).unwrap();
    assert!(recipes.ends_with("\npspnet_fast_all_s0,optimizer.lr = 0.03\n"), "{recipes}");
    // The difference comes from the images' counts, the scores from the record of the validation.
    let difference = number(1, "mIoU (%)") - number(0, "mIoU (%)");
    assert!((number(1, "over the first (points)") - difference).abs() < 0.011, "{rows:?}");
    let chart = fs::read_to_string(at.join("beside/timea.svg")).unwrap();
    assert!(chart.contains("pspnet_fast_all_s0"), "{chart}");

    let other = ["train", "tiny.toml", "--data", "data", "--out", "other", "--set", "schedule.iterations=1"];
    succeed(at, &other);
    let message = fail(at, &["compare", runs[0], "other"]);
    assert!(message.contains("other: was validated on other images"), "{message}");
    let message = fail(at, &["compare", "data"]);
    assert!(message.contains("is it the folder of a run?"), "{message}");
}

#[test]
fn the_sound_protocol_plans_trains_and_reports() {
    let folder = workshop();
    let at = folder.path();
    let text = "archs = ['deeplabv3plus']\ntricks = ['S']\nbase = 'tiny.toml'\nfolds = 2\nseeds = 2\n\
                recipe.schedule.iterations = 1\nrecipe.schedule.validate_every = 1\n";
    fs::write(at.join("s.toml"), text).unwrap();
    let plan = succeed(at, &["study", "plan", "s.toml", "--data", "data"]);
    // Two sets in 2 x 2 trainings, and 2 x 2 final ones.
    assert!(plan.contains("at most 12 trainings") && plan.contains("finds a gain of"), "{plan}");
    let message = fail(at, &["study", "plan", "s.toml", "--data", "data", "--budget", "1s"]);
    assert!(message.contains("do not hold the smallest study"), "{message}");
    succeed(at, &["study", "run", "s.toml", "--data", "data", "--out", "s"]);
    succeed(at, &["study", "report", "s", "--tables-only"]);
    let gains = fs::read_to_string(at.join("s/report/gains-data.csv")).unwrap();
    assert!(
        gains.starts_with("model,trick,gain (points),95 % from,to,chance if none,verdict\nDeepLabV3+,S,"),
        "{gains}"
    );
    let test = fs::read_to_string(at.join("s/report/test-data.csv")).unwrap();
    assert!(test.lines().count() >= 3, "{test}");
    // Folds hold the training images and nothing else.
    let manifest = fs::read_to_string(at.join("s/dataset.toml")).unwrap();
    assert!(manifest.contains("study-fold-1") && manifest.contains("study-fold-2"), "{manifest}");
}

#[test]
fn one_failed_training_does_not_stop_a_study() {
    let folder = workshop();
    let at = folder.path();
    let text = "protocol = 'paper'\narchs = ['pspnet']\ntricks = ['wild', 'S']\nbase = 'tiny.toml'\n\
                recipe.schedule.iterations = 3\n[trick.wild]\ntitle = 'Absurd rate'\nset.optimizer.lr = 1e30\n";
    fs::write(at.join("f.toml"), text).unwrap();
    let study = ["study", "run", "f.toml", "--data", "data", "--out", "f"];
    for _ in 0..2 {
        // The second time it is tried again, and fails again.
        let output = sorby(at, &study);
        assert_eq!(output.status.code(), Some(1));
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(told.contains("failed: pspnet_wild_all_s0: the loss became"), "{told}");
        assert!(told.contains("finished: 3 trainings") || told.contains("finished: 4 trainings"), "{told}");
    }
    let status: serde_json::Value =
        serde_json::from_str(&succeed(at, &["study", "status", "f", "--json"])).unwrap();
    assert_eq!(status["failed"].as_array().unwrap().len(), 1);
    succeed(at, &["study", "report", "f"]);
    let table = fs::read_to_string(at.join("f/report/table1.csv")).unwrap();
    assert!(
        table.lines().nth(1).unwrap().split(',').nth(3) == Some(""),
        "no gain of a failed training: {table}"
    );
}

#[test]
fn mistakes_in_a_study_are_told_before_anything_is_trained() {
    let folder = workshop();
    let at = folder.path();
    let run = |text: &str| {
        fs::write(at.join("bad.toml"), text).unwrap();
        fail(at, &["study", "run", "bad.toml", "--data", "data", "--out", "bad"])
    };
    assert!(run("base = 'tiny.toml'\npretrained = 'none.pth'").contains("none.pth"));
    assert!(run("base = 'tiny.toml'\ntricks = ['S']\nfolds = 9").contains("9 folds"));
    assert!(run("base = 'tiny.toml'\ntricks = ['S']\ntest = 'nothing'").contains("no split `nothing`"));
    assert!(run("base = 'nowhere.toml'\ntricks = ['S']").contains("nowhere.toml"));
    assert!(
        run("base = 'tiny.toml'\ntricks = ['S', 's']\n[trick.s]\ntitle = 'x'\nset.data.crop = 96")
            .contains("twice")
    );
    assert!(run("base = 'tiny.toml'\ntricks = ['S']\nrecipe.seed = 4").contains("recipe sets seed"));
    assert!(!at.join("bad/runs").exists());
    let output = sorby(at, &["study", "status", "data"]);
    assert_eq!(output.status.code(), Some(2));
}
