//! Buffers that are used again instead of being given back to the system: a fresh 40 MB buffer costs ten
//! thousand page faults, more than the transform that fills it.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};

static FREE: Mutex<Vec<Vec<f32>>> = Mutex::new(Vec::new());

/// Buffers kept: three for a convolution of many channels, three per thread for one of few.
fn kept() -> usize {
    16 + 3 * rayon::current_num_threads()
}

fn free() -> MutexGuard<'static, Vec<Vec<f32>>> {
    // A panic elsewhere cannot leave the list half-changed.
    FREE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A borrowed buffer; its contents are left over from whoever used it before.
pub(crate) struct Scratch {
    buffer: Vec<f32>,
    len: usize,
}

/// A buffer of `len` floats of any value: write before reading.
pub(crate) fn take(len: usize) -> Scratch {
    let found = {
        let mut free = free();
        // The smallest that is large enough, unless it is far too large: that one will be wanted elsewhere.
        let fitting = (0..free.len())
            .filter(|&i| free[i].len() >= len && free[i].len() / 4 <= len)
            .min_by_key(|&i| free[i].len());
        fitting.map(|i| free.remove(i))
    };
    let mut buffer = found.unwrap_or_else(|| crate::zeroed::zeroed(len));
    if cfg!(debug_assertions) {
        // What is read before it is written shows itself.
        buffer[..len].fill(f32::NAN);
    }
    Scratch { buffer, len }
}

/// Gives all kept buffers to the allocator.
pub(crate) fn clear() {
    free().clear();
}

impl Deref for Scratch {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        &self.buffer[..self.len]
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.buffer[..self.len]
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let most = kept();
        let mut free = free();
        free.push(std::mem::take(&mut self.buffer));
        // The oldest go: sizes of work long done make room for those of now.
        let oldest = (free.len() > most).then(|| free.remove(0));
        drop(free);
        drop(oldest);
    }
}
