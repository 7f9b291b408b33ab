//! Attacks that must fail: on what is believed of a finished run, and on logs and best model of one that goes on. What
//! was tried, before and now: docs/reliability.md.

use crate::guard_resume::{base, copy, cut_off, damage, edit, resume, victim, without_hashes};
use crate::{fail, sorby, succeed, workshop};
use std::fs;
use std::path::Path;
use std::process::Output;
use tempfile::TempDir;

/// A change of the files in a run's folder.
type Attack<'a> = Box<dyn Fn(&Path) + 'a>;

fn change<'a>(file: &'a str, how: impl Fn(String) -> String + 'a) -> Attack<'a> {
    Box::new(move |run| edit(&run.join(file), &how))
}

fn gone<'a>(files: &'a [&'a str]) -> Attack<'a> {
    Box::new(move |run| files.iter().for_each(|file| fs::remove_file(run.join(file)).unwrap()))
}

/// Gives the first number after a key another value, in a line of a log (from 0) or in all.
fn set(text: &str, line: Option<usize>, key: &str, to: &str) -> String {
    let changed = |(i, l): (usize, &str)| {
        let Some(start) = l.find(key).filter(|_| line.is_none_or(|n| n == i)) else { return l.to_owned() };
        let start = start + key.len();
        let end = start + l[start..].find([',', '}']).unwrap();
        format!("{}{to}{}", &l[..start], &l[end..])
    };
    text.lines().enumerate().map(changed).map(|l| l + "\n").collect()
}

/// Both runs of the base, to compare.
fn two_runs() -> TempDir {
    let folder = victim();
    copy(&base().join("other"), &folder.path().join("other"));
    folder
}

const COMPARE: [&str; 5] = ["compare", "other", "run", "--out", "c"];
const REPORT: [&str; 6] = ["report", "run", "--data", "data", "--out", "r.html"];

/// Each attack makes `compare` and `report` refuse, by the file's name and with the words.
#[track_caller]
fn refused_by_both(attacks: Vec<(&str, Attack, [&str; 2])>) {
    for (name, attack, told) in attacks {
        let folder = two_runs();
        let at = folder.path();
        attack(&at.join("run"));
        for arguments in [&COMPARE[..], &REPORT] {
            let message = fail(at, arguments);
            assert!(told.iter().all(|word| message.contains(word)), "{name}, {}: {message}", arguments[0]);
        }
        assert!(!at.join("c").exists() && !at.join("r.html").exists(), "{name}");
    }
}

fn reversed(text: String) -> String {
    text.lines().rev().map(|l| l.to_owned() + "\n").collect()
}

fn json(text: &str, how: impl FnOnce(&mut serde_json::Value)) -> String {
    let mut value = serde_json::from_str(text).unwrap();
    how(&mut value);
    value.to_string()
}

/// All pixels of the second class found, in the counts and in the log.
fn counts_and_log(run: &Path) {
    edit(&run.join("validation_images.json"), |text| {
        json(&text, |images| {
            for image in images.as_array_mut().unwrap() {
                let of = |i: usize, j: usize| image["matrix"][i][j].as_u64().unwrap();
                let (all, rest) = (of(1, 0) + of(1, 1), of(0, 0) + of(0, 1));
                image["matrix"] = serde_json::json!([[rest, 0], [0, all]]);
            }
        })
    });
    edit(&run.join("validation.jsonl"), |text| {
        let last = "{\"iteration\":6,\"mean_iou\":1.0,\"iou\":[1.0,1.0],\"pixel_accuracy\":1.0}\n";
        text.lines().next().unwrap().to_owned() + "\n" + last
    });
}

#[test]
fn forged_scores_and_logs_are_not_compared() {
    let folder = two_runs();
    succeed(folder.path(), &COMPARE);
    let (scores, mean) = ("validation.jsonl", "\"mean_iou\":");
    refused_by_both(vec![
        (
            "first mean",
            change(scores, |t| set(&t, Some(0), mean, "0.99")),
            ["validation.jsonl: line 1", "0.99"],
        ),
        ("all means", change(scores, |t| set(&t, None, mean, "0.60")), ["validation.jsonl: line 1", "0.6"]),
        (
            "last mean, no counts",
            Box::new(|run| {
                fs::remove_file(run.join("validation_images.json")).unwrap();
                edit(&run.join("validation.jsonl"), |t| set(&t, Some(1), "\"mean_iou\":", "0.99"));
            }),
            ["validation.jsonl: line 2", "the mean of its iou"],
        ),
        ("no counts", gone(&["validation_images.json"]), ["validation_images.json", "is missing"]),
        (
            "no counts, and said to be stopped",
            Box::new(|run| {
                fs::remove_file(run.join("validation_images.json")).unwrap();
                edit(&run.join("status.json"), |t| t.replace("\"done\"", "\"stopped\""));
            }),
            ["validation_images.json", "is missing"],
        ),
        (
            "three classes, and a status without hashes",
            Box::new(|run| {
                let first =
                    "{\"iteration\":3,\"mean_iou\":0.5,\"iou\":[0.5,0.5,0.5],\"pixel_accuracy\":0.5}\n";
                edit(&run.join("validation.jsonl"), |t| first.to_owned() + t.lines().nth(1).unwrap() + "\n");
                edit(&run.join("status.json"), |t| {
                    json(&t, |s| drop(s.as_object_mut().unwrap().remove("written")))
                });
            }),
            ["validation.jsonl", "has the iou of 3 classes, and this run has 2"],
        ),
        (
            "counts and log together",
            Box::new(counts_and_log),
            ["validation.jsonl", "is not what this run wrote"],
        ),
        (
            "an image twice",
            change("validation_images.json", |t| {
                json(&t, |list| {
                    let again = list[0].clone();
                    list.as_array_mut().unwrap().push(again);
                })
            }),
            ["validation_images.json", "not those that this run was validated on"],
        ),
        (
            "loss",
            change("metrics.jsonl", |t| set(&t, Some(0), "\"loss\":", "1e38")),
            ["metrics.jsonl: line 1", "loss"],
        ),
        (
            "a loss that could be",
            change("metrics.jsonl", |t| set(&t, Some(2), "\"loss\":", "0.001")),
            ["metrics.jsonl", "a line of it"],
        ),
        (
            "lines reversed",
            change("metrics.jsonl", reversed),
            ["metrics.jsonl: line 2", "iteration 5 after 6"],
        ),
        (
            "last line twice",
            change("metrics.jsonl", |t| t.clone() + t.lines().last().unwrap() + "\n"),
            ["metrics.jsonl: line 7", "iteration 6 after 6"],
        ),
    ]);
    // What is lost makes nothing false that is left: it is said.
    fs::write(folder.path().join("run/metrics.jsonl"), "").unwrap();
    let output = sorby(folder.path(), &["compare", "other", "run", "--out", "c2"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && told.contains("metrics.jsonl: its 6 lines are gone"), "{told}");
    edit(&folder.path().join("run/environment.json"), |t| json(&t, |e| e["threads"] = serde_json::json!(-3)));
    let message = fail(folder.path(), &["compare", "other", "run", "--out", "c3"]);
    assert!(message.contains("environment.json: threads is -3"), "{message}");
}

#[test]
fn a_finished_run_is_compared_with_its_identity() {
    let other = |file: &'static str| -> Attack<'static> {
        Box::new(move |run| fs::copy(base().join("other").join(file), run.join(file)).map(|_| ()).unwrap())
    };
    let without = |files: &'static [&'static str]| -> Attack<'static> {
        Box::new(move |run| {
            files.iter().for_each(|file| fs::remove_file(run.join(file)).unwrap());
            fs::remove_dir_all(run.join("checkpoints")).unwrap();
        })
    };
    let recipe = "recipe.toml";
    refused_by_both(vec![
        (
            "iterations",
            change(recipe, |t| t.replace("iterations = 6", "iterations = 8000")),
            ["recipe.toml", "schedule.iterations in recipe.toml is 8000 and was 6"],
        ),
        (
            "lr",
            change(recipe, |t| t.replace("lr = 0.01", "lr = 0.5")),
            ["recipe.toml", "is 0.5 and was 0.01"],
        ),
        ("seed", change(recipe, |t| t.replace("seed = 0", "seed = 77")), ["recipe.toml", "is 77 and was 0"]),
        ("recipe emptied", change(recipe, |_| String::new()), ["recipe.toml", "more"]),
        ("no recipe", change(recipe, |_| "[".into()), ["recipe.toml", "is not a recipe"]),
        ("recipe of the other run", other(recipe), ["recipe.toml", "seed"]),
        ("identity gone", gone(&["identity.json"]), ["identity.json", "is missing, though this run had one"]),
        ("identity and checkpoints gone", without(&["identity.json"]), ["identity.json", "is missing"]),
        (
            "identity changed",
            change("identity.json", |t| t.replace("lr = 0.01", "lr = 0.5")),
            ["identity.json", "was changed"],
        ),
        (
            "identity of the other run",
            other("identity.json"),
            ["identity.json", "is of another run than status.json"],
        ),
        ("split emptied", change("split.json", |_| "[]".into()), ["split.json", "the list of images"]),
        ("split of no bytes", change("split.json", |_| String::new()), ["split.json", "cannot be read"]),
        (
            "a part swapped",
            change("split.json", |t| t.replacen("\"val\"", "\"train\"", 1)),
            ["split.json", "the split of"],
        ),
        ("model of the other run", other("model.safetensors"), ["model.safetensors", "seed"]),
        (
            "best model as the last",
            Box::new(|run| {
                damage(&run.join("model.safetensors"), |_| ());
                fs::copy(
                    run.join("checkpoints/iter_0000006/model.safetensors"),
                    run.join("model.safetensors"),
                )
                .unwrap();
            }),
            ["model.safetensors", "no model of Sorby"],
        ),
        ("status gone", gone(&["status.json"]), ["status.json", "is missing"]),
        ("status is no JSON", change("status.json", |_| "x".into()), ["status.json", "cannot be read"]),
    ]);
    // A weight changed so little that the known picture's answer is the same.
    let folder = two_runs();
    damage(&folder.path().join("run/model.safetensors"), |n| n[4000] ^= 1);
    let message = fail(folder.path(), &REPORT);
    assert!(message.contains("model.safetensors is not the one that this run wrote"), "{message}");
}

