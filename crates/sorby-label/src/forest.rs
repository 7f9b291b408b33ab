//! A random forest on bytes: small, quick to train, the same for the same seed.

use crate::features::{FEATURES, Features};
use rayon::prelude::*;
use sorby_random::Stream;

const TREES: usize = 24;
const MAX_DEPTH: usize = 14;
const MIN_LEAF: usize = 3;
/// Features looked at for each split; about the square root of all, as usual for classification.
const TRIED: usize = 6;
/// Pixels of a block that go down a tree together: their steps do not wait for each other.
const BLOCK: usize = 64;

/// One node; a leaf goes on to itself.
#[derive(Clone, Copy)]
struct Node {
    feature: u16,
    threshold: u8,
    /// Node for values up to the threshold; the one for values above follows it.
    child: u32,
    /// Place in the table of probabilities, of leaves.
    leaf: u32,
}

struct Tree {
    nodes: Vec<Node>,
    /// `classes` numbers for each leaf.
    probabilities: Vec<f32>,
    depth: usize,
}

/// Breiman's random forest: bootstrapped trees, Gini's impurity, a few random features at each split.
pub(crate) struct Forest {
    trees: Vec<Tree>,
    classes: usize,
}

impl Forest {
    /// Learns from `samples`, (pixel, class). Each tree draws as many pixels of every class that has any, so that a long
    /// stroke does not outvote a short one.
    pub(crate) fn train(features: &Features, samples: &[(u32, u8)], classes: usize, seed: u64) -> Self {
        let mut by_class = vec![Vec::new(); classes];
        samples.iter().for_each(|(pixel, class)| by_class[usize::from(*class)].push(*pixel));
        by_class.retain(|pixels| !pixels.is_empty());
        let kinds: Vec<u8> = (0..classes as u8).filter(|c| samples.iter().any(|(_, s)| s == c)).collect();
        let each = (samples.len() / kinds.len().max(1)).clamp(1, 3000);
        let tree = |i: usize| {
            let mut stream = Stream::numbered(seed, "pixel classifier", &[i as u64]);
            let mut drawn: Vec<(u32, u8)> = Vec::with_capacity(each * kinds.len());
            for (pixels, class) in by_class.iter().zip(&kinds) {
                drawn.extend((0..each).map(|_| (pixels[stream.below(pixels.len())], *class)));
            }
            Tree::grow(features, drawn, classes, &mut stream)
        };
        Self { trees: (0..TREES).into_par_iter().map(tree).collect(), classes }
    }

    /// Class probabilities of the pixels from `first`, `classes` numbers each, written to `out`.
    pub(crate) fn predict(&self, features: &Features, first: usize, out: &mut [f32]) {
        out.fill(0.0);
        let classes = self.classes;
        for (block, out) in out.chunks_mut(BLOCK * classes).enumerate() {
            let start = (first + block * BLOCK) * FEATURES;
            let count = out.len() / classes;
            let pixels = &features.values[start..start + count * FEATURES];
            for tree in &self.trees {
                let mut at = [0u32; BLOCK];
                for _ in 0..tree.depth {
                    for (at, pixel) in at.iter_mut().zip(pixels.chunks_exact(FEATURES)) {
                        let node = tree.nodes[*at as usize];
                        *at = node.child + u32::from(pixel[usize::from(node.feature)] > node.threshold);
                    }
                }
                for (at, out) in at.iter().zip(out.chunks_exact_mut(classes)) {
                    let leaf = tree.nodes[*at as usize].leaf as usize * classes;
                    out.iter_mut().zip(&tree.probabilities[leaf..]).for_each(|(o, p)| *o += p);
                }
            }
        }
        out.iter_mut().for_each(|p| *p /= TREES as f32);
    }
}

impl Tree {
    fn grow(features: &Features, mut samples: Vec<(u32, u8)>, classes: usize, stream: &mut Stream) -> Self {
        let root = Node { feature: 0, threshold: 255, child: 0, leaf: 0 };
        let mut tree = Self { nodes: vec![root], probabilities: Vec::new(), depth: 0 };
        let mut open = vec![(0usize, 0usize, samples.len(), 0usize)];
        while let Some((node, start, end, depth)) = open.pop() {
            let part = &mut samples[start..end];
            let split = if depth < MAX_DEPTH { best_split(features, part, classes, stream) } else { None };
            let Some((feature, threshold)) = split else {
                tree.leaf(node, part, classes);
                continue;
            };
            let middle = start + partition(part, |(p, _)| features.pixel(*p as usize)[feature] <= threshold);
            let child = tree.nodes.len();
            tree.nodes[node] = Node { feature: feature as u16, threshold, child: child as u32, leaf: 0 };
            tree.nodes.extend([root, root]);
            tree.depth = tree.depth.max(depth + 1);
            open.extend([(child, start, middle, depth + 1), (child + 1, middle, end, depth + 1)]);
        }
        tree
    }

