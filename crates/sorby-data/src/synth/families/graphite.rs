//! Graphite in cast iron: nodules, flakes or worms, with ferrite around them in pearlite.

use super::super::distance::to_pixels;
use super::super::noise::Noise;
use super::super::scene::{Scene, log_uniform};
use super::{lamellae::Plates, outline::Outline, patience, sides};
use sorby_random::Stream;
use std::f64::consts::TAU;

pub(super) fn scene(width: usize, height: usize, stream: &mut Stream) -> Scene {
    let (side, extent) = sides(width, height);
    let fine = log_uniform(stream, 3.0, 9.0);
    let plates = Plates::new((width, height), fine * stream.uniform(4.0, 12.0), fine, 0.3, stream);
    let mut scene = Scene::new(width, height, |x, y| (0, plates.at(x, y).0));
    let fraction = log_uniform(stream, 0.05, 0.18);
    let size = log_uniform(stream, 3.0, side / 11.0);
    let nodular = stream.chance(0.5);
    let wanted = (fraction * scene.labels.len() as f64) as usize;
    // Flakes are many times longer than thick, worms a few times.
    let slender = log_uniform(stream, 3.0, 16.0);
    let (mut painted, mut tries) = (0, 0);
    while painted < wanted && tries < patience(&scene) {
        tries += 1;
        let centre = (stream.uniform(0.0, scene.width as f64), stream.uniform(0.0, scene.height as f64));
        painted += if nodular {
            nodule(&mut scene, centre, size, stream)
        } else {
            worm(&mut scene, centre, (0.4 * size).max(1.5), slender, stream)
        };
    }
    halo(&mut scene, size, extent, stream);
    scene.asked = Some(fraction);
    scene
}

fn nodule(scene: &mut Scene, centre: (f64, f64), size: f64, stream: &mut Stream) -> usize {
    let radius = (size * (0.3 * stream.normal()).exp()).max(1.5);
    let outline = Outline::new(radius, stream.uniform(1.0, 1.25), stream.uniform(0.0, TAU), 0.1, 0, stream);
    if !scene.is_free(centre, outline.reach() + 2.0) {
        return 0;
    }
    let tone = 0.5 * stream.normal() as f32;
    scene.stamp(centre, outline.reach(), 1, tone, |dx, dy| outline.holds(dx, dy))
}

/// A bent body, thickest in its middle.
fn worm(scene: &mut Scene, start: (f64, f64), half: f64, slender: f64, stream: &mut Stream) -> usize {
    let length = half * slender * 2.0 * stream.uniform(0.5, 1.5);
    let (mut heading, mut turn) = (stream.uniform(0.0, TAU), 0.6 * stream.normal() / (half * slender));
    let (mut at, mut gone, mut painted) = (start, 0.0, 0);
    while gone < length {
        let thick = half * (1.0 - (2.0 * gone / length - 1.0).powi(4)).max(0.05).sqrt();
        let radius = thick.max(0.75);
        painted += scene.stamp(at, radius, 1, 0.0, |dx, dy| dx.hypot(dy) <= radius);
        turn += 0.1 * stream.normal() / (half * slender);
        heading += turn;
        at = (at.0 + heading.cos(), at.1 + heading.sin());
        gone += 1.0;
    }
    painted
}

/// Ferrite next to graphite, of uneven thickness.
fn halo(scene: &mut Scene, size: f64, extent: f64, stream: &mut Stream) {
    let thick = stream.uniform(0.15, 1.3) * size;
    let uneven = Noise::new(1.2 * size, extent, stream);
    let distances = to_pixels(&scene.labels, scene.width, scene.height, |l| l == 1);
    for (at, distance) in distances.iter().enumerate() {
        let (x, y) = ((at % scene.width) as f32, (at / scene.width) as f32);
        let here = (thick as f32 * (1.0 + 0.45 * uneven.at(x, y))).max(1.5);
        if scene.labels[at] == 0 && *distance <= here {
            (scene.labels[at], scene.tones[at]) = (2, 0.0);
        }
    }
}
