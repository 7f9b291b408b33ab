//! A lock that one process holds: on a project, a run, a folder of results.

use crate::files;
use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a lock is waited for: what was just stopped needs a moment to let go.
pub const WAIT: Duration = Duration::from_secs(2);

/// Takes the lock of a file, which is made where it is missing. It is held until the file returned is dropped, or the
/// process ends in any way. `None` when another process still holds it after two seconds.
///
/// # Errors
/// When the file cannot be made or locked at all.
pub fn take(path: &Path) -> io::Result<Option<File>> {
    let file = files::open_lock(path)?;
    match wait_for(&file, WAIT) {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::Error(error)) => Err(error),
        Err(TryLockError::WouldBlock) => Ok(None),
    }
}

/// Locks a file, for which it waits no longer than this.
pub(crate) fn wait_for(file: &File, wait: Duration) -> Result<(), TryLockError> {
    let end = Instant::now() + wait;
    loop {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) if Instant::now() < end => {
                std::thread::sleep(Duration::from_millis(50));
            }
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_waited_for_and_then_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/lock");
        let first = take(&path).unwrap().unwrap();
        assert!(take(&path).unwrap().is_none());
        let waiting = std::thread::spawn(move || take(&path).unwrap().is_some());
        std::thread::sleep(Duration::from_millis(300));
        drop(first);
        assert!(waiting.join().unwrap(), "taken as soon as it is free");
    }
}
