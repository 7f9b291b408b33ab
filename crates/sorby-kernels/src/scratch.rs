//! Buffers that are used again instead of being given back to the system: a fresh 40 MB buffer costs ten
//! thousand page faults, more than the transform that fills it.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};

static FREE: Mutex<Vec<Vec<f32>>> = Mutex::new(Vec::new());

/// Buffers kept; a convolution uses three at a time.
const KEPT: usize = 6;

fn free() -> MutexGuard<'static, Vec<Vec<f32>>> {
    // A panic elsewhere cannot leave the list half-changed.
    FREE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A borrowed buffer; its contents are left over from whoever used it before.
pub(crate) struct Scratch(Vec<f32>);

/// A buffer of `len` floats of any value: write before reading.
pub(crate) fn take(len: usize) -> Scratch {
    let mut buffer = {
        let mut free = free();
        // The smallest that is large enough; where none is, the largest gives way to a new one.
        let fitting =
            (0..free.len()).filter(|&i| free[i].capacity() >= len).min_by_key(|&i| free[i].capacity());
        match fitting {
            Some(i) => free.swap_remove(i),
            None => {
                let largest = (0..free.len()).max_by_key(|&i| free[i].capacity());
                largest.map(|i| free.swap_remove(i));
                Vec::new()
            }
        }
    };
    buffer.resize(len, 0.0);
    Scratch(buffer)
}

impl Deref for Scratch {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        &self.0
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let mut free = free();
        if free.len() < KEPT {
            free.push(std::mem::take(&mut self.0));
        }
    }
}
