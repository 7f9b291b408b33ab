//! Processes killed at any moment lose nothing that was finished, and leave no half-written file.

use crate::{command, succeed, workshop};
use sorby_random::Stream;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What a test kills: `again` is what a user types after a crash.
pub struct Work {
    pub verb: &'static str,
    pub first: Vec<&'static str>,
    pub again: Vec<&'static str>,
    /// Folder of its outputs.
    pub out: &'static str,
    /// Outputs that must be the same to the byte, and so be there.
    pub same: &'static [&'static str],
}

impl Work {
    /// Whether it refuses a folder in which it has been before.
    pub fn makes_new_folder(&self) -> bool {
        ["export", "export nnunet", "import", "fix", "synth"].contains(&self.verb)
    }
}

pub fn works() -> Vec<Work> {
    let segment = vec!["segment", "model", "data/images", "--out", "out", "--tiff", "--probabilities"];
    let measure =
        vec!["measure", "masks", "--out", "out", "--nm-per-px", "20", "--export", "roi,geojson,parquet"];
    let report = vec!["report", "model", "--data", "data", "--out", "out/report.html"];
    let study = vec!["study", "run", "n2.toml", "--data", "data", "--out", "out"];
    // The same words again after a crash.
    let copies = |verb, words: &'static str| {
        let words: Vec<_> = words.split(' ').collect();
        Work { verb, first: words.clone(), again: words, out: "out", same: &[""] }
    };
    vec![
        Work {
            verb: "train",
            first: vec!["train", "tiny.toml", "--data", "data", "--out", "out"],
            again: vec!["train", "--resume", "out"],
            out: "out",
            same: &["model.safetensors", "best.safetensors", "validation.jsonl", "split.json", "recipe.toml"],
        },
        Work { verb: "segment", first: segment.clone(), again: segment, out: "out", same: &[""] },
        Work { verb: "measure", first: measure.clone(), again: measure, out: "out", same: &[""] },
        Work { verb: "report", first: report.clone(), again: report, out: "out", same: &["report.html"] },
        Work {
            verb: "study",
            first: study.clone(),
            again: study,
            out: "out",
            same: &[
                "runs/pspnet_base_all_s0/model.safetensors",
                "runs/pspnet_S_all_s0/model.safetensors",
                "runs/pspnet_S_all_s0/validation_images.json",
            ],
        },
        copies("export", "data export data --format coco --out out"),
        copies("export nnunet", "data export data --format nnunet --out out"),
        copies("import", "data import exported --out out"),
        copies("fix", "data check data --fix out"),
        copies("synth", "synth --out out --images 3 --size 96x64 --seed 4"),
        copies("threshold", "threshold data/images --out out"),
        copies("evaluate", "evaluate model --data data --out out"),
        copies("study report", "study report studied --out out"),
    ]
}

/// A folder in which every work can be done.
pub fn prepare() -> tempfile::TempDir {
    let folder = workshop();
    let at = folder.path();
    succeed(at, &["train", "tiny.toml", "--data", "data", "--out", "model"]);
    succeed(at, &["segment", "model", "data/images", "--out", "segmented"]);
    fs::rename(at.join("segmented/masks"), at.join("masks")).unwrap();
    succeed(at, &["data", "export", "data", "--format", "coco", "--out", "exported"]);
    let study = "protocol = 'paper'\narchs = ['pspnet']\ntricks = ['S']\nbase = 'tiny.toml'\nrecipe.schedule.iterations = 2\n";
    fs::write(at.join("n2.toml"), study).unwrap();
    succeed(at, &["study", "run", "n2.toml", "--data", "data", "--out", "studied"]);
    folder
}

/// Files of a folder by relative path, temporary ones left out.
fn files(root: &Path) -> BTreeMap<PathBuf, PathBuf> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if entry.file_name().to_string_lossy().starts_with(".partial-") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(root).unwrap().to_owned(), path);
            }
        }
    }
    found
}

