//! Arrays of numpy to pictures and masks, and back. Everything is copied: nothing of Python's is read while the library
//! works, nothing of the library's is lent to Python.

use crate::errors::{Error, raised};
use numpy::{
    Element, PyArray1, PyArray2, PyArrayDyn, PyArrayMethods as _, PyUntypedArray, PyUntypedArrayMethods as _,
};
use pyo3::prelude::*;
use sorby::{ArrayValues, LabelMap, Micrograph, Pixels};

/// The values row by row, if they are of this type.
fn values<T: Element + Copy>(array: &Bound<'_, PyUntypedArray>) -> Option<Vec<T>> {
    let array = array.cast::<PyArrayDyn<T>>().ok()?.readonly();
    // Column by column is contiguous too, and not meant.
    Some(match array.as_slice() {
        Ok(values) if array.is_c_contiguous() => values.to_vec(),
        _ => array.as_array().iter().copied().collect(),
    })
}

fn wrong_type(what: &str, array: &Bound<'_, PyUntypedArray>, wanted: &str) -> PyErr {
    Error::new_err(format!("{what} has the type {}; give {wanted}", array.dtype()))
}

/// A picture of uint8, uint16 or float32.
pub fn image(array: &Bound<'_, PyUntypedArray>) -> PyResult<Micrograph> {
    let values = values(array)
        .map(ArrayValues::U8)
        .or_else(|| values(array).map(ArrayValues::U16))
        .or_else(|| values(array).map(ArrayValues::F32))
        .ok_or_else(|| wrong_type("the image", array, "uint8, uint16 or float32"))?;
    Micrograph::of_array(array.shape(), values).map_err(|e| raised(e.into()))
}

/// A mask of uint8.
pub fn mask(array: &Bound<'_, PyUntypedArray>) -> PyResult<LabelMap> {
    let labels = values(array).ok_or_else(|| wrong_type("the mask", array, "class indices as uint8"))?;
    LabelMap::of_array(array.shape(), labels).map_err(|e| raised(e.into()))
}

/// Rows and columns.
pub fn plane<T: Element>(
    py: Python<'_>,
    values: Vec<T>,
    (height, width): (usize, usize),
) -> PyResult<Bound<'_, PyArray2<T>>> {
    PyArray1::from_vec(py, values).reshape([height, width])
}

/// A mask as (rows, columns) of uint8.
pub fn of_mask(py: Python<'_>, mask: LabelMap) -> PyResult<Bound<'_, PyArray2<u8>>> {
    plane(py, mask.labels, (mask.height, mask.width))
}

/// A picture as (rows, columns), or (rows, columns, 3), in the type of its values.
pub fn of_image(py: Python<'_>, image: Micrograph) -> PyResult<Bound<'_, PyAny>> {
    let (height, width) = (image.height, image.width);
    let (grey, colour) = ([height, width], [height, width, 3]);
    Ok(match image.pixels {
        Pixels::Grey8(v) => PyArray1::from_vec(py, v).reshape(grey)?.into_any(),
        Pixels::Grey16(v) => PyArray1::from_vec(py, v).reshape(grey)?.into_any(),
        Pixels::Float(v) => PyArray1::from_vec(py, v).reshape(grey)?.into_any(),
        Pixels::Rgb8(v) => PyArray1::from_vec(py, v).reshape(colour)?.into_any(),
        Pixels::Rgb16(v) => PyArray1::from_vec(py, v).reshape(colour)?.into_any(),
    })
}
