//! The training loss: decode head plus 0.4 times auxiliary head, on logits resized to the labels.

use crate::ops::{self, PixelLoss};
use crate::segmentor::Output;
use burn::tensor::Tensor;
use std::sync::Arc;

/// Weight of the auxiliary head's loss.
const AUXILIARY_WEIGHT: f32 = 0.4;

/// Total loss, shape `[1]`. `labels` holds `n * height * width` class indices, 255 = ignore.
///
/// # Panics
/// If there are not `n * height * width` labels.
pub fn total(output: Output, labels: &Arc<Vec<u8>>, size: (usize, usize), loss: PixelLoss) -> Tensor<1> {
    let head = |logits| ops::pixel_loss(ops::bilinear(logits, size.0, size.1), labels.clone(), loss);
    let decode = head(output.logits);
    match output.auxiliary {
        Some(auxiliary) => decode + head(auxiliary) * AUXILIARY_WEIGHT,
        None => decode,
    }
}
