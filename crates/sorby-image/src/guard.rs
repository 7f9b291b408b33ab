//! Decoders run here: one that panics costs its file, not the batch.

use crate::ImageError;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Once;

thread_local! {
    /// How many guarded readings this thread is in.
    static GUARDED: Cell<u32> = const { Cell::new(0) };
}

/// Runs the reading of one file. A panic inside becomes the file's error, and nothing of it goes to the terminal.
///
/// Decoders do their work on the thread that calls them, so the mark is the thread's own: panics of other threads are
/// reported as ever.
///
/// # Errors
/// Those of `read`; for a panic, one line that names the file.
pub(crate) fn guarded<T>(path: &Path, read: impl FnOnce() -> Result<T, ImageError>) -> Result<T, ImageError> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            // A thread that is ending has no mark any more, and reads no file.
            if GUARDED.try_with(Cell::get).unwrap_or(0) == 0 {
                before(panic);
            }
        }));
    });
    GUARDED.set(GUARDED.get() + 1);
    // What the reading held is dropped with it; nothing half-changed is looked at afterwards.
    let outcome = catch_unwind(AssertUnwindSafe(read));
    GUARDED.set(GUARDED.get() - 1);
    outcome.unwrap_or_else(|_| {
        let reason = "the reader failed on this file; is it complete? If other programs show it, save it again as PNG \
                      or TIFF";
        Err(ImageError::unreadable(path, reason))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_the_files_error_and_silent() {
        let path = Path::new("a.tif");
        let message = guarded::<()>(path, || panic!("deep in a decoder")).unwrap_err().to_string();
        assert!(message.starts_with("a.tif: ") && message.contains("save it again"), "{message}");
        assert!(!message.contains('\n'), "{message}");
        // Also one inside another, and the thread is free again.
        let nested: Result<u8, _> = guarded(path, || {
            assert!(guarded::<()>(path, || panic!("inner")).is_err());
            assert_eq!(GUARDED.get(), 1);
            Ok(7)
        });
        assert_eq!((nested.unwrap(), GUARDED.get()), (7, 0));
    }

    #[test]
    fn an_error_passes_as_it_is() {
        let path = Path::new("a.tif");
        let error = guarded::<()>(path, || Err(ImageError::unreadable(path, "cut"))).unwrap_err();
        assert_eq!(error.to_string(), "a.tif: cut");
    }
}
