//! Dendrites: stems at right angles, with secondary arms that shorten towards their tips.

use super::super::grains::{GrainShape, Grains};
use super::super::noise::Noise;
use super::super::scene::{Scene, Warp, log_uniform, normals};
use super::sides;
use sorby_random::Stream;
use std::f64::consts::TAU;

/// Sizes that all dendrites of a field share, in pixels.
struct Arms {
    spacing: f32,
    length: f32,
    stem: f32,
}

impl Arms {
    /// More within a dendrite than outside, from coordinates along its stems.
    fn depth(&self, u: f32, v: f32) -> f32 {
        let (u, v) = (u.abs(), v.abs());
        // Arms of two stems meet at the diagonal between them, those of one between those of the other.
        if u > v { self.along(u, v, 0.0) } else { self.along(v, u, 0.5) }
    }

    /// The stem along `u` and its arms, which begin this part of their spacing from the centre.
    fn along(&self, u: f32, v: f32, begin: f32) -> f32 {
        let left = (1.0 - u / self.length).max(0.0);
        let stem = self.stem * (0.4 + 0.6 * left) - v;
        let reach = (0.75 * self.length * left + self.stem).min(1.2 * u);
        let tip = (1.0 - v / reach.max(1.0)).max(-1.0);
        let wave = ((u / self.spacing - begin) * TAU as f32).cos();
        let arm = 0.5 * self.spacing * (0.45 * wave + 0.5 * tip - 0.15);
        stem.max(arm)
    }
}

pub(super) fn scene(width: usize, height: usize, stream: &mut Stream) -> Scene {
    let (side, extent) = sides(width, height);
    let size = log_uniform(stream, 40.0, 1.2 * side);
    let spacing = log_uniform(stream, (size / 14.0).max(5.0), size / 4.0);
    let shape = GrainShape { delay: 0.2, ..GrainShape::equiaxed(size) };
    let nuclei = Grains::new(width, height, shape, stream);
    // In columnar zones all stems point one way.
    let (common, spread) = (stream.uniform(0.0, TAU), if stream.chance(0.4) { 0.08 } else { 1.6 });
    let turns: Vec<(f32, f32)> =
        (0..nuclei.len()).map(|_| (common + spread * stream.normal()) as f32).map(f32::sin_cos).collect();
    let arms = Arms {
        spacing: spacing as f32,
        length: (size * stream.uniform(0.6, 0.9)) as f32,
        stem: (spacing * stream.uniform(0.25, 0.5)) as f32,
    };
    let warp = Warp::new(spacing, spacing * stream.uniform(0.04, 0.14), extent, stream);
    let rough = Noise::new(0.45 * spacing, extent, stream);
    let uneven = (spacing * stream.uniform(0.03, 0.14)) as f32;
    let mut owners = Vec::with_capacity(width * height);
    let values: Vec<f32> = (0..width * height)
        .map(|i| ((i % width) as f32, (i / width) as f32))
        .map(|(x, y)| {
            let (x, y) = warp.at(x, y);
            let place = nuclei.place(x, y);
            owners.push(place.grain);
            let ((cx, cy), (s, c)) = (nuclei.nucleus(place.grain), turns[place.grain]);
            let (dx, dy) = (x - cx, y - cy);
            let depth = arms.depth(c * dx + s * dy, c * dy - s * dx) + uneven * rough.at(x, y);
            depth.min(place.to_boundary - 1.0)
        })
        .collect();
    let tones = normals(nuclei.len(), stream);
    let mut owners = owners.iter();
    let share = stream.uniform(0.35, 0.75);
    Scene::of_share(width, height, &values, share, |_, _, inside| {
        let tone = tones[*owners.next().unwrap_or(&0)];
        if inside { 0.6 * tone } else { 0.0 }
    })
}