#[test]
fn a_finished_run_of_an_older_version_is_believed_with_one_note() {
    let folder = two_runs();
    let at = folder.path();
    without_hashes(&at.join("run"));
    for arguments in [&COMPARE[..], &REPORT] {
        let output = sorby(at, arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{told}");
        assert_eq!(told.matches("cannot be checked").count(), 1, "{told}");
    }
    // Its model knows its recipe.
    edit(&at.join("run/recipe.toml"), |t| t.replace("lr = 0.01", "lr = 0.5"));
    let message = fail(at, &["compare", "other", "run", "--out", "c2"]);
    assert!(message.contains("recipe.toml") && message.contains("its model"), "{message}");
}

#[test]
fn a_study_believes_no_run_that_was_changed() {
    let folder = workshop();
    let at = folder.path();
    let text = "protocol = 'paper'\narchs = ['pspnet']\ntricks = ['S']\nbase = 'tiny.toml'\n\
                recipe.schedule.iterations = 1\n";
    fs::write(at.join("s.toml"), text).unwrap();
    succeed(at, &["study", "run", "s.toml", "--data", "data"]);
    let report = ["study", "report", "studies/s", "--tables-only"];
    succeed(at, &report);
    let runs = at.join("studies/s/runs");
    let (run, other) = (runs.join("pspnet_base_all_s0"), runs.join("pspnet_S_all_s0"));
    let kept = at.join("kept");
    copy(&run, &kept);
    let attacks: Vec<(&str, Attack)> = vec![
        ("recipe.toml", change("recipe.toml", |t| t.replace("lr = 0.01", "lr = 0.5"))),
        ("recipe.toml", change("recipe.toml", |t| t.replace("seed = 0", "seed = 77"))),
        ("split.json", change("split.json", |_| "[]".into())),
        ("identity.json", gone(&["identity.json"])),
        ("model.safetensors", gone(&["model.safetensors"])),
        (
            "model.safetensors",
            Box::new(|run| {
                fs::copy(other.join("model.safetensors"), run.join("model.safetensors")).unwrap();
            }),
        ),
        ("validation_images.json", gone(&["validation_images.json"])),
        ("validation.jsonl", change("validation.jsonl", |t| set(&t, None, "\"mean_iou\":", "0.9"))),
    ];
    for (file, attack) in attacks {
        attack(&run);
        let message = fail(at, &report);
        assert!(message.contains(&format!("pspnet_base_all_s0/{file}")), "{file}: {message}");
        fs::remove_dir_all(&run).unwrap();
        copy(&kept, &run);
    }
    succeed(at, &report);
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Goes on after an attack, to the last model of the run that nobody disturbed; what was attacked is told in one line.
#[track_caller]
fn told_once(at: &Path, words: &[&str]) -> String {
    let output = resume(at);
    let text = said(&output);
    assert!(output.status.success(), "{text}");
    let model = |run: &Path| fs::read(run.join("model.safetensors")).unwrap();
    assert!(model(&at.join("run")) == model(&base().join("whole")), "{text}");
    let lines = text.lines().filter(|l| l.starts_with("note: ") && words.iter().all(|w| l.contains(w)));
    assert_eq!(lines.count(), 1, "{words:?}: {text}");
    assert_eq!(text.lines().filter(|l| l.starts_with("note: ")).count(), 1, "{text}");
    text
}

#[test]
fn a_resume_tells_of_logs_and_records_that_are_others_now() {
    let keep = |lines: usize| move |t: String| t.lines().take(lines).map(|l| l.to_owned() + "\n").collect();
    let attacks: Vec<(&str, Attack, &str)> = vec![
        ("metrics.jsonl", gone(&["metrics.jsonl"]), "its 4 lines are gone"),
        ("metrics.jsonl", change("metrics.jsonl", keep(3)), "it has 3 lines, and this run wrote 4"),
        (
            "metrics.jsonl",
            change("metrics.jsonl", |t| {
                let lines: Vec<&str> = t.lines().take(4).collect();
                lines.join("\n") + "\n" + lines[3] + "\n"
            }),
            "it has 5 lines, and this run wrote 4",
        ),
        (
            "metrics.jsonl",
            change("metrics.jsonl", |t| set(&t, Some(1), "\"loss\":", "0.0001")),
            "a line of it",
        ),
        ("metrics.jsonl", change("metrics.jsonl", |t| t + &"\0".repeat(4096)), "the last 4096 bytes"),
        ("validation.jsonl", gone(&["validation.jsonl"]), "its 1 lines are gone"),
        (
            "validation.jsonl",
            change("validation.jsonl", |t| set(&t, Some(0), "\"mean_iou\":", "0.9999")),
            "a line of it",
        ),
        ("split.json", change("split.json", |t| t.replacen("\"val\"", "\"train\"", 1)), "is written again"),
        ("split.json", change("split.json", |_| "[]".into()), "is written again"),
        ("split.json", gone(&["split.json"]), "was gone; it is written again"),
    ];
    for (file, attack, told) in attacks {
        let folder = cut_off();
        attack(&folder.path().join("run"));
        told_once(folder.path(), &[file, told]);
    }
    // Undisturbed, nothing is told; and lines that were changed stay as they are.
    let folder = cut_off();
    assert!(!said(&resume(folder.path())).contains("note: "));
    let folder = cut_off();
    let log = folder.path().join("run/metrics.jsonl");
    edit(&log, |t| set(&t, Some(1), "\"loss\":", "0.0001"));
    told_once(folder.path(), &["metrics.jsonl", "kept as it is"]);
    assert!(fs::read_to_string(&log).unwrap().lines().nth(1).unwrap().contains("\"loss\":0.0001"));
    // Nor is it forgotten when the run is done.
    told_once(folder.path(), &["metrics.jsonl", "a line of it"]);
    let message = fail(folder.path(), &REPORT);
    assert!(message.contains("metrics.jsonl") && message.contains("is not what this run wrote"), "{message}");
}

/// A finished run whose best model is that of iteration `best`, with checkpoints of the second and later iterations.
fn with_best(at: &Path) -> u64 {
    let status: serde_json::Value =
        serde_json::from_slice(&fs::read(at.join("run/status.json")).unwrap()).unwrap();
    status["best"][0].as_u64().unwrap()
}

#[test]
fn a_best_model_that_is_gone_or_changed_is_never_claimed() {
    let of_checkpoint = |run: &Path| {
        fs::copy(run.join("checkpoints/iter_0000004/model.safetensors"), run.join("best.safetensors"))
            .unwrap();
    };
    let attacks: Vec<(&str, Attack, &str)> = vec![
        ("gone", gone(&["best.safetensors"]), "is gone"),
        ("a checkpoint's", Box::new(of_checkpoint), "is now best-changed.safetensors"),
        (
            "a bit",
            Box::new(|run| damage(&run.join("best.safetensors"), |n| n[4000] ^= 1)),
            "is now best-changed.safetensors",
        ),
    ];
    for (name, attack, told) in &attacks {
        // Cut off after the fourth iteration: the best is that of the third.
        let folder = cut_off();
        let at = folder.path();
        // As it was then.
        copy_best_of_third(at);
        attack(&at.join("run"));
        let text = told_once(
            at,
            &["best.safetensors", told, "at iteration 3", "the best of the validations to come"],
        );
        assert!(text.contains("at iteration 6 (run/best.safetensors)"), "{name}: {text}");
        let kept = at.join("run/best-changed.safetensors").exists();
        assert_eq!(kept, *name != "gone", "{name}");
        // Of a run that is done.
        let folder = victim();
        let at = folder.path();
        let best = with_best(at);
        let whole = fs::read(at.join("run/best.safetensors")).unwrap();
        attack(&at.join("run"));
        let output = resume(at);
        let text = said(&output);
        assert!(output.status.success() && text.contains(told), "{name}: {text}");
        if best == 6 {
            // Its checkpoint is there: the same model is made of it.
            assert!(
                text.contains("written again from a checkpoint") && text.contains("(run/best.safetensors)"),
                "{text}"
            );
            assert!(fs::read(at.join("run/best.safetensors")).unwrap() == whole, "{name}");
        } else {
            assert!(
                !at.join("run/best.safetensors").exists() && !text.contains("(run/best.safetensors)"),
                "{text}"
            );
            assert!(text.contains("this run has its last model only"), "{text}");
        }
    }
}

#[test]
fn a_best_model_is_made_again_from_the_checkpoint_of_its_iteration() {
    let folder = workshop();
    let at = folder.path();
    let every = ["--set", "schedule.checkpoint_every=3", "--set", "optimizer.ema_decay=0.7"];
    succeed(at, &[&["train", "tiny.toml", "--data", "data", "--out", "run"][..], &every].concat());
    let best = at.join("run/best.safetensors");
    let whole = fs::read(&best).unwrap();
    fs::remove_file(&best).unwrap();
    let text = said(&resume(at));
    assert!(text.contains("is gone; it is written again from a checkpoint"), "{text}");
    assert!(text.contains("(run/best.safetensors)"), "{text}");
    assert!(fs::read(&best).unwrap() == whole);
}

/// Puts the best model of the third iteration in its place, as it was when the fourth was done.
fn copy_best_of_third(at: &Path) {
    static THIRD: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    let bytes = THIRD.get_or_init(|| {
        let averaged = ["--set", "optimizer.ema_decay=0.7", "--set", "schedule.iterations=6"];
        let recipe = base().join("tiny.toml");
        let (recipe, data) = (recipe.to_str().unwrap(), base().join("data"));
        let folder = tempfile::tempdir().unwrap();
        let train = ["train", recipe, "--data", data.to_str().unwrap(), "--out", "r"];
        let mut child = crate::command(folder.path(), &[&train[..], &averaged].concat())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let best = folder.path().join("r/best.safetensors");
        while !best.exists() && child.try_wait().unwrap().is_none() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        let bytes = fs::read(&best).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        bytes
    });
    fs::write(at.join("run/best.safetensors"), bytes).unwrap();
}

#[cfg(unix)]
#[test]
fn a_pipe_in_place_of_a_file_holds_nobody() {
    for file in
        ["metrics.jsonl", "validation.jsonl", "recipe.toml", "status.json", "split.json", "identity.json"]
    {
        let folder = two_runs();
        let path = folder.path().join("run").join(file);
        fs::remove_file(&path).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let message = fail(folder.path(), &COMPARE);
        assert!(message.contains(file) && message.contains("no regular file"), "{file}: {message}");
        if ["metrics.jsonl", "recipe.toml", "identity.json"].contains(&file) {
            let message = fail(folder.path(), &["train", "--resume", "run", "--data", "data"]);
            assert!(message.contains(file) && message.contains("no regular file"), "{file}: {message}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_run_whose_first_checkpoint_could_not_be_written_is_begun_anew() {
    let folder = workshop();
    let at = folder.path();
    let train = ["train", "tiny.toml", "--data", "data", "--out", "run"];
    // No file may be larger than a megabyte, which every checkpoint is.
    let limited =
        format!("ulimit -f 1024; trap '' XFSZ; exec {} {}", env!("CARGO_BIN_EXE_sorby"), train.join(" "));
    let output = std::process::Command::new("bash").args(["-c", &limited]).current_dir(at).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(!told.contains("what was learnt is kept"), "{told}");
    assert!(at.join("run/checkpoints").is_dir() && at.join("run/metrics.jsonl").is_file());
    succeed(at, &train);
    let read = |run: &Path, file: &str| fs::read_to_string(run.join(file)).unwrap();
    assert_eq!(read(&at.join("run"), "metrics.jsonl").lines().count(), 6);
    // What has a checkpoint is not begun anew.
    fs::remove_file(at.join("run/model.safetensors")).unwrap();
    assert!(fail(at, &train).contains("is a run folder already"));
}
