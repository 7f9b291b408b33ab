//! A model that segments arrays.

use crate::arrays::{image, of_mask, plane};
use crate::errors::raised;
use crate::observer::Callbacks;
use crate::threads::detached;
use numpy::{PyArray1, PyArrayMethods as _, PyUntypedArray};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use sorby::{DeviceOptions, InferenceSettings, Said, Segmenter, Shot, Trust, Wanted};
use std::path::PathBuf;
use std::sync::Mutex;

/// A model, ready to segment images in memory.
#[pyclass(frozen, module = "sorby._sorby")]
pub struct Model {
    /// In a box: Python's memory is not aligned as the network's is. Locked only where the interpreter's lock is let go:
    /// who waits for one with the other in hand may wait for ever.
    segmenter: Box<Mutex<Segmenter>>,
    classes: Vec<String>,
    colours: Vec<(u8, u8, u8)>,
    nm_per_px: Option<(f64, f64)>,
    threads: Option<usize>,
}

#[pymethods]
impl Model {
    #[new]
    #[pyo3(signature = (path, *, device, window_px, stride_px, tta, flip, adapt, ensemble, threads))]
    fn new(
        py: Python,
        path: PathBuf,
        device: String,
        window_px: Option<usize>,
        stride_px: Option<usize>,
        tta: bool,
        flip: bool,
        adapt: bool,
        ensemble: Vec<PathBuf>,
        threads: Option<usize>,
    ) -> PyResult<Self> {
        threads.map(|n| sorby::check_threads("threads", n)).transpose().map_err(raised)?;
        let device = DeviceOptions { name: device, ..DeviceOptions::default() };
        let settings = InferenceSettings { window_px, stride_px, tta, flip, adapt, ensemble, device };
        let segmenter = py.detach(|| Segmenter::open(&path, &settings)).map_err(raised)?;
        let card = segmenter.card();
        let (classes, nm_per_px) = (card.classes.clone(), card.nm_per_px);
        let colours = card.colours.iter().map(|&c| c.into()).collect();
        Ok(Self { segmenter: Box::new(Mutex::new(segmenter)), classes, colours, nm_per_px, threads })
    }

    /// The mask, its confidence, the probabilities where wanted, and what can be expected of it.
    #[pyo3(signature = (array, *, nm_per_px, data_bar, match_scale, with_probabilities, say, on_progress))]
    fn segment<'py>(
        &self,
        py: Python<'py>,
        array: &Bound<'py, PyUntypedArray>,
        nm_per_px: Option<f64>,
        data_bar: bool,
        match_scale: bool,
        with_probabilities: bool,
        say: Py<PyAny>,
        on_progress: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let image = image(array)?;
        let size = (image.height, image.width);
        let callbacks = Callbacks::new(say, on_progress);
        let wanted = Wanted { probabilities: with_probabilities, match_scale };
        let segmented = detached(py, self.threads, Some(&callbacks), || {
            let mut said = Said::of(sorby::scale::user_claim(nm_per_px));
            said.no_data_bar = !data_bar;
            sorby::scale::require_positive(nm_per_px)?;
            let shot = Shot::in_memory(image, &said)?;
            let mut segmenter = self.segmenter.lock().unwrap_or_else(|e| e.into_inner());
            segmenter.segment_observed(&shot, wanted, &callbacks)
        })?;
        let segmented = callbacks.answer(segmented)?;
        let answer = PyDict::new(py);
        answer.set_item("trust", trust(py, &segmented.trust)?)?;
        answer.set_item("mask", of_mask(py, segmented.mask)?)?;
        answer.set_item("confidence", plane(py, segmented.confidence, size)?)?;
        if with_probabilities {
            let classes = segmented.probabilities.len() / (size.0 * size.1);
            let planes = PyArray1::from_vec(py, segmented.probabilities);
            answer.set_item("probabilities", planes.reshape([classes, size.0, size.1])?)?;
        }
        Ok(answer)
    }

    /// Names of the classes in index order.
    #[getter]
    fn classes(&self) -> Vec<String> {
        self.classes.clone()
    }

    /// Red, green and blue of each class.
    #[getter]
    fn colours(&self) -> Vec<(u8, u8, u8)> {
        self.colours.clone()
    }

    /// Smallest and largest pixel size of the training images in nanometres, where known.
    #[getter]
    fn nm_per_px(&self) -> Option<(f64, f64)> {
        self.nm_per_px
    }
}

fn trust<'py>(py: Python<'py>, trust: &Trust) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("confidence", trust.confidence())?;
    let expected: Vec<_> = trust.expected().iter().map(|e| e.map(|e| (e.value, e.interval))).collect();
    dict.set_item("expected_iou", expected)?;
    dict.set_item("distance", trust.distance())?;
    dict.set_item("unlike", trust.distance().map(|_| trust.is_unlike()))?;
    Ok(dict)
}
