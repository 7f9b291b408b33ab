//! Joining feature maps channel by channel, and taking their gradients apart again.

use crate::recycle;
use rayon::prelude::*;

/// Pixels per task.
const BLOCK: usize = 256;

/// `[pixels, c0]`, `[pixels, c1]`, ... to `[pixels, c0 + c1 + ...]`.
///
/// # Panics
/// If `parts` is empty, or if a part has fewer pixels than the first.
pub fn concat(parts: &[(&[f32], usize)]) -> Vec<f32> {
    let width: usize = parts.iter().map(|p| p.1).sum();
    let pixels = parts[0].0.len() / parts[0].1;
    let mut y = recycle::take(pixels * width);
    y.par_chunks_mut(BLOCK * width).enumerate().for_each(|(block, y)| {
        for (i, y) in y.chunks_exact_mut(width).enumerate() {
            let (pixel, mut at) = (block * BLOCK + i, 0);
            for (x, c) in parts {
                y[at..at + c].copy_from_slice(&x[pixel * c..][..*c]);
                at += c;
            }
        }
    });
    y
}

/// Channels `from..from + c` of `[pixels, width]`.
///
/// # Panics
/// If the channels end after `width`.
pub fn slice(x: &[f32], width: usize, from: usize, c: usize) -> Vec<f32> {
    let mut y = recycle::take(x.len() / width * c);
    y.par_chunks_mut(BLOCK * c).zip(x.par_chunks(BLOCK * width)).for_each(|(y, x)| {
        for (y, x) in y.chunks_exact_mut(c).zip(x.chunks_exact(width)) {
            y.copy_from_slice(&x[from..from + c]);
        }
    });
    y
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_back_as_they_went_in() {
        let pixels = 700;
        let parts: Vec<Vec<f32>> =
            [3, 1, 8].iter().map(|c| (0..pixels * c).map(|i| (i * c) as f32).collect()).collect();
        let joined = concat(&[(&parts[0], 3), (&parts[1], 1), (&parts[2], 8)]);
        assert_eq!(joined[12 * 5..][..12], [&parts[0][15..18], &parts[1][5..6], &parts[2][40..48]].concat());
        for (part, (from, c)) in parts.iter().zip([(0, 3), (3, 1), (4, 8)]) {
            assert_eq!(*part, slice(&joined, 12, from, c));
        }
    }
}
