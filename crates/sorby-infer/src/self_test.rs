//! A known input and what the network made of it when it was saved, to detect a damaged or misread model.

use crate::slide::window_logits;
use burn::tensor::Device;
use sorby_nn::Segmentor;
use sorby_nn::device::DeviceFailure;

const EDGE: usize = 64;
/// Logits are kept at every so many pixels of each row and column.
const STEP: usize = 16;
/// Other processors and devices add in another order; what they may differ by, as a share of the largest logit.
const TOLERANCE: f32 = 0.02;

/// Logits of a fixed picture at 4 x 4 places.
///
/// # Errors
/// When the device fails.
pub(crate) fn logits(network: &mut Segmentor, device: &Device) -> Result<Vec<f32>, DeviceFailure> {
    let classes = network.spec().classes;
    // Blobs and texture in the range of normalised images; the same on every machine.
    let value = |i: usize| {
        let (x, y, c) = ((i / 3) % EDGE, i / 3 / EDGE, i % 3);
        let blob = if (x / 11 + y / 13) % 2 == 0 { 1.2 } else { -0.9 };
        blob + ((x * 7 + y * 3 + c) % 13) as f32 * 0.05 - 0.3
    };
    let picture: Vec<f32> = (0..EDGE * EDGE * 3).map(value).collect();
    let all = window_logits(network, picture, (1, EDGE, EDGE), device)?;
    network.release_folded();
    let places =
        (STEP / 2..EDGE).step_by(STEP).flat_map(|y| (STEP / 2..EDGE).step_by(STEP).map(move |x| (x, y)));
    Ok(places.flat_map(|(x, y)| all[(y * EDGE + x) * classes..][..classes].to_vec()).collect())
}

/// Whether two sets of golden logits are of one network.
pub(crate) fn agree(kept: &[f32], now: &[f32]) -> bool {
    let largest = kept.iter().fold(0.0f32, |m, v| m.max(v.abs()));
    let near = |(a, b): (&f32, &f32)| (a - b).abs() <= TOLERANCE * largest.max(1e-3);
    kept.len() == now.len() && kept.iter().zip(now).all(near)
}
