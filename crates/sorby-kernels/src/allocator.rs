//! How the process keeps freed memory.
#![allow(unsafe_code)]

/// Lets the C allocator keep large freed buffers for reuse. Every training step allocates and frees the
/// same few hundred megabytes; by default glibc returns each to the system and faults it in again.
/// Call once at start. Does nothing elsewhere than on Linux with glibc.
pub fn keep_freed_buffers() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // Larger than 32 MiB is not accepted as the threshold.
    // SAFETY: `mallopt` only sets parameters of the allocator.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 32 << 20);
        libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
        libc::mallopt(libc::M_TOP_PAD, 64 << 20);
    }
}
