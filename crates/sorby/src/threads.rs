//! How many threads a job may use.

use crate::Result;
use crate::error::{Context as _, refuse};

/// The variable that takes the place of `--threads`.
pub const THREADS: &str = "RAYON_NUM_THREADS";

/// Threads beyond which a number is a typing error: four for each core.
pub fn most_threads() -> usize {
    4 * std::thread::available_parallelism().map_or(1, usize::from).max(2)
}

/// Refuses a number of threads that nobody means. `said` is the option, or the variable, that gave it.
///
/// # Errors
/// For 0, and beyond [`most_threads`].
pub fn check_threads(said: &str, threads: usize) -> Result<()> {
    let most = most_threads();
    match threads {
        0 => refuse!("{said} must be at least 1"),
        n if n > most => {
            refuse!("{said} {n}: this machine is served best by as many as it has cores; at most {most}")
        }
        _ => Ok(()),
    }
}

/// Does a job with so many threads of its own; its answer is the same for any number.
///
/// # Errors
/// As [`check_threads`], and when the system gives no threads.
pub fn on_threads<T: Send>(said: &str, threads: usize, job: impl FnOnce() -> T + Send) -> Result<T> {
    check_threads(said, threads)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    Ok(pool.ok().context("cannot start threads")?.install(job))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_has_the_threads_that_it_is_given() {
        assert_eq!(on_threads("threads", 3, rayon::current_num_threads).unwrap(), 3);
        let refused = |n| on_threads("threads", n, || ()).unwrap_err().to_string();
        assert_eq!(refused(0), "threads must be at least 1");
        assert!(refused(most_threads() + 1).contains("at most"));
    }
}
