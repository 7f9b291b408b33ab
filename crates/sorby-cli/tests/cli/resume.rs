//! A run that was killed and resumed ends with the bytes of one that was not, on any number of threads.

use crate::{command, fail, sorby, succeed, workshop};
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

#[test]
fn killed_and_resumed_is_the_same_to_the_byte() {
    let folder = workshop();
    let at = folder.path();
    let train = |run, threads| {
        let averaged = ["--set", "optimizer.ema_decay=0.7"];
        [["--threads", threads, "train", "tiny.toml", "--data", "data", "--out", run].as_slice(), &averaged]
            .concat()
    };
    succeed(at, &train("whole", "1"));
    let mut child =
        command(at, &train("killed", "3")).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let lines = || fs::read_to_string(at.join("killed/metrics.jsonl")).unwrap_or_default().lines().count();
    let limit = Instant::now() + Duration::from_secs(300);
    // After the third iteration: one past the checkpoint of the second.
    while lines() < 3 && child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < limit, "training does not get on");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let status = fs::read_to_string(at.join("killed/status.json")).unwrap();
    assert!(
        status.contains("\"running\"") && !at.join("killed/model.safetensors").exists(),
        "killed in time: {status}"
    );
    assert!(at.join("killed/checkpoints/iter_0000002/state.json").is_file());
    succeed(at, &["--threads", "2", "train", "--resume", "killed"]);
    for file in ["model.safetensors", "validation.jsonl"] {
        let read = |run: &str| fs::read(at.join(run).join(file)).unwrap();
        assert!(read("whole") == read("killed"), "{file} differs");
    }
    let losses = |run: &str| -> Vec<String> {
        let text = fs::read_to_string(at.join(run).join("metrics.jsonl")).unwrap();
        text.lines().map(|l| l.split(",\"seconds\"").next().unwrap().to_owned()).collect()
    };
    assert_eq!(losses("whole"), losses("killed"));
    assert_eq!(losses("whole").len(), 6);
    // Averaging the weights changes the model, not what is learnt.
    succeed(at, &["train", "tiny.toml", "--data", "data", "--out", "plain"]);
    assert_eq!(losses("whole"), losses("plain"));
    let model = |run: &str| fs::read(at.join(run).join("model.safetensors")).unwrap();
    assert!(model("whole") != model("plain"));
    // Resuming a finished run changes nothing.
    let before = fs::read(at.join("whole/model.safetensors")).unwrap();
    succeed(at, &["train", "--resume", "whole"]);
    assert!(before == fs::read(at.join("whole/model.safetensors")).unwrap());
    let message = fail(at, &["train", "tiny.toml", "--data", "data", "--out", "whole"]);
    assert!(message.contains("--resume"), "{message}");
}

#[test]
fn the_number_of_threads_does_not_change_a_byte() {
    let folder = workshop();
    let at = folder.path();
    let model = |threads: &str| {
        succeed(at, &["--threads", threads, "train", "tiny.toml", "--data", "data", "--out", threads]);
        fs::read(at.join(threads).join("model.safetensors")).unwrap()
    };
    let one = model("1");
    for threads in ["2", "3", "8"] {
        assert!(one == model(threads), "the model differs with {threads} threads");
    }
}

/// The images of a data set with a tenth of their contrast.
fn fade(data: &Path) {
    for entry in fs::read_dir(data.join("images")).unwrap() {
        let path = entry.unwrap().path();
        let image = sorby_image::Micrograph::read(&path).unwrap();
        let pixels: Vec<u8> = image.to_grey8().iter().map(|v| 120 + v / 10).collect();
        sorby_image::write::png(&path, image.width, image.height, sorby_image::write::PngKind::Grey, &pixels)
            .unwrap();
    }
}

#[test]
fn the_contrast_of_the_images_chooses_the_grey_range_and_the_run_keeps_it() {
    let folder = workshop();
    let at = folder.path();
    let auto = ["--set", "data.grey_range=auto"];
    let train = |out: &str, more: &[&str]| {
        let base = ["train", "tiny.toml", "--data", "data", "--out", out];
        let output = sorby(at, &[&base[..], more].concat());
        assert!(output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let recipe = |run: &str| fs::read_to_string(at.join(run).join("recipe.toml")).unwrap();
    fade(&at.join("data"));
    let text = train("auto", &auto);
    assert!(text.contains("grey range `percentile`") && text.contains("low contrast"), "{text}");
    assert!(recipe("auto").contains("grey_range = \"percentile\""), "{}", recipe("auto"));
    // It is the run that the word would have made, to the byte, and goes on as such.
    train("given", &["--set", "data.grey_range=percentile"]);
    let model = |run: &str| fs::read(at.join(run).join("model.safetensors")).unwrap();
    assert!(model("auto") == model("given"), "the models differ");
    succeed(at, &["train", "--resume", "auto", "--iterations", "8"]);
    assert!(recipe("auto").contains("grey_range = \"percentile\""));
    // Segmenting asks for nothing: the model has it.
    assert!(succeed(at, &["model", "info", "auto"]).contains("grey range: percentile"));
}
