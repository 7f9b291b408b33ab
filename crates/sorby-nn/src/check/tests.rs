use super::replay::values;
use super::*;
use crate::segmentor::{Arch, Stem};

fn network(arch: Arch) -> CheckedNetwork {
    let spec = ModelSpec { arch, stem: Stem::V1c, classes: 3, output_stride: 8 };
    CheckedNetwork { spec, loss: PixelLoss::Focal { alpha: 0.25, gamma: 2.0 }, batch: 2, crop_px: 64 }
}

#[test]
fn every_layer_of_both_networks_is_named() {
    let both: Vec<Call> =
        [Arch::PspNet, Arch::DeepLabV3Plus].iter().flat_map(|a| calls_of(&network(*a))).collect();
    let named = |what: &str| both.iter().filter(|c| c.to_string().contains(what)).count();
    assert!(both.iter().all(|c| c.input().n == 2), "the batch of the check");
    for dilation in [12, 24, 36] {
        assert_eq!(named(&format!("depthwise convolution 3x3, dilation {dilation}, 512 to 512")), 1);
    }
    assert_eq!(named("convolution 3x3, dilation 4, 512 to 512 channels, on 2 x 8 x 8"), 2);
    assert_eq!(named("convolution 3x3, stride 2, 64 to 128 channels, on 2 x 16 x 16"), 2);
    assert_eq!(named("means of 6 x 6 bins, 512 channels"), 1);
    assert_eq!(named("max pooling, 64 channels, on 2 x 32 x 32"), 2);
    assert_eq!(named("bilinear resize to 64 x 64, 3 channels"), 3);
    assert!(named("batch norm, sum, ReLU") >= 8 && named("loss, 3 classes") == 2);
}

#[test]
fn values_are_distinct_and_spread() {
    let mut sorted = values(100_000, 3);
    assert!((sorted.iter().sum::<f32>() / 1e5).abs() < 0.01);
    let neighbours: f32 = sorted.windows(2).map(|p| p[0] * p[1]).sum::<f32>() / 1e5;
    assert!(neighbours.abs() < 0.01, "{neighbours}");
    sorted.sort_by(f32::total_cmp);
    assert!(sorted.windows(2).all(|p| p[0] < p[1]) && sorted[0] > -1.01 && sorted[99_999] <= 1.01);
}

#[test]
fn what_is_wrong_is_named() {
    let tolerance = Backend::Vulkan.tolerance();
    let want: Vec<f32> = values(4096, 1);
    let mut got = want.clone();
    assert!(tolerance.allows(&Deviation::between(&got, &want)));
    got[17] += 0.01;
    let one_off = Deviation::between(&got, &want);
    assert!(!tolerance.allows(&one_off), "a single value that is wrong by a hundredth: {one_off}");
    got[17] = f32::NAN;
    assert!(!tolerance.allows(&Deviation::between(&got, &want)));
    let check = LayerCheck {
        layer: "max pooling".into(),
        results: Ok(vec![
            ("output", Deviation { rms: 0.0, largest: 0.0 }),
            ("gradient of the input", one_off),
        ]),
        device_time: Duration::ZERO,
        cpu_time: Duration::ZERO,
    };
    let wrong = check.wrong(tolerance).unwrap();
    assert!(wrong.starts_with("max pooling: its gradient of the input is off by"), "{wrong}");
}

/// Burn's own operations stand in for a device.
#[test]
fn operations_that_are_right_pass() {
    for arch in [Arch::PspNet, Arch::DeepLabV3Plus] {
        let network = network(arch);
        for call in calls_of(&network) {
            let inputs = replay::Inputs::of(&call);
            let want = replay::run(&call, &inputs, &Device::flex());
            crate::ops::use_stock_operations(true);
            let got = replay::run(&call, &inputs, &Device::flex());
            crate::ops::use_stock_operations(false);
            for ((part, got), (_, want)) in got.parts.iter().zip(&want.parts) {
                let deviation = Deviation::between(got, want);
                assert!(
                    Backend::Vulkan.tolerance().allows(&deviation),
                    "{call}: {part} is off by {deviation}"
                );
            }
        }
    }
}
