//! Does a label lie where its image is?
//!
//! Where classes meet, a micrograph changes its grey. So the edges of a right label correlate with the edges of its
//! image more than those of the label moved, mirrored or turned. On 20 labels of uhcs-spheroidite this finds the
//! published offsets of one and two rows, all of them and no others.

use rayon::prelude::*;
use sorby_image::{IGNORE, LabelMap};

/// Offsets up to this are looked for, in pixels.
const REACH: i32 = 8;
/// A turned label may also be off by this many pixels.
const TURNED_REACH: i32 = 2;
/// At most this much of an image, from its middle, is looked at.
const EDGE_PX: usize = 1400;
/// Correlations below this say nothing.
const LEAST: f64 = 0.1;
/// By how much a shift must beat the label as it lies: in all, and as a share of the best.
const SHIFT_MARGIN: (f64, f64) = (0.02, 0.04);
/// A shift must help all over the image: mean gain of its parts over the standard error of that mean.
const AGREEMENT: f64 = 2.0;
/// Parts along each edge.
const PARTS: usize = 4;
/// By how much a turn must.
const TURN_MARGIN: f64 = 0.08;

/// How a label is brought where it belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misplaced {
    /// A label pixel at (x, y) belongs to (x + dx, y + dy).
    Shifted {
        /// Columns to the right; negative to the left.
        dx: i32,
        /// Rows down; negative up.
        dy: i32,
    },
    /// Undone by this turn.
    Turned(Turn),
}

/// The ways to lay a rectangle on itself or, the last four, on its turned self.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Mirrored, the left side to the right.
    LeftRight,
    /// Mirrored, the top to the bottom.
    UpDown,
    /// Turned by 180 degrees.
    HalfTurn,
    /// Rows become columns, mirrored at the diagonal from the upper left to the lower right.
    Transposed,
    /// Turned by 90 degrees, anticlockwise.
    QuarterLeft,
    /// Turned by 90 degrees, clockwise.
    QuarterRight,
    /// Rows become columns, mirrored at the diagonal from the upper right to the lower left.
    AntiTransposed,
}

impl Turn {
    const ALL: [Turn; 7] = [
        Turn::LeftRight,
        Turn::UpDown,
        Turn::HalfTurn,
        Turn::Transposed,
        Turn::QuarterLeft,
        Turn::QuarterRight,
        Turn::AntiTransposed,
    ];

    /// The turn in words for a report: "mirrored left to right".
    pub fn words(&self) -> &'static str {
        match self {
            Turn::LeftRight => "mirrored left to right",
            Turn::UpDown => "mirrored top to bottom",
            Turn::HalfTurn => "turned upside down",
            Turn::Transposed => "with rows and columns exchanged",
            Turn::QuarterLeft => "turned by a quarter to the left",
            Turn::QuarterRight => "turned by a quarter to the right",
            Turn::AntiTransposed => "with rows and columns exchanged and turned upside down",
        }
    }

    /// Where a pixel of the turned map comes from, in a map of `width` x `height`: (x, y) to (x, y). Those that
    /// exchange rows and columns need a square.
    fn source(&self, x: usize, y: usize, width: usize, height: usize) -> (usize, usize) {
        let (right, bottom) = (width - 1, height - 1);
        match self {
            Turn::LeftRight => (right - x, y),
            Turn::UpDown => (x, bottom - y),
            Turn::HalfTurn => (right - x, bottom - y),
            Turn::Transposed => (y, x),
            Turn::QuarterLeft => (bottom - y, x),
            Turn::QuarterRight => (y, right - x),
            Turn::AntiTransposed => (right - y, bottom - x),
        }
    }

    fn needs_square(&self) -> bool {
        matches!(self, Turn::Transposed | Turn::QuarterLeft | Turn::QuarterRight | Turn::AntiTransposed)
    }

    fn apply<T: Copy>(&self, values: &[T], width: usize, height: usize) -> Vec<T> {
        let place = |i: usize| {
            let (x, y) = self.source(i % width, i / width, width, height);
            values[y * width + x]
        };
        (0..values.len()).map(place).collect()
    }
}

