//! The module `sorby._sorby`: numbers, arrays and paths of Python to options of the library, its answers back. What Python
//! users see is written in `python/sorby`.

mod arrays;
mod data;
mod errors;
mod mask_file;
mod measure;
mod model;
mod observer;
mod program;
mod report;
mod study;
mod threads;
mod train;

use pyo3::prelude::*;

#[pymodule]
fn _sorby(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("Error", module.py().get_type::<errors::Error>())?;
    module.add_class::<model::Model>()?;
    module.add_function(wrap_pyfunction!(program::main, module)?)?;
    module.add_function(wrap_pyfunction!(program::set_program, module)?)?;
    module.add_function(wrap_pyfunction!(program::own_program, module)?)?;
    module.add_function(wrap_pyfunction!(data::read, module)?)?;
    module.add_function(wrap_pyfunction!(data::check, module)?)?;
    module.add_function(wrap_pyfunction!(data::write_data, module)?)?;
    module.add_function(wrap_pyfunction!(mask_file::is_own_mask, module)?)?;
    module.add_function(wrap_pyfunction!(mask_file::read_mask, module)?)?;
    module.add_function(wrap_pyfunction!(mask_file::write_mask, module)?)?;
    module.add_function(wrap_pyfunction!(measure::measure, module)?)?;
    module.add_function(wrap_pyfunction!(measure::threshold, module)?)?;
    module.add_function(wrap_pyfunction!(measure::scores, module)?)?;
    module.add_function(wrap_pyfunction!(train::train, module)?)?;
    module.add_function(wrap_pyfunction!(train::resume, module)?)?;
    module.add_function(wrap_pyfunction!(report::report, module)?)?;
    module.add_function(wrap_pyfunction!(study::study, module)?)?;
    module.add_function(wrap_pyfunction!(study::study_report, module)?)
}
