//! A study whose trainings are commands that anybody runs, round after round; and signals that clusters send.

use crate::{command, fail, sorby, succeed, workshop};
use serde_json::Value;
use sorby_random::Stream;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const STUDY: &str = "protocol = 'paper'\narchs = ['pspnet']\ntricks = ['S', 'fast']\nbase = 'tiny.toml'\n\
                     recipe.schedule.iterations = 4\n[trick.fast]\ntitle = 'Higher rate'\nset.optimizer.lr = 0.02\n";

/// The files of a report by name.
pub fn report(at: &Path, study: &str) -> Vec<(String, Vec<u8>)> {
    succeed(at, &["study", "report", study, "--tables-only"]);
    files_of_report(at, study)
}

/// Those that are there.
pub fn files_of_report(at: &Path, study: &str) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(at.join(study).join("report")).unwrap().flatten();
    let file = |e: fs::DirEntry| Some((e.file_name().into_string().ok()?, fs::read(e.path()).ok()?));
    let mut files: Vec<_> = entries.filter(|e| e.path().is_file()).filter_map(file).collect();
    files.sort();
    files
}

#[cfg(unix)]
#[test]
fn commands_of_each_round_make_the_study_that_one_process_makes() {
    let folder = workshop();
    let at = folder.path();
    fs::write(at.join("n2.toml"), STUDY).unwrap();
    // Studies of one name, so that their pages can be the same.
    succeed(at, &["study", "run", "n2.toml", "--data", "data", "--out", "one/n2"]);
    let plan = ["study", "plan", "n2.toml", "--data", "data", "--out", "many/n2", "--format"];
    let lines = || succeed(at, &[&plan[..], &["lines"]].concat());
    let json = || -> Value { serde_json::from_str(&succeed(at, &[&plan[..], &["json"]].concat())).unwrap() };
    let mut rounds = Vec::new();
    loop {
        let (text, value) = (lines(), json());
        let of_json: Vec<&str> =
            value["tasks"].as_array().unwrap().iter().map(|t| t["line"].as_str().unwrap()).collect();
        assert_eq!(text.lines().collect::<Vec<_>>(), of_json);
        if text.is_empty() {
            assert_eq!(value["round"], Value::Null);
            break;
        }
        rounds.push(of_json.len());
        // From elsewhere, with nothing to read: as an engine starts them.
        let mut shell =
            Command::new("sh").current_dir("/").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        std::io::Write::write_all(shell.stdin.as_mut().unwrap(), text.as_bytes()).unwrap();
        assert!(shell.wait().unwrap().success());
        // Done once more, they do nothing.
        let again = Command::new("sh")
            .args(["-c", text.lines().next().unwrap()])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(String::from_utf8_lossy(&again.stdout).contains("is finished already"), "{again:?}");
    }
    assert!(rounds.len() >= 2 && rounds.iter().sum::<usize>() >= 3, "{rounds:?}");
    assert_eq!(json()["finished"], rounds.iter().sum::<usize>());
    let printed = succeed(at, &["study", "run", "n2.toml", "--data", "data", "--out", "many/n2"]);
    assert!(!printed.contains("to train"), "{printed}");
    let (one, many) = (report(at, "one/n2"), report(at, "many/n2"));
    assert_eq!(names(&one), names(&many));
    assert!(names(&one).contains(&&"trainings.csv".to_owned()), "{:?}", names(&one));
    for ((name, one), (_, many)) in one.iter().zip(&many) {
        assert!(without_times(name, one) == without_times(name, many), "{name} differs");
    }
    let model =
        |study: &str| fs::read(at.join(study).join("runs/pspnet_base_all_s0/model.safetensors")).unwrap();
    assert!(model("one/n2") == model("many/n2"));
}

/// A file of a report without how long the trainings took, which no two runs have in common: the figure of accuracy against
/// time, and the column before the hashes of the recipes.
pub fn without_times(name: &str, bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let cells = |line: &str, end: &str| {
        let cells: Vec<&str> = line.split(end).collect();
        let untimed = |(i, _): &(usize, &&str)| cells.get(i + 1).is_none_or(|next| !is_hash(next));
        cells.iter().enumerate().filter(untimed).map(|(_, cell)| *cell).collect::<Vec<_>>().join(end)
    };
    let mut lines: Vec<String> = match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "csv" => text.lines().map(|line| cells(line, ",")).collect(),
        "md" => text.lines().map(|line| cells(line, "|")).collect(),
        "tex" => text.lines().map(|line| cells(line, "&")).collect(),
        "html" => text.lines().map(|line| cells(line, "</td>")).collect(),
        // Of a figure of its own as of one in the page.
        _ => text.lines().map(str::to_owned).collect(),
    };
    let is_time = |line: &String| line.contains("<svg") && line.contains(" of training steps<");
    lines.retain(|line| !is_time(line));
    lines
}

/// `| 1c473d02c8b95810`.
fn is_hash(cell: &str) -> bool {
    let cell = cell.rsplit('>').next().unwrap_or(cell).trim_matches([' ', '\\']);
    cell.len() == 16 && cell.bytes().all(|b| b.is_ascii_hexdigit())
}

pub fn names(files: &[(String, Vec<u8>)]) -> Vec<&String> {
    files.iter().map(|f| &f.0).collect()
}

#[test]
fn a_command_goes_on_only_with_its_own_run() {
    let folder = workshop();
    let at = folder.path();
    let train = ["train", "tiny.toml", "--data", "data", "--out", "run", "--continue"];
    succeed(at, &train);
    let printed = succeed(at, &train);
    assert!(printed.contains("is finished already"), "{printed}");
    let other = [&train[..], &["--set", "optimizer.lr=0.5"]].concat();
    assert!(fail(at, &other).contains("holds a run of another recipe"));
    assert_eq!(sorby(at, &["train", "tiny.toml", "--data", "data", "--continue"]).status.code(), Some(2));
}

#[cfg(unix)]
#[test]
fn signals_at_any_moment_cost_no_byte() {
    let folder = workshop();
    let at = folder.path();
    let long = ["--set", "schedule.iterations=60", "--set", "schedule.validate_every=20"];
    succeed(at, &[&["train", "tiny.toml", "--data", "data", "--out", "calm"][..], &long].concat());
    let disturbed =
        ["train", "tiny.toml", "--data", "data", "--out", "run", "--continue", "--exit-code-for-more", "75"];
    let mut random = Stream::new(11, &[b"signals"]);
    let (mut stopped, mut starts) = (0, 0);
    loop {
        starts += 1;
        assert!(starts < 60, "the training does not get on");
        let mut child = command(at, &[&disturbed[..], &long].concat())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(300 + random.below(700) as u64));
        let signal = ["TERM", "USR1", "USR2"][starts % 3];
        if stopped < 10 {
            _ = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap();
        }
        match child.wait().unwrap().code() {
            Some(0) => break,
            Some(75) => stopped += 1,
            other => panic!("start {starts}, {signal}: {other:?}"),
        }
    }
    assert!(stopped >= 3, "only {stopped} of {starts} starts were stopped");
    for file in ["model.safetensors", "best.safetensors", "validation.jsonl", "split.json", "recipe.toml"] {
        let of = |run: &str| fs::read(at.join(run).join(file)).unwrap();
        assert!(of("calm") == of("run"), "{file} differs");
    }
    // Without the option the exit code is the usual one.
    let usual =
        ["train", "tiny.toml", "--data", "data", "--out", "usual", "--set", "schedule.iterations=2000"];
    let mut child = command(at, &usual).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(800));
    Command::new("kill").args(["-USR2", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
}
