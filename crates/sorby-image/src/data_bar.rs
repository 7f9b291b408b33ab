//! The data bar that microscopes burn into the bottom of a picture, and the scale bar in it, found by their looks.

use crate::scale::SCALE_TOLERANCE;

/// Values this near to black or white count as such; JPEG files blur text.
const NEAR: u8 = 28;
/// Share of black and white pixels in a row of a data bar, and of the more frequent of the two.
const TWO_TONED: f64 = 0.75;
const GROUND: f64 = 0.5;
/// Rows that break the pattern for fewer than this are frames or letters cut by it.
const BREAK_ROWS: usize = 4;
/// Heights that data bars have, as shares of the picture's.
const LOW: f64 = 0.015;
const HIGH: f64 = 0.25;

/// A data bar found at the bottom of a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DataBar {
    /// Rows at the bottom that are no part of the field.
    pub rows_px: usize,
    /// The scale bar drawn in the data bar; `None` where none is found.
    pub scale_bar: Option<ScaleBar>,
}

/// The drawn mark whose length in nature is written next to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScaleBar {
    /// From the middle of its left end mark to the middle of its right one.
    pub length_px: f64,
    /// Where its length may lie in truth, about `length_px`.
    pub uncertainty_px: f64,
    /// Row of the whole picture in which the line of the bar runs, from 0 at the top.
    pub row: usize,
    /// Middle of the left end mark, in pixels from the left edge of the picture.
    pub left_px: f64,
}

impl DataBar {
    /// Looks for a data bar in grey values, row-major.
    ///
    /// # Panics
    /// When `grey` has not `width * height` values.
    pub fn find(grey: &[u8], width: usize, height: usize) -> Option<Self> {
        assert_eq!(grey.len(), width * height);
        let row = |y: usize| &grey[y * width..(y + 1) * width];
        if width < 64 || height < 64 {
            return None;
        }
        let (mut top, mut broken) = (height, 0);
        for y in (0..height).rev() {
            if two_toned(row(y)) {
                (top, broken) = (y, 0);
            } else {
                broken += 1;
                if broken >= BREAK_ROWS {
                    break;
                }
            }
        }
        let rows = height - top;
        if (rows as f64) < LOW * height as f64 || rows as f64 > HIGH * height as f64 || rows < 12 {
            return None;
        }
        let bar = Self::of_rows(grey, width, rows);
        let ink = Strip::of(&grey[top * width..], width).ink;
        // Black or white alone may be a dark or overexposed specimen: a bar has text.
        let written = ink.iter().filter(|i| **i).count() as f64 / ink.len() as f64;
        (0.005..0.45).contains(&written).then_some(bar)
    }

    /// The data bar that is known to fill the last `rows_px` rows; looks for the scale bar in it.
    ///
    /// # Panics
    /// When `rows_px` is more than the rows of the picture, or `width` is 0.
    pub(crate) fn of_rows(grey: &[u8], width: usize, rows_px: usize) -> Self {
        let top = grey.len() / width.max(1) - rows_px;
        let strip = Strip::of(&grey[top * width..], width);
        let scale_bar = strip.line().or_else(|| strip.ruler());
        Self { rows_px, scale_bar: scale_bar.map(|s| ScaleBar { row: s.row + top, ..s }) }
    }
}

impl ScaleBar {
    /// Whether the bar is `nm` nanometres long where a pixel has `nm_per_px`: within the tolerance of two statements and
    /// what its drawing leaves open.
    pub fn agrees(&self, nm: f64, nm_per_px: f64) -> bool {
        (self.length_px * nm_per_px / nm - 1.0).abs()
            <= SCALE_TOLERANCE + self.uncertainty_px / self.length_px
    }

    /// The length in nanometres that microscopes would write next to the bar (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8 times a
    /// power of ten) that is nearest to its length where a pixel has `nm_per_px`.
    pub fn nearest_round_nm(&self, nm_per_px: f64) -> f64 {
        let nm = self.length_px * nm_per_px;
        let power = 10f64.powf(nm.log10().floor());
        let round = [1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0].map(|m| m * power);
        let off = |r: &f64| (nm / r).ln().abs();
        round.into_iter().min_by(|a, b| off(a).total_cmp(&off(b))).unwrap_or(nm)
    }
}

fn two_toned(row: &[u8]) -> bool {
    let n = row.len() as f64;
    let black = row.iter().filter(|v| **v <= NEAR).count() as f64 / n;
    let white = row.iter().filter(|v| **v >= 255 - NEAR).count() as f64 / n;
    black + white >= TWO_TONED && black.max(white) >= GROUND
}

/// A data bar as ink on its ground.
struct Strip {
    width: usize,
    height: usize,
    ink: Vec<bool>,
}

impl Strip {
    fn of(grey: &[u8], width: usize) -> Self {
        let white = grey.iter().filter(|v| **v >= 128).count() * 2 > grey.len();
        let ink = grey.iter().map(|v| (*v >= 128) != white).collect();
        Self { width, height: grey.len() / width, ink }
    }

