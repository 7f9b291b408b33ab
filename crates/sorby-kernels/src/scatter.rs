//! Shared mutable buffer for tasks that write disjoint, interleaved parts of it.
#![allow(unsafe_code)]

use crate::prefetch::fetch;
use std::marker::PhantomData;

/// A `&mut [f32]` that several tasks may cut rows from.
pub(crate) struct Scatter<'a> {
    start: *mut f32,
    len: usize,
    owner: PhantomData<&'a mut [f32]>,
}

// SAFETY: the pointer comes from an exclusive borrow that lives as long as `Scatter`; `row` hands
// out parts of it under the caller's promise of disjointness, so sharing it between threads is sound.
unsafe impl Sync for Scatter<'_> {}
// SAFETY: as above; f32 has no thread affinity.
unsafe impl Send for Scatter<'_> {}

impl<'a> Scatter<'a> {
    pub fn new(buffer: &'a mut [f32]) -> Self {
        Self { start: buffer.as_mut_ptr(), len: buffer.len(), owner: PhantomData }
    }

    /// Asks for the cache line of an element that will be written soon.
    #[inline(always)]
    pub fn fetch(&self, offset: usize) {
        fetch(self.start.wrapping_add(offset));
    }

    /// The part `offset..offset + len`.
    ///
    /// # Safety
    /// No other live slice obtained from this `Scatter` may overlap it.
    #[allow(clippy::mut_from_ref)]
    #[inline(always)]
    pub unsafe fn row(&self, offset: usize, len: usize) -> &mut [f32] {
        assert!(offset.checked_add(len).is_some_and(|end| end <= self.len));
        // SAFETY: in bounds by the assertion; exclusive by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(offset), len) }
    }
}
