//! Networks with weights as after a training, and pictures.

use sorby_infer::{Device, Model, ModelCard};
use sorby_nn::weights::StateDict;
use sorby_nn::{Arch, ModelSpec, Segmentor, Stem};
use sorby_random::Stream;

/// A network whose every tensor matters: new ones have blocks that are their identity and batch norms without effect.
pub fn model(arch: Arch, stem: Stem, output_stride: usize) -> Model {
    let device = Device::flex();
    let spec = ModelSpec { arch, stem, classes: 3, output_stride };
    let mut network = Segmentor::new(spec, 7, &device);
    let mut state = network.state();
    for (key, array) in &mut state {
        let mut stream = Stream::new(11, &[key.as_bytes()]);
        let mut between = |low: f64, high: f64| stream.uniform(low, high) as f32;
        for value in &mut array.values {
            match key.rsplit_once('.') {
                Some((_, "running_mean")) => *value = between(-0.3, 0.3),
                Some((_, "running_var")) => *value = between(0.6, 1.6),
                Some((_, "bias")) => *value = between(-0.2, 0.2),
                Some((_, "weight")) if array.shape.len() == 1 => *value = between(0.3, 0.9),
                // The classifier is drawn for small answers; a trained one gives some units.
                _ if key.ends_with("conv_seg.weight") => {
                    *value *= if arch == Arch::PspNet { 20.0 } else { 150.0 }
                }
                // Drawn as if every output saw all inputs, of which it sees one.
                _ if key.ends_with("depthwise_conv.conv.weight") => *value *= (array.shape[0] as f32).sqrt(),
                _ => {}
            }
        }
    }
    network.load(state.clone()).unwrap();
    let classes = ["matrix", "carbide", "M23C6 (Härte 2)"].map(str::to_owned).to_vec();
    let card = ModelCard { classes, recipe: "iterations = 6\n".into(), ..ModelCard::new(spec) };
    let mut model = Model::new(card, network);
    level(&mut model, state);
    model
}

/// Biases of the classifier that make all classes as likely: a mask shows more of them.
fn level(model: &mut Model, mut state: StateDict) {
    const EDGE: usize = 96;
    let logits = model.grey_logits(&picture(1, EDGE, EDGE), (1, EDGE, EDGE), &Device::flex());
    let bias = &mut state.get_mut("decode_head.conv_seg.bias").unwrap().values;
    for (bias, plane) in bias.iter_mut().zip(logits.chunks_exact(EDGE * EDGE)) {
        *bias -= plane.iter().sum::<f32>() / plane.len() as f32;
    }
    model.network.load(state).unwrap();
}

/// Grey windows `[n, h, w]`, 0..255 in whole steps: blobs on a gradient, with noise.
pub fn picture(n: usize, h: usize, w: usize) -> Vec<f32> {
    let mut stream = Stream::new(5, &[b"picture"]);
    (0..n * h * w)
        .map(|i| {
            let (b, y, x) = (i / (h * w), i / w % h, i % w);
            let blob = if (x / 9 + y / 14 + b) % 3 == 0 { 150.0 } else { 60.0 };
            (blob + 40.0 * x as f64 / w as f64 + stream.uniform(0.0, 30.0)).round() as f32
        })
        .collect()
}

/// Largest difference of two equally long lists.
pub fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    assert!(a.iter().chain(b).all(|v| v.is_finite()));
    a.iter().zip(b).fold(0.0, |most, (a, b)| most.max((a - b).abs()))
}
