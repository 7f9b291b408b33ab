//! Black and white masks with soft edges or the noise of compression.

use super::objects::pieces;
use std::collections::BTreeMap;

/// Values below are nearly black, values from 256 less this on nearly white.
const NEARLY: u8 = 32;
/// Pixels between are within this distance of black and of white: they are edges.
const EDGE_PX: usize = 2;
/// Share of pixels that may lie between.
const BETWEEN: f64 = 0.1;
/// Edges and noise have values of all kinds; a few may be classes.
const KINDS: usize = 16;
/// Thresholds that all must find the same objects.
const THRESHOLDS: [u8; 3] = [64, 128, 192];

/// White is from here on.
pub(crate) const THRESHOLD: u8 = 128;

/// Whether a mask is black and white but for edges and noise, so surely that every threshold finds the same objects.
/// Of a file compressed with loss (`lossy`) noise is expected.
pub(crate) fn is_soft(width: usize, values: &[u8], counts: &BTreeMap<i64, u64>, lossy: bool) -> bool {
    let white = 255 - NEARLY + 1;
    let of = |from: u8, to: u8| counts.range(i64::from(from)..=i64::from(to));
    let pixels = |from: u8, to: u8| of(from, to).map(|(_, n)| n).sum::<u64>();
    let noise = counts.keys().filter(|v| !matches!(v, 0 | 255)).count();
    let between = pixels(NEARLY, white - 1);
    // One value of many between black and white would be a class.
    let one_of_them = of(NEARLY, white - 1).map(|(_, n)| *n).max().unwrap_or(0);
    if noise == 0
        || noise < KINDS && !lossy
        || between > KINDS as u64 && 4 * one_of_them > between
        || pixels(0, NEARLY - 1) == 0
        || pixels(white, 255) == 0
        || between as f64 > BETWEEN * values.len() as f64
        // Exactly black and exactly white are what most of the mask is.
        || 2 * (counts.get(&0).unwrap_or(&0) + counts.get(&255).unwrap_or(&0)) < values.len() as u64
    {
        return false;
    }
    let height = values.len() / width.max(1);
    let is_edge = |i: usize| {
        let (y, x) = (i / width, i % width);
        let columns = x.saturating_sub(EDGE_PX)..(x + EDGE_PX + 1).min(width);
        let (mut dark, mut light) = (false, false);
        for y in y.saturating_sub(EDGE_PX)..(y + EDGE_PX + 1).min(height) {
            for v in &values[y * width..(y + 1) * width][columns.clone()] {
                dark |= *v < NEARLY;
                light |= *v >= white;
            }
        }
        dark && light
    };
    if !values.iter().enumerate().all(|(i, v)| !(NEARLY..white).contains(v) || is_edge(i)) {
        return false;
    }
    let objects = THRESHOLDS.map(|t| {
        let cut: Vec<u8> = values.iter().map(|v| u8::from(*v >= t)).collect();
        pieces(width, &cut).and_then(|p| p.get(&1).copied())
    });
    objects[0].is_some() && objects.iter().all(|n| *n == objects[0])
}
