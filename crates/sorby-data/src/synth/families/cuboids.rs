//! Rounded squares in rows, fine precipitates in the channels between them.

use super::super::scene::{Scene, Warp, log_uniform};
use super::{patience, sides};
use sorby_random::Stream;
use std::f64::consts::FRAC_PI_2;

/// A square grid of precipitates, in its own frame.
struct Rows {
    pitch: f32,
    direction: (f32, f32),
    /// Exponent of the outline: 2 a circle, 8 nearly a square.
    exponent: f32,
    columns: usize,
    /// Centre, half sizes along both axes, all in pitches; tone.
    precipitates: Vec<[f32; 5]>,
}

impl Rows {
    fn new(width: usize, height: usize, pitch: f64, stream: &mut Stream) -> Self {
        let columns = ((width + height) as f64 * 1.5 / pitch).ceil() as usize + 4;
        let (jitter, spread) = (stream.uniform(0.05, 0.35), stream.uniform(0.05, 0.35));
        let missing = stream.uniform(0.0, 0.25);
        let one = |i: usize, s: &mut Stream| {
            let centre = |k: usize, s: &mut Stream| (k as f64 + s.uniform(-jitter, jitter)) as f32;
            let mut half = || 0.5 * (spread * s.normal()).exp().clamp(0.4, 1.8);
            let (a, b) = (half(), half());
            let exists = if s.chance(missing) { 0.02 } else { 1.0 };
            let (x, y) = (centre(i % columns, s), centre(i / columns, s));
            [x, y, (a * exists) as f32, (b * exists) as f32, s.normal() as f32]
        };
        Self {
            pitch: pitch as f32,
            direction: (stream.uniform(0.0, FRAC_PI_2) as f32).sin_cos(),
            exponent: log_uniform(stream, 2.0, 9.0) as f32,
            precipitates: (0..columns * columns).map(|i| one(i, stream)).collect(),
            columns,
        }
    }

    /// How far within a precipitate a point is (1 at a centre, 0 at an outline, negative outside), and that one's tone.
    fn depth(&self, x: f32, y: f32) -> (f32, f32) {
        let (s, c) = self.direction;
        let middle = self.columns as f32 / 2.0;
        let (u, v) = ((c * x + s * y) / self.pitch + middle, (c * y - s * x) / self.pitch + middle);
        let last = self.columns - 2;
        let (column, row) = ((u.round() as usize).clamp(1, last), (v.round() as usize).clamp(1, last));
        let mut best = (f32::MIN, 0.0);
        for j in row - 1..=row + 1 {
            for i in column - 1..=column + 1 {
                let [a, b, half_a, half_b, tone] = self.precipitates[j * self.columns + i];
                let (p, q) = (((u - a) / half_a).abs(), ((v - b) / half_b).abs());
                let (long, short) = (p.max(q), p.min(q));
                if 1.0 - long <= best.0 {
                    continue;
                }
                let radius =
                    long * (1.0 + (short / long.max(1e-6)).powf(self.exponent)).powf(1.0 / self.exponent);
                if 1.0 - radius > best.0 {
                    best = (1.0 - radius, tone);
                }
            }
        }
        best
    }
}

pub(super) fn scene(width: usize, height: usize, stream: &mut Stream) -> Scene {
    let (side, extent) = sides(width, height);
    let pitch = log_uniform(stream, 9.0, (side / 3.0).min(140.0));
    let rows = Rows::new(width, height, pitch, stream);
    let warp = Warp::new(pitch, pitch * stream.uniform(0.01, 0.12), extent, stream);
    let depths: Vec<(f32, f32)> = (0..width * height)
        .map(|i| warp.at((i % width) as f32, (i / width) as f32))
        .map(|(x, y)| rows.depth(x, y))
        .collect();
    let values: Vec<f32> = depths.iter().map(|d| d.0).collect();
    let mut tones = depths.iter().map(|d| d.1);
    let fraction = stream.uniform(0.2, 0.72);
    let mut scene = Scene::of_share(width, height, &values, fraction, |_, _, inside| {
        let tone = tones.next().unwrap_or(0.0);
        if inside { 0.5 * tone } else { 0.0 }
    });
    fill_channels(&mut scene, pitch, stream);
    scene
}

/// Fine round precipitates where there is place between the large ones.
fn fill_channels(scene: &mut Scene, pitch: f64, stream: &mut Stream) {
    let radius = log_uniform(stream, 1.0, (0.12 * pitch).clamp(1.1, 7.0));
    let share = stream.uniform(0.03, 0.25);
    let free = scene.labels.iter().filter(|l| **l == 0).count();
    let wanted = ((share * free as f64) as usize).max(3);
    let (mut painted, mut failed) = (0, 0);
    while painted < wanted && failed < patience(scene) {
        let centre = (stream.uniform(0.0, scene.width as f64), stream.uniform(0.0, scene.height as f64));
        let radius = radius * (0.25 * stream.normal()).exp();
        // In the narrowest channels the last tries keep no distance.
        let gap = if painted == 0 && failed > 1500 { 0.0 } else { 1.5 };
        if scene.is_free(centre, radius + gap) {
            let tone = 0.5 * stream.normal() as f32;
            painted += scene.stamp(centre, radius, 2, tone, |dx, dy| dx.hypot(dy) <= radius);
        } else {
            failed += 1;
        }
    }
}
