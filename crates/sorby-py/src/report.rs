//! One page on a run.

use crate::observer::Callbacks;
use crate::threads::detached;
use pyo3::prelude::*;
use sorby::InferenceSettings;
use sorby::report::ReportOptions;
use std::path::PathBuf;

/// The page, the mean IoU, and the calibration learnt.
#[pyfunction]
#[pyo3(signature = (run, data, *, split, class_name, out, threads, say, on_progress))]
pub fn report(
    py: Python,
    run: PathBuf,
    data: PathBuf,
    split: String,
    class_name: String,
    out: Option<PathBuf>,
    threads: Option<usize>,
    say: Py<PyAny>,
    on_progress: Option<Py<PyAny>>,
) -> PyResult<(PathBuf, Option<f64>, Option<PathBuf>)> {
    let callbacks = Callbacks::new(say, on_progress);
    let options =
        ReportOptions { run, data, split, class: class_name, inference: InferenceSettings::default() };
    let report = || sorby::report::report(&options, out.as_deref(), &callbacks);
    let made = detached(py, threads, Some(&callbacks), report)?;
    let made = callbacks.answer(made)?;
    Ok((made.page, made.mean_iou, made.calibration))
}
