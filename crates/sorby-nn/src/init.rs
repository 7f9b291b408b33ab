//! Initial values, a pure function of (seed, parameter key): MMSegmentation's initialisers.

use burn::tensor::{Device, Tensor, TensorData};
use sorby_random::Stream;

/// Where a layer gets its initial values: a seed, a device and the key prefix of the layer.
#[derive(Clone)]
pub(crate) struct Init {
    seed: u64,
    device: Device,
    prefix: String,
}

impl Init {
    pub fn new(seed: u64, device: &Device) -> Self {
        Self { seed, device: device.clone(), prefix: String::new() }
    }

    /// The scope of a named part.
    pub fn at(&self, name: impl std::fmt::Display) -> Self {
        let prefix =
            if self.prefix.is_empty() { name.to_string() } else { format!("{}.{name}", self.prefix) };
        Self { prefix, ..self.clone() }
    }

    /// Normal values of the given standard deviation for parameter `name`, tracked for gradients.
    pub fn normal<const D: usize>(&self, name: &str, shape: [usize; D], std: f64) -> Tensor<D> {
        let mut stream = Stream::new(self.seed, &[self.at(name).prefix.as_bytes()]);
        let count = shape.iter().product();
        let values = (0..count).map(|_| (std * stream.normal()) as f32).collect();
        self.tensor(values, shape).require_grad()
    }

    /// A constant parameter, tracked.
    pub fn constant(&self, value: f32, len: usize) -> Tensor<1> {
        self.buffer(value, len).require_grad()
    }

    /// A constant that is not trained.
    pub fn buffer(&self, value: f32, len: usize) -> Tensor<1> {
        self.tensor(vec![value; len], [len])
    }

    fn tensor<const D: usize>(&self, values: Vec<f32>, shape: [usize; D]) -> Tensor<D> {
        Tensor::from_data(TensorData::new(values, shape), &self.device)
    }
}
