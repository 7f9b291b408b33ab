//! Where electrons leave more easily: edges, slopes, charged places; and uneven detectors.

use super::super::noise::{Noise, exceeded_by};
use super::super::scene::{Scene, log_uniform};
use super::Camera;
use super::picture::Frame;
use sorby_random::Stream;
use std::f64::consts::TAU;

/// Bright rims, and light from one side, on the classes that stand proud.
pub(super) fn edges_and_relief(
    frame: &mut Frame,
    scene: &Scene,
    greys: &[f32],
    depths: &[f32],
    camera: &Camera,
    stream: &mut Stream,
) {
    // Next to a bright rim lies a weaker one, or the dark groove that etching leaves.
    let (width, inner) = (log_uniform(stream, 0.8, 3.5) as f32, stream.uniform(-0.7, 0.6) as f32);
    let slope = log_uniform(stream, 1.0, 4.0) as f32;
    let (light_y, light_x) = (stream.uniform(0.0, TAU) as f32).sin_cos();
    // After etching the brighter class stands proud most often.
    let middle = greys.iter().sum::<f32>() / greys.len() as f32;
    let upright = !stream.chance(0.2);
    let proud: Vec<bool> = greys.iter().map(|g| (*g > middle) == upright).collect();
    let height: Vec<f32> = scene
        .labels
        .iter()
        .zip(depths)
        .map(|(label, depth)| if proud[usize::from(*label)] { *depth } else { -*depth })
        .collect();
    if camera.edges > 0.0 {
        for (grey, h) in frame.grey.iter_mut().zip(&height) {
            let (strength, reach) = if *h > 0.0 { (1.0, width) } else { (inner, 0.7 * width) };
            *grey += camera.edges as f32 * strength * (-((h.abs() - 0.5) / reach).powi(2)).exp();
        }
    }
    if camera.relief > 0.0 {
        let level = |x: usize, y: usize| {
            let h = height[y * scene.width + x].clamp(-2.0 * slope, 2.0 * slope) / slope;
            h * (1.0 - h * h / 12.0)
        };
        for y in 1..scene.height.saturating_sub(1) {
            for x in 1..scene.width.saturating_sub(1) {
                let across = level(x + 1, y) - level(x - 1, y);
                let down = level(x, y + 1) - level(x, y - 1);
                let lit = (light_x * across + light_y * down) * slope.sqrt() * 0.5;
                frame.grey[y * scene.width + x] += camera.relief as f32 * lit;
            }
        }
    }
}

/// Slow differences over the field.
pub(super) fn shade(frame: &mut Frame, strength: f64, stream: &mut Stream) {
    let size = frame.width.max(frame.height) as f64;
    let field = Noise::new(size * stream.uniform(0.35, 1.0), size, stream);
    if strength > 0.0 {
        let width = frame.width;
        for (at, grey) in frame.grey.iter_mut().enumerate() {
            *grey += strength as f32 * field.at((at % width) as f32, (at / width) as f32);
        }
    }
}

/// Spreads grey levels so that this share of pixels at each end turns black or white, as operators and automatics do.
pub(super) fn stretch(frame: &mut Frame, share: f64) {
    /// Higher gains would show little but noise.
    const MOST: f32 = 4.0;
    if share == 0.0 {
        return;
    }
    let black = exceeded_by(&frame.grey, 1.0 - share);
    let white = exceeded_by(&frame.grey, share);
    let gain = (255.0 / (white - black).max(1.0)).min(MOST);
    let middle = 0.5 * (black + white);
    frame.grey.iter_mut().for_each(|g| *g = 127.5 + gain * (*g - middle));
}

/// Dark tails after bright places, along the scan: charge that leaves slowly.
pub(super) fn charge(frame: &mut Frame, strength: f64, stream: &mut Stream) {
    let (kept, bright) = (stream.uniform(0.85, 0.985) as f32, stream.chance(0.3));
    if strength == 0.0 {
        return;
    }
    let mean = frame.grey.iter().sum::<f32>() / frame.grey.len() as f32;
    let sign = if bright { 1.0 } else { -1.0 };
    for row in frame.grey.chunks_mut(frame.width) {
        let mut charge = 0.0;
        for grey in row {
            let over = (*grey - mean - 15.0).max(0.0);
            *grey += sign * strength as f32 * charge;
            charge = kept * charge + (1.0 - kept) * 2.0 * over;
        }
    }
}
