//! Smooth random fields: values at any point, of any correlation length, without seams.

use sorby_random::Stream;

/// Points of the lattice along each axis; beyond them a field repeats itself.
const FEWEST: usize = 8;
const MOST: usize = 256;

/// A Gaussian random field of mean 0 and variance 1: cubic B-splines over a lattice of normal numbers.
pub(super) struct Noise {
    points: usize,
    values: Vec<f32>,
    per_px: f32,
}

impl Noise {
    /// A field whose values forget each other over about `length` pixels, for points within `extent` of the origin.
    pub fn new(length: f64, extent: f64, stream: &mut Stream) -> Self {
        let length = length.max(0.5);
        let points = ((extent / length).ceil() as usize + 4).next_power_of_two().clamp(FEWEST, MOST);
        let values = (0..points * points).map(|_| stream.normal() as f32).collect();
        Self { points, values, per_px: (1.0 / length) as f32 }.scaled()
    }

    /// A field without slow parts: blobs of about one size, `length` pixels wide.
    pub fn banded(length: f64, extent: f64, stream: &mut Stream) -> Self {
        let mut noise = Self::new(0.6 * length, extent, stream);
        let mut slow = noise.values.clone();
        for _ in 0..2 {
            slow = noise.box_mean(&slow);
        }
        noise.values.iter_mut().zip(&slow).for_each(|(v, s)| *v -= s);
        noise.scaled()
    }

    /// Means over 3 x 3 points of the lattice.
    fn box_mean(&self, values: &[f32]) -> Vec<f32> {
        let n = self.points;
        let at = |x: usize, y: usize| values[(y % n) * n + x % n];
        let mean = |x: usize, y: usize| -> f32 {
            (0..9).map(|k| at(x + n - 1 + k % 3, y + n - 1 + k / 3)).sum::<f32>() / 9.0
        };
        (0..n * n).map(|i| mean(i % n, i / n)).collect()
    }

    /// Brings mean and variance to 0 and 1, by values at points spread over one period.
    fn scaled(mut self) -> Self {
        const SAMPLES: usize = 48;
        let step = self.points as f32 / SAMPLES as f32 / self.per_px;
        let sampled: Vec<f32> = (0..SAMPLES * SAMPLES)
            .map(|i| self.at((i % SAMPLES) as f32 * step, (i / SAMPLES) as f32 * step))
            .collect();
        let count = sampled.len() as f32;
        let mean = sampled.iter().sum::<f32>() / count;
        let variance = sampled.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / count;
        let scale = 1.0 / variance.sqrt().max(1e-6);
        self.values.iter_mut().for_each(|v| *v = (*v - mean) * scale);
        self
    }

    /// The field's value at a point, in pixels.
    pub fn at(&self, x: f32, y: f32) -> f32 {
        let (x, y) = (x * self.per_px, y * self.per_px);
        let (left, top) = (x.floor(), y.floor());
        let (wx, wy) = (weights(x - left), weights(y - top));
        let mask = self.points as i32 - 1;
        let (left, top) = (left as i32 - 1, top as i32 - 1);
        let columns: [usize; 4] = std::array::from_fn(|i| ((left + i as i32) & mask) as usize);
        let mut sum = 0.0;
        for (j, w) in wy.iter().enumerate() {
            let row = ((top + j as i32) & mask) as usize * self.points;
            let line: f32 = columns.iter().zip(&wx).map(|(c, w)| w * self.values[row + c]).sum();
            sum += w * line;
        }
        sum
    }
}

/// Weights of the four nearest points for a place `t` in 0..1 between the middle two.
fn weights(t: f32) -> [f32; 4] {
    let (t2, t3) = (t * t, t * t * t);
    let u = 1.0 - t;
    [
        u * u * u / 6.0,
        (4.0 - 6.0 * t2 + 3.0 * t3) / 6.0,
        (1.0 + 3.0 * t + 3.0 * t2 - 3.0 * t3) / 6.0,
        t3 / 6.0,
    ]
}

/// The value that a `share` (0..1) of all values exceed.
pub(super) fn exceeded_by(values: &[f32], share: f64) -> f32 {
    let mut sorted = values.to_vec();
    let rank = ((1.0 - share) * sorted.len() as f64) as usize;
    let rank = rank.min(sorted.len() - 1);
    *sorted.select_nth_unstable_by(rank, f32::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_have_unit_variance_and_the_length_asked_for() {
        for length in [2.0, 9.0] {
            let noise = Noise::new(length, 400.0, &mut Stream::numbered(1, "noise", &[]));
            let values: Vec<f32> =
                (0..160_000).map(|i| noise.at((i % 400) as f32, (i / 400) as f32)).collect();
            let variance = values.iter().map(|v| v * v).sum::<f32>() / values.len() as f32;
            assert!((variance - 1.0).abs() < 0.15, "{variance}");
            let together = |shift: usize| {
                values.iter().zip(&values[shift..]).map(|(a, b)| a * b).sum::<f32>() / values.len() as f32
            };
            assert!(together(length as usize / 2) > 0.6, "{}", together(length as usize / 2));
            assert!(together(4 * length as usize).abs() < 0.12, "{}", together(4 * length as usize));
        }
    }

    #[test]
    fn a_share_of_the_values_exceeds_the_threshold() {
        let values: Vec<f32> = (0..1000).map(|i| ((i * 7919) % 1000) as f32).collect();
        let threshold = exceeded_by(&values, 0.2);
        assert_eq!(values.iter().filter(|v| **v >= threshold).count(), 200);
    }
}
