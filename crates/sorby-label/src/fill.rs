//! One click, one object.
//!
//! From the clicked pixel the region of brighter (and, on its own, of darker) pixels is grown level by level, as in a
//! component tree. The level whose outline lies on the steepest edges is the object. No tolerance to set.

use crate::features::gaussian;

/// Pixels `x_start..x_end` of row `y`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Row of the image, from 0 at the top.
    pub y: u32,
    /// First column of the span.
    pub x_start: u32,
    /// Column after the last one of the span.
    pub x_end: u32,
}

/// An object found from a click.
#[derive(Clone, Debug, PartialEq)]
pub struct Fill {
    /// The pixels of the object, in raster order; holes are filled.
    pub spans: Vec<Span>,
    /// Number of pixels in all spans.
    pub area_px: u64,
}

/// Farthest that an object may reach from the click, in pixels.
const REACH: usize = 400;
/// Objects of fewer pixels are noise.
const MIN_AREA: usize = 6;
/// Share of the window that an object may fill.
const MAX_SHARE: f64 = 0.4;
/// Smoothing before, in pixels.
const SIGMA: f32 = 1.0;

/// The object at (x, y) of an 8-bit grey image; `None` where nothing stands out, or outside the image.
pub fn object_at(grey: &[u8], width: usize, height: usize, (x, y): (usize, usize)) -> Option<Fill> {
    if x >= width || y >= height {
        return None;
    }
    let (left, top) = (x.saturating_sub(REACH), y.saturating_sub(REACH));
    let (right, bottom) = ((x + REACH + 1).min(width), (y + REACH + 1).min(height));
    let window = Window::cut(grey, width, (left, top, right, bottom));
    let seed = (y - top) * window.width + (x - left);
    let bright = window.grow(seed, false);
    let dark = window.grow(seed, true);
    let (_, pixels) = [bright, dark].into_iter().flatten().max_by(|a, b| a.0.total_cmp(&b.0))?;
    let mask = window.without_holes(&pixels);
    let mut spans = Vec::new();
    for (row, values) in mask.chunks_exact(window.width).enumerate() {
        let mut x = 0;
        for run in values.chunk_by(|a, b| a == b) {
            if run[0] {
                let start = (left + x) as u32;
                spans.push(Span { y: (top + row) as u32, x_start: start, x_end: start + run.len() as u32 });
            }
            x += run.len();
        }
    }
    let area_px = spans.iter().map(|s| u64::from(s.x_end - s.x_start)).sum();
    Some(Fill { spans, area_px })
}

struct Window {
    width: usize,
    height: usize,
    /// Smoothed grey values.
    values: Vec<u8>,
    /// Steepness of the smoothed image.
    slope: Vec<f32>,
}

impl Window {
    fn cut(grey: &[u8], stride: usize, (left, top, right, bottom): (usize, usize, usize, usize)) -> Self {
        let (width, height) = (right - left, bottom - top);
        let rows = (top..bottom).flat_map(|y| &grey[y * stride + left..y * stride + right]);
        let image: Vec<f32> = rows.map(|v| f32::from(*v)).collect();
        let smooth = gaussian(&image, width, SIGMA);
        let mut slope = vec![0.0; smooth.len()];
        for y in 0..height {
            for x in 0..width {
                let at = |x: usize, y: usize| smooth[y * width + x];
                let dx = at((x + 1).min(width - 1), y) - at(x.saturating_sub(1), y);
                let dy = at(x, (y + 1).min(height - 1)) - at(x, y.saturating_sub(1));
                slope[y * width + x] = dx.hypot(dy);
            }
        }
        Self { width, height, values: smooth.iter().map(|v| v.round() as u8).collect(), slope }
    }

    fn neighbours(&self, i: usize) -> impl Iterator<Item = usize> + use<> {
        let (x, y, width, height) = (i % self.width, i / self.width, self.width, self.height);
        [
            (x > 0).then(|| i - 1),
            (x + 1 < width).then(|| i + 1),
            (y > 0).then(|| i - width),
            (y + 1 < height).then(|| i + width),
        ]
        .into_iter()
        .flatten()
    }

