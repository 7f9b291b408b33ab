//! A real HyperQueue (its Python module's LocalCluster): server and worker of one machine.

use super::*;
use std::io::BufRead as _;
use std::process::{Child, Stdio};

/// Prints the folder of the server, and serves until its input ends.
const SERVER: &str = "import sys\nfrom hyperqueue import LocalCluster\nfrom hyperqueue.cluster import WorkerConfig\n\
                      cluster = LocalCluster()\ncluster.start_worker(WorkerConfig(cores=2))\n\
                      print('server-dir', cluster.cluster.server_dir, flush=True)\nsys.stdin.read()\ncluster.stop()\n";

struct HyperQueue {
    process: Child,
    folder: String,
    mark: String,
}

impl HyperQueue {
    fn start(mark: &str) -> Self {
        let mut process = Command::new("python3")
            .args(["-c", SERVER])
            .env("SORBY_TEST_ENGINE", mark)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = std::io::BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let folder = lines.find_map(|l| l.strip_prefix("server-dir ").map(str::to_owned)).unwrap();
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, folder, mark: mark.to_owned() }
    }

    /// Server, worker and tasks at once.
    fn kill(&mut self) {
        kill(&processes_of(&variable(&self.mark)));
        _ = self.process.wait();
    }
}

impl Drop for HyperQueue {
    fn drop(&mut self) {
        self.kill();
    }
}

fn variable(mark: &str) -> String {
    format!("SORBY_TEST_ENGINE={mark}")
}

/// Whether no task is at work.
fn quiet(mark: &str) -> bool {
    let name = |pid: &u32| fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    !processes_of(&variable(mark)).iter().any(|pid| name(pid).starts_with("sorby"))
}

#[test]
fn hyperqueue_makes_the_bytes_of_one_machine() {
    if !there("python3", &["-c", "import hyperqueue"]) {
        return skipped("HyperQueue (PyPI's hyperqueue) is not installed for python3");
    }
    let at = reference();
    let study = at.join("hq/n2");
    let mark = format!("{}-{}", at.display(), std::process::id());
    let mut engine = HyperQueue::start(&mark);
    let submit = |server: &str| {
        let place = format!("--server-dir={server}");
        let words = ["study", "submit", "n2.toml", "--data", "data", "--out", "hq/n2", "--executor", "hq"];
        succeed(at, &[&words[..], &["--cpus-per-task", "1", "--run", "--", &place]].concat())
    };
    let printed = submit(&engine.folder);
    assert!(printed.contains("6 to train") && printed.contains("submitted as job 1"), "{printed}");
    let said = || logs(&study);
    wait("a training", 120, || in_the_middle(&study), said);
    engine.kill();
    let left = status(at, "hq/n2");
    assert!(left["done"].as_array().unwrap().len() < 6, "{left}");
    // A new server and worker: the same command again, which does what is missing. Each round submits the next.
    let engine = HyperQueue::start(&mark);
    submit(&engine.folder);
    wait("the end of the study", 240, || study.join("report").is_dir() && quiet(&mark), said);
    same_study(at, "hq");

    let place = format!("--server-dir={}", engine.folder);
    let segment = ["segment", "model", "lot", "--nm-per-px", "20", "--out", "hq-lot", "--executor", "hq"];
    succeed(at, &[&segment[..], &["--shards", "5", "--run", "--", &place]].concat());
    let lot = at.join("hq-lot");
    wait("the end of the lot", 120, || lot.join("trust.csv").is_file() && quiet(&mark), || logs(&lot));
    crate::shards::same(&at.join("one-lot"), &lot);
}
