//! Mutexes that go on after a holder has panicked: what happens to one request happens to no other.

use std::sync::{Mutex, MutexGuard};

/// Waits for its turn.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|e| e.into_inner())
}
