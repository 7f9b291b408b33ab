//! Bands of pearlite in ferrite, grain by grain.

use super::super::grains::{GrainShape, Grains, Place};
use super::super::noise::Noise;
use super::super::scene::{Scene, Warp, log_uniform, normals};
use super::{blocky::first_of, lamellae::Plates, sides};
use sorby_random::Stream;
use std::f64::consts::TAU;

pub(super) fn scene(width: usize, height: usize, stream: &mut Stream) -> Scene {
    let (side, extent) = sides(width, height);
    let spacing = log_uniform(stream, 14.0, side / 1.8);
    let direction = if stream.chance(0.7) { 0.06 * stream.normal() } else { stream.uniform(0.0, TAU) };
    let shape = GrainShape {
        size: spacing * log_uniform(stream, 0.15, 0.5),
        stretch: stream.uniform(1.0, 2.0),
        direction,
        delay: stream.uniform(0.0, 0.6),
    };
    let grains = Grains::new(width, height, shape, stream);
    let warp = Warp::new(0.6 * shape.size, 0.06 * shape.size, extent, stream);
    let places: Vec<Place> = (0..width * height)
        .map(|i| warp.at((i % width) as f32, (i / width) as f32))
        .map(|(x, y)| grains.place(x, y))
        .collect();
    let mut areas = vec![0usize; grains.len()];
    places.iter().for_each(|p| areas[p.grain] += 1);
    let order = by_band(&grains, spacing, direction, extent, stream);
    let share = stream.uniform(0.12, 0.55);
    let chosen = first_of(&order, &areas, (share * places.len() as f64) as usize);
    let tones = normals(grains.len(), stream);
    let fine = log_uniform(stream, 3.0, (0.25 * shape.size).max(3.5));
    let plates = Plates::new((width, height), (0.8 * shape.size).max(6.0), fine, 0.3, stream);
    let mut places = places.iter();
    let mut scene = Scene::new(width, height, |x, y| {
        let grain = places.next().expect("a place for each pixel").grain;
        if chosen[grain] { (1, 1.3 * plates.at(x, y).0) } else { (0, 0.5 * tones[grain]) }
    });
    scene.asked = Some(share);
    scene
}

/// Grains by how near the middle of a band they began, with some that lie elsewhere.
fn by_band(grains: &Grains, spacing: f64, direction: f64, extent: f64, stream: &mut Stream) -> Vec<usize> {
    let (s, c) = (direction as f32).sin_cos();
    let (bend, astray) = (Noise::new(2.0 * spacing, extent, stream), stream.uniform(0.1, 1.1) as f32);
    let phase = stream.uniform(0.0, TAU) as f32;
    let mut scored: Vec<(f32, usize)> = (0..grains.len())
        .map(|g| {
            let (x, y) = grains.nucleus(g);
            let across = (c * y - s * x) * (TAU / spacing) as f32 + phase + 1.5 * bend.at(x, y);
            (across.cos() + astray * stream.normal() as f32, g)
        })
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().map(|(_, g)| g).collect()
}
