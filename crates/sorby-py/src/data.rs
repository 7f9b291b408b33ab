//! Images and data sets on disk.

use crate::arrays::{image, mask, of_image};
use crate::errors::raised;
use crate::observer::Callbacks;
use numpy::PyUntypedArray;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use sorby::data::{NewData, check_data};
use sorby::scale::ScaleOptions;
use sorby::{Error, Shot};
use std::path::PathBuf;

/// An image file as an array, with what is known of its scale.
#[pyfunction]
#[pyo3(signature = (path, *, nm_per_px, bar_nm, data_bar))]
pub fn read<'py>(
    py: Python<'py>,
    path: PathBuf,
    nm_per_px: Option<f64>,
    bar_nm: Option<f64>,
    data_bar: bool,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyDict>)> {
    let options = ScaleOptions { nm_per_px, bar_nm, no_data_bar: !data_bar, data: None };
    let shot =
        py.detach(|| Ok::<_, Error>(Shot::read(&path, &options.said()?.of(&path))?)).map_err(raised)?;
    let info = PyDict::new(py);
    info.set_item("pixel_size_nm", shot.nm_per_px())?;
    info.set_item("source", shot.scale.as_ref().map(|s| s.source.as_str()))?;
    info.set_item("field_rows", shot.field_rows())?;
    Ok((of_image(py, shot.image)?, info))
}

/// What is wrong with a data set, as JSON; the page with pictures, if one was written.
#[pyfunction]
#[pyo3(signature = (data, *, deep_s, page, say, on_progress))]
pub fn check(
    py: Python,
    data: PathBuf,
    deep_s: Option<f64>,
    page: Option<PathBuf>,
    say: Py<PyAny>,
    on_progress: Option<Py<PyAny>>,
) -> PyResult<(String, Option<PathBuf>)> {
    let callbacks = Callbacks::new(say, on_progress);
    let found = py.detach(|| {
        if let Some(page) = &page {
            sorby::data::require_page_free(page)?;
        }
        let found = check_data(&data, deep_s, &callbacks);
        let page = page.as_deref().map(|page| found.write_page(page)).transpose()?;
        Ok((found.json().to_string(), page.flatten()))
    });
    callbacks.answer(found)
}

/// Writes a data set of images and masks in memory.
#[pyfunction]
#[pyo3(signature = (out, images, masks, *, classes, nm_per_px, validate))]
pub fn write_data(
    py: Python,
    out: PathBuf,
    images: Vec<Bound<'_, PyUntypedArray>>,
    masks: Vec<Bound<'_, PyUntypedArray>>,
    classes: Vec<String>,
    nm_per_px: Option<f64>,
    validate: usize,
) -> PyResult<()> {
    let pair = |(i, m): (_, _)| Ok((image(i)?, mask(m)?));
    let samples = images.iter().zip(&masks).map(pair).collect::<PyResult<Vec<_>>>()?;
    let new = NewData { classes, nm_per_px, validate };
    py.detach(|| sorby::data::write_data(&out, &samples, &new)).map_err(raised)
}
