//! Running statistics that follow an image: after they have, a change of its contrast changes nothing.

use burn::tensor::{Device, Tensor, TensorData};
use sorby_nn::{Arch, ModelSpec, Segmentor, Stem};

const EDGE: usize = 64;

/// Four windows of a texture of several scales, times `gain`.
fn windows(gain: f32, device: &Device) -> Tensor<4> {
    let value = |i: usize| {
        let (pixel, window) = (i / 3 % (EDGE * EDGE), i / 3 / (EDGE * EDGE));
        let (x, y) = ((pixel % EDGE) as f32, (pixel / EDGE + 17 * window) as f32);
        gain * ((0.31 * x + 0.2 * y).sin() + (0.05 * x * y).cos() + 0.3 * (1.7 * x).sin())
    };
    let values: Vec<f32> = (0..4 * EDGE * EDGE * 3).map(value).collect();
    Tensor::from_data(TensorData::new(values, [4, EDGE, EDGE, 3]), device)
}

fn logits(network: &mut Segmentor, x: Tensor<4>) -> Vec<f32> {
    network.evaluate(x).into_data().iter::<f32>().collect()
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    let spread = a.iter().fold(0.0f32, |m, v| m.max(v.abs()));
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) / spread
}

#[test]
fn adopted_statistics_take_a_change_of_contrast_out() {
    let device = Device::flex();
    for arch in [Arch::PspNet, Arch::DeepLabV3Plus] {
        let spec = ModelSpec { arch, stem: Stem::V1c, classes: 3, output_stride: 8 };
        let trained = Segmentor::new(spec, 3, &device);
        let (plain, faded) = (windows(1.0, &device), windows(0.2, &device));
        let adopted = |x: &Tensor<4>| {
            let mut own = trained.clone();
            own.adopt_statistics(x.clone());
            own
        };
        let (mut of_plain, mut of_faded) = (adopted(&plain), adopted(&faded));
        let (a, b) = (logits(&mut of_plain, plain.clone()), logits(&mut of_faded, faded.clone()));
        let off = largest_difference(&a, &b);
        // What is left is the epsilon of the norms, and a pooled image that adopts nothing.
        assert!(off < 2e-2, "{arch:?}: the same picture with less contrast is off by {off}");
        // The network itself is as it was, and does not take it out.
        let mut network = trained.clone();
        let (c, d) = (logits(&mut network, plain.clone()), logits(&mut network, faded.clone()));
        assert!(largest_difference(&c, &d) > 0.1, "{arch:?}");
        // No share of the other changes nothing; all of it is the other.
        let mut none = trained.clone();
        none.mix_statistics(&mut of_plain, 0.0);
        assert_eq!(logits(&mut none, plain.clone()), c);
        let mut all = trained.clone();
        all.mix_statistics(&mut of_plain, 1.0);
        assert!(largest_difference(&a, &logits(&mut all, plain)) < 1e-4);
    }
}
