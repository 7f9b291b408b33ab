//! Sorby next to PyTorch on the same work, in turns, on this machine.

use crate::{cargo, execute, program, root};
use anyhow::{Context as _, bail};
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;

/// Turns: each program runs once per turn, so that a machine that slows down slows both.
const TURNS: usize = 3;

/// One piece of work, as both programs are told of it.
struct Work {
    title: &'static str,
    work: &'static str,
    arch: &'static str,
    /// Number types of the peers.
    peers: &'static [&'static str],
    repeats: &'static str,
}

const WORKS: [Work; 6] = [
    Work {
        title: "training step, DeepLabV3+",
        work: "train",
        arch: "deeplabv3plus",
        peers: &["f32", "bf16"],
        repeats: "3",
    },
    Work {
        title: "training step, PSPNet",
        work: "train",
        arch: "pspnet",
        peers: &["f32", "bf16"],
        repeats: "3",
    },
    Work {
        title: "inference of 8 windows, DeepLabV3+",
        work: "infer",
        arch: "deeplabv3plus",
        peers: &["f32", "bf16"],
        repeats: "5",
    },
    Work {
        title: "inference of 8 windows, PSPNet",
        work: "infer",
        arch: "pspnet",
        peers: &["f32"],
        repeats: "5",
    },
    Work {
        title: "image of 2048 x 1536, DeepLabV3+",
        work: "image",
        arch: "deeplabv3plus",
        peers: &["f32"],
        repeats: "1",
    },
    Work {
        title: "image of 2048 x 1536, PSPNet",
        work: "image",
        arch: "pspnet",
        peers: &["f32"],
        repeats: "1",
    },
];

/// Medians and peak memories of one program over the turns.
#[derive(Default)]
struct Series {
    seconds: Vec<f64>,
    memory_mb: Vec<f64>,
    ratio_to_gemm: Vec<f64>,
}

impl Series {
    fn add(&mut self, line: &Value) -> anyhow::Result<()> {
        let number = |pointers: &[&str]| pointers.iter().find_map(|p| line.pointer(p)?.as_f64());
        self.seconds.push(number(&["/time/median_s", "/median_s"]).context("no median in the output")?);
        self.memory_mb.extend(number(&["/peak_memory_mb", "/peak_rss_mb"]));
        self.ratio_to_gemm.extend(number(&["/ratio_to_gemm"]));
        Ok(())
    }
}

pub fn run(arguments: &[String]) -> anyhow::Result<()> {
    let with_torch = match arguments {
        [] => false,
        [flag] if flag == "--torch" => true,
        [flag] if flag == "--measure" => return measure(),
        [flag] if flag == "--peers" => return crate::peers::run(),
        _ => bail!("usage: cargo xtask bench [--torch | --measure | --peers]"),
    };
    cargo(&["build", "--release", "--locked", "--package", "sorby-cli"])?;
    let python = with_torch.then(install_torch).transpose()?;
    println!(
        "| work | program | s, median of {TURNS} turns (range) | Sorby is | memory MB | ratio_to_gemm |"
    );
    println!("|---|---|---|---|---|---|");
    for work in WORKS {
        let peers = if python.is_some() { work.peers } else { &[] };
        let mut sorby = Series::default();
        let mut torch: Vec<Series> = peers.iter().map(|_| Series::default()).collect();
        for _ in 0..TURNS {
            let threads = threads();
            let arguments = [
                "--threads",
                &threads,
                "bench",
                work.work,
                "--arch",
                work.arch,
                "--repeats",
                work.repeats,
                "--json",
            ];
            sorby.add(&json_of(Command::new(program("release")).args(arguments))?)?;
            for (series, dtype) in torch.iter_mut().zip(peers) {
                let mut command = Command::new(python.as_ref().context("no Python")?);
                command.arg(root().join("reference/bench_torch.py"));
                command.args(["--work", work.work, "--arch", work.arch, "--dtype", dtype]);
                command.args(["--repeats", work.repeats, "--threads", &threads]);
                series.add(&json_of(&mut command)?)?;
            }
        }
        let ours = median(&sorby.seconds);
        row(work.title, "Sorby, f32", &sorby, String::new());
        for (series, dtype) in torch.iter().zip(peers) {
            let faster = format!("{:.2}x as fast", median(&series.seconds) / ours);
            row(work.title, &format!("PyTorch, {dtype}, channels last"), series, faster);
        }
    }
    Ok(())
}

fn row(title: &str, program: &str, series: &Series, faster: String) {
    let low = series.seconds.iter().copied().fold(f64::INFINITY, f64::min);
    let high = series.seconds.iter().copied().fold(0.0, f64::max);
    let gemm = match series.ratio_to_gemm[..] {
        [] => String::new(),
        _ => format!("{:.2}", median(&series.ratio_to_gemm)),
    };
    let (median_s, memory) = (median(&series.seconds), median(&series.memory_mb));
    println!(
        "| {title} | {program} | {median_s:.3} ({low:.3}-{high:.3}) | {faster} | {memory:.0} | {gemm} |"
    );
}

pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Measurement of one mask next to OpenCV and scikit-image.
fn measure() -> anyhow::Result<()> {
    cargo(&["build", "--release", "--locked", "--package", "sorby-cli"])?;
    let python = install_torch()?;
    let folder = root().join("target/bench-measure");
    let mut rows: Vec<(&str, Vec<f64>)> = Vec::new();
    let mut add = |name: &'static str, seconds: Option<f64>| -> anyhow::Result<()> {
        let seconds = seconds.with_context(|| format!("no {name} in the output"))?;
        match rows.iter_mut().find(|r| r.0 == name) {
            Some(row) => row.1.push(seconds),
            None => rows.push((name, vec![seconds])),
        }
        Ok(())
    };
    for _ in 0..TURNS {
        // The program overwrites nothing.
        if folder.exists() {
            std::fs::remove_dir_all(&folder).context("an older mask cannot be removed")?;
        }
        let mut sorby = Command::new(program("release"));
        sorby
            .args(["--threads", &threads(), "bench", "measure", "--repeats", "11", "--json", "--write"])
            .arg(&folder);
        let ours = json_of(&mut sorby)?;
        for (name, key) in [
            ("Sorby: labelling", "/labelling/median_s"),
            ("Sorby: full table", "/table/median_s"),
            ("Sorby: 256 thresholds", "/sweep/median_s"),
        ] {
            add(name, ours.pointer(key).and_then(Value::as_f64))?;
        }
        let script = root().join("reference/bench_measure.py");
        let theirs = json_of(Command::new(&python).arg(script).arg(&folder))?;
        for (name, key) in [
            ("OpenCV: labelling with areas", "opencv_labelling_s"),
            ("OpenCV: and contours, area, perimeter, circle", "opencv_contours_s"),
            ("OpenCV: 256 thresholds one by one", "opencv_sweep_s"),
            ("scikit-image: regionprops_table, 14 properties", "skimage_table_s"),
        ] {
            add(name, theirs[key].as_f64())?;
        }
    }
    println!("| work on 2048 x 1536 pixels, 3942 objects | ms, median of {TURNS} turns (range) |");
    println!("|---|---|");
    for (name, mut seconds) in rows {
        seconds.sort_by(f64::total_cmp);
        let ms = |i: usize| 1000.0 * seconds[i];
        println!("| {name} | {:.1} ({:.1} to {:.1}) |", ms(seconds.len() / 2), ms(0), ms(seconds.len() - 1));
    }
    Ok(())
}

pub fn threads() -> String {
    std::thread::available_parallelism().map_or(1, |n| n.get()).to_string()
}

/// The JSON at the end of what a command prints.
pub fn json_of(command: &mut Command) -> anyhow::Result<Value> {
    let shown = format!("{command:?}");
    let output = command.current_dir(root()).output().with_context(|| format!("cannot start {shown}"))?;
    if !output.status.success() {
        bail!("{shown} failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    last_object(&text).with_context(|| format!("{shown} printed {text:?}"))
}

/// The object at the end of a text: on one line, or from a line that begins with its brace to the end.
fn last_object(text: &str) -> Option<Value> {
    let text = text.trim_end();
    let last = text.lines().last().and_then(|line| serde_json::from_str(line).ok());
    last.filter(Value::is_object).or_else(|| {
        let starts = text.match_indices('{').map(|(at, _)| at);
        let mut starts = starts.filter(|&at| at == 0 || text.as_bytes()[at - 1] == b'\n');
        starts.find_map(|at| serde_json::from_str(&text[at..]).ok())
    })
}

/// A Python with the reference's pinned packages, in `target/torch`. `SORBY_PYTHON` names one that has them.
fn install_torch() -> anyhow::Result<PathBuf> {
    if let Some(python) = std::env::var_os("SORBY_PYTHON") {
        return Ok(python.into());
    }
    environment("target/torch", "reference/requirements.txt")
}

/// A Python with a list of packages in a folder of its own, made once.
pub fn environment(folder: &str, requirements: &str) -> anyhow::Result<PathBuf> {
    let (environment, requirements) = (root().join(folder), root().join(requirements));
    let python = environment.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    // Holds the list it was made from, so that a change of versions is noticed.
    let done = environment.join("installed");
    let wanted = std::fs::read(&requirements)?;
    if std::fs::read(&done).ok().as_deref() != Some(&wanted) {
        let base = if cfg!(windows) { "python" } else { "python3" };
        execute(Command::new(base).args(["-m", "venv"]).arg(&environment))?;
        execute(Command::new(&python).args(["-m", "pip", "install", "--quiet", "-r"]).arg(requirements))?;
        std::fs::write(&done, &wanted).with_context(|| format!("cannot write into {folder}"))?;
    }
    Ok(python)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_object_at_the_end_is_found_on_one_line_and_on_many() {
        let found = |text| last_object(text).map(|v| v["a"].as_u64());
        assert_eq!(found("words\n{\"a\": 1}\n"), Some(Some(1)));
        assert_eq!(found("{\n  \"a\": 2,\n  \"b\": {\n    \"a\": 3\n  }\n}\n\n"), Some(Some(2)));
        assert_eq!(found("{no json}\n{\n\"a\": 4\n}"), Some(Some(4)));
        assert_eq!(found("words"), None);
    }
}
