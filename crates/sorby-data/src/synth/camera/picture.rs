//! The order of effects, from classes to grey levels.

use super::super::distance::to_boundary;
use super::super::scene::Scene;
use super::super::texture::Texture;
use super::{Camera, CameraRange, light, marks, scan};
use sorby_random::Stream;

/// Grey levels under construction.
pub(super) struct Frame {
    pub width: usize,
    pub height: usize,
    pub grey: Vec<f32>,
}

/// Takes a picture of a scene; `tones` are the natural brightnesses of its classes. Gives 8-bit grey values, row-major,
/// and the rows at the bottom that are a data bar.
pub(in super::super) fn photograph(
    scene: &Scene,
    tones: &[f64],
    range: &CameraRange,
    stream: &mut Stream,
) -> (Vec<u8>, usize) {
    let camera = range.draw(stream);
    let greys = greys_of(tones, &camera, stream);
    let depths = to_boundary(&scene.labels, scene.width, scene.height);
    let mut frame = paint(scene, &greys, &depths, &camera, stream);
    light::edges_and_relief(&mut frame, scene, &greys, &depths, &camera, stream);
    light::shade(&mut frame, camera.shading, stream);
    marks::scratch(&mut frame, camera.scratches, camera.contrast, stream);
    marks::dirty(&mut frame, camera.dirt, stream);
    light::charge(&mut frame, camera.charging, stream);
    scan::drift(&mut frame, camera.drift, stream);
    scan::defocus(&mut frame, camera.defocus);
    light::stretch(&mut frame, camera.stretch);
    scan::stripe(&mut frame, camera.stripes, stream);
    let mut pixels = scan::record(&frame, camera.shot_noise, camera.detector_noise, stream);
    let rows = marks::bar_rows(scene.height, camera.bar);
    marks::draw_bar(&mut pixels, scene.width, rows, stream);
    (pixels, rows)
}

/// Grey level of each class: the darkest and the brightest are the contrast apart.
fn greys_of(tones: &[f64], camera: &Camera, stream: &mut Stream) -> Vec<f32> {
    let room = 255.0 - camera.contrast;
    let darkest = room * stream.uniform(0.3, 0.6);
    let tones = tones.iter().map(|t| {
        // What lies between the ends does not always lie at one place.
        let inner = 0.2 * (stream.unit() - 0.5);
        let t = if *t > 0.0 && *t < 1.0 { (t + inner).clamp(0.0, 1.0) } else { *t };
        if camera.reversed { 1.0 - t } else { t }
    });
    tones.map(|t| (darkest + camera.contrast * t) as f32).collect()
}

/// A standard deviation in grey levels for a share of the contrast.
fn amplitude(share: f64, contrast: f64) -> f32 {
    if share == 0.0 { 0.0 } else { (share * contrast).clamp(1.5, 30.0) as f32 }
}

fn paint(scene: &Scene, greys: &[f32], depths: &[f32], camera: &Camera, stream: &mut Stream) -> Frame {
    let size = (scene.width, scene.height);
    let textures: Vec<(Texture, f32)> = greys
        .iter()
        .map(|_| {
            let strength = amplitude(camera.texture * stream.uniform(0.3, 1.3), camera.contrast);
            (Texture::draw(size, stream), strength)
        })
        .collect();
    let tones = amplitude(camera.tones, camera.contrast);
    let grey = (0..scene.labels.len())
        .map(|at| {
            let class = usize::from(scene.labels[at]);
            let (x, y) = ((at % scene.width) as f32, (at / scene.width) as f32);
            let (texture, strength) = &textures[class];
            let within = if *strength > 0.0 { strength * texture.at(x, y, depths[at]) } else { 0.0 };
            greys[class] + within + tones * scene.tones[at].clamp(-2.5, 2.5)
        })
        .collect();
    Frame { width: scene.width, height: scene.height, grey }
}
