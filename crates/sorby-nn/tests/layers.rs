//! Each operation, forward and backward, against PyTorch (`reference/fixtures/layers.*`), on our
//! kernels and on Burn's own operations.

mod fixture;

use burn::tensor::{Device, Tensor, TensorData};
use fixture::*;
use serde_json::Value;
use sorby_nn::ops::{self, ConvGeometry};
use sorby_nn::weights::StateDict;
use std::sync::Mutex;

/// The choice of operations is global: one check at a time.
static OPERATIONS: Mutex<()> = Mutex::new(());

struct Case<'a> {
    spec: &'a Value,
    arrays: &'a StateDict,
    device: Device,
    tolerance: f32,
}

impl Case<'_> {
    fn name(&self) -> &str {
        self.spec["case"].as_str().unwrap()
    }
    fn number(&self, key: &str) -> usize {
        self.spec[key].as_u64().unwrap() as usize
    }
    fn values(&self, part: &str) -> &[f32] {
        &self.arrays[&format!("{}/{part}", self.name())].values
    }
    fn image(&self, part: &str) -> Tensor<4> {
        let array = &self.arrays[&format!("{}/{part}", self.name())];
        channels_last(&array.values, &array.shape, &self.device)
    }
    fn vector(&self, part: &str) -> Tensor<1> {
        let values = self.values(part).to_vec();
        let n = values.len();
        Tensor::from_data(TensorData::new(values, [n]), &self.device)
    }
    fn check_image(&self, part: &str, got: &Tensor<4>) {
        self.check(part, &channels_first(got));
    }
    fn check(&self, part: &str, got: &[f32]) {
        // PyTorch's own f32 error sets the scale where the case is ill-conditioned.
        let own = self.spec["f32_error"][part].as_f64().unwrap_or(0.0) as f32;
        let what = format!("{} {part}", self.name());
        assert_close(&what, got, self.values(part), self.tolerance.max(4.0 * own));
    }

    fn conv(&self) {
        let g = ConvGeometry {
            kernel: self.spec["shapes"]["w"][2].as_u64().unwrap() as usize,
            stride: self.number("stride"),
            padding: self.number("padding"),
            dilation: self.number("dilation"),
            groups: self.number("groups"),
        };
        let w = &self.arrays[&format!("{}/w", self.name())];
        let w = Tensor::<4>::from_data(TensorData::new(w.values.clone(), w.shape.clone()), &self.device)
            .require_grad();
        self.unary_with(
            |x| ops::conv2d(x, w.clone(), g),
            |gradients| {
                self.check("gw", &values_of(&w.grad(gradients).unwrap()));
            },
        );
    }

    fn unary(&self, f: impl Fn(Tensor<4>) -> Tensor<4>) {
        self.unary_with(f, |_| ());
    }

    /// Forward on autodiff and plain devices, then the input's gradient for upstream `gy`.
    fn unary_with(&self, f: impl Fn(Tensor<4>) -> Tensor<4>, more: impl Fn(&burn::tensor::Gradients)) {
        let x = self.image("x").require_grad();
        let y = f(x.clone());
        self.check_image("y", &y);
        let gradients = (y * self.image("gy")).sum().backward();
        self.check_image("gx", &x.grad(&gradients).unwrap());
        more(&gradients);
    }

    fn batch_norm(&self, relu: bool) {
        let (gamma, beta) = (self.vector("weight").require_grad(), self.vector("bias").require_grad());
        let residual =
            self.arrays.contains_key(&format!("{}/r", self.name())).then(|| self.image("r").require_grad());
        let x = self.image("x").require_grad();
        let moments = ops::batch_moments(&x);
        let [n, h, w, c] = x.dims();
        let count = (n * h * w) as f32;
        let parts = values_of(&moments);
        let blend = |old: &[f32], new: &[f32], f: f32| -> Vec<f32> {
            old.iter().zip(new).map(|(o, n)| 0.9 * o + 0.1 * f * n).collect()
        };
        self.check("new_running_mean", &blend(self.values("running_mean"), &parts[..c], 1.0));
        self.check("new_running_var", &blend(self.values("running_var"), &parts[c..], count / (count - 1.0)));
        let y =
            ops::batch_norm_train(x.clone(), residual.clone(), gamma.clone(), beta.clone(), moments, relu);
        self.check_image("y", &y);
        let gradients = (y * self.image("gy")).sum().backward();
        self.check_image("gx", &x.grad(&gradients).unwrap());
        self.check("gweight", &values_of(&gamma.grad(&gradients).unwrap()));
        self.check("gbias", &values_of(&beta.grad(&gradients).unwrap()));
        if let Some(residual) = residual {
            self.check_image("gr", &residual.grad(&gradients).unwrap());
        }
    }

    fn batch_norm_eval(&self) {
        let scale = self.vector("weight") / (self.vector("running_var") + ops::BATCH_NORM_EPS).sqrt();
        let shift = self.vector("bias") - self.vector("running_mean") * scale.clone();
        self.check_image("y", &ops::affine(self.image("x"), None, scale, shift, false));
    }

    fn run(&self) {
        match self.spec["op"].as_str().unwrap() {
            "conv2d" => self.conv(),
            "max_pool" => self.unary(ops::max_pool),
            "adaptive_avg_pool" => self.unary(|x| ops::adaptive_average(x, self.number("bins"))),
            "bilinear" => {
                let size = |i: usize| self.spec["target"][i].as_u64().unwrap() as usize;
                self.unary(|x| ops::bilinear(x, size(0), size(1)));
            }
            "batch_norm_eval" => self.batch_norm_eval(),
            "batch_norm_train" => self.batch_norm(false),
            "batch_norm_train_relu" | "batch_norm_train_add_relu" => self.batch_norm(true),
            other => panic!("unknown operation {other}"),
        }
    }
}

fn run_all(stock: bool) {
    let _guard = OPERATIONS.lock().unwrap_or_else(|e| e.into_inner());
    ops::use_stock_operations(stock);
    let (specs, arrays) = (json("layers.json"), arrays("layers.safetensors"));
    let specs = specs.as_array().unwrap();
    assert!(specs.len() >= 37);
    for spec in specs {
        let case = Case { spec, arrays: &arrays, device: Device::flex().autodiff(), tolerance: 5e-6 };
        case.run();
    }
    ops::use_stock_operations(false);
}

#[test]
fn kernels_match_pytorch() {
    run_all(false);
}

#[test]
fn stock_operations_match_pytorch() {
    run_all(true);
}
