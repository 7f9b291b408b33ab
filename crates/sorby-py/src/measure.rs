//! Masks in memory to numbers; thresholds; scores of masks.

use crate::arrays::{image, mask, of_mask, plane};
use crate::errors::raised;
use numpy::{PyArray1, PyUntypedArray};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use sorby::measure::{
    ColumnValues, Edges, MeasuredMap, all_scaled, are_ruled, estimate_maps, read_calibration,
};
use sorby::{Confusion, MeasureOptions, Said, Shot, threshold as thresholds};
use std::path::PathBuf;

/// Measures masks: columns of each, pictures of its objects' numbers, and estimates over all.
#[pyfunction]
#[pyo3(signature = (masks, class_index, *, nm_per_px, connectivity, min_area_px, exclude_edge, edges, split_depth_px, grains,
    scale_accuracy_percent, calibration, class_name))]
pub fn measure<'py>(
    py: Python<'py>,
    masks: Vec<Bound<'py, PyUntypedArray>>,
    class_index: u8,
    nm_per_px: Option<f64>,
    connectivity: Option<u8>,
    min_area_px: u64,
    exclude_edge: bool,
    edges: &str,
    split_depth_px: Option<f64>,
    grains: bool,
    scale_accuracy_percent: f64,
    calibration: Option<PathBuf>,
    class_name: &str,
) -> PyResult<Bound<'py, PyDict>> {
    let options = MeasureOptions {
        nm_per_px,
        connectivity,
        min_area_px,
        exclude_edge,
        edges: Edges::named(edges).map_err(raised)?,
        split_depth_px,
        grains,
        scale_accuracy_percent,
        ..MeasureOptions::default()
    };
    let maps = masks.iter().map(mask).collect::<PyResult<Vec<_>>>()?;
    let sizes: Vec<_> = maps.iter().map(|m| (m.width, m.height)).collect();
    let (measured, estimates, ruled) = py
        .detach(|| {
            let of = |map| MeasuredMap::of(map, class_index, &options, nm_per_px);
            let measured = maps.iter().map(of).collect::<sorby::Result<Vec<_>>>()?;
            let known = calibration.map(|path| read_calibration(&path, class_name, &options)).transpose()?;
            let all: Vec<&MeasuredMap> = measured.iter().collect();
            let estimates = estimate_maps(&all, all_scaled(&all), known.as_ref(), &options);
            let ruled = are_ruled(&all);
            Ok((measured, estimates, ruled))
        })
        .map_err(raised)?;
    let scaled = nm_per_px.is_some();
    let rows: Vec<_> = estimates.iter().map(|e| (e.quantity.name(scaled), e.value, e.interval())).collect();
    let (columns, numbers) = (
        measured.iter().map(|m| columns(py, m)).collect::<PyResult<Vec<_>>>()?,
        measured
            .iter()
            .zip(sizes)
            .map(|(m, (w, h))| plane(py, m.numbers((w, h)), (h, w)))
            .collect::<PyResult<Vec<_>>>()?,
    );
    let answer = PyDict::new(py);
    answer.set_item("columns", columns)?;
    answer.set_item("numbers", numbers)?;
    answer.set_item("estimates", rows)?;
    answer.set_item("ruled", ruled)?;
    Ok(answer)
}

/// Name, unit and values of each column.
type Column<'py> = (&'static str, &'static str, Bound<'py, PyAny>);

fn columns<'py>(py: Python<'py>, map: &MeasuredMap) -> PyResult<Vec<Column<'py>>> {
    let column = |c: sorby::measure::ObjectColumn| {
        let values = match c.values {
            ColumnValues::Integers(v) => PyArray1::from_vec(py, v).into_any(),
            ColumnValues::Numbers(v) => PyArray1::from_vec(py, v).into_any(),
            ColumnValues::Flags(v) => PyArray1::from_vec(py, v).into_any(),
        };
        Ok((c.name, c.unit, values))
    };
    map.columns().into_iter().map(column).collect()
}

/// The mask of a threshold method, and the threshold.
#[pyfunction]
#[pyo3(signature = (array, *, method, window_px, data_bar))]
pub fn threshold<'py>(
    py: Python<'py>,
    array: &Bound<'py, PyUntypedArray>,
    method: &str,
    window_px: Option<usize>,
    data_bar: bool,
) -> PyResult<(Bound<'py, PyAny>, Option<u8>)> {
    let image = image(array)?;
    let found = py.detach(|| {
        let method = thresholds::Method::from_name(method)?;
        let shot = Shot::in_memory(image, &Said { no_data_bar: !data_bar, ..Said::default() })?;
        thresholds::threshold(&shot, method, window_px)
    });
    let found = found.map_err(raised)?;
    Ok((of_mask(py, found.mask)?.into_any(), found.threshold))
}

/// Scores of predictions over all their labels together, as JSON.
#[pyfunction]
pub fn scores(
    predictions: Vec<Bound<'_, PyUntypedArray>>,
    labels: Vec<Bound<'_, PyUntypedArray>>,
    classes: Vec<String>,
) -> PyResult<String> {
    let mut counts = Confusion::new(classes.len());
    for (prediction, label) in predictions.iter().zip(&labels) {
        counts.try_add(&mask(prediction)?, &mask(label)?).map_err(crate::errors::Error::new_err)?;
    }
    Ok(sorby::scores_json(&counts.scores(), &classes).to_string())
}