    fn leaf(&mut self, node: usize, samples: &[(u32, u8)], classes: usize) {
        let leaf = self.probabilities.len() / classes;
        let mut counts = vec![0.0f32; classes];
        samples.iter().for_each(|(_, c)| counts[usize::from(*c)] += 1.0);
        self.probabilities.extend(counts.iter().map(|n| n / samples.len().max(1) as f32));
        // No value is above 255: it goes on to itself.
        self.nodes[node] = Node { feature: 0, threshold: 255, child: node as u32, leaf: leaf as u32 };
    }
}

/// Moves what is accepted to the front, in order; how many.
fn partition(samples: &mut [(u32, u8)], accept: impl Fn(&(u32, u8)) -> bool) -> usize {
    let (yes, no): (Vec<_>, Vec<_>) = samples.iter().partition(|s| accept(s));
    samples[..yes.len()].copy_from_slice(&yes);
    samples[yes.len()..].copy_from_slice(&no);
    yes.len()
}

/// The split of lowest Gini impurity among some random features; `None` where there is nothing to part.
fn best_split(
    features: &Features,
    samples: &[(u32, u8)],
    classes: usize,
    stream: &mut Stream,
) -> Option<(usize, u8)> {
    if samples.len() < 2 * MIN_LEAF || samples.iter().all(|s| s.1 == samples[0].1) {
        return None;
    }
    let mut best: Option<(f64, usize, u8)> = None;
    let mut order: Vec<usize> = (0..FEATURES).collect();
    for i in 0..TRIED {
        let other = i + stream.below(FEATURES - i);
        order.swap(i, other);
        let feature = order[i];
        let mut counts = vec![0u32; 256 * classes];
        for (pixel, class) in samples {
            counts[usize::from(features.pixel(*pixel as usize)[feature]) * classes + usize::from(*class)] +=
                1;
        }
        if let Some((purity, threshold)) = best_threshold(&counts, classes, samples.len())
            && best.is_none_or(|b| purity > b.0)
        {
            best = Some((purity, feature, threshold));
        }
    }
    best.map(|(_, feature, threshold)| (feature, threshold))
}

/// The threshold of highest purity, `sum n_c^2 / n` of both sides together, and that purity.
fn best_threshold(counts: &[u32], classes: usize, total: usize) -> Option<(f64, u8)> {
    let mut below = vec![0f64; classes];
    let mut above = vec![0f64; classes];
    for counts in counts.chunks_exact(classes) {
        above.iter_mut().zip(counts).for_each(|(a, n)| *a += f64::from(*n));
    }
    let (mut n_below, mut best) = (0.0, None);
    for (value, counts) in counts.chunks_exact(classes).enumerate().take(255) {
        let here: u32 = counts.iter().sum();
        if here == 0 {
            continue;
        }
        for ((b, a), n) in below.iter_mut().zip(&mut above).zip(counts) {
            *b += f64::from(*n);
            *a -= f64::from(*n);
        }
        n_below += f64::from(here);
        let n_above = total as f64 - n_below;
        if n_below < MIN_LEAF as f64 || n_above < MIN_LEAF as f64 {
            continue;
        }
        let squares = |side: &[f64]| side.iter().map(|n| n * n).sum::<f64>();
        let purity = squares(&below) / n_below + squares(&above) / n_above;
        if best.is_none_or(|(p, _)| purity > p) {
            best = Some((purity, value as u8));
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_purest_threshold_is_found() {
        // Values 10 (class 0, 5 times), 20 (class 1, 4 times), 30 (class 0, once).
        let mut counts = vec![0; 512];
        (counts[20], counts[41], counts[60]) = (5, 4, 1);
        // Between 10 and 20: 25/5 + (16 + 1)/5 = 8.4.
        let (purity, threshold) = best_threshold(&counts, 2, 10).unwrap();
        assert_eq!(threshold, 10);
        assert!((purity - 8.4).abs() < 1e-12);
    }

    #[test]
    fn a_partition_keeps_the_order() {
        let mut samples = [(5, 0), (2, 1), (7, 0), (1, 1)];
        assert_eq!(partition(&mut samples, |s| s.1 == 1), 2);
        assert_eq!(samples, [(2, 1), (1, 1), (5, 0), (7, 0)]);
    }
}
