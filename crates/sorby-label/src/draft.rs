//! "Answer while you paint": a whole label from a few strokes.

use crate::features::Features;
use crate::forest::Forest;
use rayon::prelude::*;
use sorby_image::{IGNORE, LabelMap};

/// A class for every pixel, and how sure it is.
pub struct Draft {
    /// The class of each pixel; a painted pixel keeps its class.
    pub labels: LabelMap,
    /// Probability of the class given, 0..255 for 0..1, row-major; 255 where it was painted.
    pub confidence: Vec<u8>,
}

/// Pixels of a piece of work; the same for any number of threads.
const PIECE: usize = 16_384;

/// Drafts a label from `strokes`, a map with classes where something was painted and 255 elsewhere. What was painted
/// stays as it was. `None` unless two classes at least are painted.
///
/// # Panics
/// When `features` and `strokes` differ in size.
pub fn draft(features: &Features, strokes: &LabelMap, classes: usize, seed: u64) -> Option<Draft> {
    assert_eq!((features.width, features.height), (strokes.width, strokes.height));
    let painted = |(i, class): (usize, &u8)| (usize::from(*class) < classes).then_some((i as u32, *class));
    let samples: Vec<(u32, u8)> = strokes.labels.iter().enumerate().filter_map(painted).collect();
    let first = samples.first()?.1;
    if samples.iter().all(|s| s.1 == first) {
        return None;
    }
    let forest = Forest::train(features, &samples, classes, seed);
    let mut labels = vec![IGNORE; strokes.labels.len()];
    let mut confidence = vec![255; labels.len()];
    labels.par_chunks_mut(PIECE).zip(confidence.par_chunks_mut(PIECE)).enumerate().for_each_init(
        Vec::new,
        |scores, (piece, (labels, confidence))| {
            scores.resize(labels.len() * classes, 0.0);
            forest.predict(features, piece * PIECE, scores);
            let out = labels.iter_mut().zip(confidence);
            for ((label, sure), scores) in out.zip(scores.chunks_exact(classes)) {
                let (class, p) = best(scores);
                (*label, *sure) = (class, (p * 255.0).round() as u8);
            }
        },
    );
    for (pixel, class) in samples {
        (labels[pixel as usize], confidence[pixel as usize]) = (class, 255);
    }
    Some(Draft { labels: LabelMap { width: strokes.width, height: strokes.height, labels }, confidence })
}

fn best(scores: &[f32]) -> (u8, f32) {
    let mut best = (0, scores[0]);
    for (class, p) in scores.iter().enumerate().skip(1) {
        if *p > best.1 {
            best = (class as u8, *p);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bright discs on a dark, noisy ground, with their true label.
    fn discs() -> (Vec<u8>, LabelMap) {
        let (width, height) = (160, 120);
        let mut stream = sorby_random::Stream::numbered(3, "discs", &[]);
        let mut truth = LabelMap::filled(width, height, 0);
        let mut grey = vec![0; width * height];
        for y in 0..height {
            for x in 0..width {
                let (cx, cy) = ((x / 40 * 40 + 20) as f64, (y / 40 * 40 + 20) as f64);
                let inside = (x as f64 - cx).hypot(y as f64 - cy) < 9.0;
                truth.labels[y * width + x] = u8::from(inside);
                let level = if inside { 150.0 } else { 90.0 };
                grey[y * width + x] = (level + 15.0 * stream.normal()).clamp(0.0, 255.0) as u8;
            }
        }
        (grey, truth)
    }

    fn strokes(truth: &LabelMap) -> LabelMap {
        let mut strokes = LabelMap::filled(truth.width, truth.height, IGNORE);
        // Through the first disc, and through the ground above it.
        for x in 12..28 {
            strokes.labels[20 * truth.width + x] = truth.labels[20 * truth.width + x];
            strokes.labels[2 * truth.width + x] = 0;
        }
        strokes
    }

    #[test]
    fn two_strokes_find_every_disc() {
        let (grey, truth) = discs();
        let features = Features::of(&grey, truth.width, truth.height);
        let drafted = draft(&features, &strokes(&truth), 2, 0).unwrap();
        let (mut both, mut any) = (0.0, 0.0);
        for (a, b) in drafted.labels.labels.iter().zip(&truth.labels) {
            both += f64::from(u8::from(*a == 1 && *b == 1));
            any += f64::from(u8::from(*a == 1 || *b == 1));
        }
        assert!(both / any > 0.8, "IoU {}", both / any);
        assert_eq!(drafted.labels.labels[20 * truth.width + 20], 1);
        assert_eq!(drafted.confidence[20 * truth.width + 20], 255, "painted");
    }

    #[test]
    fn the_same_strokes_give_the_same_draft_on_any_threads() {
        let (grey, truth) = discs();
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let features = Features::of(&grey, truth.width, truth.height);
                draft(&features, &strokes(&truth), 2, 7).unwrap().confidence
            })
        };
        assert_eq!(on(1), on(3));
    }

    #[test]
    fn one_class_is_not_enough() {
        let (grey, truth) = discs();
        let features = Features::of(&grey, truth.width, truth.height);
        let mut only = LabelMap::filled(truth.width, truth.height, IGNORE);
        assert!(draft(&features, &only, 2, 0).is_none());
        only.labels[5] = 1;
        assert!(draft(&features, &only, 2, 0).is_none());
    }
}
