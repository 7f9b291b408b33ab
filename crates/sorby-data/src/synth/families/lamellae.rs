//! Plates in colonies.

use super::super::grains::{GrainShape, Grains};
use super::super::noise::Noise;
use super::super::scene::{Scene, Warp, log_uniform, normals};
use super::sides;
use sorby_random::Stream;
use std::f64::consts::{PI, TAU};

/// Parallel plates of one colony.
struct Colony {
    direction: (f32, f32),
    per_px: f32,
    phase: f32,
}

/// Stacks of plates in all colonies of a field.
pub(super) struct Plates {
    colonies: Grains,
    plates: Vec<Colony>,
    bend: Warp,
}

impl Plates {
    /// Plates `spacing` pixels apart in colonies of `size` pixels. `bent` is how far they wander, in spacings. Colonies cut
    /// at a slant show wider spacings.
    pub fn new(
        (width, height): (usize, usize),
        size: f64,
        spacing: f64,
        bent: f64,
        stream: &mut Stream,
    ) -> Self {
        let shape = GrainShape { delay: 0.5, ..GrainShape::equiaxed(size) };
        let colonies = Grains::new(width, height, shape, stream);
        let one = |s: &mut Stream| Colony {
            direction: (s.uniform(0.0, PI) as f32).sin_cos(),
            per_px: (TAU / (spacing * s.uniform(1.0, 1.6))) as f32,
            phase: s.uniform(0.0, TAU) as f32,
        };
        let plates = (0..colonies.len()).map(|_| one(stream)).collect();
        let (_, extent) = sides(width, height);
        Self { colonies, plates, bend: Warp::new(4.0 * spacing, bent * spacing, extent, stream) }
    }

    /// 1 in the middle of a plate, -1 between two; and the colony.
    pub fn at(&self, x: f32, y: f32) -> (f32, usize) {
        let (x, y) = self.bend.at(x, y);
        let place = self.colonies.place(x, y);
        let colony = &self.plates[place.grain];
        let (s, c) = colony.direction;
        (((c * x + s * y) * colony.per_px + colony.phase).cos(), place.grain)
    }
}

pub(super) fn scene(width: usize, height: usize, stream: &mut Stream) -> Scene {
    let (side, extent) = sides(width, height);
    let spacing = log_uniform(stream, 4.5, (side / 5.0).min(48.0));
    let size = log_uniform(stream, (4.0 * spacing).min(side), (14.0 * spacing).max(side / 3.0));
    let bent = stream.uniform(0.05, 0.6);
    let plates = Plates::new((width, height), size, spacing, bent, stream);
    let breaks = Noise::new(1.2 * spacing, extent, stream);
    // Where plates are broken much, what is left of them are rows of particles.
    let broken = stream.uniform(0.05, 1.0).powi(2) as f32;
    let mut colonies = Vec::with_capacity(width * height);
    let values: Vec<f32> = (0..width * height)
        .map(|i| ((i % width) as f32, (i / width) as f32))
        .map(|(x, y)| {
            let (plate, colony) = plates.at(x, y);
            colonies.push(colony);
            plate + broken * breaks.at(x, y)
        })
        .collect();
    let tones = normals(plates.plates.len(), stream);
    let mut colonies = colonies.iter();
    let share = stream.uniform(0.12, 0.5);
    Scene::of_share(width, height, &values, share, |_, _, _| tones[*colonies.next().unwrap_or(&0)])
}
