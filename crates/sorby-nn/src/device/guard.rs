//! Work on a device whose driver may give up: a failure is one line, not a panic.

use burn::tensor::Device;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, Once, PoisonError};

/// A device that failed at work, and what can be done.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("the device failed: {0}")]
pub struct DeviceFailure(String);

/// How many guarded works are under way. The runtimes of devices have threads of their own, so that the mark is the
/// process's.
static GUARDED: AtomicU32 = AtomicU32::new(0);

/// The first panic since a guarded work began: later ones only follow from it.
static FIRST: Mutex<Option<String>> = Mutex::new(None);

/// The first panic of a runtime between two guarded works: its threads work on what was asked before.
static BETWEEN: Mutex<Option<String>> = Mutex::new(None);

/// Characters of a driver's message that are shown.
const LONGEST_REASON: usize = 200;

/// Runs work on a device. A panic of a graphics runtime, which knows no errors, becomes one. On the CPU nothing is caught.
///
/// # Errors
/// What the device's runtime said, and what to do.
pub fn guarded<T>(device: &Device, work: impl FnOnce() -> T) -> Result<T, DeviceFailure> {
    if on_cpu(device) {
        return Ok(work());
    }
    caught(work).map_err(|message| DeviceFailure(explained(&message)))
}

fn on_cpu(device: &Device) -> bool {
    let inner = device.clone().inner();
    matches!(inner.as_dispatch(), burn::backend::DispatchDevice::Flex(_))
}

/// Runs work that may panic; the message of the first panic on any thread if it does, and nothing on the terminal.
pub(super) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let kept = match GUARDED.load(Ordering::SeqCst) {
                0 if !panic.location().is_some_and(|place| of_runtime(place.file())) => return before(panic),
                0 => &BETWEEN,
                _ => &FIRST,
            };
            let message = panic.payload_as_str().unwrap_or("it gave no reason").to_owned();
            lock(kept).get_or_insert(message);
        }));
    });
    if GUARDED.fetch_add(1, Ordering::SeqCst) == 0 {
        lock(&FIRST).take();
    }
    // What the work held is dropped with it; after a failure the run ends.
    let outcome = catch_unwind(AssertUnwindSafe(work));
    GUARDED.fetch_sub(1, Ordering::SeqCst);
    outcome.map_err(|_| lock(&BETWEEN).clone().or_else(|| lock(&FIRST).clone()).unwrap_or_default())
}

fn lock(message: &Mutex<Option<String>>) -> std::sync::MutexGuard<'_, Option<String>> {
    message.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a source file is one of the graphics runtimes.
fn of_runtime(file: &str) -> bool {
    ["cubecl-", "cubek-", "burn-cubecl-", "wgpu-", "naga-"].iter().any(|name| file.contains(name))
}

/// What a runtime's message means for the user.
fn explained(message: &str) -> String {
    let lower = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|w| lower.contains(w));
    let advice = if says(&["outofmemory", "out of memory", "not enough memory", "oom", "allocat"]) {
        "its memory does not suffice; lower data.batch or data.crop, or close other programs that use the card"
    } else if says(&["lost", "poison"]) {
        "the driver has reset or lost it; start again, and update the driver if this happens again"
    } else {
        "update its driver, or train on the CPU (leave --device out)"
    };
    format!("{advice} (it says: {})", one_line(message))
}

/// A message without line breaks, shortened.
pub(super) fn one_line(message: &str) -> String {
    let words = message.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(LONGEST_REASON) {
        Some((end, _)) => format!("{} ...", &words[..end]),
        None => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_on_any_thread_becomes_one_line() {
        let work = || {
            let worker = std::thread::spawn(|| panic!("wgpu error:\n  Out of Memory\n  at a buffer of 3 GB"));
            worker.join().expect("the work of the thread")
        };
        let message = explained(&caught::<()>(work).unwrap_err());
        assert!(message.starts_with("its memory does not suffice"), "{message}");
        assert!(message.contains("(it says: wgpu error: Out of Memory at a buffer"), "{message}");
        assert!(!message.contains('\n'));
        assert_eq!(caught(|| 7), Ok(7));
        assert_eq!(GUARDED.load(Ordering::SeqCst), 0);
        let long = one_line(&"µ ".repeat(500));
        assert!(long.chars().count() <= LONGEST_REASON + 4, "{long}");
    }

    #[test]
    fn the_cpu_is_not_guarded() {
        let work = || guarded(&Device::flex(), || -> () { panic!("a mistake of ours") });
        assert!(catch_unwind(work).is_err());
    }
}
