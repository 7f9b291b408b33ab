//! A file system that fails: each write, sync or creation of a file in turn fails with "no space left" or "input/output
//! error", or writes half of its bytes. Nothing may be half-written, nothing lost, and the same command ends well after.

use crate::kills::{Work, all_whole, prepare, results, works};
use crate::{command, succeed};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const ENOSPC: i32 = 28;
const EIO: i32 = 5;
/// No error: half of the bytes are written, as the system may do at any time.
const SHORT: i32 = 0;

/// Compiles the library that makes calls fail.
pub fn library(at: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/faulty_calls.c");
    let library = at.join("faulty_calls.so");
    let mut compiler = Command::new("cc");
    compiler.args(["-O1", "-shared", "-fPIC", "-o"]).arg(&library).arg(source).arg("-ldl");
    assert!(compiler.status().expect("a C compiler").success());
    library
}

struct Faults {
    library: PathBuf,
    folder: tempfile::TempDir,
}

impl Faults {
    fn run(&self, at: &Path, arguments: &[&str], call: u64, error: i32) -> (Output, u64) {
        let count = self.folder.path().join("count");
        let output = command(at, &[&["--threads", "2"], arguments].concat())
            .env("LD_PRELOAD", &self.library)
            .env("SORBY_FAULT_ROOT", at)
            .env("SORBY_FAULT_AT", call.to_string())
            .env("SORBY_FAULT_ERRNO", error.to_string())
            .env("SORBY_FAULT_COUNT", &count)
            .output()
            .unwrap();
        let calls = fs::read_to_string(&count).unwrap_or_default().parse().unwrap_or(0);
        (output, calls)
    }
}

/// Lets about `tries` calls of one verb fail in each way; gives how many did.
fn fail_each(work: &Work, tries: u64) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let faults = Faults { library: library(folder.path()), folder };
    let shop = prepare();
    let at = shop.path().canonicalize().unwrap();
    let out = at.join(work.out);
    let (whole, calls) = faults.run(&at, &work.first, 0, ENOSPC);
    assert!(whole.status.success(), "{}: {}", work.verb, String::from_utf8_lossy(&whole.stderr));
    assert!(calls > 0, "{}: no call was seen", work.verb);
    let undisturbed = results(work, &out);

    let mut failed = 0;
    for step in 0..tries.min(calls) {
        let call = 1 + step * calls / tries.min(calls);
        for error in [ENOSPC, EIO, SHORT] {
            let _ = fs::remove_dir_all(&out);
            let (output, _) = faults.run(&at, &work.first, call, error);
            let said = String::from_utf8_lossy(&output.stderr);
            let case = format!("{}, call {call} of {calls}, error {error}: {said}", work.verb);
            assert!(!said.contains("panicked") && output.status.code().is_some_and(|c| c <= 2), "{case}");
            all_whole(&out);
            if output.status.success() {
                assert!(results(work, &out) == undisturbed, "ended well with other bytes: {case}");
            } else {
                assert!(error != SHORT, "half a write is no error: {case}");
                let one =
                    said.lines().filter(|l| l.starts_with("error: ") || l.starts_with("problem: ")).count();
                assert!(one >= 1, "no line says what is wrong: {case}");
            }
            failed += 1;
            if output.status.success() && work.makes_new_folder() {
                fs::remove_dir_all(&out).unwrap();
            }
            let resumable = work.verb == "train" && out.join("checkpoints").exists();
            succeed(&at, if resumable { &work.again } else { &work.first });
            assert!(results(work, &out) == undisturbed, "not the bytes of an undisturbed run after: {case}");
        }
    }
    failed
}

#[test]
fn a_failing_disk_leaves_nothing_half_written() {
    for work in works().iter().filter(|w| ["measure", "threshold", "export", "import"].contains(&w.verb)) {
        fail_each(work, 4);
    }
}

/// The last bytes of a picture that is written row by row wait in a buffer: their failure is told too.
#[test]
fn no_picture_lacks_its_last_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let faults = Faults { library: library(folder.path()), folder };
    let shop = prepare();
    let at = shop.path().canonicalize().unwrap();
    let words = ["segment", "model", "data/images/carbide-001.png", "--out", "out", "--probabilities"];
    let (_, calls) = faults.run(&at, &words, 0, ENOSPC);
    for call in 1..=calls {
        let _ = fs::remove_dir_all(at.join("out"));
        let (output, _) = faults.run(&at, &words, call, ENOSPC);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "call {call} of {calls}: {said}");
        assert!(
            said.contains("the disk is full") && said.matches("error: ").count() == 1,
            "call {call}: {said}"
        );
        all_whole(&at.join("out"));
    }
}

/// `cargo xtask attack`
#[test]
#[ignore = "some minutes: every verb, many calls"]
fn attack_every_verb_on_a_failing_disk() {
    for work in works() {
        let failed = fail_each(&work, 6);
        println!("{}: {failed} failing calls, nothing half-written, same bytes after", work.verb);
    }
}
