//! Focal loss and cross-entropy against PyTorch in f64 (`reference/fixtures/focal.json`).

mod fixture;

use burn::tensor::Device;
use fixture::*;
use sorby_kernels::focal::Focal;
use sorby_nn::ops::{self, PixelLoss};
use std::sync::Arc;

#[test]
fn focal_entries_match_to_the_extremes() {
    for e in json("focal.json")["entries"].as_array().unwrap() {
        let number = |k: &str| e[k].as_f64().unwrap();
        let focal = Focal { alpha: number("alpha"), gamma: number("gamma") };
        let (loss, slope) = focal.entry(number("z"), number("y") == 1.0);
        for (what, got, want) in [("loss", loss, number("loss")), ("slope", slope, number("grad"))] {
            assert!((got - want).abs() <= 1e-9 * want.abs() + 1e-300, "{what} at {e}: {got:e}");
        }
    }
}

#[test]
fn focal_gradient_is_the_slope_of_the_loss() {
    let focal = Focal { alpha: 0.25, gamma: 2.0 };
    for z in [-100.0, -20.0, -3.0, -0.1, 0.0, 0.4, 7.0, 100.0] {
        for positive in [false, true] {
            let h = 1e-5;
            let slope = (focal.entry(z + h, positive).0 - focal.entry(z - h, positive).0) / (2.0 * h);
            let got = focal.entry(z, positive).1;
            assert!(got.is_finite() && (got - slope).abs() < 1e-8, "z {z} {positive}: {got} {slope}");
        }
    }
}

#[test]
fn start_of_training_values() {
    let focal = Focal { alpha: 0.25, gamma: 2.0 };
    let (positive, negative) = (focal.entry(0.0, true), focal.entry(0.0, false));
    // Two classes: each pixel is positive in one channel and negative in the other.
    assert!(((positive.0 + negative.0) / 2.0 - 0.0866434).abs() < 1e-7);
    assert!((positive.1 + 0.0745717).abs() < 1e-7 && (negative.1 - 0.2237151).abs() < 1e-7);
}

#[test]
fn tensor_losses_match_pytorch() {
    let json = json("focal.json");
    let tensor = &json["tensor"];
    let numbers = |v: &serde_json::Value| -> Vec<f64> {
        v.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
    };
    let shape: Vec<usize> = numbers(&tensor["shape"]).into_iter().map(|v| v as usize).collect();
    let logits: Vec<f32> = numbers(&tensor["logits"]).into_iter().map(|v| v as f32).collect();
    let labels = Arc::new(numbers(&tensor["labels"]).into_iter().map(|v| v as u8).collect::<Vec<_>>());
    for case in tensor["cases"].as_array().unwrap() {
        let loss = match case["loss_name"].as_str().unwrap() {
            "focal" => PixelLoss::Focal { alpha: 0.25, gamma: 2.0 },
            "focal_a50_g15" => PixelLoss::Focal { alpha: 0.5, gamma: 1.5 },
            "cross_entropy" => PixelLoss::CrossEntropy,
            "cross_entropy_dice" => PixelLoss::CrossEntropyDice,
            other => panic!("unknown loss {other}"),
        };
        let want: Vec<f32> = numbers(&case["grad"]).into_iter().map(|v| v as f32).collect();
        for stock in [false, true] {
            ops::use_stock_operations(stock);
            let z = channels_last(&logits, &shape, &Device::flex().autodiff()).require_grad();
            let value = ops::pixel_loss(z.clone(), labels.clone(), loss);
            assert_close("loss", &values_of(&value), &[case["loss"].as_f64().unwrap() as f32], 1e-6);
            // An upstream factor must reach the gradient.
            let gradients = (value * 3.0).backward();
            let got: Vec<f32> =
                channels_first(&z.grad(&gradients).unwrap()).iter().map(|g| g / 3.0).collect();
            assert_close("gradient", &got, &want, 1e-5);
            ops::use_stock_operations(false);
        }
    }
}
