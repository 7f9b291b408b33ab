//! The whole program on files that were changed at random: it may refuse, in one line, or do its work; it may not panic,
//! hang or take memory without bound.

use crate::kills::prepare;
use crate::succeed;
use sorby_random::Stream;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// A verb, and the files that it reads: paths of files or of folders.
struct Target {
    words: &'static str,
    reads: &'static [&'static str],
    /// How often it is tried next to the others.
    weight: usize,
}

const TARGETS: [Target; 16] = [
    Target { words: "data check data --json", reads: &["data"], weight: 4 },
    Target { words: "data init data", reads: &["data/labels"], weight: 1 },
    Target { words: "data import exported --out out", reads: &["exported"], weight: 4 },
    Target { words: "data export data --format coco --out out", reads: &["data"], weight: 1 },
    Target { words: "measure masks --out out --json", reads: &["masks"], weight: 4 },
    Target { words: "measure masks --data data --out out", reads: &["masks", "data"], weight: 2 },
    Target {
        words: "measure masks --out out --calibration calibration.json",
        reads: &["calibration.json"],
        weight: 1,
    },
    Target { words: "scale data/images tiff", reads: &["data/images", "tiff"], weight: 3 },
    Target { words: "threshold tiff --out out", reads: &["tiff"], weight: 2 },
    Target { words: "model info model", reads: &["model/model.safetensors"], weight: 2 },
    Target { words: "segment model tiff --out out", reads: &["model/model.safetensors", "tiff"], weight: 2 },
    Target { words: "train --resume half", reads: &["half"], weight: 2 },
    Target { words: "compare half model --out out", reads: &["half", "model/validation.jsonl"], weight: 2 },
    Target { words: "study status studied", reads: &["studied"], weight: 1 },
    Target { words: "study report studied --out out", reads: &["studied"], weight: 1 },
    Target { words: "replay model/report.html", reads: &["model/report.html"], weight: 1 },
];

/// A program that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(120);

/// 4 GB of addresses.
const LIMIT_KB: u64 = 4 << 20;

fn seeds() -> tempfile::TempDir {
    let folder = prepare();
    let at = folder.path();
    succeed(at, &["segment", "model", "data/images", "--out", "more", "--tiff"]);
    fs::create_dir(at.join("tiff")).unwrap();
    let first = fs::read_dir(at.join("more/masks-tiff")).unwrap().flatten().next().unwrap();
    image::open(fs::read_dir(at.join("data/images")).unwrap().flatten().next().unwrap().path())
        .unwrap()
        .save(at.join("tiff/a.tif"))
        .unwrap();
    fs::copy(first.path(), at.join("tiff/b.tif")).unwrap();
    succeed(at, &["measure", "masks", "--data", "data", "--out", "measured"]);
    let learnt = at.join("measured/calibration.json");
    if learnt.exists() {
        fs::copy(learnt, at.join("calibration.json")).unwrap();
    } else {
        fs::write(at.join("calibration.json"), "{\"class\": \"carbide\", \"settings\": \"\"}").unwrap();
    }
    let half = ["train", "tiny.toml", "--data", "data", "--out", "half"];
    succeed(at, &half);
    // As if it had been killed after its last checkpoint but one.
    fs::remove_file(at.join("half/model.safetensors")).unwrap();
    let mut checkpoints: Vec<_> =
        fs::read_dir(at.join("half/checkpoints")).unwrap().flatten().map(|e| e.path()).collect();
    checkpoints.sort();
    fs::remove_dir_all(checkpoints.last().unwrap()).unwrap();
    succeed(at, &["report", "model", "--data", "data"]);
    folder
}

