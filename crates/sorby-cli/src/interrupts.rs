//! Ctrl-C and SIGTERM for work that can be continued: the first asks it to stop at the next safe point, the
//! second ends it at once. Verbs that do not listen end at the first, and leave only whole files.

use std::sync::atomic::{AtomicBool, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);

/// What shells report of a program that ended by Ctrl-C.
pub const EXIT_CODE: u8 = 130;

pub fn listen() {
    let heard = ctrlc::set_handler(|| {
        if ASKED.swap(true, Ordering::SeqCst) {
            std::process::exit(EXIT_CODE.into());
        }
        eprintln!("stopping after this step; once more to stop at once");
    });
    if let Err(error) = heard {
        // Then Ctrl-C kills, which loses the steps since the last checkpoint and no more.
        eprintln!("note: Ctrl-C cannot be heard ({error})");
    }
}

pub fn asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}

/// Whether there is anything to lose by ending at once.
static BEGUN: AtomicBool = AtomicBool::new(false);

/// What a child reports of itself that ends because its parent did.
const PARENT_GONE: i32 = 75;

/// From now on an end that comes by [`stop_with_parent`] waits for a checkpoint.
pub fn work_has_begun() {
    BEGUN.store(true, Ordering::SeqCst);
}

/// Stops this process when the one that started it is gone: its end of our standard input closes then.
pub fn stop_with_parent() {
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        if !BEGUN.load(Ordering::SeqCst) {
            std::process::exit(PARENT_GONE);
        }
        ASKED.store(true, Ordering::SeqCst);
        // Soon, come what may: the study may have been started again, and waits for this run.
        std::thread::sleep(std::time::Duration::from_secs(25));
        std::process::exit(PARENT_GONE);
    });
}