/// Correlation of edges as the label lies, at its best, and what would bring it there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Alignment {
    /// Correlation of the edges as the label lies, -1..1.
    pub as_it_lies: f64,
    /// Highest correlation over the shifts and turns that were tried, -1..1.
    pub best: f64,
    /// What repairs the label; `None` where it lies right, or the gain is too small to be sure.
    pub misplaced: Option<Misplaced>,
}

/// Compares the edges of image and label. `None` where there is nothing to compare: one class, a flat image, or one
/// too small to be moved about.
///
/// # Panics
/// When `grey` and `label` differ in size.
pub fn alignment(grey: &[u8], label: &LabelMap) -> Option<Alignment> {
    let (width, height) = (label.width, label.height);
    assert_eq!(grey.len(), width * height, "image and label of one size");
    if width.min(height) < 4 * REACH as usize {
        return None;
    }
    let picture: Vec<f32> = grey.iter().map(|&v| f32::from(v)).collect();
    let picture = Plane::new(edges(&picture, width, height), width, height)?;
    let outlines = Plane::new(label_edges(label), width, height)?;
    let shifts: Vec<(i32, i32)> =
        (-REACH..=REACH).flat_map(|dy| (-REACH..=REACH).map(move |dx| (dx, dy))).collect();
    let values: Vec<f64> =
        shifts.par_iter().map(|&(dx, dy)| picture.correlation(&outlines, dx, dy)).collect();
    let as_it_lies = picture.correlation(&outlines, 0, 0);
    // The first of equals, whatever the number of threads.
    let (at, best) = values
        .iter()
        .enumerate()
        .fold((0, f64::NEG_INFINITY), |best, (i, v)| if *v > best.1 { (i, *v) } else { best });
    let mut out = Alignment { as_it_lies, best, misplaced: None };
    let turns = Turn::ALL.into_iter().filter(|t| width == height || !t.needs_square());
    let mut turned: Option<(Turn, f64)> = None;
    for turn in turns {
        let plane = Plane { values: turn.apply(&outlines.values, width, height), ..outlines };
        let near = (-TURNED_REACH..=TURNED_REACH)
            .flat_map(|dy| (-TURNED_REACH..=TURNED_REACH).map(move |dx| (dx, dy)));
        let value =
            near.map(|(dx, dy)| picture.correlation(&plane, dx, dy)).fold(f64::NEG_INFINITY, f64::max);
        if turned.is_none_or(|(_, best)| value > best) {
            turned = Some((turn, value));
        }
    }
    if let Some((turn, value)) = turned
        && value >= LEAST
        && value >= best + TURN_MARGIN
    {
        return Some(Alignment { best: value, misplaced: Some(Misplaced::Turned(turn)), ..out });
    }
    let gained = best - as_it_lies;
    let (dx, dy) = shifts[at];
    if best >= LEAST
        && gained >= SHIFT_MARGIN.0
        && gained >= SHIFT_MARGIN.1 * best
        && agreement(&picture.blocks(&outlines, dx, dy), &picture.blocks(&outlines, 0, 0)) >= AGREEMENT
    {
        out.misplaced = Some(Misplaced::Shifted { dx, dy });
    }
    Some(out)
}

/// The repaired label: moved or turned to where it belongs. Pixels that nothing is known of are to be ignored.
///
/// # Panics
/// Can panic when a turn exchanges rows and columns and the label is not square; else the result is then wrong.
pub fn repair(label: &LabelMap, misplaced: Misplaced) -> LabelMap {
    let (width, height) = (label.width, label.height);
    let labels = match misplaced {
        Misplaced::Turned(turn) => turn.apply(&label.labels, width, height),
        Misplaced::Shifted { dx, dy } => {
            let mut out = vec![IGNORE; width * height];
            for y in 0..height {
                for x in 0..width {
                    let (sx, sy) = (x as i64 - i64::from(dx), y as i64 - i64::from(dy));
                    if (0..width as i64).contains(&sx) && (0..height as i64).contains(&sy) {
                        out[y * width + x] = label.labels[sy as usize * width + sx as usize];
                    }
                }
            }
            out
        }
    };
    LabelMap { width, height, labels }
}

