//! Pores, round ones of gas and irregular ones of missing fusion, and cracks.

use super::super::grains::{GrainShape, Grains};
use super::super::noise::Noise;
use super::super::scene::{Scene, log_uniform, normals};
use super::{outline::Outline, patience, sides};
use sorby_random::Stream;
use std::f64::consts::{PI, TAU};

pub(super) fn scene(width: usize, height: usize, stream: &mut Stream) -> Scene {
    let (side, extent) = sides(width, height);
    let size = log_uniform(stream, 14.0, side.max(20.0));
    let metal = Grains::new(width, height, GrainShape::equiaxed(size), stream);
    let tones = normals(metal.len(), stream);
    let porosity = log_uniform(stream, 0.008, 0.14);
    let tone = |x: f32, y: f32| 0.6 * tones[metal.place(x, y).grain];
    let mut scene = if stream.chance(0.35) {
        let length = log_uniform(stream, 4.0, side / 8.0);
        let (coarse, fine) = (Noise::new(length, extent, stream), Noise::new(0.3 * length, extent, stream));
        let values: Vec<f32> = (0..width * height)
            .map(|i| ((i % width) as f32, (i / width) as f32))
            .map(|(x, y)| coarse.at(x, y) + 0.25 * fine.at(x, y))
            .collect();
        Scene::of_share(
            width,
            height,
            &values,
            porosity,
            |x, y, inside| if inside { 0.0 } else { tone(x, y) },
        )
    } else {
        let mut scene = Scene::new(width, height, |x, y| (0, tone(x, y)));
        bubbles(&mut scene, porosity, side, stream);
        scene
    };
    scene.asked = Some(porosity);
    for _ in 0..1 + stream.below(3) {
        crack(&mut scene, side, stream);
    }
    scene
}

fn bubbles(scene: &mut Scene, porosity: f64, side: f64, stream: &mut Stream) {
    let (median, sigma) = (log_uniform(stream, 1.5, side / 16.0), stream.uniform(0.2, 0.8));
    let rough = stream.uniform(0.0, 0.15);
    let wanted = (porosity * scene.labels.len() as f64).max(6.0) as usize;
    let (mut painted, mut tries) = (0, 0);
    while painted < wanted && tries < 2 * patience(scene) {
        tries += 1;
        let centre = (stream.uniform(0.0, scene.width as f64), stream.uniform(0.0, scene.height as f64));
        // The last pore is no larger than what is missing.
        let most = ((wanted - painted) as f64 / PI).sqrt().max(1.2);
        let radius = (median * (sigma * stream.normal()).exp()).clamp(1.2, most);
        let outline =
            Outline::new(radius, stream.uniform(1.0, 1.3), stream.uniform(0.0, PI), rough, 0, stream);
        painted += scene.stamp(centre, outline.reach(), 1, 0.0, |dx, dy| outline.holds(dx, dy));
    }
}

/// A path that wanders, thick where it began, with branches.
fn crack(scene: &mut Scene, side: f64, stream: &mut Stream) {
    let thick = log_uniform(stream, 1.2, (side / 40.0).clamp(2.0, 9.0));
    let length = log_uniform(stream, side / 4.0, 1.3 * side);
    let place = (stream.uniform(0.0, scene.width as f64), stream.uniform(0.0, scene.height as f64));
    let mut open = vec![(place, stream.uniform(0.0, TAU), thick, length)];
    let (kinks, branches) = (stream.uniform(0.05, 0.3), stream.uniform(0.0, 0.02));
    while let Some((mut at, mut heading, thick, length)) = open.pop() {
        let mut gone = 0.0;
        let home = heading;
        while gone < length {
            let radius = (0.5 * thick * (1.0 - gone / length).sqrt() * stream.uniform(0.75, 1.25)).max(0.6);
            scene.stamp(at, radius + 1.0, 2, 0.0, |dx, dy| dx.hypot(dy) <= radius.max(0.71));
            heading += kinks * stream.normal() + 0.03 * (home - heading);
            let (s, c) = heading.sin_cos();
            at = (at.0 + c, at.1 + s);
            gone += 1.0;
            if thick > 1.5 && open.len() < 4 && stream.chance(branches) {
                let turn = if stream.chance(0.5) { 0.7 } else { -0.7 };
                open.push((at, heading + turn, 0.6 * thick, 0.4 * (length - gone)));
            }
        }
    }
}
