//! Blocky ferrite grains among martensite laths.

use super::Synthetic;
use super::field::{Cells, Shading};
use super::objects::object_areas;
use super::picture::Picture;
use sorby_image::LabelMap;
use sorby_random::Stream;

/// Mean edge of a ferrite grain.
const GRAIN_PX: f64 = 58.0;
/// Share of cells that are ferrite.
const FERRITE_SHARE: f64 = 0.26;

/// A packet of parallel laths.
struct Packet {
    direction: f64,
    spacing: f64,
    tone: f64,
    phase: f64,
}

pub(super) fn make(width: usize, height: usize, seed: u64, index: u64) -> Synthetic {
    let mut stream = Stream::numbered(seed, "synthetic ferrite", &[index]);
    let shading = Shading::new(width.max(height) as f64, 13.0, &mut stream);
    let grains = Cells::new(width, height, GRAIN_PX, &mut stream);
    let is_ferrite: Vec<bool> = (0..grains.len()).map(|_| stream.chance(FERRITE_SHARE)).collect();
    let tones: Vec<f64> = (0..grains.len()).map(|_| 7.0 * stream.normal()).collect();
    let packets = Cells::new(width, height, 85.0, &mut stream);
    let laths: Vec<Packet> = (0..packets.len())
        .map(|_| Packet {
            direction: stream.uniform(0.0, std::f64::consts::PI),
            spacing: stream.uniform(5.0, 11.0),
            tone: 10.0 * stream.normal(),
            phase: stream.uniform(0.0, std::f64::consts::TAU),
        })
        .collect();
    let bend = Shading::new(60.0, 4.0, &mut stream);

    let mut picture = Picture::new(width, height, |x, y| {
        // Boundaries wander, so cells are not polygons.
        let (wx, wy) = (x + bend.at(x, y), y + bend.at(y, x));
        let grain = grains.place(wx, wy);
        let boundary = 34.0 * (-(grain.to_boundary / 1.3).powi(2)).exp();
        let base = shading.at(x, y) + boundary;
        if is_ferrite[grain.cell] {
            return 74.0 + tones[grain.cell] + base;
        }
        let place = packets.place(wx, wy);
        let packet = &laths[place.cell];
        let across = x * packet.direction.sin() + y * packet.direction.cos() + 0.4 * bend.at(wy, wx);
        let stripe = (std::f64::consts::TAU * across / packet.spacing + packet.phase).sin();
        // Narrow bright lath boundaries on a darker ground.
        base + 92.0 + packet.tone + 26.0 * stripe.max(0.0).powi(2) - 14.0 * (-stripe).max(0.0)
    });
    let label = label_ferrite(width, height, |x, y| {
        let (wx, wy) = (x + bend.at(x, y), y + bend.at(y, x));
        is_ferrite[grains.place(wx, wy).cell]
    });
    // Neighbouring ferrite grains are one object on a micrograph.
    let areas_px = object_areas(&label, 1);
    let area = (width * height) as f64;
    picture.scratch((area / 90_000.0).round() as usize + 1, &mut stream);
    picture.dirty((area / 15_000.0) as usize, (area / 50_000.0) as usize, &mut stream);
    picture.blur();
    Synthetic { pixels: picture.record(9.0, &mut stream), label, areas_px }
}

fn label_ferrite(width: usize, height: usize, inside: impl Fn(f64, f64) -> bool) -> LabelMap {
    let labels =
        (0..width * height).map(|i| u8::from(inside((i % width) as f64, (i / width) as f64))).collect();
    LabelMap { width, height, labels }
}
