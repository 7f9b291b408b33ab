//! ONNX files in a second engine (rten): the same logits as ours.

use crate::support::{largest_difference, model, picture};
use rten::ModelOptions;
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;
use sorby_export::{OnnxOptions, Source, onnx_file};
use sorby_image::{GreyRange, Micrograph, Pixels, Shot};
use sorby_infer::{Device, Model};
use sorby_nn::{Arch, Stem};

/// Both sum the same products in another order, and ours go through Winograd's transform.
const LOGITS_DIFFER: f32 = 1e-4;
const PROBABILITIES_DIFFER: f32 = 1e-5;

fn file(model: &mut Model, options: &OnnxOptions) -> Vec<u8> {
    let state = model.network.state();
    let source = Source { card: &model.card, state: &state, model_blake3: "00ff" };
    let bytes = onnx_file(&source, options).unwrap();
    assert_eq!(bytes, onnx_file(&source, options).unwrap(), "the same model gives the same bytes");
    bytes
}

/// Logits and probabilities by rten.
fn answers(engine: &rten::Model, image: &[f32], (n, h, w): (usize, usize, usize)) -> [Vec<f32>; 2] {
    let input = NdTensor::from_data([n, 1, h, w], image.to_vec());
    let id = |name| engine.node_id(name).unwrap();
    let outputs =
        engine.run_n(vec![(id("image"), input.view().into())], [id("logits"), id("probabilities")], None);
    outputs.unwrap().map(|values| {
        let values: NdTensor<f32, 4> = values.try_into().unwrap();
        assert_eq!(values.shape(), [n, 3, h, w]);
        values.to_vec()
    })
}

/// Softmax of `[n, classes, h, w]`.
fn softmax(logits: &[f32], classes: usize, pixels: usize) -> Vec<f32> {
    let mut out = logits.to_vec();
    for image in out.chunks_exact_mut(classes * pixels) {
        for p in 0..pixels {
            let sum: f64 = (0..classes).map(|c| f64::from(image[c * pixels + p]).exp()).sum();
            (0..classes).for_each(|c| {
                let value = &mut image[c * pixels + p];
                *value = (f64::from(*value).exp() / sum) as f32;
            });
        }
    }
    out
}

fn compare(model: &mut Model, engine: &rten::Model, sizes: &[(usize, usize, usize)], what: &str) {
    for &(n, h, w) in sizes {
        let image = picture(n, h, w);
        let ours = model.grey_logits(&image, (n, h, w), &Device::flex());
        let [logits, probabilities] = answers(engine, &image, (n, h, w));
        let spread = ours.iter().fold(0.0f32, |m, v| m.max(v.abs()));
        assert!(spread > 0.5, "{what}: answers of {spread} show nothing");
        let apart = largest_difference(&ours, &logits);
        let apart_softmax = largest_difference(&softmax(&ours, 3, h * w), &probabilities);
        println!(
            "{what} {n}x{h}x{w}: logits up to {spread:.2}, apart {apart:.1e}, probabilities {apart_softmax:.1e}"
        );
        assert!(apart < LOGITS_DIFFER, "{what} {n}x{h}x{w}: {apart}");
        assert!(apart_softmax < PROBABILITIES_DIFFER, "{what} {n}x{h}x{w}: {apart_softmax}");
    }
}

#[test]
fn another_engine_gives_our_logits() {
    for (arch, stem, output_stride) in [
        (Arch::PspNet, Stem::V1c, 8),
        (Arch::PspNet, Stem::V1, 16),
        (Arch::DeepLabV3Plus, Stem::V1c, 8),
        (Arch::DeepLabV3Plus, Stem::V1, 16),
        (Arch::PspNet, Stem::V1c, 32),
    ] {
        let mut model = model(arch, stem, output_stride);
        let what = format!("{} {output_stride}", arch.title());
        let fixed = rten::Model::load(file(&mut model, &OnnxOptions::default())).unwrap();
        let batches: &[_] =
            if output_stride == 8 { &[(1, 256, 256), (3, 256, 256)] } else { &[(2, 256, 256)] };
        compare(&mut model, &fixed, batches, &what);
        drop(fixed);
        let free = OnnxOptions { dynamic: true, ..OnnxOptions::default() };
        let free = rten::Model::load(file(&mut model, &free)).unwrap();
        let sizes = [(1, 253, 199), (2, 97, 130), (3, 64, 64), (1, 33, 41)];
        compare(&mut model, &free, &sizes, &format!("{what} dynamic"));
    }
}

#[test]
fn a_fixed_grey_range_is_part_of_the_file() {
    let mut model = model(Arch::DeepLabV3Plus, Stem::V1c, 16);
    model.card.grey_range = GreyRange::Fixed([200.0, 4095.0]);
    let engine =
        rten::Model::load(file(&mut model, &OnnxOptions { dynamic: true, ..Default::default() })).unwrap();
    let (h, w) = (61, 80);
    // Twelve bits, beyond both ends too.
    let stored: Vec<u16> = picture(1, h, w).iter().map(|v| (v * 19.0) as u16).collect();
    assert!(stored.iter().any(|v| *v > 4095));
    let shot = Shot::plain(Micrograph { width: w, height: h, pixels: Pixels::Grey16(stored.clone()) });
    let seen = model.card.grey_range.apply_as_trained(&shot).unwrap().image.to_f32();
    let ours = model.grey_logits(&seen, (1, h, w), &Device::flex());
    let input: Vec<f32> = stored.into_iter().map(f32::from).collect();
    let [logits, _] = answers(&engine, &input, (1, h, w));
    let apart = largest_difference(&ours, &logits);
    assert!(apart < LOGITS_DIFFER, "{apart}");
}

#[test]
fn half_the_bytes_of_weights_keep_the_answers_nearly() {
    let mut model = model(Arch::DeepLabV3Plus, Stem::V1c, 8);
    let whole = file(&mut model, &OnnxOptions::default());
    let half = file(&mut model, &OnnxOptions { half: true, ..OnnxOptions::default() });
    let share = half.len() as f64 / whole.len() as f64;
    println!("{} and {} bytes", whole.len(), half.len());
    assert!((0.5..0.51).contains(&share), "{share}");
    let engine = ModelOptions::with_all_ops().load(half).unwrap();
    let image = picture(1, 256, 256);
    let ours = model.grey_logits(&image, (1, 256, 256), &Device::flex());
    let [logits, _] = answers(&engine, &image, (1, 256, 256));
    let (apart, spread) =
        (largest_difference(&ours, &logits), ours.iter().fold(0.0f32, |m, v| m.max(v.abs())));
    println!("half: apart {apart:.1e} of {spread:.2}");
    assert!(apart > LOGITS_DIFFER && apart < 0.01 * spread, "{apart} of {spread}");
}

#[test]
fn weights_of_another_network_are_refused() {
    let mut psp = model(Arch::PspNet, Stem::V1c, 8);
    let state = psp.network.state();
    let card = model(Arch::DeepLabV3Plus, Stem::V1c, 8).card;
    let source = Source { card: &card, state: &state, model_blake3: "" };
    let error = onnx_file(&source, &OnnxOptions::default()).unwrap_err().to_string();
    assert!(error.contains("decode_head.image_pool.1.conv.weight"), "{error}");
}
