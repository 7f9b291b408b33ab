//! Trainings in this process.

use crate::errors::raised;
use crate::observer::Callbacks;
use crate::threads::detached;
use pyo3::prelude::*;
use sorby::{DeviceOptions, NamedRecipe, Result, TrainOptions, Training};
use std::path::PathBuf;

/// What a training came to, as JSON; its folder.
type Trained = (PathBuf, String);

#[pyfunction]
#[pyo3(signature = (data, recipe, *, overrides, out, time_s, device, threads, say, on_progress))]
pub fn train(
    py: Python,
    data: PathBuf,
    recipe: PathBuf,
    overrides: Vec<String>,
    out: Option<PathBuf>,
    time_s: Option<f64>,
    device: String,
    threads: Option<usize>,
    say: Py<PyAny>,
    on_progress: Option<Py<PyAny>>,
) -> PyResult<Trained> {
    finished(py, threads, Callbacks::new(say, on_progress), |callbacks| {
        let device = DeviceOptions { name: device, ..DeviceOptions::default() };
        let options = TrainOptions { out, time_s, device, ..TrainOptions::default() };
        Training::begin(NamedRecipe::read(&recipe, &overrides)?, &data, &options, callbacks)
    })
}

#[pyfunction]
#[pyo3(signature = (run, *, data, iterations, device, threads, say, on_progress))]
pub fn resume(
    py: Python,
    run: PathBuf,
    data: Option<PathBuf>,
    iterations: Option<u64>,
    device: String,
    threads: Option<usize>,
    say: Py<PyAny>,
    on_progress: Option<Py<PyAny>>,
) -> PyResult<Trained> {
    finished(py, threads, Callbacks::new(say, on_progress), |callbacks| {
        let device = DeviceOptions { name: device, ..DeviceOptions::default() };
        let options = TrainOptions { device, ..TrainOptions::default() };
        Training::resume(&run, data.as_deref(), iterations, &options, callbacks)
    })
}

/// Trains to the end. Where Ctrl-C or a callback stopped it, what was raised says how it goes on.
fn finished(
    py: Python,
    threads: Option<usize>,
    callbacks: Callbacks,
    begin: impl FnOnce(&Callbacks) -> Result<Training> + Send,
) -> PyResult<Trained> {
    let begun = detached(py, threads, Some(&callbacks), || begin(&callbacks))?;
    // What was wrong with the data comes before what was raised by its warning.
    callbacks.stopped()?;
    let training = begun.map_err(raised)?;
    let run = training.run().root().to_owned();
    let classes = training.classes();
    let outcome = detached(py, threads, Some(&callbacks), || training.finish(&callbacks))?;
    let stopped = callbacks.stopped();
    if let Err(raised) = stopped {
        if outcome.is_ok() {
            let note =
                format!("what was learnt is kept; go on with: sorby.resume({:?})", run.display().to_string());
            raised.value(py).call_method1("add_note", (note,))?;
        }
        return Err(raised);
    }
    let outcome = outcome.map_err(raised)?;
    Ok((run, sorby::outcome_json(&outcome, &classes).to_string()))
}
