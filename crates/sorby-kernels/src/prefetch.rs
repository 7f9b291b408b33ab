//! Asking for memory before it is needed.
#![allow(unsafe_code)]

/// Floats of a cache line.
pub(crate) const LINE: usize = 16;

/// Asks for the cache line of an address that will be read or written soon.
#[inline(always)]
pub(crate) fn fetch(address: *const f32) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch neither reads nor changes anything, and never faults, whatever the address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}