/// Values about their mean, with their norm.
#[derive(Clone)]
struct Plane {
    values: Vec<f32>,
    width: usize,
    height: usize,
    norm: f64,
}

impl Plane {
    fn new(mut values: Vec<f32>, width: usize, height: usize) -> Option<Self> {
        let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / values.len().max(1) as f64;
        values.iter_mut().for_each(|v| *v -= mean as f32);
        let norm = values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
        (norm > 1e-3).then_some(Self { values, width, height, norm })
    }

    /// Correlation with `other` moved by (dx, dy); the rows and columns that leave the middle count as the mean.
    fn correlation(&self, other: &Plane, dx: i32, dy: i32) -> f64 {
        self.blocks(other, dx, dy).iter().sum()
    }

    /// What each part of the image adds to that correlation.
    fn blocks(&self, other: &Plane, dx: i32, dy: i32) -> [f64; PARTS * PARTS] {
        let middle = |length: usize| {
            let cut = length.saturating_sub(EDGE_PX) / 2;
            cut..length - cut
        };
        // Part `i` of a range, less what the other plane does not reach.
        let part = |range: &std::ops::Range<usize>, i: usize, length: usize, by: i32| {
            let at = |i: usize| (range.start + i * range.len() / PARTS) as i64;
            let (low, high) = (at(i).max(i64::from(by)), at(i + 1).min(length as i64 + i64::from(by)));
            (low, high.max(low))
        };
        let (columns, rows) = (middle(self.width), middle(self.height));
        std::array::from_fn(|i| {
            let (x0, x1) = part(&columns, i % PARTS, self.width, dx);
            let (y0, y1) = part(&rows, i / PARTS, self.height, dy);
            let length = (x1 - x0) as usize;
            let mut sum = 0.0;
            for y in y0..y1 {
                let own = (y * self.width as i64 + x0) as usize;
                let theirs = ((y - i64::from(dy)) * self.width as i64 + x0 - i64::from(dx)) as usize;
                let row = self.values[own..own + length].iter().zip(&other.values[theirs..theirs + length]);
                sum += f64::from(row.map(|(a, b)| a * b).sum::<f32>());
            }
            sum / (self.norm * other.norm)
        })
    }
}

/// Mean of the parts' gains over its standard error.
fn agreement(moved: &[f64], as_it_lies: &[f64]) -> f64 {
    let gains: Vec<f64> = moved.iter().zip(as_it_lies).map(|(m, l)| m - l).collect();
    let n = gains.len() as f64;
    let mean = gains.iter().sum::<f64>() / n;
    let variance = gains.iter().map(|g| (g - mean).powi(2)).sum::<f64>() / (n - 1.0);
    mean / (variance / n).sqrt().max(1e-12)
}

/// Edges of all classes together.
fn label_edges(label: &LabelMap) -> Vec<f32> {
    let histogram = label.histogram();
    let mut out = vec![0.0; label.labels.len()];
    for class in (0..IGNORE).filter(|c| histogram[usize::from(*c)] > 0) {
        let inside: Vec<f32> = label.labels.iter().map(|&l| if l == class { 1.0 } else { 0.0 }).collect();
        let of_class = edges(&inside, label.width, label.height);
        out.iter_mut().zip(of_class).for_each(|(sum, v)| *sum += v);
    }
    if histogram[usize::from(IGNORE)] > 0 {
        // Where labels end is no edge of the steel.
        let unknown: Vec<f32> = label.labels.iter().map(|&l| if l == IGNORE { 1.0 } else { 0.0 }).collect();
        let near = edges(&unknown, label.width, label.height);
        for ((out, near), unknown) in out.iter_mut().zip(near).zip(unknown) {
            if near > 0.0 || unknown > 0.0 {
                *out = 0.0;
            }
        }
    }
    out
}

