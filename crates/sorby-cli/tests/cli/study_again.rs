//! Studies taken up again in other circumstances: moved, of other data, with near-duplicates among the images.

use crate::study::models;
use crate::{command, fail, succeed, workshop};
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

const TRANSFER: &str = "protocol = 'paper'\narchs = ['pspnet']\ntricks = ['T']\nbase = 'tiny.toml'\n\
                        pretrained = 'start/model.safetensors'\nrecipe.schedule.iterations = 2\n";

/// A study file `t.toml` with trick T, and its pretrained file.
fn transfer_study(at: &Path) {
    let start = ["train", "tiny.toml", "--data", "data", "--out", "start", "--set", "schedule.iterations=1"];
    succeed(at, &start);
    fs::write(at.join("t.toml"), TRANSFER).unwrap();
}

#[test]
fn a_study_that_moves_trains_nothing_anew() {
    let folder = workshop();
    let at = folder.path();
    transfer_study(at);
    let run = |out: &str| succeed(at, &["study", "run", "t.toml", "--data", "data", "--out", out]);
    run("t");
    let before = models(&at.join("t"));
    assert!(before.iter().any(|m| m.0 == "pspnet_T_all_s0"), "{before:?}");
    // The study, the images and the pretrained file, all to other places.
    for (from, to) in [("t", "moved"), ("start", "weights")] {
        fs::rename(at.join(from), at.join(to)).unwrap();
    }
    fs::write(at.join("t.toml"), TRANSFER.replace("start/", "weights/")).unwrap();
    run("moved");
    assert_eq!(models(&at.join("moved")), before, "nothing is trained twice");
    // Another file of the same name is another training.
    let other = ["train", "tiny.toml", "--data", "data", "--out", "other", "--set", "schedule.iterations=2"];
    succeed(at, &other);
    fs::copy(at.join("other/model.safetensors"), at.join("weights/model.safetensors")).unwrap();
    run("moved");
    assert!(at.join("moved/runs/pspnet_T_all_s0.old-1").is_dir());
    assert!(!at.join("moved/runs/pspnet_base_all_s0.old-1").exists());
}

#[test]
fn a_training_that_was_cut_off_goes_on_after_a_move() {
    let folder = workshop();
    let at = folder.path();
    let text = "protocol = 'paper'\narchs = ['pspnet']\ntricks = ['S']\nbase = 'tiny.toml'\n\
                recipe.schedule.iterations = 40\nrecipe.schedule.validate_every = 40\n";
    fs::write(at.join("m.toml"), text).unwrap();
    let study = |out| ["study", "run", "m.toml", "--data", "data", "--out", out];
    let mut child = command(at, &study("m")).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let limit = Instant::now() + Duration::from_secs(300);
    while !at.join("m/runs/pspnet_base_all_s0/checkpoints/iter_0000004").exists() {
        assert!(Instant::now() < limit && child.try_wait().unwrap().is_none(), "no checkpoint is written");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // Its training ends by itself, having noticed.
    let status = || fs::read_to_string(at.join("m/runs/pspnet_base_all_s0/status.json")).unwrap();
    while status().contains("running") {
        assert!(Instant::now() < limit, "{}", status());
        std::thread::sleep(Duration::from_millis(20));
    }
    fs::rename(at.join("m"), at.join("n")).unwrap();
    fs::rename(at.join("data"), at.join("images")).unwrap();
    fs::write(at.join("m.toml"), text.replace("['S']", "['S']\ntitle = 'moved'")).unwrap();
    let told = succeed(at, &["study", "run", "m.toml", "--data", "images", "--out", "n"]);
    assert!(told.contains("finished: 2 trainings") || told.contains("finished: 3 trainings"), "{told}");
}

#[test]
fn a_study_of_other_data_is_not_taken_over() {
    let folder = workshop();
    let at = folder.path();
    let text = "protocol = 'paper'\narchs = ['pspnet']\ntricks = ['S']\nbase = 'tiny.toml'\n\
                recipe.schedule.iterations = 1\n";
    fs::write(at.join("p.toml"), text).unwrap();
    succeed(at, &["study", "run", "p.toml", "--data", "data", "--out", "p"]);
    let before = fs::read(at.join("p/dataset.toml")).unwrap();
    succeed(at, &["synth", "--out", "ferrite", "--kind", "ferrite", "--images", "5", "--size", "120x96"]);
    let message = fail(at, &["study", "run", "p.toml", "--data", "ferrite", "--out", "p"]);
    assert!(message.contains("holds a study of") && message.contains("another --out"), "{message}");
    assert_eq!(fs::read(at.join("p/dataset.toml")).unwrap(), before);
    let message = fail(at, &["study", "run", "p.toml", "--data", "data", "--out", "p", "--budget", "1h"]);
    assert!(message.contains("were not planned by --budget"), "{message}");
}

#[test]
fn near_duplicates_share_a_fold() {
    let folder = workshop();
    let at = folder.path();
    let manifest = fs::read_to_string(at.join("data/dataset.toml")).unwrap();
    let mut parsed: toml::Table = toml::from_str(&manifest).unwrap();
    let train: Vec<String> = parsed["splits"]["train"].clone().try_into().unwrap();
    let first = &train[0];
    for part in ["images", "labels"] {
        fs::copy(at.join(format!("data/{part}/{first}.png")), at.join(format!("data/{part}/zz-again.png")))
            .unwrap();
    }
    parsed["splits"]["train"].as_array_mut().unwrap().push("zz-again".into());
    fs::write(at.join("data/dataset.toml"), toml::to_string(&parsed).unwrap()).unwrap();
    let text = "archs = ['pspnet']\ntricks = ['S']\nbase = 'tiny.toml'\nfolds = 2\nseeds = 1\n\
                recipe.schedule.iterations = 1\nrecipe.schedule.validate_every = 1\n";
    fs::write(at.join("w.toml"), text).unwrap();
    succeed(at, &["study", "run", "w.toml", "--data", "data", "--out", "w"]);
    let laid: toml::Table = toml::from_str(&fs::read_to_string(at.join("w/dataset.toml")).unwrap()).unwrap();
    let folds: Vec<Vec<String>> =
        (1..3).map(|f| laid["folds"][&format!("study-fold-{f}")].clone().try_into().unwrap()).collect();
    let of = |name: &str| folds.iter().position(|f| f.iter().any(|n| n == name));
    assert!(of(first).is_some() && of(first) == of("zz-again"), "{folds:?}");
}
