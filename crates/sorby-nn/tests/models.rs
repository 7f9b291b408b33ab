//! Whole networks against the reference implementation in PyTorch: sizes, logits, probes of their structure.

mod fixture;

use burn::tensor::{Device, Tensor, TensorData};
use fixture::*;
use sorby_nn::layer::Phase;
use sorby_nn::{Arch, ModelSpec, Segmentor, Stem, ops};

fn spec(arch: Arch, stem: Stem, classes: usize) -> ModelSpec {
    ModelSpec { arch, stem, classes, output_stride: 8 }
}

#[test]
fn parameter_counts_of_the_specification() {
    let device = Device::flex();
    for (arch, stem, training, inference, convolutions, batch_norms) in [
        (Arch::PspNet, Stem::V1c, 12_786_788, 12_639_074, 22 + 6 + 2, 22 + 5 + 1),
        (Arch::DeepLabV3Plus, Stem::V1c, 12_465_664, 12_317_950, 22 + 15 + 2, 22 + 14 + 1),
        // The 7x7 stem: 9 408 + 128 instead of 28 512 + 256, one convolution instead of three.
        (Arch::PspNet, Stem::V1, 12_786_788 - 19_232, 12_639_074 - 19_232, 20 + 6 + 2, 20 + 5 + 1),
    ] {
        let (all, without_auxiliary) = Segmentor::new(spec(arch, stem, 2), 0, &device).census();
        assert_eq!(
            (all.parameters, without_auxiliary.parameters),
            (training, inference),
            "{arch:?} {stem:?}"
        );
        assert_eq!((all.convolutions, all.batch_norms), (convolutions, batch_norms), "{arch:?} {stem:?}");
    }
    let buffers = |arch| Segmentor::new(spec(arch, Stem::V1c, 2), 0, &device).census().0.buffers;
    assert_eq!((buffers(Arch::PspNet), buffers(Arch::DeepLabV3Plus)), (11_136, 15_536));
}

fn input(name: &str, h: usize, w: usize) -> Tensor<4> {
    channels_last(&plain(name, 3 * h * w, 2.0), &[1, 3, h, w], &Device::flex())
}

fn every_seventh(t: &Tensor<4>) -> Vec<f32> {
    let [_, h, w, c] = t.dims();
    let all = channels_first(t);
    let mut out = Vec::new();
    for (k, y) in (0..c).flat_map(|k| (0..h).step_by(7).map(move |y| (k, y))) {
        out.extend((0..w).step_by(7).map(|x| all[(k * h + y) * w + x]));
    }
    out
}

fn check_logits(name: &str, spec: ModelSpec) {
    let want = arrays(&format!("model_{name}.safetensors"));
    let mut network = Segmentor::new(spec, 7, &Device::flex());
    fill(&mut network);
    for (suffix, key, h, w) in [("", "input", 256, 256), ("_odd", "input_odd", 253, 199)] {
        let head = network.evaluate(input(key, h, w));
        let full = ops::bilinear(head.clone(), h, w);
        for (part, got) in [("logits_head", channels_first(&head)), ("logits", every_seventh(&full))] {
            let want = &want[&format!("{part}{suffix}")].values;
            let worst = got.iter().zip(want).map(|(g, w)| (g - w).abs()).fold(0.0f32, f32::max);
            assert_eq!(got.len(), want.len());
            assert!(worst < 1e-3, "{name} {part}{suffix}: logits differ by {worst:e}");
        }
    }
}

#[test]
fn logits_of_larger_output_strides() {
    let spec = |arch, output_stride| ModelSpec { output_stride, ..spec(arch, Stem::V1c, 2) };
    check_logits("deeplabv3plus_v1c_stride16", spec(Arch::DeepLabV3Plus, 16));
    check_logits("pspnet_v1c_stride32", spec(Arch::PspNet, 32));
}

#[test]
fn pspnet_logits() {
    check_logits("pspnet_v1c", spec(Arch::PspNet, Stem::V1c, 2));
    check_logits("pspnet_v1", spec(Arch::PspNet, Stem::V1, 2));
}

#[test]
fn deeplab_logits() {
    check_logits("deeplabv3plus_v1c", spec(Arch::DeepLabV3Plus, Stem::V1c, 2));
    check_logits("deeplabv3plus_v1", spec(Arch::DeepLabV3Plus, Stem::V1, 2));
    check_logits("deeplabv3plus_v1c_5classes", spec(Arch::DeepLabV3Plus, Stem::V1c, 5));
}

