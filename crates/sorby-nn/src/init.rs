//! Initial values, a pure function of (seed, parameter key): MMSegmentation's initialisers.

use burn::tensor::{Device, Tensor, TensorData};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

/// Where a layer gets its initial values: a seed, a device and the key prefix of the layer.
#[derive(Clone)]
pub struct Init {
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
        let prefix = if self.prefix.is_empty() { name.to_string() } else { format!("{}.{name}", self.prefix) };
        Self { prefix, ..self.clone() }
    }

    /// Normal values of the given standard deviation for parameter `name`, tracked for gradients.
    pub fn normal<const D: usize>(&self, name: &str, shape: [usize; D], std: f64) -> Tensor<D> {
        let mut rng = stream(self.seed, &[self.at(name).prefix.as_bytes()]);
        let count = shape.iter().product();
        let mut values = Vec::with_capacity(count + 1);
        while values.len() < count {
            // Box-Muller; 1 - u keeps the logarithm finite.
            let (radius, angle) = ((-2.0 * (1.0 - unit(&mut rng)).ln()).sqrt(), std::f64::consts::TAU * unit(&mut rng));
            values.push((std * radius * angle.cos()) as f32);
            values.push((std * radius * angle.sin()) as f32);
        }
        values.truncate(count);
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

/// An independent random stream for each (seed, parts).
pub(crate) fn stream(seed: u64, parts: &[&[u8]]) -> ChaCha8Rng {
    let mut hash = blake3::Hasher::new();
    hash.update(&seed.to_le_bytes());
    for part in parts {
        hash.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
    ChaCha8Rng::from_seed(*hash.finalize().as_bytes())
}

/// Uniform in `0..1` with 53 bits.
pub(crate) fn unit(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}
