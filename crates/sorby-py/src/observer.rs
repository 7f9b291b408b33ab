//! Events of a job to Python: progress at most ten times a second, words as they come; Ctrl-C and callbacks stop it.

use pyo3::prelude::*;
use sorby::{Event, Observer};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Between two looks into Python.
const GAP: Duration = Duration::from_millis(100);

/// Who gets the reports of a job, in Python.
pub struct Callbacks {
    /// Takes kind and text: `note`, `warning`, `problem`, `look at`, `line`.
    say: Py<PyAny>,
    /// Takes done, total, unit and text; `False` stops the job.
    progress: Option<Py<PyAny>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    looked: Option<Instant>,
    done: u64,
    total: usize,
    unit: &'static str,
    stop: bool,
    /// What a callback, or Ctrl-C, raised.
    error: Option<PyErr>,
}

impl Callbacks {
    pub fn new(say: Py<PyAny>, progress: Option<Py<PyAny>>) -> Self {
        Self { say, progress, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Whether the job was to stop, and why: what was raised is raised on.
    pub fn stopped(&self) -> PyResult<bool> {
        let mut state = self.state();
        match state.error.take() {
            Some(error) => Err(error),
            None => Ok(state.stop),
        }
    }

    /// What a job gave, or what stopped it: that comes first.
    pub fn answer<T>(&self, result: sorby::Result<T>) -> PyResult<T> {
        self.stopped()?;
        result.map_err(crate::errors::raised)
    }

    fn keep(&self, called: PyResult<bool>) {
        let mut state = self.state();
        match called {
            Ok(go_on) => state.stop |= !go_on,
            Err(error) => {
                state.stop = true;
                state.error.get_or_insert(error);
            }
        }
    }

    /// Shows how far the job is, and listens for Ctrl-C, if it is time or must be.
    fn look(&self, text: &str, must: bool) {
        let mut state = self.state();
        let due = state.looked.is_none_or(|last| last.elapsed() >= GAP);
        if !(due || must) || state.error.is_some() {
            return;
        }
        state.looked = Some(Instant::now());
        let (done, total, unit) = (state.done, state.total, state.unit);
        drop(state);
        self.keep(Python::attach(|py| {
            py.check_signals()?;
            let Some(progress) = self.progress.as_ref().filter(|_| total > 0) else { return Ok(true) };
            let answer = progress.call1(py, (done, total, unit, text))?;
            Ok(answer.extract::<bool>(py).unwrap_or(true))
        }));
    }

    /// Listens for Ctrl-C on the thread that waits for the job.
    pub fn listen(&self) {
        self.keep(Python::attach(|py| py.check_signals().map(|()| true)));
    }

    fn tell(&self, kind: &str, text: &str) {
        self.keep(Python::attach(|py| self.say.call1(py, (kind, text)).map(|_| true)));
    }
}

impl Observer for Callbacks {
    fn event(&self, event: Event) {
        match event {
            Event::Note(text) => self.tell("note", &text),
            Event::Warning(text) => self.tell("warning", &text),
            Event::Problem(text) => self.tell("problem", &text),
            Event::LookAt(text) => self.tell("look at", &text),
            Event::Line(text) => self.tell("line", &text),
            Event::Begin { total, unit } => {
                let mut state = self.state();
                (state.done, state.total, state.unit) = (0, total, unit);
                drop(state);
                self.look("", true);
            }
            Event::Advance(more) => {
                self.state().done += more as u64;
                self.look("", false);
            }
            Event::At { done, text } => {
                let last = {
                    let mut state = self.state();
                    state.done = done;
                    done == state.total as u64
                };
                self.look(&text, last);
            }
            Event::End => self.state().total = 0,
            _ => {}
        }
    }

    fn stop_asked(&self) -> bool {
        self.look("", false);
        self.state().stop
    }
}