fn files_of(at: &Path, reads: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left: Vec<PathBuf> = reads.iter().map(|r| at.join(r)).collect();
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(fs::read_dir(path).unwrap().flatten().map(|e| e.path()));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Numbers and words that programs trip over.
const WORDS: [&str; 18] = [
    "-1",
    "0",
    "1e308",
    "-1e999",
    "NaN",
    "null",
    "18446744073709551615",
    "1e-300",
    "\"\"",
    "[]",
    "{}",
    "true",
    "../x",
    "\u{0}",
    "9999999999",
    "0.0000001",
    "\u{feff}",
    "-",
];

fn mutate(bytes: &mut Vec<u8>, stream: &mut Stream) {
    for _ in 0..1 + stream.below(3) {
        let n = bytes.len();
        let at = stream.below(n.max(1));
        match stream.below(7) {
            _ if n == 0 => bytes.extend(b"x"),
            0 => bytes[at] ^= 1 << stream.below(8),
            1 => bytes[at] = stream.below(256) as u8,
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at..n.min(at + 1 + stream.below(64)))),
            4 => {
                let piece = bytes[at..n.min(at + 1 + stream.below(64))].to_vec();
                bytes.splice(at..at, piece);
            }
            5 => {
                // Early bytes are headers.
                let at = at % n.min(64);
                bytes[at] = [0, 0xff, 0x7f, 0x80][stream.below(4)];
            }
            _ => {
                // A number or word of a text.
                let word = WORDS[stream.below(WORDS.len())].as_bytes();
                let digit = |b: &u8| b.is_ascii_digit() || *b == b'.';
                let start = bytes[at..].iter().position(digit).map_or(at, |p| at + p);
                let end = bytes[start..].iter().position(|b| !digit(b)).map_or(n, |p| start + p);
                bytes.splice(start..end.min(start + 24), word.iter().copied());
            }
        }
    }
}

/// What went wrong in one run, if anything.
fn run(at: &Path, target: &Target) -> Option<String> {
    let script =
        format!("ulimit -v {LIMIT_KB}; exec '{}' --threads 2 {}", env!("CARGO_BIN_EXE_sorby"), target.words);
    let said = fs::File::create(at.join("said")).unwrap();
    let mut child = Command::new("sh")
        .current_dir(at)
        .args(["-c", &script])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(said)
        .spawn()
        .unwrap();
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if began.elapsed() > LIMIT {
            let _ = child.kill();
            let _ = child.wait();
            return Some("hangs".into());
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let said = fs::read(at.join("said")).unwrap();
    let said = String::from_utf8_lossy(&said);
    let bad = said.contains("panicked") || status.code().is_none_or(|c| c > 2);
    bad.then(|| format!("{status}: {}", said.chars().take(600).collect::<String>()))
}

fn attack(runs: usize, seed: u64) {
    let targets: Vec<&Target> = TARGETS.iter().flat_map(|t| std::iter::repeat_n(t, t.weight)).collect();
    let wrong = Mutex::new(Vec::new());
    let next = AtomicUsize::new(0);
    let work = |worker: u64| {
        let folder = seeds();
        let at = folder.path();
        let mut stream = Stream::new(seed, &[b"mutations", &worker.to_le_bytes()]);
        loop {
            let run_number = next.fetch_add(1, Ordering::Relaxed);
            if run_number >= runs {
                break;
            }
            if run_number > 0 && run_number.is_multiple_of(1000) {
                println!("{run_number} of {runs} runs, {} wrong", wrong.lock().unwrap().len());
            }
            let target = targets[stream.below(targets.len())];
            let files = files_of(at, target.reads);
            let file = &files[stream.below(files.len())];
            let whole = fs::read(file).unwrap();
            let mut bytes = whole.clone();
            mutate(&mut bytes, &mut stream);
            fs::write(file, &bytes).unwrap();
            // What a resumed training changes must be as it was for the next run.
            let kept = target
                .words
                .contains("--resume")
                .then(|| files.iter().map(|f| (f.clone(), fs::read(f).unwrap())).collect::<Vec<_>>());
            if let Some(what) = run(at, target) {
                let name = file.strip_prefix(at).unwrap().display().to_string();
                wrong.lock().unwrap().push(format!("sorby {} with {name} changed: {what}", target.words));
            }
            let _ = fs::remove_dir_all(at.join("out"));
            kept.iter().flatten().for_each(|(f, b)| fs::write(f, b).unwrap());
            fs::write(file, &whole).unwrap();
        }
    };
    std::thread::scope(|scope| {
        for worker in 0..std::thread::available_parallelism().map_or(2, usize::from) as u64 {
            scope.spawn(move || work(worker));
        }
    });
    let wrong = wrong.into_inner().unwrap();
    println!("{runs} runs of the program on changed files, {} wrong", wrong.len());
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn changed_files_are_refused_or_read() {
    attack(150, 1);
}

/// `cargo xtask attack`
#[test]
#[ignore = "some minutes"]
fn attack_with_25_000_changed_files() {
    attack(25_000, 2);
}
