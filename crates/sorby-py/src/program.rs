//! The program within the module, and how it is started again.

use pyo3::prelude::*;
use sorby::Program;
use std::ffi::OsString;

/// Runs the program; `argv` begins with its name. Gives the exit code.
#[pyfunction]
pub fn main(py: Python, argv: Vec<OsString>) -> u8 {
    py.detach(|| sorby_cli::run(argv))
}

/// Says how processes of the program are started. The first call counts; whether this was it.
#[pyfunction]
pub fn set_program(file: OsString, first: Vec<OsString>) -> bool {
    Program::of(file, first).set()
}

/// The words that start the program.
#[pyfunction]
pub fn own_program() -> PyResult<Vec<OsString>> {
    let command = Program::own().map_err(crate::errors::raised)?.command();
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    Ok(words.map(ToOwned::to_owned).collect())
}
