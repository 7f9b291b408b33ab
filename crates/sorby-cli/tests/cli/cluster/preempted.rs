//! Tasks that are ended at any moment by any signal, and a node whose disk is full.

use super::*;
use sorby_random::Stream;
use std::path::PathBuf;
use std::process::{Child, Stdio};

/// What is to be done: lines for a shell.
struct Tasks {
    waiting: Vec<String>,
    working: Vec<(String, Child)>,
}

impl Tasks {
    fn new(mut lines: Vec<String>) -> Self {
        lines.reverse();
        Self { waiting: lines, working: Vec::new() }
    }

    /// Keeps two at work. Tasks that were stopped or killed come back; any other failure is one of the test.
    fn look_after(&mut self) {
        for (line, mut child) in std::mem::take(&mut self.working) {
            match child.try_wait().unwrap() {
                None => self.working.push((line, child)),
                Some(status) => match status.code() {
                    Some(0) => {}
                    Some(75 | 130) | None => self.waiting.insert(0, line),
                    Some(code) => panic!("{line}: {code}"),
                },
            }
        }
        while self.working.len() < 2
            && let Some(line) = self.waiting.pop()
        {
            let mut shell = Command::new("sh");
            // The shell becomes the program, so that the signals reach it.
            shell.args(["-c", &line]).stdin(Stdio::null());
            shell.stdout(Stdio::null()).stderr(Stdio::null());
            self.working.push((line, shell.spawn().unwrap()));
        }
    }

    /// Ends one of those at work, gently or not.
    fn preempt(&self, random: &mut Stream) {
        let signal = ["TERM", "USR1", "USR2", "KILL", "TERM"][random.below(5)];
        if let Some((_, child)) = self.working.get(random.below(self.working.len().max(1))) {
            _ = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).output();
        }
    }
}

/// Interrupts a study and a lot so many times, and gives how often it did.
fn interrupted(times: usize) {
    let at = reference();
    let mut random = Stream::new(5, &[b"preemption"]);
    let mut done = 0;
    let mut drive = |lines: Vec<String>, at_most: usize| {
        let mut tasks = Tasks::new(lines);
        loop {
            tasks.look_after();
            if tasks.working.is_empty() {
                break;
            }
            std::thread::sleep(Duration::from_millis(20 + random.below(380) as u64));
            if done < at_most {
                tasks.preempt(&mut random);
                done += 1;
            }
        }
    };
    for round in 1.. {
        let plan = ["study", "plan", "n2.toml", "--data", "data", "--out", "hit/n2", "--format", "lines"];
        let lines: Vec<String> = succeed(at, &plan).lines().map(str::to_owned).collect();
        if lines.is_empty() {
            break;
        }
        assert!(round < 5, "the study does not get on");
        drive(lines.iter().map(|line| format!("exec {line}")).collect(), times * 4 / 5);
    }
    same_study(at, "hit");
    let shard = |i: usize| {
        let words = "--exit-code-for-more 75 segment model lot --nm-per-px 20 --out hit-lot --shard";
        format!("cd {} && exec {} {words} {i}/4", at.display(), env!("CARGO_BIN_EXE_sorby"))
    };
    drive((1..=4).map(shard).collect(), times);
    println!("{done} interruptions of {times}");
    with_problems(at, &["segment", "model", "lot", "--nm-per-px", "20", "--out", "hit-lot", "--merge"]);
    crate::shards::same(&at.join("one-lot"), &at.join("hit-lot"));
    assert!(done >= times * 3 / 4, "only {done} interruptions");
}

#[test]
fn interruptions_at_random_moments_cost_no_byte() {
    interrupted(24);
}

/// `cargo xtask attack`: what docs/cluster.md reports.
#[test]
#[ignore = "minutes"]
fn attack_of_preemptions() {
    interrupted(200);
}

/// The disk of one node is full, the share of another is gone: their tasks fail, with the cause; the others do not.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_or_a_lost_share_fails_its_own_task() {
    let folder = workshop();
    let at = folder.path().canonicalize().unwrap();
    fs::write(at.join("n2.toml"), STUDY).unwrap();
    let library = crate::faults::library(&at);
    let plan = ["study", "plan", "n2.toml", "--data", "data", "--out", "n2", "--format", "json"];
    let round = || -> serde_json::Value { serde_json::from_str(&succeed(&at, &plan)).unwrap() };
    let tasks = round()["tasks"].as_array().unwrap().clone();
    assert_eq!(tasks.len(), 6);
    for (number, task) in tasks.iter().enumerate() {
        let mut shell = Command::new("sh");
        shell.args(["-c", task["line"].as_str().unwrap()]).stdin(Stdio::null());
        let run: PathBuf = at.join("n2/runs").join(task["id"].as_str().unwrap());
        // Of two tasks: no space left, and the system's word for a share that is gone.
        if let Some(error) = [28, 116].get(number) {
            shell.env("LD_PRELOAD", &library).env("SORBY_FAULT_ROOT", run);
            shell.env("SORBY_FAULT_AT", "25").env("SORBY_FAULT_ERRNO", error.to_string());
        }
        let output = shell.output().unwrap();
        assert_eq!(output.status.code(), Some(if number < 2 { 2 } else { 0 }), "{number}: {output:?}");
    }
    let now = status(&at, "n2");
    let failed = now["failed"].as_array().unwrap();
    assert_eq!((failed.len(), now["done"].as_array().unwrap().len()), (2, 4), "{now}");
    let reasons = failed.iter().map(|f| f["reason"].as_str().unwrap()).collect::<Vec<_>>().join("; ");
    assert!(reasons.contains("space") && reasons.contains("runs/"), "{reasons}");
    let again: Vec<_> = round()["tasks"].as_array().unwrap().iter().map(|t| t["id"].clone()).collect();
    let first: Vec<_> = tasks[..2].iter().map(|t| t["id"].clone()).collect();
    assert_eq!(again, first, "they alone are started again");
}
