//! AdamW against PyTorch (`reference/fixtures/adamw.json`), on both ways of computing.

mod fixture;

use burn::tensor::{Device, Tensor};
use fixture::*;
use sorby_nn::ops;
use sorby_nn::optimizer::Rule;

#[test]
fn adamw_steps_as_in_pytorch() {
    let json = json("adamw.json");
    let numbers = |v: &serde_json::Value| -> Vec<f32> {
        v.as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect()
    };
    for stock in [false, true] {
        ops::use_stock_operations(stock);
        let device = Device::flex();
        let tensor = |values: Vec<f32>| Tensor::<1>::from_data(values.as_slice(), &device);
        let mut weights = tensor(numbers(&json["start"]));
        let mut state = Tensor::<1>::zeros([24], &device);
        for (t, step) in json["steps"].as_array().unwrap().iter().enumerate() {
            let rule = Rule::AdamW {
                lr: step["lr"].as_f64().unwrap() as f32,
                betas: (0.9, 0.999),
                weight_decay: json["weight_decay"].as_f64().unwrap() as f32,
                step: t as i32 + 1,
            };
            (weights, state) = ops::optimizer_step(weights, state, tensor(numbers(&step["gradient"])), rule);
            assert_close("weights", &values_of(&weights), &numbers(&step["weights"]), 2e-5);
        }
        ops::use_stock_operations(false);
    }
}