/// Every file that is there can be read to its end.
pub fn all_whole(root: &Path) {
    for path in files(root).into_values() {
        let bytes = fs::read(&path).unwrap();
        let text = || String::from_utf8(bytes.clone()).unwrap();
        let ending = path.extension().unwrap_or_default().to_string_lossy().into_owned();
        let whole = match ending.as_str() {
            "json" | "geojson" => serde_json::from_slice::<serde_json::Value>(&bytes).is_ok(),
            // A log may end in a line cut short, which readers drop.
            "jsonl" => {
                let text = text();
                let lines: Vec<_> = text.split('\n').collect();
                lines[..lines.len() - 1].iter().all(|l| serde_json::from_str::<serde_json::Value>(l).is_ok())
            }
            "toml" => text().parse::<toml::Table>().is_ok(),
            "csv" => text().ends_with('\n'),
            "html" => text().trim_end().ends_with("</html>"),
            "svg" => text().trim_end().ends_with("</svg>"),
            "parquet" => bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"),
            "png" | "tif" => image::open(&path).is_ok(),
            "zip" => bytes.len() >= 22 && bytes[bytes.len() - 22..].starts_with(b"PK\x05\x06"),
            "safetensors" => whole_safetensors(&bytes),
            "md" | "tex" => text().ends_with('\n'),
            "txt" | "" => true,
            other => panic!("what is a .{other} ({})?", path.display()),
        };
        assert!(whole, "{} is not whole", path.display());
    }
}

fn whole_safetensors(bytes: &[u8]) -> bool {
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let json: serde_json::Value = serde_json::from_slice(&bytes[8..8 + header]).unwrap();
    let ends = json.as_object().unwrap().values().filter_map(|t| t["data_offsets"][1].as_u64());
    ends.max() == Some((bytes.len() - 8 - header) as u64)
}

