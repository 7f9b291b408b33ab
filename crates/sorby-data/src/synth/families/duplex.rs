//! Two phases that interpenetrate, long in one direction or not.

use super::super::grains::{GrainShape, Grains};
use super::super::noise::Noise;
use super::super::scene::{Scene, log_uniform, normals};
use super::sides;
use sorby_random::Stream;
use std::f64::consts::PI;

pub(super) fn scene(width: usize, height: usize, stream: &mut Stream) -> Scene {
    let (side, extent) = sides(width, height);
    let size = log_uniform(stream, 6.0, side / 5.0);
    let stretch = if stream.chance(0.6) { log_uniform(stream, 1.5, 7.0) } else { 1.0 };
    let direction = if stream.chance(0.5) { 0.05 * stream.normal() } else { stream.uniform(0.0, PI) };
    let (s, c) = (direction as f32).sin_cos();
    let (coarse, fine) = (Noise::banded(size, 1.2 * extent, stream), Noise::new(0.35 * size, extent, stream));
    let rough = stream.uniform(0.0, 0.35) as f32;
    let values: Vec<f32> = (0..width * height)
        .map(|i| ((i % width) as f32, (i / width) as f32))
        .map(|(x, y)| {
            let (u, v) = ((c * x + s * y) / stretch as f32, c * y - s * x);
            coarse.at(u, v) + rough * fine.at(x, y)
        })
        .collect();
    let shape = GrainShape { stretch, direction, ..GrainShape::equiaxed(1.5 * size * stretch.sqrt()) };
    let grains = Grains::new(width, height, shape, stream);
    let tones = [normals(grains.len(), stream), normals(grains.len(), stream)];
    let share = stream.uniform(0.25, 0.75);
    Scene::of_share(width, height, &values, share, |x, y, inside| {
        tones[usize::from(inside)][grains.place(x, y).grain]
    })
}
