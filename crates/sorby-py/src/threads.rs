//! A job outside of the interpreter's lock, on as many threads as were asked for.

use crate::errors::raised;
use crate::observer::Callbacks;
use pyo3::prelude::*;
use std::time::Duration;

/// Between two looks for Ctrl-C.
const GAP: Duration = Duration::from_millis(50);

/// Does a job with the interpreter's lock let go. With a number of threads it has threads of its own, and this one listens for
/// Ctrl-C meanwhile: Python hears it in its main thread only.
pub fn detached<T: Send>(
    py: Python,
    threads: Option<usize>,
    callbacks: Option<&Callbacks>,
    job: impl FnOnce() -> sorby::Result<T> + Send,
) -> PyResult<sorby::Result<T>> {
    let Some(threads) = threads else { return Ok(py.detach(job)) };
    sorby::check_threads("threads", threads).map_err(raised)?;
    let done = py.detach(|| {
        std::thread::scope(|scope| {
            let worker = scope.spawn(|| sorby::on_threads("threads", threads, job).flatten());
            while !worker.is_finished() {
                std::thread::sleep(GAP);
                callbacks.into_iter().for_each(Callbacks::listen);
            }
            worker.join()
        })
    });
    // What panicked there panics here, as it would without threads of its own.
    Ok(done.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
}