    /// The region round `seed` whose outline is steepest, and how steep that is. With `dark`, the region of darker
    /// pixels.
    fn grow(&self, seed: usize, dark: bool) -> Option<(f64, Vec<usize>)> {
        let value = |i: usize| usize::from(if dark { 255 - self.values[i] } else { self.values[i] });
        let limit = (self.values.len() as f64 * MAX_SHARE) as usize;
        let mut buckets = vec![Vec::new(); 256];
        let mut seen = vec![false; self.values.len()];
        let (mut order, mut outline, mut slopes) = (Vec::new(), 0usize, 0.0f64);
        let mut best: Option<(f64, usize)> = None;
        // Never above the seed's own level: from there on, the whole region at least as bright as the level is taken.
        let mut level = value(seed);
        buckets[level].push(seed);
        seen[seed] = true;
        (outline, slopes) = (outline + 1, slopes + f64::from(self.slope[seed]));
        loop {
            while let Some(i) = buckets[level].pop() {
                order.push(i);
                outline -= 1;
                slopes -= f64::from(self.slope[i]);
                for next in self.neighbours(i) {
                    if !seen[next] {
                        seen[next] = true;
                        buckets[value(next).min(level)].push(next);
                        outline += 1;
                        slopes += f64::from(self.slope[next]);
                    }
                }
            }
            if order.len() > limit || level == 0 {
                break;
            }
            if order.len() >= MIN_AREA && outline > 0 {
                let steep = slopes / outline as f64;
                if best.is_none_or(|b| steep > b.0) {
                    best = Some((steep, order.len()));
                }
            }
            level -= 1;
        }
        let (steep, count) = best?;
        order.truncate(count);
        // The steepest pixels lie on the edge itself: it runs through them, and a person draws it round them.
        let mut inside = vec![false; self.values.len()];
        order.iter().for_each(|i| inside[*i] = true);
        for i in 0..count {
            for next in self.neighbours(order[i]) {
                if !inside[next] {
                    inside[next] = true;
                    order.push(next);
                }
            }
        }
        Some((steep, order))
    }

    /// The pixels with what they enclose.
    fn without_holes(&self, pixels: &[usize]) -> Vec<bool> {
        let mut mask = vec![false; self.values.len()];
        pixels.iter().for_each(|i| mask[*i] = true);
        let edge = |i: &usize| {
            let (x, y) = (i % self.width, i / self.width);
            x == 0 || y == 0 || x + 1 == self.width || y + 1 == self.height
        };
        let mut outside = vec![false; mask.len()];
        let mut open: Vec<usize> = (0..mask.len()).filter(|i| edge(i) && !mask[*i]).collect();
        open.iter().for_each(|i| outside[*i] = true);
        while let Some(i) = open.pop() {
            for next in self.neighbours(i) {
                if !mask[next] && !outside[next] {
                    outside[next] = true;
                    open.push(next);
                }
            }
        }
        outside.iter().map(|o| !o).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disc of radius 12 at (40, 30), blurred by one pixel, on another level.
    fn disc(inside: f64, outside: f64) -> Vec<u8> {
        (0..60 * 80)
            .map(|i| {
                let distance = ((i % 80) as f64 - 40.0).hypot((i / 80) as f64 - 30.0) - 12.0;
                let share = 1.0 / (1.0 + (1.5 * distance).exp());
                (outside + (inside - outside) * share).round() as u8
            })
            .collect()
    }

    #[test]
    fn a_click_takes_the_disc_bright_or_dark() {
        let area = std::f64::consts::PI * 144.0;
        for (inside, outside) in [(180.0, 90.0), (60.0, 140.0)] {
            let fill = object_at(&disc(inside, outside), 80, 60, (44, 33)).unwrap();
            let found = fill.area_px as f64;
            // One ring of pixels more than the half level: a circle of radius 13 at most.
            assert!((0.95..1.25).contains(&(found / area)), "{found} of {area}");
            assert!(fill.spans.iter().all(|s| (17..=43).contains(&s.y)));
        }
    }

    #[test]
    fn holes_are_part_of_the_object() {
        let mut image = disc(180.0, 90.0);
        for y in 28..31 {
            for x in 38..41 {
                image[y * 80 + x] = 90;
            }
        }
        let fill = object_at(&image, 80, 60, (46, 30)).unwrap();
        assert!(fill.spans.iter().any(|s| s.y == 29 && s.x_start < 38 && s.x_end > 41));
    }

    #[test]
    fn nothing_stands_out_of_an_even_image() {
        assert_eq!(object_at(&[100; 80 * 60], 80, 60, (10, 10)), None);
        assert_eq!(object_at(&[100; 80 * 60], 80, 60, (80, 10)), None);
    }
}
