//! A study of six trainings and a lot of 60 images on real engines: the bytes of one machine, also when a node dies in the
//! middle.

#[cfg(target_os = "linux")]
mod hyperqueue;
#[cfg(unix)]
mod plain;
#[cfg(unix)]
mod preempted;
#[cfg(target_os = "linux")]
mod slurm;
#[cfg(unix)]
mod two_machines;

use crate::shards::with_problems;
use crate::study_rounds::{files_of_report, names, report, without_times};
use crate::{fill_workshop, sorby, succeed, workshop};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Six trainings in the first round.
const STUDY: &str = "protocol = 'paper'\narchs = ['pspnet', 'deeplabv3plus']\ntricks = ['S', 'fast']\nbase = 'tiny.toml'\n\
                     recipe.schedule.iterations = 4\nrecipe.schedule.validate_every = 4\n[trick.fast]\n\
                     title = 'Higher rate'\nset.optimizer.lr = 0.02\n";

/// Why an engine's test cannot run here. Where the whole of the tests is expected, that is a failure.
fn skipped(what: &str) {
    assert!(std::env::var_os("CI").is_none(), "{what}: install it, as .ci/run does");
    println!("skipped: {what}");
}

/// Whether a program answers.
fn there(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|o| o.status.success())
}

/// A folder with a study and a lot, and what one machine makes of them: `one/n2`, `one-lot`. All tests share it, and write into
/// folders of their own in it.
fn reference() -> &'static Path {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(|| {
        let at = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clusters");
        _ = fs::remove_dir_all(&at);
        fs::create_dir_all(&at).unwrap();
        fill_workshop(&at);
        fs::write(at.join("n2.toml"), STUDY).unwrap();
        succeed(&at, &["study", "run", "n2.toml", "--data", "data", "--out", "one/n2"]);
        succeed(&at, &["study", "report", "one/n2", "--tables-only"]);
        crate::shards::lot(&at);
        with_problems(&at, &["segment", "model", "lot", "--nm-per-px", "20", "--out", "one-lot"]);
        at
    })
}

/// Compares the study `of/n2` with that of one machine.
#[track_caller]
fn same_study(at: &Path, of: &str) {
    let study = format!("{of}/n2");
    // The engine made one with pictures, which take longer.
    _ = fs::remove_dir_all(at.join(&study).join("report"));
    let (one, many) = (files_of_report(at, "one/n2"), report(at, &study));
    assert_eq!(names(&one), names(&many));
    for ((name, one), (_, many)) in one.iter().zip(&many) {
        assert!(without_times(name, one) == without_times(name, many), "{name} of {of} differs");
    }
    let runs: Vec<_> = fs::read_dir(at.join("one/n2/runs")).unwrap().flatten().collect();
    assert!(runs.len() > 6, "six and the stacks");
    for run in runs {
        let model = |study: &str| {
            fs::read(at.join(study).join("runs").join(run.file_name()).join("model.safetensors")).unwrap()
        };
        assert!(model("one/n2") == model(&study), "{:?} of {of} differs", run.file_name());
    }
}

/// Waits until it is so; what the engine says is part of the failure.
#[track_caller]
fn wait(what: &str, at_most_s: u64, mut so: impl FnMut() -> bool, engine: impl Fn() -> String) {
    let end = Instant::now() + Duration::from_secs(at_most_s);
    while !so() {
        assert!(Instant::now() < end, "{what} does not come:\n{}", engine());
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Whether some training of the study has done a step and is not at its end.
fn in_the_middle(study: &Path) -> bool {
    let runs = fs::read_dir(study.join("runs")).into_iter().flatten().flatten();
    runs.filter(|run| run.path().join("lock-holder.txt").is_file())
        .any(|run| fs::read_to_string(run.path().join("metrics.jsonl")).is_ok_and(|t| t.lines().count() >= 1))
}

/// What stands in all logs of a folder's engine.
fn logs(out: &Path) -> String {
    let entries = fs::read_dir(out.join("submit/logs")).into_iter().flatten().flatten();
    let texts = entries.map(|e| {
        let text = fs::read_to_string(e.path()).unwrap_or_default();
        format!("--- {}\n{text}", e.path().display())
    });
    texts.collect()
}

/// Processes that have this word in their environment: those of one engine, however they were started.
fn processes_of(word: &str) -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|e| e.file_name().to_str()?.parse::<u32>().ok());
    let own = |pid: &u32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.windows(word.len()).any(|w| w == word.as_bytes())
    };
    pids.filter(|pid| *pid != std::process::id()).filter(own).collect()
}

fn kill(pids: &[u32]) {
    for pid in pids {
        _ = Command::new("kill").args(["-KILL", &pid.to_string()]).output();
    }
}

/// A study's state as other programs read it.
fn status(at: &Path, study: &str) -> serde_json::Value {
    let output = sorby(at, &["--json", "study", "status", study]);
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}
