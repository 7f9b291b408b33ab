//! Test lines laid over a mask: what part of them lies in the class, and how often they cross its boundary.

use sorby_image::{IGNORE, LabelMap};

/// What test lines meet, in pixels, as means over four directions.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Lines {
    /// Length of lines.
    pub length_px: f64,
    /// Of it, within the class.
    pub class_px: f64,
    /// Crossings of the boundary of the class.
    pub crossings: f64,
}

/// Lines through every pixel in four directions (horizontal, vertical, both diagonals), summed per cell of a grid of
/// `cell_px` x `cell_px` pixels, `columns` to a row; ignored pixels end a line.
///
/// With them (Underwood 1970, ASTM E1382): surface per volume `S_V = 2 P / L`, mean intercept of the class
/// `2 L_class / P`, mean free path between its objects `2 (L - L_class) / P`.
pub fn lines(mask: &LabelMap, height: usize, class: u8, cell_px: usize, columns: usize) -> Vec<Lines> {
    let width = mask.width;
    let mut out = vec![Lines::default(); columns * height.div_ceil(cell_px)];
    let row = |y: usize| &mask.labels[y * width..(y + 1) * width];
    for y in 0..height {
        let here = row(y);
        let below = (y + 1 < height).then(|| row(y + 1));
        for (column, start) in (0..width).step_by(cell_px).enumerate() {
            let end = (start + cell_px).min(width);
            let mut tally = [Tally::default(); 2];
            for x in start..end {
                let at = here[x];
                if x + 1 < width {
                    tally[0].step(at, here[x + 1], class);
                }
                let Some(below) = below else { continue };
                tally[0].step(at, below[x], class);
                if x + 1 < width {
                    tally[1].step(at, below[x + 1], class);
                    tally[1].step(here[x + 1], below[x], class);
                }
            }
            let cell = &mut out[y / cell_px * columns + column];
            // Diagonal steps are longer by sqrt(2): divided by it, all directions have the same length of lines.
            for (tally, longer) in tally.iter().zip([1.0, 2f64.sqrt()]) {
                cell.length_px += f64::from(tally.steps);
                cell.class_px += f64::from(tally.ends_in_class) / 2.0;
                cell.crossings += f64::from(tally.crossings) / longer;
            }
        }
    }
    out
}

/// Steps from one pixel to the next.
#[derive(Clone, Copy, Default)]
struct Tally {
    steps: u32,
    ends_in_class: u32,
    crossings: u32,
}

impl Tally {
    #[inline]
    fn step(&mut self, a: u8, b: u8, class: u8) {
        let known = u32::from(a != IGNORE && b != IGNORE);
        let (a, b) = (u32::from(a == class) & known, u32::from(b == class) & known);
        self.steps += known;
        self.ends_in_class += a + b;
        self.crossings += a ^ b;
    }
}
