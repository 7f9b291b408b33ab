//! Black and white masks with soft edges or the noise of compression.

use super::objects::pieces;
use super::survey::Values;
use sorby_image::LabelValues;
use std::collections::BTreeMap;

/// Values below are nearly black, values from 256 less this on nearly white.
const NEARLY: u8 = 32;
/// Pixels between are within this distance of black and of white: they are edges.
const EDGE_PX: usize = 2;
/// The same in JPEG, which spreads an edge over its blocks.
const LOSSY_EDGE_PX: usize = 8;
/// Where nothing is lost, nearly black and nearly white lie within this distance of what is light or dark.
const FADE_PX: usize = 8;
/// Share of pixels that may lie between.
const BETWEEN: f64 = 0.1;
/// Edges and noise have values of all kinds; a few may be classes.
const KINDS: usize = 16;
/// A value of one piece of more pixels is no part of an edge.
const PIECE_PX: u64 = 8;
/// Thresholds that all must find the same objects.
const MIDDLE: u8 = 128;
const THRESHOLDS: [u8; 3] = [64, MIDDLE, 192];
/// The same in JPEG, whose noise is stronger.
const LOSSY_THRESHOLDS: [u8; 3] = [96, MIDDLE, 160];

/// What a mask looks like.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Soft {
    /// Not black and white with soft edges.
    #[default]
    No,
    /// It is, and every threshold finds the same objects: from this value on a pixel is white (255). Its pieces.
    From { from: i64, pieces: BTreeMap<i64, u64> },
    /// Black and white for the most part, but not surely so; why not.
    Unsure(String),
}

impl Soft {
    pub fn is_sure(&self) -> bool {
        matches!(self, Self::From { .. })
    }
}

/// Looks at a file's values. 16 bits that reach from 0 to 65535 are looked at as 8.
pub(crate) fn look(width: usize, values: &LabelValues, seen: &Values) -> Soft {
    match values {
        LabelValues::Small(small) if !numbers_whole(seen, 255) => {
            look_at(width, small, &seen.counts, seen.lossy, MIDDLE.into())
        }
        LabelValues::Wide(wide)
            if seen.bits == 16
                && [0, 65535].iter().all(|v| seen.counts.contains_key(v))
                && !numbers_whole(seen, 65535) =>
        {
            let eight = |v: i64| ((v + 128) / 257) as u8;
            let small: Vec<u8> = wide.iter().map(|v| eight(*v)).collect();
            let mut counts = BTreeMap::new();
            seen.counts.iter().for_each(|(v, n)| *counts.entry(eight(*v).into()).or_default() += n);
            look_at(width, &small, &counts, seen.lossy, 32768)
        }
        _ => Soft::No,
    }
}

/// Whether the values between are a piece each, as numbers of objects are.
fn numbers_whole(seen: &Values, white: i64) -> bool {
    let Some(pieces) = &seen.pieces else { return false };
    let large = || seen.counts.iter().filter(|(v, n)| !(**v == 0 || **v == white) && **n > PIECE_PX);
    let whole = large().filter(|(v, _)| pieces.get(v) == Some(&1)).count();
    whole > 0 && 2 * whole >= large().count()
}

fn look_at(width: usize, values: &[u8], counts: &BTreeMap<i64, u64>, lossy: bool, from: i64) -> Soft {
    let white = 255 - NEARLY + 1;
    let of = |from: u8, to: u8| counts.range(i64::from(from)..=i64::from(to));
    let pixels = |from: u8, to: u8| of(from, to).map(|(_, n)| n).sum::<u64>();
    let noise = counts.keys().filter(|v| !matches!(v, 0 | 255)).count();
    let between = pixels(NEARLY, white - 1);
    // One value of many between black and white would be a class.
    let one_of_them = of(NEARLY, white - 1).map(|(_, n)| *n).max().unwrap_or(0);
    let exact = counts.get(&0).unwrap_or(&0) + counts.get(&255).unwrap_or(&0);
    if noise == 0
        || noise < KINDS && !lossy
        || between > KINDS as u64 && 4 * one_of_them > between
        || pixels(0, NEARLY - 1) == 0
        || pixels(white, 255) == 0
        // Exactly black and exactly white are what most of the mask is.
        || 2 * exact < values.len() as u64
    {
        return Soft::No;
    }
    let share = 100.0 * exact as f64 / values.len() as f64;
    let unsure = |what: String| {
        Soft::Unsure(format!(
            "is black and white for the most part ({share:.1} % of its pixels), but {what}; save it with 0 and 255 only, without \
             smoothing, enlarging or loss"
        ))
    };
    if between as f64 > BETWEEN * values.len() as f64 || !only_edges(width, values, lossy) {
        return unsure("the values between are no mere edges".to_owned());
    }
    let thresholds = if lossy { LOSSY_THRESHOLDS } else { THRESHOLDS };
    let found = thresholds.map(|t| {
        let cut: Vec<u8> = values.iter().map(|v| if *v >= t { 255 } else { 0 }).collect();
        pieces(width, &cut)
    });
    let [Some(low), Some(pieces), Some(high)] = found else { return Soft::No };
    let objects = [&low, &pieces, &high].map(|p| p.get(&255).copied().unwrap_or(0));
    if objects.iter().all(|n| *n == objects[0]) {
        return Soft::From { from, pieces };
    }
    let [a, b, c] = objects;
    unsure(format!("its soft edges decide how many objects there are ({a}, {b} or {c})"))
}

/// Whether all that is neither black nor white lies where black and white meet.
fn only_edges(width: usize, values: &[u8], lossy: bool) -> bool {
    let white = 255 - NEARLY + 1;
    let reach = if lossy { LOSSY_EDGE_PX } else { EDGE_PX };
    let all = |of: &dyn Fn(u8) -> bool, near: &dyn Fn(u8) -> bool, reach: usize| {
        let near = around(width, values.iter().map(|v| near(*v)).collect(), reach);
        values.iter().zip(near).all(|(v, near)| near || !of(*v))
    };
    let between = |v: u8| (NEARLY..white).contains(&v);
    let faint = |v: u8| (1..NEARLY).contains(&v);
    let bright = |v: u8| (white..255).contains(&v);
    all(&between, &|v| v < NEARLY, reach)
        && all(&between, &|v| v >= white, reach)
        // The noise of compression is where it likes.
        && (lossy || all(&faint, &|v| v >= MIDDLE, FADE_PX) && all(&bright, &|v| v < MIDDLE, FADE_PX))
}

/// The pixels within a square of `reach` around those that are set.
fn around(width: usize, mut set: Vec<bool>, reach: usize) -> Vec<bool> {
    let height = set.len() / width.max(1);
    let rows = (0..height).map(|y| (y * width, 1, width));
    let columns = (0..width).map(|x| (x, width, height));
    for (start, step, n) in rows.chain(columns) {
        let own: Vec<bool> = (0..n).map(|i| set[start + step * i]).collect();
        let mut last = None;
        for i in 0..n {
            last = if own[i] { Some(i) } else { last };
            set[start + step * i] |= last.is_some_and(|l: usize| i - l <= reach);
        }
        let mut next = None;
        for i in (0..n).rev() {
            next = if own[i] { Some(i) } else { next };
            set[start + step * i] |= next.is_some_and(|l: usize| l - i <= reach);
        }
    }
    set
}
