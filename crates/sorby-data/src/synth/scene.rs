//! What lies under the microscope: the class of each pixel, exactly, and how bright grains and particles differ.

use super::noise::Noise;
use sorby_random::Stream;

/// A microstructure before any picture is taken of it.
pub(super) struct Scene {
    pub width: usize,
    pub height: usize,
    /// Class of each pixel, row-major.
    pub labels: Vec<u8>,
    /// How each pixel's grain, particle or inner structure differs from its class, in standard deviations.
    pub tones: Vec<f32>,
    /// Area fraction of class 1 that was asked for, where the geometry aims at one.
    pub asked: Option<f64>,
}

impl Scene {
    /// Class and tone of each pixel from its coordinates.
    pub fn new(width: usize, height: usize, mut f: impl FnMut(f32, f32) -> (u8, f32)) -> Self {
        let at = |i: usize| f((i % width) as f32, (i / width) as f32);
        let (labels, tones) = (0..width * height).map(at).unzip();
        Self { width, height, labels, tones, asked: None }
    }

    /// Class 1 where `values` are highest, on this share of the field; tones by coordinates and class.
    pub fn of_share(
        width: usize,
        height: usize,
        values: &[f32],
        share: f64,
        mut tone: impl FnMut(f32, f32, bool) -> f32,
    ) -> Self {
        let threshold = super::noise::exceeded_by(values, share);
        let mut values = values.iter();
        let mut scene = Self::new(width, height, |x, y| {
            let inside = values.next().is_some_and(|v| *v >= threshold);
            (u8::from(inside), tone(x, y, inside))
        });
        scene.asked = Some(share);
        scene
    }

    /// Gives all free pixels (those of class 0) of a shape to `class`; returns how many. `inside` sees the distance from
    /// the centre along x and y, no farther than `reach`.
    pub fn stamp(
        &mut self,
        centre: (f64, f64),
        reach: f64,
        class: u8,
        tone: f32,
        mut inside: impl FnMut(f64, f64) -> bool,
    ) -> usize {
        let range = |c: f64, len: usize| {
            let end = ((c + reach).ceil() + 1.0).clamp(0.0, len as f64) as usize;
            ((c - reach).floor().max(0.0) as usize).min(end)..end
        };
        let mut painted = 0;
        for y in range(centre.1, self.height) {
            for x in range(centre.0, self.width) {
                let at = y * self.width + x;
                if self.labels[at] == 0 && inside(x as f64 - centre.0, y as f64 - centre.1) {
                    (self.labels[at], self.tones[at]) = (class, tone);
                    painted += 1;
                }
            }
        }
        painted
    }

    /// Whether class 0 has the centre and eight points around it.
    pub fn is_free(&self, centre: (f64, f64), radius: f64) -> bool {
        let free = |x: f64, y: f64| {
            let (x, y) = (x.round(), y.round());
            let within = x >= 0.0 && y >= 0.0 && x < self.width as f64 && y < self.height as f64;
            !within || self.labels[y as usize * self.width + x as usize] == 0
        };
        let around = |k: usize| (k as f64 * std::f64::consts::FRAC_PI_4).sin_cos();
        free(centre.0, centre.1)
            && (0..8).all(|k| {
                let (s, c) = around(k);
                free(centre.0 + radius * c, centre.1 + radius * s)
            })
    }

    /// Share of the field that a class covers.
    #[cfg(test)]
    pub fn share(&self, class: u8) -> f64 {
        self.labels.iter().filter(|l| **l == class).count() as f64 / self.labels.len() as f64
    }
}

/// Bends straight things: moves each point by a smooth field.
pub(super) struct Warp {
    x: Noise,
    y: Noise,
    by: f32,
}

impl Warp {
    /// Moves by about `by` pixels, differently over `length` pixels.
    pub fn new(length: f64, by: f64, extent: f64, stream: &mut Stream) -> Self {
        Self { x: Noise::new(length, extent, stream), y: Noise::new(length, extent, stream), by: by as f32 }
    }

    pub fn at(&self, x: f32, y: f32) -> (f32, f32) {
        (x + self.by * self.x.at(x, y), y + self.by * self.y.at(x, y))
    }
}

/// A number whose logarithm is uniform: each factor of two is as likely as any other.
pub(super) fn log_uniform(stream: &mut Stream, low: f64, high: f64) -> f64 {
    stream.uniform(low.ln(), high.max(low).ln()).exp()
}

/// Independent normal numbers.
pub(super) fn normals(count: usize, stream: &mut Stream) -> Vec<f32> {
    (0..count).map(|_| stream.normal() as f32).collect()
}
