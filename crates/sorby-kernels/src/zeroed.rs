//! Large new buffers: on huge pages where the system has them, filled by all threads.
//!
//! One thread zeroing (and faulting in) every buffer costs more than many an operation that fills it, and
//! transforms that write to 36 places at once wait for page tables when pages are small.
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
    let new = &mut buffer.spare_capacity_mut()[..len];
    ask_for_huge_pages(std::ptr::from_mut(new).cast(), size_of_val(new));
    new.par_chunks_mut(BLOCK).for_each(|block| {
        for value in block {
            value.write(0.0);
        }
    });
    // SAFETY: the capacity is at least `len`, and the loop above initialised the first `len` elements.
    unsafe { buffer.set_len(len) };
    buffer
}

/// Informs the system that these bytes will be used together. Advice only: nothing depends on it, and where
/// pages are larger than 4 kB the system may decline.
fn ask_for_huge_pages(start: *mut u8, bytes: usize) {
    #[cfg(target_os = "linux")]
    {
        const PAGE: usize = 1 << 12;
        let skip = start.align_offset(PAGE);
        if bytes > skip + PAGE {
            let whole = (bytes - skip) / PAGE * PAGE;
            // SAFETY: the range lies inside the allocation; this advice changes no contents.
            unsafe { libc::madvise(start.add(skip).cast(), whole, libc::MADV_HUGEPAGE) };
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (start, bytes);
}
