//! Blocks of a second phase: grains of it, or irregular islands.

use super::super::grains::{GrainShape, Grains, Place};
use super::super::noise::Noise;
use super::super::scene::{Scene, Warp, log_uniform, normals};
use super::sides;
use sorby_random::Stream;
use std::f64::consts::PI;

pub(super) fn scene(width: usize, height: usize, stream: &mut Stream) -> Scene {
    let (side, extent) = sides(width, height);
    let fraction = stream.uniform(0.08, 0.6);
    if stream.chance(0.35) {
        return islands(width, height, fraction, stream);
    }
    let shape = GrainShape {
        size: log_uniform(stream, 10.0, side / 4.0),
        stretch: log_uniform(stream, 1.0, 3.0),
        direction: stream.uniform(0.0, PI),
        delay: stream.uniform(0.0, 0.6),
    };
    let grains = Grains::new(width, height, shape, stream);
    let warp = Warp::new(0.5 * shape.size, shape.size * stream.uniform(0.02, 0.14), extent, stream);
    let gap = if stream.chance(0.4) { stream.uniform(0.0, 0.12 * shape.size) as f32 } else { 0.0 };
    let places: Vec<Place> = (0..width * height)
        .map(|i| warp.at((i % width) as f32, (i / width) as f32))
        .map(|(x, y)| grains.place(x, y))
        .collect();
    let chosen = chosen_grains(&places, &grains, gap, fraction, stream);
    let tones = normals(grains.len(), stream);
    let mut places = places.iter();
    let mut scene = Scene::new(width, height, |_, _| {
        let place = places.next().expect("a place for each pixel");
        (u8::from(chosen[place.grain] && place.to_boundary >= gap), tones[place.grain])
    });
    scene.asked = Some(fraction);
    scene
}

/// Grains in random order until they cover the fraction of the field; the last one only if it brings it nearer.
pub(super) fn chosen_grains(
    places: &[Place],
    grains: &Grains,
    gap: f32,
    fraction: f64,
    stream: &mut Stream,
) -> Vec<bool> {
    let mut areas = vec![0usize; grains.len()];
    places.iter().filter(|p| p.to_boundary >= gap).for_each(|p| areas[p.grain] += 1);
    let mut order: Vec<usize> = (0..grains.len()).filter(|g| areas[*g] > 0).collect();
    stream.shuffle(&mut order);
    first_of(&order, &areas, (fraction * places.len() as f64) as usize)
}

/// The grains of `order` that together have about `wanted` pixels, at least one.
pub(super) fn first_of(order: &[usize], areas: &[usize], wanted: usize) -> Vec<bool> {
    let mut chosen = vec![false; areas.len()];
    let mut covered = 0;
    for grain in order {
        let (without, with) = (wanted.abs_diff(covered), wanted.abs_diff(covered + areas[*grain]));
        if covered == 0 || with < without {
            chosen[*grain] = true;
            covered += areas[*grain];
        }
    }
    chosen
}

/// Irregular islands: a random field above a threshold.
fn islands(width: usize, height: usize, fraction: f64, stream: &mut Stream) -> Scene {
    let (side, extent) = sides(width, height);
    let size = log_uniform(stream, 5.0, side / 6.0);
    let (coarse, fine) = (Noise::banded(size, extent, stream), Noise::new(0.3 * size, extent, stream));
    let rough = stream.uniform(0.0, 0.5) as f32;
    let values: Vec<f32> = (0..width * height)
        .map(|i| ((i % width) as f32, (i / width) as f32))
        .map(|(x, y)| coarse.at(x, y) + rough * fine.at(x, y))
        .collect();
    let packets = Grains::new(width, height, GrainShape::equiaxed(2.0 * size), stream);
    let tones = normals(packets.len(), stream);
    Scene::of_share(width, height, &values, fraction, |x, y, _| tones[packets.place(x, y).grain])
}
