//! Large zeroed buffers, filled by all threads: one thread zeroing (and faulting in) every output of a
//! training step takes a fifth of its time.
#![allow(unsafe_code)]

use rayon::prelude::*;

/// Floats per task.
const BLOCK: usize = 1 << 18;

/// `vec![0.0; len]`, in parallel.
pub(crate) fn zeroed(len: usize) -> Vec<f32> {
    if len <= BLOCK {
        return vec![0.0; len];
    }
    let mut buffer = Vec::with_capacity(len);
    buffer.spare_capacity_mut()[..len].par_chunks_mut(BLOCK).for_each(|block| {
        for value in block {
            value.write(0.0);
        }
    });
    // SAFETY: the capacity is at least `len`, and the loop above initialised the first `len` elements.
    unsafe { buffer.set_len(len) };
    buffer
}
