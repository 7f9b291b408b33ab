//! What is no microstructure: scratches, specks, dust, the data bar.

use super::picture::Frame;
use sorby_random::Stream;
use std::f64::consts::{PI, TAU};

/// Straight scratches, most of them along one direction, each `3` to `60` grey levels deep.
pub(super) fn scratch(frame: &mut Frame, per_area: f64, contrast: f64, stream: &mut Stream) {
    let count = (per_area * frame.grey.len() as f64 / 60_000.0).ceil() as usize;
    let direction = stream.uniform(0.0, PI);
    let deepest = (0.6 * contrast).clamp(8.0, 60.0);
    for _ in 0..count {
        let angle = direction + 0.2 * stream.normal();
        let (s, c) = angle.sin_cos();
        let mut at = (stream.uniform(0.0, frame.width as f64), stream.uniform(0.0, frame.height as f64));
        let (half, depth) = (stream.uniform(0.5, 1.2), stream.uniform(3.0, deepest));
        let depth = if stream.chance(0.5) { depth } else { -depth };
        let length = frame.width.max(frame.height) as f64 * stream.uniform(0.2, 1.5);
        let across = s.abs() < c.abs();
        // One step along the longer axis; a short line across it at each.
        let step = if across { (c.signum(), s / c.abs()) } else { (c / s.abs(), s.signum()) };
        for _ in 0..(length * c.abs().max(s.abs())) as usize {
            let centre = if across { at.1 } else { at.0 };
            for k in -3..=3 {
                let off = centre.round() + f64::from(k);
                let (x, y) = if across { (at.0.round(), off) } else { (off, at.1.round()) };
                let far = (off - centre) * c.abs().max(s.abs());
                frame.add(x, y, depth * (-(far / half).powi(2)).exp());
            }
            at = (at.0 + step.0, at.1 + step.1);
        }
    }
}

/// Bright specks of one or two pixels and dark dust of several.
pub(super) fn dirty(frame: &mut Frame, per_area: f64, stream: &mut Stream) {
    for _ in 0..(per_area * frame.grey.len() as f64 / 10_000.0).ceil() as usize {
        let (radius, level) = if stream.chance(0.7) {
            (stream.uniform(0.6, 1.3), stream.uniform(30.0, 110.0))
        } else {
            (stream.uniform(1.5, 5.0), -stream.uniform(10.0, 50.0))
        };
        let (cx, cy) = (stream.uniform(0.0, frame.width as f64), stream.uniform(0.0, frame.height as f64));
        let (squeeze, turn) = (stream.uniform(1.0, 2.0), stream.uniform(0.0, TAU).sin_cos());
        let reach = (3.0 * radius).ceil() as i32;
        for j in -reach..=reach {
            for i in -reach..=reach {
                let (dx, dy) = (f64::from(i), f64::from(j));
                let (u, v) = (turn.1 * dx + turn.0 * dy, (turn.1 * dy - turn.0 * dx) * squeeze);
                let value = level * (-(u * u + v * v) / (radius * radius)).exp();
                frame.add(cx.round() + dx, cy.round() + dy, value);
            }
        }
    }
}

impl Frame {
    /// Adds to a pixel, if there is one.
    fn add(&mut self, x: f64, y: f64, value: f64) {
        if x >= 0.0 && y >= 0.0 && x < self.width as f64 && y < self.height as f64 {
            self.grey[y as usize * self.width + x as usize] += value as f32;
        }
    }
}

/// Rows of a data bar that is this share of the height; none for 0.
pub(super) fn bar_rows(height: usize, share: f64) -> usize {
    if share == 0.0 { 0 } else { ((share * height as f64).round() as usize).clamp(8, height / 4) }
}

/// Black or white ground, a scale bar, words as blocks.
pub(super) fn draw_bar(pixels: &mut [u8], width: usize, rows: usize, stream: &mut Stream) {
    if rows == 0 {
        return;
    }
    let (ground, ink) = if stream.chance(0.7) { (0, 255) } else { (255, 0) };
    let top = pixels.len() - rows * width;
    let bar = &mut pixels[top..];
    bar.fill(ground);
    let mut block = |left: usize, right: usize, above: usize, below: usize| {
        for y in above..below.min(rows) {
            bar[y * width + left.min(width)..y * width + right.min(width)].fill(ink);
        }
    };
    let (left, length) = (width / 20 + stream.below(width / 8), width / 8 + stream.below(width / 8));
    let middle = rows / 2;
    block(left, left + length, middle, middle + (rows / 12).max(1));
    block(left, left + 1, middle - rows / 5, middle + rows / 5 + 1);
    block(left + length - 1, left + length, middle - rows / 5, middle + rows / 5 + 1);
    let letter = (rows / 4).max(3);
    let mut x = left + length + letter;
    while x + letter < width {
        // A word or a gap; letters are strokes of two kinds.
        if stream.chance(0.8) {
            block(x, x + (letter / 5).max(1), middle - letter / 2, middle + letter / 2);
            let crossed = middle - letter / 2 + stream.below(letter);
            block(x, x + letter / 2, crossed, crossed + (letter / 6).max(1));
        }
        x += letter;
    }
}