/// Length of the gradient after smoothing by a Gaussian of one pixel.
fn edges(values: &[f32], width: usize, height: usize) -> Vec<f32> {
    // exp(-x^2 / 2), normalised.
    const KERNEL: [f32; 4] = [0.399_050_3, 0.242_036_2, 0.054_005_58, 0.004_433_048];
    let smooth = |along: usize, across: usize, step: usize, line: usize, source: &[f32]| {
        let mut out = vec![0.0f32; source.len()];
        for j in 0..across {
            for i in 0..along {
                let at = |i: i64| source[j * line + i.clamp(0, along as i64 - 1) as usize * step];
                let i = i as i64;
                let mut sum = KERNEL[0] * at(i);
                for (k, weight) in KERNEL.iter().enumerate().skip(1) {
                    sum += weight * (at(i - k as i64) + at(i + k as i64));
                }
                out[j * line + i as usize * step] = sum;
            }
        }
        out
    };
    let rows = smooth(width, height, 1, width, values);
    let both = smooth(height, width, width, 1, &rows);
    let at = |x: usize, y: usize| both[y * width + x];
    let gradient = |i: usize| {
        let (x, y) = (i % width, i / width);
        let gx = at((x + 1).min(width - 1), y) - at(x.saturating_sub(1), y);
        let gy = at(x, (y + 1).min(height - 1)) - at(x, y.saturating_sub(1));
        (gx * gx + gy * gy).sqrt()
    };
    (0..values.len()).map(gradient).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::{Kind, make};

    /// A label moved the way `repair` moves it.
    fn moved(label: &LabelMap, dx: i32, dy: i32) -> LabelMap {
        repair(label, Misplaced::Shifted { dx, dy })
    }

    #[test]
    fn right_labels_are_right_and_moved_ones_are_measured() {
        for (kind, index) in [(Kind::Carbide, 0), (Kind::Carbide, 1), (Kind::Ferrite, 0), (Kind::Ferrite, 1)]
        {
            let s = make(kind, 260, 200, 3, index);
            let lies = |label: &LabelMap| alignment(&s.pixels, label).unwrap().misplaced;
            assert_eq!(lies(&s.label), None, "{kind:?} {index}");
            // Ferrite's borders are faint: only a large offset of it can be seen, and roughly.
            let shifts: &[_] = if kind == Kind::Carbide { &[(0, 1), (2, 0), (-3, 2), (5, -7)] } else { &[] };
            for &(dx, dy) in shifts {
                let found = lies(&moved(&s.label, dx, dy));
                assert_eq!(
                    found,
                    Some(Misplaced::Shifted { dx: -dx, dy: -dy }),
                    "{kind:?} {index} {dx} {dy}"
                );
            }
            for turn in [Turn::LeftRight, Turn::UpDown, Turn::HalfTurn] {
                let label = repair(&s.label, Misplaced::Turned(turn));
                // Each of these three undoes itself.
                assert_eq!(lies(&label), Some(Misplaced::Turned(turn)), "{kind:?} {index}");
            }
        }
    }

    #[test]
    fn squares_may_be_transposed_and_turned() {
        let s = make(Kind::Carbide, 220, 220, 5, 0);
        for (done, undone) in [
            (Turn::Transposed, Turn::Transposed),
            (Turn::QuarterLeft, Turn::QuarterRight),
            (Turn::QuarterRight, Turn::QuarterLeft),
            (Turn::AntiTransposed, Turn::AntiTransposed),
        ] {
            let label = repair(&s.label, Misplaced::Turned(done));
            let found = alignment(&s.pixels, &label).unwrap().misplaced;
            assert_eq!(found, Some(Misplaced::Turned(undone)));
            assert_eq!(repair(&label, Misplaced::Turned(undone)), s.label);
        }
    }

    #[test]
    fn nothing_is_said_of_one_class_or_a_flat_image() {
        let label = LabelMap { width: 40, height: 30, labels: vec![0; 1200] };
        assert_eq!(alignment(&[7; 1200], &label), None);
        let s = make(Kind::Carbide, 120, 96, 1, 0);
        assert_eq!(
            alignment(&s.pixels, &LabelMap { width: 120, height: 96, labels: vec![1; 120 * 96] }),
            None
        );
    }
}
