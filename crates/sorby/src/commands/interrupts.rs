//! Ctrl-C and SIGTERM for work that can be continued: the first asks it to stop at the next safe point, the
//! second ends it at once. Verbs that do not listen end at the first, and leave only whole files.

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);

/// What shells report of a program that ended by Ctrl-C.
const INTERRUPTED: u8 = 130;

pub fn listen() {
    let heard = ctrlc::set_handler(|| {
        if ASKED.swap(true, Ordering::SeqCst) {
            std::process::exit(INTERRUPTED.into());
        }
        eprintln!("stopping after this step; once more to stop at once");
    });
    if let Err(error) = heard {
        // Then Ctrl-C kills, which loses the steps since the last checkpoint and no more.
        eprintln!("note: Ctrl-C cannot be heard ({error})");
    }
}

pub fn ask() {
    ASKED.store(true, Ordering::SeqCst);
}

pub fn asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}

pub fn exit_code() -> ExitCode {
    ExitCode::from(INTERRUPTED)
}
