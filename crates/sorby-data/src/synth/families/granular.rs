//! Particles in a matrix.

use super::super::grains::{GrainShape, Grains};
use super::super::scene::{Scene, log_uniform, normals};
use super::{outline::Outline, patience, sides};
use sorby_random::Stream;
use std::f64::consts::PI;

/// What the particles of a field have in common.
struct Particles {
    median_px: f64,
    log_sigma: f64,
    fraction: f64,
    stretch: f64,
    rough: f64,
    faceted: f64,
    /// One direction for all long particles, if any.
    direction: Option<f64>,
    /// Share of particles three times finer.
    fine: f64,
    /// Free pixels around a particle; none where particles may touch.
    gap_px: Option<f64>,
    /// Share of particles that lie on grain boundaries.
    on_boundaries: f64,
}

impl Particles {
    fn draw(side: f64, stream: &mut Stream) -> Self {
        let some = |s: &mut Stream, p: f64, low: f64, high: f64| {
            let value = s.uniform(low, high);
            if s.chance(p) { value } else { 0.0 }
        };
        Self {
            median_px: log_uniform(stream, 1.8, (side / 12.0).min(26.0)),
            log_sigma: stream.uniform(0.15, 0.65),
            fraction: log_uniform(stream, 0.04, 0.4),
            stretch: log_uniform(stream, 1.0, 3.0),
            rough: stream.uniform(0.02, 0.22),
            faceted: some(stream, 0.5, 0.0, 1.0),
            direction: if stream.chance(0.4) { Some(stream.uniform(0.0, PI)) } else { None },
            fine: some(stream, 0.4, 0.3, 0.8),
            gap_px: if stream.chance(0.6) { Some(stream.uniform(1.0, 3.0)) } else { None },
            on_boundaries: some(stream, 0.35, 0.2, 0.9),
        }
    }

    fn outline(&self, largest: f64, stream: &mut Stream) -> Outline {
        let finer = if stream.chance(self.fine) { 0.33 } else { 1.0 };
        let radius = self.median_px * finer * (self.log_sigma * stream.normal()).exp();
        let stretch = 1.0 + (self.stretch - 1.0) * stream.uniform(0.2, 1.2);
        let angle = match self.direction {
            Some(direction) => direction + 0.2 * stream.normal(),
            None => stream.uniform(0.0, PI),
        };
        let facets = if stream.chance(self.faceted) { 4 + stream.below(4) } else { 0 };
        Outline::new(radius.clamp(1.2, largest), stretch, angle, self.rough, facets, stream)
    }
}

pub(super) fn scene(width: usize, height: usize, stream: &mut Stream) -> Scene {
    let (side, _) = sides(width, height);
    let particles = Particles::draw(side, stream);
    let size = log_uniform(stream, 30.0, side.max(40.0));
    let grains = Grains::new(width, height, GrainShape::equiaxed(size), stream);
    let tones = normals(grains.len(), stream);
    let mut scene = Scene::new(width, height, |x, y| (0, tones[grains.place(x, y).grain]));
    scatter(&mut scene, &particles, &grains, side / 6.0, stream);
    scene.asked = Some(particles.fraction);
    scene
}

fn scatter(scene: &mut Scene, particles: &Particles, grains: &Grains, largest: f64, stream: &mut Stream) {
    let wanted = (particles.fraction * scene.labels.len() as f64) as usize;
    let (mut painted, mut failed) = (0, 0);
    while painted < wanted && failed < patience(scene) {
        let centre = (stream.uniform(0.0, scene.width as f64), stream.uniform(0.0, scene.height as f64));
        let outline = particles.outline(largest, stream);
        let on_boundary = grains.place(centre.0 as f32, centre.1 as f32).to_boundary < 2.0;
        let free = particles.gap_px.is_none_or(|gap| scene.is_free(centre, outline.reach() + gap));
        // A place within a grain is taken less often the more particles belong to boundaries.
        if !free || !on_boundary && stream.chance(particles.on_boundaries) {
            failed += 1;
            continue;
        }
        let tone = stream.normal() as f32;
        painted += scene.stamp(centre, outline.reach(), 1, tone, |dx, dy| outline.holds(dx, dy));
    }
}
