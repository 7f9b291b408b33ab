//! What a class looks like within, beyond its grey.

use super::grains::{GrainShape, Grains};
use super::noise::Noise;
use super::scene::log_uniform;
use sorby_random::Stream;
use std::f64::consts::{PI, TAU};

/// A pattern of mean about 0 and standard deviation about 1.
pub(super) enum Texture {
    Flat,
    /// A random field of one length.
    Noise(Noise),
    /// A coarse and a fine random field: etched, stained.
    Mottled(Noise, Noise),
    /// Parallel stripes in packets: sub-grains, fine pearlite, laths.
    Lamellar {
        packets: Grains,
        stripes: Vec<(f32, f32, f32, f32)>,
        bend: Noise,
    },
    /// Stripes of one direction everywhere: polishing marks.
    Brushed {
        noise: Noise,
        direction: (f32, f32),
    },
    /// Small dark pits.
    Pitted(Noise),
    /// Brighter or darker towards the middle, over this many pixels.
    Gradient {
        reach: f32,
        sign: f32,
    },
}

impl Texture {
    pub fn draw((width, height): (usize, usize), stream: &mut Stream) -> Self {
        let extent = width.max(height) as f64 * 1.5;
        let noise = |low: f64, high: f64, s: &mut Stream| {
            let length = log_uniform(s, low, high);
            Noise::new(length, extent, s)
        };
        match stream.below(9) {
            0 => Self::Flat,
            1 | 2 => Self::Noise(noise(1.0, 12.0, stream)),
            3 | 8 => Self::Mottled(noise(4.0, 40.0, stream), noise(0.8, 3.5, stream)),
            4 => Self::lamellar(width, height, extent, stream),
            5 => {
                let direction = (stream.uniform(0.0, PI) as f32).sin_cos();
                Self::Brushed { noise: noise(0.8, 2.5, stream), direction }
            }
            6 => Self::Pitted(noise(1.0, 4.0, stream)),
            _ => {
                let sign = if stream.chance(0.5) { 1.0 } else { -1.0 };
                Self::Gradient { reach: log_uniform(stream, 2.0, 20.0) as f32, sign }
            }
        }
    }

    fn lamellar(width: usize, height: usize, extent: f64, stream: &mut Stream) -> Self {
        let spacing = log_uniform(stream, 2.5, 12.0);
        let size = spacing * log_uniform(stream, 3.0, 20.0);
        let packets = Grains::new(width, height, GrainShape::equiaxed(size), stream);
        let one = |s: &mut Stream| {
            let ((sin, cos), length) = (s.uniform(0.0, PI).sin_cos(), spacing * s.uniform(0.8, 1.4));
            (sin as f32, cos as f32, (TAU / length) as f32, s.uniform(0.0, TAU) as f32)
        };
        let stripes = (0..packets.len()).map(|_| one(stream)).collect();
        Self::Lamellar { packets, stripes, bend: Noise::new(4.0 * spacing, extent, stream) }
    }

    /// Its value at a pixel that is `depth` pixels from the boundary of its class.
    pub fn at(&self, x: f32, y: f32, depth: f32) -> f32 {
        match self {
            Self::Flat => 0.0,
            Self::Noise(noise) => noise.at(x, y),
            Self::Mottled(coarse, fine) => 0.7 * (coarse.at(x, y) + fine.at(x, y)),
            Self::Lamellar { packets, stripes, bend } => {
                let (s, c, per_px, phase) = stripes[packets.place(x, y).grain];
                1.3 * ((c * x + s * y) * per_px + phase + 0.9 * bend.at(x, y)).cos()
            }
            Self::Brushed { noise, direction: (s, c) } => {
                noise.at((c * x + s * y) * 0.05, c * y - s * x) + 0.3 * noise.at(x, y)
            }
            Self::Pitted(noise) => 0.35 - 2.5 * (noise.at(x, y) - 1.0).max(0.0) * 2.0,
            Self::Gradient { reach, sign } => sign * (1.0 - 3.0 * (-depth / reach).exp()).max(-2.0),
        }
    }
}
