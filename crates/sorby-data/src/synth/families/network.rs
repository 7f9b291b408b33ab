//! A film along grain boundaries and particles within the grains.

use super::super::grains::{GrainShape, Grains};
use super::super::noise::Noise;
use super::super::scene::{Scene, Warp, log_uniform, normals};
use super::{outline::Outline, patience, sides};
use sorby_random::Stream;
use std::f64::consts::PI;

pub(super) fn scene(width: usize, height: usize, stream: &mut Stream) -> Scene {
    let (side, extent) = sides(width, height);
    let shape = GrainShape { delay: 0.5, ..GrainShape::equiaxed(log_uniform(stream, 26.0, 0.8 * side)) };
    let grains = Grains::new(width, height, shape, stream);
    let half = log_uniform(stream, 1.2, (shape.size / 7.0).clamp(2.0, 22.0));
    let warp = Warp::new(0.3 * shape.size, shape.size * stream.uniform(0.02, 0.09), extent, stream);
    let thickness = Noise::new((0.25 * shape.size).max(3.0 * half), extent, stream);
    let (uneven, gaps) = (stream.uniform(0.1, 0.5) as f32, Noise::new(0.5 * shape.size, extent, stream));
    let broken = -stream.uniform(1.0, 3.0) as f32;
    let tones = normals(grains.len(), stream);
    let mut from_film = Vec::with_capacity(width * height);
    let mut scene = Scene::new(width, height, |x, y| {
        let (a, b) = warp.at(x, y);
        let place = grains.place(a, b);
        let open = gaps.at(x, y) < broken;
        let film = half as f32 * (1.0 + uneven * thickness.at(x, y));
        from_film.push(place.to_boundary - film);
        let inside = !open && place.to_boundary < film;
        (u8::from(inside), if inside { 0.3 * thickness.at(x, y) } else { tones[place.grain] })
    });
    fill_grains(&mut scene, &from_film, half, stream);
    scene
}

/// Particles within the grains, none in the zone next to the film.
fn fill_grains(scene: &mut Scene, from_film: &[f32], half: f64, stream: &mut Stream) {
    let free_zone = (half * stream.uniform(0.0, 1.5)) as f32;
    let (median, fraction) = (log_uniform(stream, 1.2, 5.0), log_uniform(stream, 0.02, 0.25));
    let (stretch, rough) = (stream.uniform(1.0, 2.2), stream.uniform(0.05, 0.25));
    let wanted = (fraction * scene.labels.len() as f64) as usize;
    let (mut painted, mut failed) = (0, 0);
    while painted < wanted && failed < patience(scene) {
        let (x, y) = (stream.below(scene.width), stream.below(scene.height));
        let radius = median * (0.4 * stream.normal()).exp();
        let outline = Outline::new(radius.max(1.0), stretch, stream.uniform(0.0, PI), rough, 0, stream);
        let centre = (x as f64, y as f64);
        // In grains that are all free zone the first particle lies anywhere.
        let zone = if painted == 0 && failed > 500 { 0.0 } else { free_zone };
        if from_film[y * scene.width + x] < zone || !scene.is_free(centre, outline.reach() + 1.0) {
            failed += 1;
            continue;
        }
        let tone = stream.normal() as f32;
        painted += scene.stamp(centre, outline.reach(), 2, tone, |dx, dy| outline.holds(dx, dy));
    }
}
