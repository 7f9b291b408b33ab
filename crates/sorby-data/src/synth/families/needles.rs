//! Needles and laths in the directions that a prior grain allows.

use super::super::grains::{GrainShape, Grains};
use super::super::scene::{Scene, log_uniform, normals};
use super::{patience, sides};
use sorby_random::Stream;
use std::f64::consts::PI;

/// What the needles of a field have in common.
struct Needles {
    length_px: f64,
    /// Length by width.
    aspect: f64,
    /// 1 for lenses with sharp ends, more for straight laths.
    exponent: f64,
    fraction: f64,
    /// Directions in each prior grain.
    variants: usize,
    /// Whether prior grain boundaries stop needles.
    stopped: bool,
}

pub(super) fn scene(width: usize, height: usize, stream: &mut Stream) -> Scene {
    let (side, _) = sides(width, height);
    let needles = Needles {
        length_px: log_uniform(stream, 14.0, (0.6 * side).max(20.0)),
        aspect: log_uniform(stream, 4.0, 22.0),
        exponent: log_uniform(stream, 1.0, 5.0),
        fraction: log_uniform(stream, 0.05, 0.55),
        variants: 1 + stream.below(4),
        stopped: stream.chance(0.7),
    };
    let size = log_uniform(stream, (1.2 * needles.length_px).max(40.0), 1.5 * side);
    let prior = Grains::new(width, height, GrainShape::equiaxed(size), stream);
    let tones = normals(prior.len(), stream);
    let turns: Vec<f64> = (0..prior.len()).map(|_| stream.uniform(0.0, PI)).collect();
    let mut owners = Vec::with_capacity(width * height);
    let mut scene = Scene::new(width, height, |x, y| {
        let place = prior.place(x, y);
        owners.push(place.grain);
        (0, tones[place.grain])
    });
    grow(&mut scene, &needles, &owners, &turns, stream);
    scene.asked = Some(needles.fraction);
    scene
}

fn grow(scene: &mut Scene, needles: &Needles, owners: &[usize], turns: &[f64], stream: &mut Stream) {
    let wanted = (needles.fraction * scene.labels.len() as f64) as usize;
    let width = scene.width;
    let (mut painted, mut tries) = (0, 0);
    while painted < wanted && tries < 4 * patience(scene) {
        tries += 1;
        let (cx, cy) = (stream.below(width), stream.below(scene.height));
        let owner = owners[cy * width + cx];
        let variant = stream.below(needles.variants) as f64 * PI / needles.variants as f64;
        let angle = turns[owner] + variant + 0.04 * stream.normal();
        let half = 0.5 * needles.length_px * (0.35 * stream.normal()).exp();
        let thick = (half / needles.aspect * stream.uniform(0.6, 1.4)).max(0.8);
        let ((s, c), tone) = (angle.sin_cos(), stream.normal() as f32);
        let centre = (cx as f64, cy as f64);
        painted += scene.stamp(centre, half, 1, tone, |dx, dy| {
            let (u, v) = (c * dx + s * dy, c * dy - s * dx);
            if u.abs() > half || v.abs() > thick * (1.0 - (u / half).abs().powf(needles.exponent)) {
                return false;
            }
            let at = (cy as f64 + dy) as usize * width + (cx as f64 + dx) as usize;
            !needles.stopped || owners[at] == owner
        });
    }
}
