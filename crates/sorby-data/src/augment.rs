//! Augmentation of a crop, in the paper's order: flip, quarter turn, cutout, brightness and contrast.

use serde::{Deserialize, Serialize};
use sorby_random::Stream;

/// How much training crops are varied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Augment {
    /// Random crops only (the paper's baseline).
    Weak,
    /// The paper's trick S: each step below with probability one half.
    Strong,
}

/// A crop on its way into a batch.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Patch {
    /// Rows, in pixels.
    pub height: usize,
    /// Columns, in pixels.
    pub width: usize,
    /// `[height, width, 3]` on the 0..255 scale.
    pub image: Vec<f32>,
    /// `[height, width]` class indices, 255 where there is no label.
    pub labels: Vec<u8>,
}

const HOLES: usize = 5;
const HOLE_PX: usize = 5;
/// Largest change of brightness, in grey levels.
const BRIGHTNESS: f64 = 32.0;
const CONTRAST: (f64, f64) = (0.5, 1.5);

/// Varies `patch` with draws from `stream`.
///
/// # Panics
/// When the image or the labels do not fit the size of the patch, or a side is 0.
pub(crate) fn augment(mut patch: Patch, kind: Augment, stream: &mut Stream) -> Patch {
    if kind == Augment::Weak {
        return patch;
    }
    if stream.chance(0.5) {
        patch = remap(&patch, patch.height, patch.width, |y, x| (y, patch.width - 1 - x));
    }
    if stream.chance(0.5) {
        patch = quarter_turn(&patch);
    }
    if stream.chance(0.5) {
        cut_out(&mut patch, stream);
    }
    photometric(&mut patch.image, stream);
    patch
}

/// 90 degrees clockwise: `dst[y][x] = src[height - 1 - x][y]`.
fn quarter_turn(p: &Patch) -> Patch {
    remap(p, p.width, p.height, |y, x| (p.height - 1 - x, y))
}

fn remap(p: &Patch, height: usize, width: usize, source: impl Fn(usize, usize) -> (usize, usize)) -> Patch {
    let mut out = Patch { height, width, image: Vec::with_capacity(p.image.len()), labels: Vec::new() };
    for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
        let (sy, sx) = source(y, x);
        let at = sy * p.width + sx;
        out.image.extend_from_slice(&p.image[3 * at..3 * at + 3]);
        out.labels.push(p.labels[at]);
    }
    out
}

/// Black squares; their upper-left corners are uniform over the crop, so they are cut at the right
/// and bottom edges only. Labels stay.
fn cut_out(p: &mut Patch, stream: &mut Stream) {
    for _ in 0..HOLES {
        let (x0, y0) = (stream.below(p.width), stream.below(p.height));
        for y in y0..(y0 + HOLE_PX).min(p.height) {
            let end = (x0 + HOLE_PX).min(p.width);
            p.image[3 * (y * p.width + x0)..3 * (y * p.width + end)].fill(0.0);
        }
    }
}

/// Brightness, then contrast (about zero), each with probability one half. Like OpenCV pipelines on
/// 8-bit images, each step clips to 0..255 and drops the fraction.
fn photometric(image: &mut [f32], stream: &mut Stream) {
    let mut apply = |scale: f32, shift: f32| {
        image.iter_mut().for_each(|v| *v = (*v * scale + shift).clamp(0.0, 255.0).trunc());
    };
    if stream.chance(0.5) {
        apply(1.0, stream.uniform(-BRIGHTNESS, BRIGHTNESS) as f32);
    }
    if stream.chance(0.5) {
        apply(stream.uniform(CONTRAST.0, CONTRAST.1) as f32, 0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patch(height: usize, width: usize) -> Patch {
        let labels: Vec<u8> = (0..height * width).map(|i| i as u8).collect();
        Patch { height, width, image: labels.iter().flat_map(|&l| [f32::from(l); 3]).collect(), labels }
    }

    #[test]
    fn a_quarter_turn_is_clockwise_and_four_are_none() {
        let p = patch(2, 3);
        // 0 1 2      3 0
        // 3 4 5  ->  4 1
        //            5 2
        let turned = quarter_turn(&p);
        assert_eq!((turned.height, turned.width), (3, 2));
        assert_eq!(turned.labels, [3, 0, 4, 1, 5, 2]);
        assert_eq!(quarter_turn(&quarter_turn(&quarter_turn(&turned))), p);
    }

    #[test]
    fn holes_are_black_squares_clipped_at_the_far_edges() {
        let mut right_edge = false;
        for seed in 0..200 {
            let mut p = Patch { height: 9, width: 9, image: vec![1.0; 243], labels: vec![1; 81] };
            cut_out(&mut p, &mut Stream::new(seed, &[]));
            let black = |y: usize, x: usize| p.image[3 * (9 * y + x)] == 0.0;
            assert!(p.labels.iter().all(|&l| l == 1));
            let count = (0..81).filter(|i| black(i / 9, i % 9)).count();
            assert!((1..=125).contains(&count));
            // A corner at the far edge leaves a narrower hole, never one that wraps.
            right_edge |= (0..9).any(|y| black(y, 8));
        }
        assert!(right_edge);
    }

    #[test]
    fn grey_levels_stay_whole_and_in_range() {
        for seed in 0..50 {
            let mut image = vec![137.0, 3.0, 250.0];
            photometric(&mut image, &mut Stream::new(seed, &[]));
            assert!(image.iter().all(|v| v.fract() == 0.0 && (0.0..=255.0).contains(v)), "{image:?}");
        }
    }

    #[test]
    fn weak_changes_nothing_and_strong_something() {
        let p = patch(6, 6);
        assert_eq!(augment(p.clone(), Augment::Weak, &mut Stream::new(1, &[])), p);
        let changed =
            (0..20).filter(|&s| augment(p.clone(), Augment::Strong, &mut Stream::new(s, &[])) != p).count();
        assert!(changed > 15);
    }
}
