//! Damaged and hostile files: read or refused with one clear line, in bounded memory and time, never a panic or a hang.

mod corpus;

use corpus::{Case, corpus};
use sorby_image::{MaskNote, Micrograph, RawLabels};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// Longer than any of these files should take on the slowest machine.
const HANG: Duration = Duration::from_secs(60);

/// Reads a file with every reader that may meet it; `Some` is what a reader that succeeded made of it.
fn read_all(path: &Path) -> Vec<Result<String, String>> {
    let picture = Micrograph::read(path).map(|i| format!("{}x{}x{}", i.width, i.height, i.channels()));
    let label = RawLabels::read(path).map(|l| format!("{:?}", l.size()));
    let scale = sorby_image::scale::read(path).map(|r| format!("{:?}", r.nm_per_px()));
    let weights = sorby_nn::weights_file::read_weights(path).map(|(state, _)| state.len().to_string());
    let _ = MaskNote::read(path);
    vec![
        picture.map_err(|e| e.to_string()),
        label.map_err(|e| e.to_string()),
        scale.map_err(|e| e.to_string()),
        weights.map_err(|e| e.to_string()),
    ]
}

/// Reads on a thread of its own, so that a hang is told from slow work and a panic from an error.
fn read_within(case: &Case, folder: &Path) -> Vec<Result<String, String>> {
    let path = folder.join(&case.name);
    std::fs::write(&path, &case.bytes).unwrap();
    let (send, done) = std::sync::mpsc::channel();
    let at = path.clone();
    std::thread::spawn(move || {
        let read = std::panic::catch_unwind(|| read_all(&at));
        let _ = send.send(read.map_err(|_| ()));
    });
    let read = done.recv_timeout(HANG).unwrap_or_else(|_| panic!("{} hangs", case.what));
    let read = read.unwrap_or_else(|()| panic!("{} panics", case.what));
    for error in read.iter().filter_map(|r| r.as_ref().err()) {
        assert!(!error.trim().is_empty() && !error.contains('\n'), "{}: {error:?}", case.what);
    }
    std::fs::remove_file(path).unwrap();
    read
}

#[test]
fn damaged_files_are_refused_or_read() {
    let folder = tempfile::tempdir().unwrap();
    let cases = corpus();
    let began = Instant::now();
    let (mut refused, mut readings) = (0, 0);
    for case in &cases {
        let read = read_within(case, folder.path());
        refused += usize::from(read.iter().all(|r| r.is_err()));
        readings += read.len();
        if case.must_fail {
            assert!(read[0].is_err() && read[3].is_err(), "{} is read: {read:?}", case.what);
        }
    }
    println!(
        "{} files, {readings} readings, {refused} files refused by every reader, {:.0} s",
        cases.len(),
        began.elapsed().as_secs_f64()
    );
    assert!(cases.len() > 1000);
}

/// The program itself, given 3 GB and a file that asks for more: one line and exit code 2.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_asks_for_too_much_is_refused_in_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    for case in corpus().iter().filter(|c| c.asks_for_much) {
        let path = folder.path().join(&case.name);
        std::fs::write(&path, &case.bytes).unwrap();
        let output = Command::new("sh")
            .args(["-c", "ulimit -v 3000000; exec \"$0\" measure \"$1\" --out \"$1.out\" --nm-per-px 1"])
            .args([env!("CARGO_BIN_EXE_sorby").as_ref(), path.as_os_str()])
            .current_dir(folder.path())
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{}: {told}", case.what);
        assert!(told.contains(&case.name) && !told.contains("panicked"), "{}: {told}", case.what);
    }
}

/// Pickles are never executed.
#[test]
fn a_pickle_that_runs_commands_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bomb.pth");
    // os.system("touch <folder>/ran"), as protocol 2 would call it.
    let mark = folder.path().join("ran");
    let command = format!("touch {}", mark.display());
    let mut pickle = b"\x80\x02cos\nsystem\nX".to_vec();
    pickle.extend((command.len() as u32).to_le_bytes());
    pickle.extend(command.as_bytes());
    pickle.extend(b"\x85R.");
    std::fs::write(&path, corpus::archive(&[("bomb/data.pkl", &pickle)])).unwrap();
    let error = sorby_nn::weights_file::read_weights(&path).expect_err("no weights in there");
    assert!(!error.to_string().is_empty() && !mark.exists(), "{error}");
    // And as the bare pickle of older files.
    std::fs::write(&path, &pickle).unwrap();
    assert!(sorby_nn::weights_file::read_weights(&path).is_err() && !mark.exists());
}
