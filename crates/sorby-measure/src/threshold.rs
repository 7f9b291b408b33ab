//! Global thresholds: Otsu's, and count and mean radius at every threshold.

mod growing;
mod ring;
#[cfg(test)]
mod tests;

use growing::Growing;
use rayon::prelude::*;
use ring::Ring;

/// Otsu's threshold as OpenCV computes it: pixels greater than it are foreground. The first maximum of
/// the between-class variance wins; levels that leave (almost) nothing on one side are passed over.
///
/// ```
/// use sorby_measure::otsu;
///
/// let image = ["1121",   // grey levels from 1 to 9
///              "1289",
///              "1198"];
/// let pixels: Vec<u8> = image.concat().bytes().map(|digit| digit - b'0').collect();
/// let threshold = otsu(&pixels);
///
/// let rows = pixels.chunks(4).map(|row| row.iter().map(|&v| if v > threshold { '#' } else { '.' }).collect());
/// assert_eq!(rows.collect::<Vec<String>>(), ["....",
///                                            "..##",
///                                            "..##"]);
/// assert_eq!(threshold, 2);
/// ```
pub fn otsu(pixels: &[u8]) -> u8 {
    let mut histogram = [0u64; 256];
    pixels.iter().for_each(|&v| histogram[usize::from(v)] += 1);
    let scale = 1.0 / pixels.len().max(1) as f64;
    let mean: f64 = histogram.iter().enumerate().map(|(v, &n)| v as f64 * n as f64).sum::<f64>() * scale;
    let (mut q1, mut mean1, mut best, mut threshold) = (0.0f64, 0.0, 0.0, 0);
    for (level, &n) in histogram.iter().enumerate() {
        let share = n as f64 * scale;
        mean1 *= q1;
        q1 += share;
        let q2 = 1.0 - q1;
        if q1.min(q2) < f64::from(f32::EPSILON) || q1.max(q2) > 1.0 - f64::from(f32::EPSILON) {
            continue;
        }
        mean1 = (mean1 + level as f64 * share) / q1;
        let mean2 = (mean - q1 * mean1) / q2;
        let variance = q1 * q2 * (mean1 - mean2).powi(2);
        if variance > best {
            (best, threshold) = (variance, level as u8);
        }
    }
    threshold
}

/// Count and mean radius of the objects `pixel > t`, for every t of 0..=255.
#[derive(Clone, Debug, PartialEq)]
pub struct Sweep {
    /// Number of objects by threshold.
    pub counts: Vec<u32>,
    /// Mean over the objects of `sqrt(A / pi)`, by threshold; `None` where there is no object.
    pub mean_radii_px: Vec<Option<f64>>,
}

impl Sweep {
    /// Threshold whose count is nearest to `truth`; ties go to the lowest.
    pub fn best_for_count(&self, truth: usize) -> u8 {
        nearest(self.counts.iter().map(|&n| Some((f64::from(n) - truth as f64).abs())))
    }

    /// Threshold whose mean radius is nearest to `truth_px`; ties go to the lowest.
    pub fn best_for_radius(&self, truth_px: f64) -> u8 {
        nearest(self.mean_radii_px.iter().map(|r| r.map(|r| (r - truth_px).abs())))
    }
}

fn nearest(errors: impl Iterator<Item = Option<f64>>) -> u8 {
    let mut best = (f64::INFINITY, 0);
    for (t, error) in errors.enumerate() {
        if let Some(error) = error.filter(|e| *e < best.0) {
            best = (error, t as u8);
        }
    }
    best.1
}

/// Rows of which one thread sorts the pixels.
const BAND_ROWS: usize = 64;

/// All 256 thresholds in one pass: pixels are added from bright to dark while a union-find keeps the
/// objects.
///
/// # Panics
/// If there are not `width * height` pixels, or nearly 2^31 or more of them.
pub fn sweep(pixels: &[u8], width: usize, height: usize) -> Sweep {
    assert_eq!(pixels.len(), width * height);
    // With a margin of absent pixels, so that every pixel has eight neighbours.
    let stride = width + 2;
    let cells = stride * (height + 2);
    assert!(cells < growing::ABSENT as usize, "image too large for a sweep");
    let ring = Ring::of(pixels, width);
    let (order, of_value) = brightest_first(pixels, width);
    let mut growing = Growing::new(ring);
    let mut out = Sweep { counts: vec![0; 256], mean_radii_px: vec![None; 256] };
    let mut next = 0;
    for threshold in (0..256usize).rev() {
        let brighter = of_value.get(threshold + 1).copied().unwrap_or(0);
        growing.add(&order[next..next + brighter]);
        next += brighter;
        out.counts[threshold] = growing.objects;
        if growing.objects > 0 {
            let mean_root = growing.sum_of_roots / f64::from(growing.objects);
            out.mean_radii_px[threshold] = Some(mean_root / std::f64::consts::PI.sqrt());
        }
    }
    out
}

/// Places of the pixels, by rows of `width + 2` with a margin of one, in order of descending value (a counting sort); and
/// how many pixels have each value.
fn brightest_first(pixels: &[u8], width: usize) -> (Vec<u32>, [usize; 256]) {
    let band = (BAND_ROWS * width).max(1);
    let histogram = |band: &[u8]| {
        let mut of_value = [0usize; 256];
        band.iter().for_each(|&v| of_value[usize::from(v)] += 1);
        of_value
    };
    let counts: Vec<[usize; 256]> = pixels.par_chunks(band).map(histogram).collect();
    let mut order = vec![0u32; pixels.len()];
    // Each band has a part of the places of each value, in order.
    let mut slots: Vec<Vec<std::slice::IterMut<u32>>> = counts.iter().map(|_| Vec::new()).collect();
    let mut rest = order.as_mut_slice();
    for value in (0..256).rev() {
        for (slots, counts) in slots.iter_mut().zip(&counts) {
            let (own, after) = std::mem::take(&mut rest).split_at_mut(counts[value]);
            slots.push(own.iter_mut());
            rest = after;
        }
    }
    pixels.par_chunks(band).zip(&mut slots).enumerate().for_each(|(i, (band, slots))| {
        for (y, row) in (i * BAND_ROWS..).zip(band.chunks_exact(width.max(1))) {
            let first = (y + 1) * (width + 2) + 1;
            for (place, &v) in (first..).zip(row) {
                if let Some(slot) = slots[255 - usize::from(v)].next() {
                    *slot = place as u32;
                }
            }
        }
    });
    let mut of_value = [0; 256];
    for counts in &counts {
        of_value.iter_mut().zip(counts).for_each(|(sum, n)| *sum += n);
    }
    (order, of_value)
}