    fn at(&self, x: usize, y: usize) -> bool {
        self.ink[y * self.width + x]
    }

    /// Runs of ink of a row, `start..end`.
    fn runs(&self, y: usize) -> Vec<(usize, usize)> {
        let mut out = Vec::new();
        let mut x = 0;
        while x < self.width {
            if self.at(x, y) {
                let end = (x..self.width).find(|&e| !self.at(e, y)).unwrap_or(self.width);
                out.push((x, end));
                x = end;
            }
            x += 1;
        }
        out
    }

    /// Rows of ink above and below a pixel, its own included.
    fn column(&self, x: usize, y: usize) -> (usize, usize) {
        let mut top = y;
        while top > 0 && self.at(x, top - 1) {
            top -= 1;
        }
        let mut bottom = y + 1;
        while bottom < self.height && self.at(x, bottom) {
            bottom += 1;
        }
        (top, bottom)
    }

    /// A thin horizontal line with a mark at each end, in one piece or with its length written in a gap in the middle.
    fn line(&self) -> Option<ScaleBar> {
        let mut best: Option<ScaleBar> = None;
        for y in 0..self.height {
            let long: Vec<(usize, usize)> =
                self.runs(y).into_iter().filter(|r| r.1 - r.0 >= self.width / 50).collect();
            let whole = long.iter().map(|r| (*r, *r));
            let broken = long.windows(2).map(|w| (w[0], w[1]));
            for (first, last) in whole.chain(broken) {
                let Some(found) = self.measured(first, last, y) else { continue };
                if best.is_none_or(|b| found.length_px > b.length_px) {
                    best = Some(found);
                }
            }
        }
        best
    }

    fn measured(&self, first: (usize, usize), last: (usize, usize), y: usize) -> Option<ScaleBar> {
        let (left, right) = (first.0, last.1);
        let span = right - left;
        // Frames of the bar reach its sides.
        if left < 4 || right + 4 > self.width || span < self.width / 40 || span > self.width * 3 / 5 {
            return None;
        }
        if first != last {
            let (a, b, gap) = (first.1 - first.0, last.1 - last.0, last.0 - first.1);
            if a.abs_diff(b) > 2 + a.max(b) / 10 || gap > a + b {
                return None;
            }
        }
        // Thin everywhere but at the ends.
        let mark = (span / 12).clamp(3, 12);
        let thickness = |x: usize| {
            let (top, bottom) = self.column(x, y);
            bottom - top
        };
        let inner =
            (first.0 + mark..first.1.saturating_sub(2)).chain(last.0 + 2..last.1.saturating_sub(mark));
        let inner: Vec<usize> = inner.map(thickness).collect();
        let thick = inner.iter().copied().max()?;
        if thick > (self.height / 6).max(3) {
            return None;
        }
        let tallest =
            |xs: std::ops::Range<usize>| xs.max_by_key(|x| thickness(*x)).map(|x| (x, thickness(x)));
        let ends = [tallest(left..left + mark)?, tallest(right - mark..right)?];
        let marked = ends.iter().all(|e| e.1 >= thick + 2 && e.1 < self.height * 9 / 10);
        if !marked || ends[0].1.abs_diff(ends[1].1) > 2 {
            return None;
        }
        // The middle of each end mark: the columns as tall as its tallest.
        let middle = |xs: std::ops::Range<usize>, tall: usize| {
            let tall: Vec<usize> = xs.filter(|x| thickness(*x) + 1 >= tall).collect();
            (tall[0] + tall[tall.len() - 1]) as f64 / 2.0
        };
        let (a, b) = (middle(left..left + mark, ends[0].1), middle(right - mark..right, ends[1].1));
        Some(ScaleBar { length_px: b - a, uncertainty_px: 2.0, row: y, left_px: a })
    }

    /// Evenly spaced marks, five or more, of equal height.
    fn ruler(&self) -> Option<ScaleBar> {
        let mut best: Option<ScaleBar> = None;
        for y in 0..self.height {
            let marks: Vec<f64> = self
                .runs(y)
                .into_iter()
                .filter(|r| r.1 - r.0 <= 6)
                .map(|r| (r.0 + r.1 - 1) as f64 / 2.0)
                .collect();
            for start in 0..marks.len().saturating_sub(4) {
                let step = marks[start + 1] - marks[start];
                if step < 8.0 {
                    continue;
                }
                // The next mark is expected where the steps so far lead.
                let mut count = 2;
                while let Some(next) = marks.get(start + count) {
                    let so_far = marks[start + count - 1] - marks[start];
                    if (next - marks[start] - so_far * count as f64 / (count - 1) as f64).abs() > 2.0 {
                        break;
                    }
                    count += 1;
                }
                let length = marks[start + count - 1] - marks[start];
                let wide = length >= self.width as f64 / 10.0;
                if count >= 5 && wide && best.is_none_or(|b| length > b.length_px) {
                    let uncertainty_px = 1.5;
                    best =
                        Some(ScaleBar { length_px: length, uncertainty_px, row: y, left_px: marks[start] });
                }
            }
        }
        best
    }
}
