//! Networks whose batch norms lean towards the image at hand: for images of another contrast, sharpness or detector than
//! those of the training.

use crate::model::ModelCard;
use crate::predict::{InferenceOptions, network_row};
use crate::slide::{Window, windows};
use burn::tensor::{Device, Tensor, TensorData};
use sorby_image::resize::Bilinear;
use sorby_image::{Micrograph, Shot};
use sorby_nn::Segmentor;
use sorby_nn::device::{DeviceFailure, guarded};

/// Shares of the image in the statistics of the networks whose answers are averaged with those of the network as it was
/// trained: the statistics of a single image alone are as unstable as they are telling (Dong et al. 2024, arXiv 2402.09604).
pub const MIXES: [f32; 2] = [0.5, 1.0];

/// Windows that statistics are taken from, at most.
const MOST_WINDOWS: usize = 16;

/// A network for each of [`MIXES`].
///
/// # Errors
/// When the device fails.
pub(crate) fn mixes(
    network: &Segmentor,
    card: &ModelCard,
    shot: &Shot,
    options: &InferenceOptions,
    device: &Device,
) -> Result<Vec<Segmentor>, DeviceFailure> {
    let mut own = network.clone();
    guarded(device, || own.adopt_statistics(field(card, shot, options, device)))?;
    let mix = |share: f32| {
        let mut mixed = network.clone();
        mixed.mix_statistics(&mut own, share);
        mixed
    };
    Ok(MIXES.map(mix).into())
}

/// Windows spread over the field at the model's own scale, `[n, h, w, 3]`, normalised.
fn field(card: &ModelCard, shot: &Shot, options: &InferenceOptions, device: &Device) -> Tensor<4> {
    let image: &Micrograph = &shot.image;
    let (width, height) = options.plain_size(card, (image.width, image.height));
    let rows = (shot.field_rows() * height / image.height).clamp(1, height);
    let all = windows(rows, width, options.crop_px, options.crop_px);
    let count = all.len().min(MOST_WINDOWS);
    let chosen: Vec<Window> = (0..count).map(|i| all[i * all.len() / count]).collect();
    let (h, w) = (chosen[0].y2 - chosen[0].y1, chosen[0].x2 - chosen[0].x1);
    let resizer = Bilinear::new((image.width, image.height), image.channels(), (width, height));
    let mut pixels = Vec::with_capacity(count * h * w * 3);
    for window in &chosen {
        for y in window.y1..window.y2 {
            let row = network_row(image, &resizer, &card.normalisation, false, y);
            pixels.extend_from_slice(&row[3 * window.x1..3 * window.x2]);
        }
    }
    Tensor::from_data(TensorData::new(pixels, [count, h, w, 3]), &device.clone().inner())
}
