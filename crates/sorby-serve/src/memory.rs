//! Memory that requests may take: what one needs is compared with what is free before anything is decoded, because a
//! program that asks for more than there is ends, with all that it was doing for others.

use crate::error::{Answer, Refusal};
use crate::lock::lock;
use axum::http::StatusCode;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// Left free for all else.
const MARGIN_BYTES: u64 = 64 << 20;
/// How long a request waits for others to give back what they hold.
const WAIT: Duration = Duration::from_secs(20);
/// Bytes held at most for each byte of a decoded image: pixels as they are, with the range applied, and all layers.
const PER_DECODED_BYTE: u64 = 6;

/// What requests have been promised.
#[derive(Debug, Default)]
pub struct Memory(Arc<Promised>);

#[derive(Debug, Default)]
struct Promised {
    bytes: Mutex<u64>,
    changed: Condvar,
}

/// A promise, until it is dropped.
pub struct Share {
    of: Arc<Promised>,
    bytes: u64,
}

impl Drop for Share {
    fn drop(&mut self) {
        *lock(&self.of.bytes) -= self.bytes;
        self.of.changed.notify_all();
    }
}

impl Memory {
    /// Promises `bytes` for work on `what`. Waits while other requests hold what would suffice.
    pub fn share(&self, what: &Path, bytes: u64) -> Answer<Share> {
        self.share_of(sorby_train::available_bytes, what, bytes)
    }

    /// Memory for reading an image.
    pub fn for_image(&self, path: &Path) -> Answer<Share> {
        let decoded = sorby_image::decoded_bytes(path).unwrap_or(0);
        self.share(path, decoded.saturating_mul(PER_DECODED_BYTE))
    }

    /// Memory for work on an image that takes `per_pixel` bytes.
    pub fn for_pixels(&self, path: &Path, per_pixel: u64) -> Answer<Share> {
        let (width, height) = sorby_image::dimensions(path).unwrap_or((0, 0));
        let pixels = (width as u64).saturating_mul(height as u64);
        self.share(path, pixels.saturating_mul(per_pixel))
    }

    fn share_of(&self, free: impl Fn() -> Option<u64>, what: &Path, bytes: u64) -> Answer<Share> {
        let end = Instant::now() + WAIT;
        let mut promised = self.0.bytes.lock().unwrap_or_else(|e| e.into_inner());
        loop {
            // Where the system says nothing, nothing can be compared.
            let free = free().unwrap_or(u64::MAX);
            let needed = bytes.saturating_add(MARGIN_BYTES);
            if needed.saturating_add(*promised) <= free {
                *promised += bytes;
                return Ok(Share { of: self.0.clone(), bytes });
            }
            let others_hold_it = *promised > 0 && needed <= free.saturating_add(*promised);
            let left = end.saturating_duration_since(Instant::now());
            if !others_hold_it || left.is_zero() {
                return Err(too_little(what, bytes, free));
            }
            let waited = self.0.changed.wait_timeout(promised, left.min(Duration::from_secs(1)));
            promised = waited.unwrap_or_else(|e| e.into_inner()).0;
        }
    }
}

fn too_little(what: &Path, bytes: u64, free: u64) -> Refusal {
    let mb = |bytes: u64| bytes.div_ceil(1 << 20);
    let what = format!(
        "{}: this takes up to {} MB of memory and {} MB are free; end other programs, or cut the image into parts",
        what.file_name().unwrap_or_default().to_string_lossy(),
        mb(bytes),
        mb(free)
    );
    Refusal::new(StatusCode::INSUFFICIENT_STORAGE, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_is_free_is_refused_and_what_others_hold_is_waited_for() {
        let memory = Memory::default();
        let free = || Some(1000 << 20);
        let ask = |mb: u64| memory.share_of(free, Path::new("a.png"), mb << 20);
        let refusal = ask(950).err().unwrap();
        assert_eq!(refusal.status, StatusCode::INSUFFICIENT_STORAGE);
        assert!(
            refusal.what.contains("950 MB") && refusal.what.contains("1000 MB are free"),
            "{}",
            refusal.what
        );
        let first = ask(600).unwrap();
        let second = ask(300).unwrap();
        std::thread::scope(|scope| {
            let third = scope.spawn(|| ask(600).is_ok());
            std::thread::sleep(Duration::from_millis(100));
            drop(first);
            assert!(third.join().unwrap(), "as soon as there is room");
        });
        drop(second);
        assert_eq!(*memory.0.bytes.lock().unwrap(), 0);
    }
}
