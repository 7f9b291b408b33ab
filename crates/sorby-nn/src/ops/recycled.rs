//! Tensors whose memory goes back to the kernels when they are dropped.
#![allow(unsafe_code)]

use burn_backend::Bytes;
use burn_std::{AccessError, AccessPolicy, AllocationController, AllocationProperty};
use std::mem::MaybeUninit;

struct Recycled(Vec<f32>);

impl Drop for Recycled {
    fn drop(&mut self) {
        sorby_kernels::recycle::give_back(std::mem::take(&mut self.0));
    }
}

impl AllocationController for Recycled {
    fn alloc_align(&self) -> usize {
        align_of::<f32>()
    }

    fn property(&self) -> AllocationProperty {
        AllocationProperty::Other
    }

    unsafe fn memory_mut(&mut self, _: AccessPolicy) -> Result<&mut [MaybeUninit<u8>], AccessError> {
        let bytes = size_of_val(self.0.as_slice());
        // SAFETY: these are the vector's own bytes, borrowed as long as `self`; every pattern of initialised
        // bytes, which is all the caller may write, is an f32.
        Ok(unsafe { std::slice::from_raw_parts_mut(self.0.as_mut_ptr().cast(), bytes) })
    }

    fn memory(&self, _: AccessPolicy) -> Result<&[MaybeUninit<u8>], AccessError> {
        // SAFETY: as above, shared.
        Ok(unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast(), size_of_val(self.0.as_slice())) })
    }
}

/// `values` as bytes that return to [`sorby_kernels::recycle`].
pub(super) fn bytes(values: Vec<f32>) -> Bytes {
    let len = size_of_val(values.as_slice());
    // SAFETY: all `len` bytes of the vector are initialised.
    unsafe { Bytes::from_controller(Box::new(Recycled(values)), len) }
}
