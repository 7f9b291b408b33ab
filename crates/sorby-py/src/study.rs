//! Studies: their trainings are processes of the program.

use crate::errors::raised;
use crate::observer::Callbacks;
use pyo3::prelude::*;
use sorby::DeviceOptions;
use sorby::study::{ChildProcesses, StudyOptions, StudyReportOptions, read_spec};
use std::path::PathBuf;

/// How a study stands, as JSON; whether it was stopped.
#[pyfunction]
#[pyo3(signature = (spec, data, out, *, budget_s, jobs, threads_per_job, device, say, on_progress))]
pub fn study(
    py: Python,
    spec: PathBuf,
    data: PathBuf,
    out: PathBuf,
    budget_s: Option<f64>,
    jobs: usize,
    threads_per_job: usize,
    device: String,
    say: Py<PyAny>,
    on_progress: Option<Py<PyAny>>,
) -> PyResult<(String, bool)> {
    let callbacks = Callbacks::new(say, on_progress);
    let device = DeviceOptions { name: device, ..DeviceOptions::default() };
    let options =
        StudyOptions { root: out, data, budget_s, device, jobs, threads_per_job, require_simd: None };
    let done = py.detach(|| {
        let outcome = sorby::study::run(read_spec(&spec)?, &options, &ChildProcesses, &callbacks)?;
        Ok((outcome.folder.status()?.json().to_string(), outcome.stopped))
    });
    callbacks.answer(done)
}

/// The page of one study or several.
#[pyfunction]
#[pyo3(signature = (studies, *, out, say))]
pub fn study_report(
    py: Python,
    studies: Vec<PathBuf>,
    out: Option<PathBuf>,
    say: Py<PyAny>,
) -> PyResult<PathBuf> {
    let callbacks = Callbacks::new(say, None);
    let options = StudyReportOptions { out, tables_only: false, device: DeviceOptions::default() };
    let page = py.detach(|| sorby::study::report(&studies, &options, &callbacks));
    callbacks.stopped()?;
    page.map_err(raised)
}
