//! What `--adapt` is expected to bring for an image that is unlike the training images.

use super::segmenter::Segmenter;
use super::trust::Trust;
use crate::Result;
use sorby_image::Shot;
use sorby_infer::InferenceOptions;

/// Rows of the image that both ways are tried on: enough for a mean, soon done.
const ROWS: usize = 512;

/// The sentence that offers `--adapt`: expected IoU with and without, over a part of the image. `None` where it is in use already, or
/// promises nothing.
pub fn of_adapting(
    segmenter: &mut Segmenter,
    shot: &Shot,
    options: &InferenceOptions,
) -> Result<Option<String>> {
    if options.adapt {
        return Ok(None);
    }
    let mut part = shot.clone();
    part.cut_to(ROWS.min(shot.field_rows()));
    let mut expected = |adapt| -> Result<Option<f64>> {
        let options = InferenceOptions { adapt, ..options.clone() };
        let (_, sums) = segmenter.infer(&part, &options, &mut |_| {}, &mut |_, _| true)?;
        Ok(mean_iou(&sums.finish(None, true)))
    };
    Ok(match (expected(false)?, expected(true)?) {
        (Some(plain), Some(adapted)) => words(plain, adapted),
        // A model without validation images expects nothing.
        _ => Some("--adapt may help (three times as long): compare its mask with this one".to_owned()),
    })
}

/// Mean over the classes that have a part in the image.
fn mean_iou(trust: &Trust) -> Option<f64> {
    let found: Vec<f64> = trust.expected().iter().flatten().map(|e| e.value).collect();
    (!found.is_empty()).then(|| found.iter().sum::<f64>() / found.len() as f64)
}

/// Smaller gains are not worth three times the time.
const LEAST_GAIN: f64 = 0.01;

fn words(plain: f64, adapted: f64) -> Option<String> {
    (adapted - plain >= LEAST_GAIN).then(|| {
        format!(
            "with --adapt (three times as long) its expected IoU, {:.0} %, would be {:.0} %",
            100.0 * plain,
            100.0 * adapted
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::InferenceSettings;
    use sorby_image::Micrograph;
    use sorby_infer::{Device, Model, ModelCard, Reliability, Residual};
    use sorby_nn::{Arch, ModelSpec, Segmentor, Stem};
    use std::path::Path;

    #[test]
    fn what_promises_less_than_a_point_is_not_offered() {
        assert_eq!(words(0.60, 0.605), None);
        assert_eq!(words(0.60, 0.50), None);
        let offered = words(0.60, 0.72).unwrap();
        assert!(offered.contains("60 %") && offered.contains("72 %"), "{offered}");
    }

    /// A network with a loud classifier, so that other statistics change its answers.
    fn model(folder: &Path, reliability: Option<Reliability>) -> std::path::PathBuf {
        let (spec, device) = (
            ModelSpec { arch: Arch::DeepLabV3Plus, stem: Stem::V1c, classes: 2, output_stride: 16 },
            Device::flex(),
        );
        let mut network = Segmentor::new(spec, 7, &device);
        let mut state = network.state();
        state.get_mut("decode_head.conv_seg.weight").unwrap().values.iter_mut().for_each(|w| *w *= 40.0);
        network.load(state).unwrap();
        let card = ModelCard { window_px: 64, stride_px: 64, reliability, ..ModelCard::new(spec) };
        let path = folder.join("model.safetensors");
        std::fs::write(&path, Model::new(card, network).to_bytes(&device).unwrap()).unwrap();
        path
    }

    fn segmenter(path: &Path, adapt: bool) -> Segmenter {
        Segmenter::open(path, &InferenceSettings { adapt, ..Default::default() }).unwrap()
    }

    fn image(rows: usize) -> Shot {
        let pixels = (0..64 * rows).map(|i| ((i * 7919) % 251) as u8 / 3 + (i % 64) as u8).collect();
        Shot::plain(Micrograph::grey8(64, rows, pixels))
    }

    /// The offer says what a segmentation each way expects of the upper rows.
    #[test]
    fn the_offer_is_what_both_ways_expect() {
        let folder = tempfile::tempdir().unwrap();
        let residual = Residual { bias: 0.0, sd: Some(0.02), images: 5 };
        let path = model(folder.path(), Some(Reliability { temperature: 1.0, classes: vec![residual; 2] }));
        let expected = |adapt| {
            let segmented = segmenter(&path, adapt).segment(&image(ROWS)).unwrap();
            mean_iou(&segmented.trust).unwrap()
        };
        let (plain, adapted) = (expected(false), expected(true));
        assert!((plain - adapted).abs() > 1e-4, "the mixes change nothing: {plain}");
        let mut own = segmenter(&path, false);
        let options = own.options().clone();
        let offer = |shot: &Shot, own: &mut Segmenter, options: &_| of_adapting(own, shot, options).unwrap();
        assert_eq!(offer(&image(ROWS), &mut own, &options), words(plain, adapted));
        // Rows below do not count, and what is adapted already is offered nothing.
        let mut longer = image(ROWS + 64);
        longer.cut_to(ROWS + 32);
        assert_eq!(offer(&longer, &mut own, &options), words(plain, adapted));
        assert_eq!(offer(&image(64), &mut own, &InferenceOptions { adapt: true, ..options }), None);
    }

    #[test]
    fn a_model_without_validation_images_offers_without_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let mut own = segmenter(&model(folder.path(), None), false);
        let options = own.options().clone();
        let offer = of_adapting(&mut own, &image(64), &options).unwrap().unwrap();
        assert!(offer.contains("--adapt") && !offer.contains('%'), "{offer}");
    }
}
