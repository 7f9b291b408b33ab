//! `sorby.Error`: what the program would print after `error:`.

use pyo3::PyErr;

pyo3::create_exception!(
    sorby,
    Error,
    pyo3::exceptions::PyException,
    "What the program prints after `error:`."
);

/// An error of the library as Python's.
pub fn raised(error: sorby::Error) -> PyErr {
    Error::new_err(error.to_string())
}