#[test]
fn stage_shapes_and_statistics() {
    let mut network = Segmentor::new(spec(Arch::PspNet, Stem::V1c, 2), 7, &Device::flex());
    fill(&mut network);
    let shapes = |stages: &[Tensor<4>; 4]| stages.each_ref().map(|t| t.dims());
    let odd = network.backbone.forward(input("input_odd", 253, 199), Phase::Evaluate);
    assert_eq!(shapes(&odd), [[1, 64, 50, 64], [1, 32, 25, 128], [1, 32, 25, 256], [1, 32, 25, 512]]);
    let stages = network.backbone.forward(input("input", 256, 256), Phase::Evaluate);
    let want = json("model_pspnet_v1c.json");
    for (i, stage) in stages.iter().enumerate() {
        let want = &want["stages"][format!("layer{}", i + 1)];
        let values = values_of(stage);
        let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / values.len() as f64;
        let max = values.iter().fold(0.0f32, |m, v| m.max(v.abs()));
        assert!((mean / want["mean"].as_f64().unwrap() - 1.0).abs() < 1e-5, "layer{} mean {mean}", i + 1);
        assert!(
            (f64::from(max) / want["abs_max"].as_f64().unwrap() - 1.0).abs() < 1e-5,
            "layer{} max {max}",
            i + 1
        );
    }
}

/// Only a block's first convolution is dilated: with both convolutions of layer4.1 copying the tap at
/// their upper left corner, its residual branch shifts the image by 4 + 1.
#[test]
fn dilation_reaches_as_far_as_specified() {
    let mut network = Segmentor::new(spec(Arch::PspNet, Stem::V1c, 2), 3, &Device::flex());
    let mut state = network.state();
    for name in ["conv1", "conv2"] {
        let array = state.get_mut(&format!("backbone.layer4.1.{name}.weight")).unwrap();
        array.values.fill(0.0);
        (0..512).for_each(|c| array.values[(c * 512 + c) * 9] = 1.0);
    }
    let mut run = |gamma: f32| {
        state.get_mut("backbone.layer4.1.bn2.weight").unwrap().values.fill(gamma);
        network.load(state.clone()).unwrap();
        channels_first(&network.backbone.forward(input("input", 128, 128), Phase::Evaluate)[3])
    };
    let (identity, shifted) = (run(0.0), run(1.0));
    let at = |v: &[f32], c: usize, y: usize, x: usize| v[(c * 16 + y) * 16 + x];
    let mut moved = 0.0f32;
    for (c, y, x) in (0..512).flat_map(|c| (0..16).flat_map(move |y| (0..16).map(move |x| (c, y, x)))) {
        let branch = if y >= 5 && x >= 5 { at(&identity, c, y - 5, x - 5) } else { 0.0 };
        let (got, want) = (at(&shifted, c, y, x), at(&identity, c, y, x) + branch);
        assert!((got - want).abs() < 1e-4, "channel {c} at {y}, {x}: {got}, expected {want}");
        moved = moved.max(branch);
    }
    assert!(moved > 0.1, "the branch carries something");
}

#[test]
fn evaluation_ignores_the_batch_and_the_auxiliary_head() {
    let mut network = Segmentor::new(spec(Arch::DeepLabV3Plus, Stem::V1c, 2), 7, &Device::flex());
    fill(&mut network);
    let one = input("input", 64, 48);
    let other = input("input_odd", 64, 48);
    let alone = values_of(&network.evaluate(one.clone()));
    let together = values_of(&network.evaluate(Tensor::cat(vec![one.clone(), other], 0)));
    assert_eq!(alone, together[..alone.len()]);
    let mut state = network.state();
    state.retain(|key, _| !key.starts_with("auxiliary_head."));
    let mut fresh = Segmentor::new(network.spec(), 99, &Device::flex());
    fresh.load(state.clone()).unwrap();
    assert_eq!(alone, values_of(&fresh.evaluate(one)));
    state.remove("decode_head.conv_seg.bias");
    let message = fresh.load(state).unwrap_err().to_string();
    assert!(message.contains("decode_head.conv_seg.bias"), "{message}");
}

#[test]
fn initial_values_follow_the_rules() {
    let mut network = Segmentor::new(spec(Arch::DeepLabV3Plus, Stem::V1c, 2), 1, &Device::flex());
    let state = network.state();
    let std = |key: &str| {
        let v = &state[key].values;
        (v.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / v.len() as f64).sqrt()
    };
    let near = |key: &str, want: f64| assert!((std(key) / want - 1.0).abs() < 0.03, "{key}: {}", std(key));
    near("backbone.layer4.1.conv1.weight", (2.0f64 / (512.0 * 9.0)).sqrt());
    near("decode_head.aspp_modules.2.depthwise_conv.conv.weight", (2.0f64 / (9.0 * 512.0)).sqrt());
    assert!((std("decode_head.conv_seg.weight") / 0.01 - 1.0).abs() < 0.2);
    assert!(state["backbone.layer2.1.bn2.weight"].values.iter().all(|&v| v == 0.0));
    assert!(state["backbone.layer2.1.bn1.weight"].values.iter().all(|&v| v == 1.0));
    let again = Segmentor::new(network.spec(), 1, &Device::flex()).state();
    assert!(state == again, "the same seed gives the same network");
    let x =
        Tensor::<4>::from_data(TensorData::new(vec![0.5f32; 64 * 64 * 3], [1, 64, 64, 3]), &Device::flex());
    assert!(values_of(&network.evaluate(x)).iter().all(|v| v.abs() < 1.0), "logits start near zero");
}