fn quiet(mut command: Command) -> Command {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// The bytes of what must not depend on kills.
pub fn results(work: &Work, out: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let wanted = |p: &Path| work.same.iter().any(|s| s.is_empty() || p == Path::new(s));
    files(out).into_iter().filter(|(p, _)| wanted(p)).map(|(p, f)| (p, fs::read(f).unwrap())).collect()
}

/// Kills the work at random moments until it has been killed `kills` times, starting anew whenever it gets
/// through; gives how often it got through.
fn kill(work: &Work, kills: usize, stream: &mut Stream) -> usize {
    let folder = prepare();
    let at = folder.path();
    let out = at.join(work.out);
    let began = Instant::now();
    succeed(at, &work.first);
    let usual = began.elapsed().as_secs_f64();
    let undisturbed = results(work, &out);
    assert!(undisturbed.len() >= work.same.len(), "{}: {:?}", work.verb, undisturbed.keys());
    fs::remove_dir_all(&out).unwrap();

    let (mut killed, mut through) = (0, 0);
    while killed < kills {
        let resumable = work.verb == "train" && out.join("checkpoints").exists();
        let arguments = if resumable { &work.again } else { &work.first };
        let mut child = command(at, arguments);
        let said = at.join("said.txt");
        child.stdout(Stdio::null()).stderr(fs::File::create(&said).unwrap());
        let mut child = child.spawn().unwrap();
        std::thread::sleep(Duration::from_secs_f64(stream.uniform(0.0, 1.1 * usual)));
        child.kill().unwrap();
        let status = child.wait().unwrap();
        all_whole(&out);
        if status.code().is_none() {
            killed += 1;
            // A new data set is there whole or not at all, and is never written over.
            if work.makes_new_folder() && out.exists() {
                assert!(
                    results(work, &out) == undisturbed,
                    "{}: a part has the name of the whole",
                    work.verb
                );
                fs::remove_dir_all(&out).unwrap();
            }
            continue;
        }
        let failures = files(&out.join("failures")).into_values().map(|f| fs::read_to_string(f).unwrap());
        let failures: Vec<_> = failures.collect();
        assert!(
            status.success() && failures.is_empty(),
            "{}: {status} after {killed} kills, {failures:?} {}",
            work.verb,
            fs::read_to_string(&said).unwrap()
        );
        let now = results(work, &out);
        assert!(
            now.iter().eq(undisturbed.iter()),
            "{}: not the bytes of an undisturbed run: {:?}",
            work.verb,
            now.keys()
        );
        through += 1;
        fs::remove_dir_all(&out).unwrap();
    }
    // What was killed last is brought to its end too.
    let resumable = work.verb == "train" && out.join("checkpoints").exists();
    succeed(at, if resumable { &work.again } else { &work.first });
    assert!(results(work, &out).iter().eq(undisturbed.iter()), "{}", work.verb);
    through + 1
}

#[test]
fn a_few_kills_lose_nothing() {
    let mut stream = Stream::new(1, &[b"kills"]);
    for work in works().iter().filter(|w| ["train", "segment"].contains(&w.verb)) {
        kill(work, 3, &mut stream);
    }
}

/// `cargo test --release -p sorby-cli --test cli kills -- --ignored --nocapture`
#[test]
#[ignore = "kills 220 processes, some minutes"]
fn two_hundred_kills_lose_nothing() {
    let mut stream = Stream::new(2, &[b"kills"]);
    for (work, kills) in works().iter().zip([100, 40, 30, 20, 30]) {
        let through = kill(work, kills, &mut stream);
        println!(
            "{}: killed {kills} times, {through} times brought to its end with the same bytes",
            work.verb
        );
    }
}

/// `cargo xtask attack`: verbs that make copies, tables and pages.
#[test]
#[ignore = "kills 200 processes, some minutes"]
fn attack_200_kills_of_copies() {
    let mut stream = Stream::new(3, &[b"kills"]);
    let kills = [40, 20, 40, 40, 10, 20, 10, 20];
    let later =
        works().into_iter().filter(|w| !["train", "segment", "measure", "report", "study"].contains(&w.verb));
    for (work, kills) in later.zip(kills) {
        let through = kill(&work, kills, &mut stream);
        println!(
            "{}: killed {kills} times, {through} times brought to its end with the same bytes",
            work.verb
        );
    }
}

/// SIGTERM, as at a shutdown: not a step is lost.
#[cfg(unix)]
#[test]
fn a_polite_end_keeps_every_step() {
    let folder = workshop();
    let at = folder.path();
    let longer = ["--set", "schedule.iterations=40", "--set", "schedule.checkpoint_every=1000"];
    let train = [&["train", "tiny.toml", "--data", "data", "--out", "run"][..], &longer].concat();
    let mut child = quiet(command(at, &train)).spawn().unwrap();
    let lines = || fs::read_to_string(at.join("run/metrics.jsonl")).unwrap_or_default().lines().count();
    let limit = Instant::now() + Duration::from_secs(300);
    while lines() < 2 {
        assert!(Instant::now() < limit, "training does not get on");
        std::thread::sleep(Duration::from_millis(2));
    }
    let told = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(told.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let status: serde_json::Value =
        serde_json::from_slice(&fs::read(at.join("run/status.json")).unwrap()).unwrap();
    assert_eq!(status["state"], "stopped");
    assert_eq!(status["iteration"].as_u64(), Some(lines() as u64), "the checkpoint is of the last step");
    succeed(at, &["train", "--resume", "run"]);
    assert_eq!(lines(), 40);
}

/// A disk that fills up is told of, and what was finished stays.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_loses_nothing() {
    let folder = workshop();
    let at = folder.path();
    fs::create_dir(at.join("small")).unwrap();
    // Room for the first checkpoint, not for the second.
    let script = "mount -t tmpfs -o size=260m tmpfs small && \"$0\" train tiny.toml --data data --out small/run \
                  --set schedule.checkpoint_every=2; code=$?; ls small/run/checkpoints; cp -r small/run saved; exit $code";
    let output = Command::new("unshare")
        .args(["-Urm", "sh", "-c", script, env!("CARGO_BIN_EXE_sorby")])
        .current_dir(at)
        .output();
    let Ok(output) = output else { return println!("skipped: no unshare on this machine") };
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    if !at.join("saved").exists() {
        return println!("skipped: no small disk can be made here ({})", told.trim());
    }
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(
        told.contains("the disk is full") && told.contains("--resume") && !told.contains("panicked"),
        "{told}"
    );
    all_whole(&at.join("saved"));
    // With room again, the run goes on from where it was.
    succeed(at, &["train", "--resume", "saved", "--data", "data"]);
    succeed(at, &["train", "tiny.toml", "--data", "data", "--out", "whole"]);
    let model = |run: &str| fs::read(at.join(run).join("model.safetensors")).unwrap();
    assert!(model("saved") == model("whole"));
}
