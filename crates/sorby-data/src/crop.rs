//! Which image and which box each training crop comes from: a pure function of (seed, iteration, slot).

use crate::augment::Patch;
use crate::sample::Sample;
use sorby_image::{IGNORE, LabelMap};
use sorby_random::Stream;

/// MMSegmentation's `RandomCrop`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CropRule {
    /// Edge of the square crop.
    pub size_px: usize,
    /// A box is accepted when no class covers this share of its labelled pixels, or more; 1 accepts any.
    pub max_class_share: f64,
}

/// Boxes tried before the next is taken unchecked.
const TRIES: usize = 10;

/// Upper-left corner of a crop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CropBox {
    /// Top row of the box in the image, from 0.
    pub y: usize,
    /// Left column of the box in the image, from 0.
    pub x: usize,
}

/// Draws a box of `label`. The rule is best effort: after ten refused boxes the eleventh is used as it
/// is, so that images of one class still train. Images smaller than the crop give the whole image.
pub(crate) fn crop_box(label: &LabelMap, rule: CropRule, stream: &mut Stream) -> CropBox {
    let margin = |len: usize| len.saturating_sub(rule.size_px);
    let mut propose =
        || CropBox { y: stream.below(margin(label.height) + 1), x: stream.below(margin(label.width) + 1) };
    let mut candidate = propose();
    for _ in 0..TRIES {
        if accepted(label, candidate, rule) {
            break;
        }
        candidate = propose();
    }
    candidate
}

fn accepted(label: &LabelMap, at: CropBox, rule: CropRule) -> bool {
    if rule.max_class_share >= 1.0 {
        return true;
    }
    let (height, width) = (rule.size_px.min(label.height), rule.size_px.min(label.width));
    let mut counts = [0u64; 256];
    for row in label.labels.chunks_exact(label.width).skip(at.y).take(height) {
        row[at.x..at.x + width].iter().for_each(|&l| counts[l as usize] += 1);
    }
    counts[usize::from(IGNORE)] = 0;
    let (max, sum) = (counts.iter().max().copied().unwrap_or(0), counts.iter().sum::<u64>());
    counts.iter().filter(|&&n| n > 0).count() >= 2 && (max as f64) < rule.max_class_share * sum as f64
}

/// The sample that slot `slot` of batch `iteration` is drawn from: endless fresh permutations, one
/// after another (MMEngine's `InfiniteSampler`).
///
/// # Panics
/// When `samples` is 0.
pub(crate) fn draw(samples: usize, seed: u64, iteration: u64, batch: usize, slot: usize) -> usize {
    let position = iteration * batch as u64 + slot as u64;
    let (round, place) = (position / samples as u64, (position % samples as u64) as usize);
    let mut order: Vec<usize> = (0..samples).collect();
    Stream::numbered(seed, "order", &[round]).shuffle(&mut order);
    order[place]
}

/// The random stream of one crop.
pub(crate) fn stream(seed: u64, iteration: u64, slot: usize) -> Stream {
    Stream::numbered(seed, "crop", &[iteration, slot as u64])
}

/// The crop of `sample` at `at`: image `[h, w, 3]` on the 0..255 scale and labels.
pub(crate) fn cut(sample: &Sample, pixels: &[f32], at: CropBox, size_px: usize) -> Patch {
    let (height, width) = (size_px.min(sample.label.height), size_px.min(sample.label.width));
    let channels = sample.shot.image.channels();
    let mut patch =
        Patch { height, width, image: Vec::with_capacity(height * width * 3), labels: Vec::new() };
    for y in at.y..at.y + height {
        let start = y * sample.label.width + at.x;
        patch.labels.extend_from_slice(&sample.label.labels[start..start + width]);
        let row = &pixels[start * channels..(start + width) * channels];
        match channels {
            1 => patch.image.extend(row.iter().flat_map(|&v| [v; 3])),
            _ => patch.image.extend_from_slice(row),
        }
    }
    patch
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: CropRule = CropRule { size_px: 4, max_class_share: 0.75 };

    fn map(labels: &[u8]) -> LabelMap {
        LabelMap { width: 4, height: 4, labels: labels.to_vec() }
    }

    #[test]
    fn the_share_is_strict_and_ignores_255() {
        let at = CropBox { y: 0, x: 0 };
        let with = |ones: usize, ignored: usize| {
            let mut labels = [0; 16];
            labels[..ones].fill(1);
            labels[ones..ones + ignored].fill(255);
            accepted(&map(&labels), at, RULE)
        };
        assert!(!with(4, 0), "12 of 16 is exactly 0.75");
        assert!(with(5, 0));
        assert!(!with(0, 0), "one class only");
        assert!(with(4, 4), "8 of 12 without the ignored ones");
        assert!(!with(0, 16), "nothing labelled");
    }

    #[test]
    fn the_eleventh_box_is_taken_unchecked() {
        let label = LabelMap::filled(40, 30, 0);
        let rule = CropRule { size_px: 8, max_class_share: 0.75 };
        let mut checked = Stream::numbered(5, "crop", &[]);
        let got = crop_box(&label, rule, &mut checked);
        let mut plain = Stream::numbered(5, "crop", &[]);
        let boxes: Vec<_> = (0..11).map(|_| CropBox { y: plain.below(23), x: plain.below(33) }).collect();
        assert_eq!(got, boxes[10]);
    }

    #[test]
    fn each_round_visits_every_image_once() {
        for round in 0..3u64 {
            let mut seen: Vec<usize> = (0..15).map(|i| draw(15, 9, round * 3, 5, i)).collect();
            seen.sort_unstable();
            assert_eq!(seen, (0..15).collect::<Vec<_>>());
        }
        assert_ne!(
            (0..15).map(|i| draw(15, 9, 0, 15, i)).collect::<Vec<_>>(),
            (0..15).map(|i| draw(15, 9, 1, 15, i)).collect::<Vec<_>>()
        );
    }
}
