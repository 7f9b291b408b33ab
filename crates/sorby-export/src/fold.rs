//! Parts of a state dict: plain weights, and convolutions that hold their batch norm.

use crate::ExportError;
use crate::onnx::graph::Folded;
use sorby_kernels::norm;
use sorby_nn::ops::BATCH_NORM_EPS;
use sorby_nn::weights::{Array, StateDict};

/// A tensor by its key.
pub(crate) fn array<'a>(state: &'a StateDict, key: &str) -> Result<&'a Array, ExportError> {
    state.get(key).ok_or_else(|| ExportError::Missing { key: key.to_owned() })
}

/// The convolution `conv` with the batch norm `bn` that follows it, in evaluation.
pub(crate) fn folded(state: &StateDict, conv: &str, bn: &str) -> Result<Folded, ExportError> {
    let weight = array(state, &format!("{conv}.weight"))?;
    let of = |what: &str| Ok::<_, ExportError>(&array(state, &format!("{bn}.{what}"))?.values[..]);
    let (scale, bias) =
        norm::fold(of("weight")?, of("bias")?, of("running_mean")?, of("running_var")?, BATCH_NORM_EPS);
    let of_output = weight.shape[1..].iter().product::<usize>();
    let mut weights = weight.values.clone();
    for (weights, scale) in weights.chunks_exact_mut(of_output).zip(&scale) {
        weights.iter_mut().for_each(|w| *w *= scale);
    }
    Ok(Folded { shape: weight.shape.clone(), weights, bias })
}

/// The classifier: a convolution with a bias of its own.
pub(crate) fn classifier(state: &StateDict, key: &str) -> Result<Folded, ExportError> {
    let weight = array(state, &format!("{key}.weight"))?;
    let bias = array(state, &format!("{key}.bias"))?;
    Ok(Folded { shape: weight.shape.clone(), weights: weight.values.clone(), bias: bias.values.clone() })
}
