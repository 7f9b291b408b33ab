//! Mask files with what they say: classes, colours, pixel size.

use crate::arrays::{mask, of_mask};
use crate::errors::raised;
use crate::observer::Callbacks;
use numpy::PyUntypedArray;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use sorby::NewMask;
use std::path::PathBuf;

/// Whether a file is a mask that Sorby wrote.
#[pyfunction]
pub fn is_own_mask(py: Python, path: PathBuf) -> bool {
    py.detach(|| sorby::is_own_mask(&path))
}

/// The mask, and what its file says.
#[pyfunction]
#[pyo3(signature = (path, *, say))]
pub fn read_mask<'py>(
    py: Python<'py>,
    path: PathBuf,
    say: Py<PyAny>,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyDict>)> {
    let callbacks = Callbacks::new(say, None);
    let read = py.detach(|| sorby::read_mask(&path, &callbacks));
    let read = callbacks.answer(read)?;
    let colours: Vec<(u8, u8, u8)> = read.colours.iter().map(|&c| c.into()).collect();
    let info = PyDict::new(py);
    info.set_item("pixel_size_nm", read.scale.as_ref().map(|s| s.nm_per_px))?;
    info.set_item("source", read.scale.as_ref().map(|s| s.source.as_str()))?;
    info.set_item("classes", read.classes)?;
    info.set_item("colours", colours)?;
    Ok((of_mask(py, read.mask)?.into_any(), info))
}

/// Writes a mask that `sorby measure` reads with its pixel size.
#[pyfunction]
#[pyo3(signature = (path, array, *, classes, colours, nm_per_px, source))]
pub fn write_mask(
    py: Python,
    path: PathBuf,
    array: &Bound<'_, PyUntypedArray>,
    classes: Vec<String>,
    colours: Vec<(u8, u8, u8)>,
    nm_per_px: Option<f64>,
    source: String,
) -> PyResult<()> {
    let map = mask(array)?;
    let colours = colours.into_iter().map(Into::into).collect();
    let new = NewMask { classes, colours, nm_per_px, scale_source: source };
    py.detach(|| sorby::write_mask(&path, &map, &new)).map_err(raised)
}
