//! Two machines that want one run, and machines with another instruction set.

use super::*;
use crate::{command, fail};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};

/// Rewrites who holds a run, as another machine would have.
fn of_node7(holder: &Path, beat: u64) {
    let text = fs::read_to_string(holder).unwrap();
    let line = |l: &str| match l.split_once(' ').unwrap_or_default().0 {
        "host" => "host node7".to_owned(),
        "boot" => "boot of-another-machine".to_owned(),
        "beat" => format!("beat {beat:012}"),
        _ => l.to_owned(),
    };
    let text: String = text.lines().map(|l| line(l) + "\n").collect();
    let new = holder.with_extension("new");
    fs::write(&new, text).unwrap();
    fs::rename(&new, holder).unwrap();
}

#[test]
fn a_run_of_a_dead_machine_is_taken_over_and_one_of_a_living_machine_is_not() {
    let folder = workshop();
    let at = folder.path();
    let train = |out: &'static str| {
        let words = ["train", "tiny.toml", "--data", "data", "--set", "schedule.iterations=30", "--out", out];
        [&words[..], &["--continue"]].concat()
    };
    succeed(at, &train("calm"));
    let (run, holder) = (at.join("run"), at.join("run/lock-holder.txt"));
    let mut killed = command(at, &train("run")).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begun = || run.join("checkpoints").read_dir().is_ok_and(|mut d| d.next().is_some());
    wait("a checkpoint", 120, || begun() && holder.is_file(), String::new);
    killed.kill().unwrap();
    killed.wait().unwrap();
    // It gives signs of life.
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for beat in 1.. {
                of_node7(&holder, beat);
                std::thread::sleep(Duration::from_millis(100));
                if stop.load(Ordering::SeqCst) {
                    break;
                }
            }
        });
        let refused = command(at, &train("run")).env("SORBY_HEARTBEAT_S", "2").output().unwrap();
        stop.store(true, Ordering::SeqCst);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(2), "{said}");
        assert!(said.contains("another process is working on this run (node7, process "), "{said}");
    });
    // It gives none.
    let took = command(at, &train("run")).env("SORBY_HEARTBEAT_S", "0.2").output().unwrap();
    assert!(took.status.success(), "{took:?}");
    let said = String::from_utf8_lossy(&[took.stdout, took.stderr].concat()).into_owned();
    assert!(said.contains("of node7 was at work here") && said.contains("looking on"), "{said}");
    assert!(!holder.exists());
    for file in ["model.safetensors", "best.safetensors", "validation.jsonl", "split.json", "recipe.toml"] {
        let of = |run: &str| fs::read(at.join(run).join(file)).unwrap();
        assert!(of("calm") == of("run"), "{file} differs");
    }
}

#[test]
fn a_task_keeps_to_the_instruction_set_that_it_is_held_to() {
    let folder = workshop();
    let at = folder.path();
    let train = ["train", "tiny.toml", "--data", "data", "--out", "run", "--require-simd", "avx512"];
    let refused = command(at, &train).env("SORBY_SIMD", "baseline").output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("this machine computes with") && !at.join("run").exists(), "{said}");
    assert_eq!(sorby(at, &["train", "tiny.toml", "--require-simd", "mmx"]).status.code(), Some(2));

    // Two of a study's trainings on machines of different kinds: their names stand in the state.
    fs::write(at.join("n2.toml"), STUDY).unwrap();
    let plan = ["study", "plan", "n2.toml", "--data", "data", "--out", "n2", "--format", "lines"];
    let lines = succeed(at, &plan);
    for (line, set) in lines.lines().zip(["baseline", ""]) {
        let mut shell = Command::new("sh");
        let output = shell.args(["-c", line]).env("SORBY_SIMD", set).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    let done = status(at, "n2")["done"].as_array().unwrap().clone();
    let sets: Vec<String> = done.iter().map(|d| d["instructions"].to_string()).collect();
    assert_eq!(sets.len(), 2, "{done:?}");
    let printed = succeed(at, &["study", "status", "n2"]);
    // A machine may have no more than the baseline.
    assert_eq!(printed.contains("computed with several instruction sets"), sets[0] != sets[1], "{printed}");
    assert!(fail(at, &["study", "submit", "n2.toml", "--data", "data"]).contains("--executor"));
}
