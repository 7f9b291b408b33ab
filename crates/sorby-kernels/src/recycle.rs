//! Output buffers that come back: the outputs of a training step are the same sizes every time, and
//! allocating, faulting in and zeroing them costs more than many of the operations that fill them.

use std::sync::{Mutex, MutexGuard, PoisonError};

static FREE: Mutex<Free> = Mutex::new(Free { buffers: Vec::new(), floats: 0 });

/// Smaller buffers are left to the allocator.
const SMALLEST: usize = 1 << 12;

/// Floats kept at most: 1 GB.
const LARGEST_TOTAL: usize = 1 << 28;

/// Buffers of one length kept at most: what nobody takes again must not pile up.
const SAME_LENGTH: usize = 32;

struct Free {
    /// Oldest first.
    buffers: Vec<Vec<f32>>,
    floats: usize,
}

fn free() -> MutexGuard<'static, Free> {
    // A panic elsewhere cannot leave the list half-changed.
    FREE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `len` floats of any value, to be overwritten: a buffer given back before, or a new one.
pub(crate) fn take(len: usize) -> Vec<f32> {
    let found = if len < SMALLEST {
        None
    } else {
        let mut free = free();
        // The newest of just this size: it is the likeliest to be in a cache still.
        let place = free.buffers.iter().rposition(|b| b.len() == len);
        place.map(|i| {
            free.floats -= len;
            free.buffers.remove(i)
        })
    };
    let mut buffer = found.unwrap_or_else(|| crate::zeroed::zeroed(len));
    if cfg!(debug_assertions) {
        // What is read before it is written shows itself.
        buffer.fill(f32::NAN);
    }
    buffer
}

/// Keeps a buffer that is no longer needed for the next [`take`] of its length.
pub fn give_back(buffer: Vec<f32>) {
    if buffer.len() < SMALLEST {
        return;
    }
    let mut free = free();
    if free.buffers.iter().filter(|b| b.len() == buffer.len()).count() >= SAME_LENGTH {
        return;
    }
    free.floats += buffer.len();
    free.buffers.push(buffer);
    while free.floats > LARGEST_TOTAL {
        let oldest = free.buffers.remove(0);
        free.floats -= oldest.len();
    }
}

/// Gives all kept buffers, and those used inside operations, to the allocator: when work of other sizes begins.
pub fn clear() {
    let mut free = free();
    free.buffers.clear();
    free.floats = 0;
    crate::scratch::clear();
}
