//! Grains with boundaries.

use super::super::grains::{GrainShape, Grains};
use super::super::scene::{Scene, Warp, log_uniform, normals};
use super::sides;
use sorby_random::Stream;
use std::f64::consts::PI;

/// A band across a grain: an annealing twin.
struct Twin {
    direction: (f32, f32),
    from: f32,
    to: f32,
    tone: f32,
}

pub(super) fn scene(width: usize, height: usize, stream: &mut Stream) -> Scene {
    let (side, extent) = sides(width, height);
    let shape = GrainShape {
        size: log_uniform(stream, 10.0, side / 2.5),
        stretch: if stream.chance(0.3) { stream.uniform(1.3, 3.0) } else { 1.0 },
        direction: stream.uniform(0.0, PI),
        delay: stream.uniform(0.0, 0.6),
    };
    let grains = Grains::new(width, height, shape, stream);
    let half = (0.5 * log_uniform(stream, 1.4, (0.14 * shape.size).clamp(2.0, 8.0))).max(0.75) as f32;
    let warp = Warp::new(0.4 * shape.size, shape.size * stream.uniform(0.0, 0.08), extent, stream);
    let tones = normals(grains.len(), stream);
    let twins = twins(&grains, shape.size, stream);
    Scene::new(width, height, |x, y| {
        let (x, y) = warp.at(x, y);
        let place = grains.place(x, y);
        if place.to_boundary < half {
            return (1, 0.0);
        }
        let within = |t: &&Twin| {
            let (cx, cy) = grains.nucleus(place.grain);
            let across = t.direction.0 * (x - cx) + t.direction.1 * (y - cy);
            (t.from..t.to).contains(&across)
        };
        let twin = twins[place.grain].as_ref().filter(within);
        (0, twin.map_or(tones[place.grain], |t| t.tone))
    })
}

fn twins(grains: &Grains, size: f64, stream: &mut Stream) -> Vec<Option<Twin>> {
    let share = if stream.chance(0.4) { stream.uniform(0.2, 0.6) } else { 0.0 };
    let one = |s: &mut Stream| {
        let from = s.uniform(-0.3, 0.2) * size;
        let to = from + s.uniform(0.06, 0.3) * size;
        let direction = (s.uniform(0.0, PI) as f32).sin_cos();
        Twin { direction, from: from as f32, to: to as f32, tone: s.normal() as f32 }
    };
    (0..grains.len()).map(|_| stream.chance(share).then(|| one(stream))).collect()
}
