//! Ctrl-C and SIGTERM for work that can be continued: the first asks it to stop at the next safe point, the
//! second ends it at once. SIGUSR1 and SIGUSR2, which clusters send before they end a task, ask it too, however often. Verbs
//! that do not listen end at the first, and leave only whole files.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);

/// What a command answers that was stopped and goes on when it is started again: as shells report a program that ended by
/// Ctrl-C, unless the user says otherwise.
static EXIT_CODE: AtomicU8 = AtomicU8::new(130);

pub fn set_exit_code(code: u8) {
    EXIT_CODE.store(code, Ordering::SeqCst);
}

pub fn exit_code() -> u8 {
    EXIT_CODE.load(Ordering::SeqCst)
}

pub fn listen() {
    let heard = ctrlc::set_handler(|| {
        if ASKED.swap(true, Ordering::SeqCst) {
            std::process::exit(exit_code().into());
        }
        eprintln!("stopping after this step; once more to stop at once");
    });
    if let Err(error) = heard {
        // Then Ctrl-C kills, which loses the steps since the last checkpoint and no more.
        eprintln!("note: Ctrl-C cannot be heard ({error})");
    }
    #[cfg(unix)]
    listen_to_clusters();
}

/// A thread of its own waits for them, for a signal's handler may do next to nothing.
#[cfg(unix)]
fn listen_to_clusters() {
    use signal_hook::consts::{SIGUSR1, SIGUSR2};
    let mut signals = match signal_hook::iterator::Signals::new([SIGUSR1, SIGUSR2]) {
        Ok(signals) => signals,
        Err(error) => return eprintln!("note: SIGUSR1 and SIGUSR2 cannot be heard ({error})"),
    };
    std::thread::spawn(move || {
        for _ in signals.forever() {
            if !ASKED.swap(true, Ordering::SeqCst) {
                eprintln!("stopping after this step, as a signal asks");
            }
        }
    });
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
