//! Pictures of masks: classes on the micrograph, and right and wrong pixels in the paper's colours.

use sorby_image::write::{PngKind, png_bytes};
use sorby_image::{IGNORE, LabelMap};

/// White: the class by mask and label (colours after Ma & Yu 2023, Figs 3-6; red, green, blue).
pub const TRUE_POSITIVE: [u8; 3] = [255, 255, 255];
/// Black: another class by mask and label.
pub const TRUE_NEGATIVE: [u8; 3] = [0, 0, 0];
/// Green: the class by the mask only.
pub const FALSE_POSITIVE: [u8; 3] = [0, 255, 0];
/// Pink: the class by the label only.
pub const FALSE_NEGATIVE: [u8; 3] = [255, 105, 180];
/// Grey: pixels without label.
pub const UNLABELLED: [u8; 3] = [128, 128, 128];

/// An 8-bit colour picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Rgb {
    /// Columns, in pixels.
    pub width: usize,
    /// Rows, in pixels.
    pub height: usize,
    /// `width * height` colours (red, green, blue); the top row first.
    pub pixels: Vec<[u8; 3]>,
}

impl Rgb {
    /// A picture of grey values, row-major.
    ///
    /// # Panics
    /// When `values` has not `width * height` values.
    pub fn grey(width: usize, height: usize, values: &[u8]) -> Self {
        assert_eq!(values.len(), width * height);
        Self { width, height, pixels: values.iter().map(|&v| [v; 3]).collect() }
    }

    /// PNG bytes.
    ///
    /// # Panics
    /// When a side of the picture is 0, or `pixels` does not fit its size.
    pub fn png(&self) -> Vec<u8> {
        let flat: Vec<u8> = self.pixels.iter().flatten().copied().collect();
        png_bytes(self.width, self.height, PngKind::Rgb, &flat).expect("encoding to memory does not fail")
    }

    /// Draws a white bar with a black rim into the lower right corner, of a round length of a fifth of the picture's
    /// width or less; gives that length in nanometres.
    pub fn draw_scale_bar(&mut self, nm_per_px: f64) -> f64 {
        let most = self.width as f64 * nm_per_px / 5.0;
        let power = 10f64.powf(most.log10().floor());
        let nm = [5.0, 2.0, 1.0].into_iter().map(|m| m * power).find(|l| *l <= most).unwrap_or(power);
        let length = ((nm / nm_per_px).round() as usize).clamp(1, self.width);
        let thick = (self.height / 80).max(3);
        let (right, bottom) = (self.width.saturating_sub(12), self.height.saturating_sub(12));
        let (left, top) = (right.saturating_sub(length), bottom.saturating_sub(thick));
        for y in top.saturating_sub(2)..(bottom + 2).min(self.height) {
            for x in left.saturating_sub(2)..(right + 2).min(self.width) {
                let inside = (left..right).contains(&x) && (top..bottom).contains(&y);
                self.pixels[y * self.width + x] = [if inside { 255 } else { 0 }; 3];
            }
        }
        nm
    }

    /// Draws the outline of a box of `size` pixels with its upper left corner at `at`.
    pub fn draw_box(&mut self, at: (usize, usize), size: usize, colour: [u8; 3]) {
        const THICK: usize = 3;
        let ((left, top), (width, height)) = (at, (self.width, self.height));
        for y in top..(top + size).min(height) {
            for x in left..(left + size).min(width) {
                let edge = (x - left).min(y - top).min(left + size - 1 - x).min(top + size - 1 - y);
                if edge < THICK {
                    self.pixels[y * width + x] = colour;
                }
            }
        }
    }

    /// Pictures next to each other on white, 8 pixels apart, aligned at the top.
    pub fn side_by_side(pictures: &[Rgb]) -> Self {
        const GAP: usize = 8;
        let height = pictures.iter().map(|p| p.height).max().unwrap_or(0);
        let width = pictures.iter().map(|p| p.width + GAP).sum::<usize>().saturating_sub(GAP);
        let mut out = Self { width, height, pixels: vec![[255; 3]; width * height] };
        let mut left = 0;
        for picture in pictures {
            for (y, row) in picture.pixels.chunks(picture.width.max(1)).enumerate() {
                out.pixels[y * width + left..][..picture.width].copy_from_slice(row);
            }
            left += picture.width + GAP;
        }
        out
    }

    /// At most `edge` pixels on the longer side, by averaging whole blocks.
    ///
    /// # Panics
    /// When `edge` is 0.
    pub fn thumbnail(&self, edge: usize) -> Self {
        let factor = self.width.max(self.height).div_ceil(edge);
        if factor <= 1 {
            return self.clone();
        }
        let (width, height) = ((self.width / factor).max(1), (self.height / factor).max(1));
        let block = |i: usize| {
            let (x0, y0) = (i % width * factor, i / width * factor);
            let (rows, columns) = (y0..(y0 + factor).min(self.height), x0..(x0 + factor).min(self.width));
            let count = (rows.len() * columns.len()) as u32;
            std::array::from_fn(|c| {
                let cells = rows.clone().flat_map(|y| columns.clone().map(move |x| y * self.width + x));
                (cells.map(|at| u32::from(self.pixels[at][c])).sum::<u32>() / count) as u8
            })
        };
        Self { width, height, pixels: (0..width * height).map(block).collect() }
    }
}

/// Classes tinted over the grey picture with their outlines drawn full; the first class stays grey.
///
/// # Panics
/// When `grey` has more pixels than the mask.
pub fn classes(grey: &[u8], mask: &LabelMap, colours: &[[u8; 3]]) -> Rgb {
    let rows = grey.chunks_exact(mask.width.max(1)).enumerate();
    let pixels = rows.flat_map(|(y, grey)| class_row(grey, mask, y, colours)).collect();
    Rgb { width: mask.width, height: mask.height, pixels }
}

/// Row `y` of [`classes`].
pub fn class_row(grey: &[u8], mask: &LabelMap, y: usize, colours: &[[u8; 3]]) -> Vec<[u8; 3]> {
    let (width, height) = (mask.width, mask.height);
    let is_edge = |x: usize, label: u8| {
        let i = y * width + x;
        (x > 0 && mask.labels[i - 1] != label)
            || (x + 1 < width && mask.labels[i + 1] != label)
            || (y > 0 && mask.labels[i - width] != label)
            || (y + 1 < height && mask.labels[i + width] != label)
    };
    let pixel = |(x, &g): (usize, &u8)| {
        let label = mask.labels[y * width + x];
        match colours.get(usize::from(label)) {
            Some(colour) if label != 0 && label != IGNORE => {
                if is_edge(x, label) {
                    return *colour;
                }
                colour.map(|c| ((3 * u16::from(g) + 2 * u16::from(c)) / 5) as u8)
            }
            _ => [g; 3],
        }
    };
    grey.iter().enumerate().map(pixel).collect()
}

/// Outlines of the classes on the grey picture, so many pixels thick and within the objects; the first class has none.
///
/// # Panics
/// When `grey` has not as many pixels as the mask.
pub fn outlines(grey: &[u8], mask: &LabelMap, colours: &[[u8; 3]], thick_px: usize) -> Rgb {
    let (width, height) = (mask.width, mask.height);
    let is_edge = |x: usize, y: usize, label: u8| {
        let other = |x: usize, y: usize| mask.labels[y * width + x] != label;
        (1..=thick_px).any(|d| {
            (x >= d && other(x - d, y))
                || (x + d < width && other(x + d, y))
                || (y >= d && other(x, y - d))
                || (y + d < height && other(x, y + d))
        })
    };
    let mut out = Rgb::grey(width, height, grey);
    for (i, &label) in mask.labels.iter().enumerate().filter(|(_, l)| **l != 0 && **l != IGNORE) {
        if let Some(colour) = colours.get(usize::from(label)).filter(|_| is_edge(i % width, i / width, label))
        {
            out.pixels[i] = *colour;
        }
    }
    out
}

/// Right and wrong pixels of `class` compared with all other classes, in the colours of [`TRUE_POSITIVE`] and the other
/// constants.
///
/// `T` is right (white), `.` rightly another class (black), `P` a false positive (green), `N` a false negative (pink),
/// and `?` has no label (grey):
///
/// ```
/// use sorby_image::LabelMap;
/// use sorby_report::overlay;
///
/// let map = |rows: [&str; 3]| LabelMap {
///     width: 5,
///     height: 3,
///     labels: rows.concat().bytes().map(|c| if c == b'?' { 255 } else { c - b'0' }).collect(),
/// };
/// let mask = map(["00110", "01110", "00000"]);
/// let label = map(["00011", "0111?", "0000?"]);
/// let picture = overlay::errors(&mask, &label, 1);
/// let letter = |p: &[u8; 3]| match *p {
///     overlay::TRUE_POSITIVE => 'T',
///     overlay::TRUE_NEGATIVE => '.',
///     overlay::FALSE_POSITIVE => 'P',
///     overlay::FALSE_NEGATIVE => 'N',
///     _ => '?',
/// };
/// let rows: Vec<String> = picture.pixels.chunks(5).map(|row| row.iter().map(letter).collect()).collect();
/// assert_eq!(rows, ["..PTN", ".TTT?", "....?"]);
/// ```
///
/// # Panics
/// When `prediction` and `label` differ in size.
pub fn errors(prediction: &LabelMap, label: &LabelMap, class: u8) -> Rgb {
    assert_eq!((prediction.width, prediction.height), (label.width, label.height));
    let colour = |(&p, &l): (&u8, &u8)| match (p == class, l == class) {
        _ if l == IGNORE => UNLABELLED,
        (true, true) => TRUE_POSITIVE,
        (false, false) => TRUE_NEGATIVE,
        (true, false) => FALSE_POSITIVE,
        (false, true) => FALSE_NEGATIVE,
    };
    let pixels = prediction.labels.iter().zip(&label.labels).map(colour).collect();
    Rgb { width: label.width, height: label.height, pixels }
}

/// A mask in its classes' colours.
pub fn colours(mask: &LabelMap, colours: &[[u8; 3]]) -> Rgb {
    let pixel = |&l: &u8| colours.get(usize::from(l)).copied().unwrap_or(UNLABELLED);
    Rgb { width: mask.width, height: mask.height, pixels: mask.labels.iter().map(pixel).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(labels: &[u8]) -> LabelMap {
        LabelMap { width: labels.len(), height: 1, labels: labels.to_vec() }
    }

    #[test]
    fn errors_have_the_papers_colours() {
        let picture = errors(&map(&[1, 0, 1, 0, 1]), &map(&[1, 0, 0, 1, 255]), 1);
        assert_eq!(
            picture.pixels,
            [TRUE_POSITIVE, TRUE_NEGATIVE, FALSE_POSITIVE, FALSE_NEGATIVE, UNLABELLED]
        );
    }

    #[test]
    fn the_first_class_stays_grey_and_edges_are_full() {
        let picture = classes(&[100; 5], &map(&[0, 1, 1, 1, 0]), &[[0; 3], [200, 0, 50]]);
        assert_eq!(picture.pixels, [[100; 3], [200, 0, 50], [140, 60, 80], [200, 0, 50], [100; 3]]);
    }

    #[test]
    fn outlines_leave_the_inside_grey() {
        let mask = map(&[0, 1, 1, 1, 1, 1, 255]);
        let red = [200, 0, 0];
        let thin = outlines(&[9; 7], &mask, &[[0; 3], red], 1).pixels;
        assert_eq!(thin, [[9; 3], red, [9; 3], [9; 3], [9; 3], red, [9; 3]]);
        let thick = outlines(&[9; 7], &mask, &[[0; 3], red], 2).pixels;
        assert_eq!(thick.iter().filter(|p| **p == red).count(), 4);
    }

    #[test]
    fn scale_bars_are_as_long_as_they_say() {
        let mut picture = Rgb::grey(500, 300, &[90; 500 * 300]);
        // A fifth of 500 pixels of 38.76 nm is 3876 nm: 2000 nm are 51.6 pixels.
        assert_eq!(picture.draw_scale_bar(38.76), 2000.0);
        let row = &picture.pixels[(300 - 13) * 500..][..500];
        assert_eq!(row.iter().filter(|p| **p == [255; 3]).count(), 52);
        assert_eq!(Rgb::grey(500, 300, &[0; 500 * 300]).draw_scale_bar(0.01), 1.0);
    }

    #[test]
    fn boxes_and_rows_of_pictures() {
        let mut picture = Rgb::grey(20, 20, &[0; 400]);
        picture.draw_box((5, 4), 10, [9; 3]);
        // A frame three thick around 4 x 4.
        assert_eq!(picture.pixels.iter().filter(|p| **p == [9; 3]).count(), 100 - 16);
        assert!(picture.pixels[4 * 20 + 5] == [9; 3] && picture.pixels[8 * 20 + 9] == [0; 3]);
        let row = Rgb::side_by_side(&[Rgb::grey(2, 1, &[1, 2]), Rgb::grey(1, 2, &[3, 4])]);
        assert_eq!((row.width, row.height), (11, 2));
        assert_eq!(
            (row.pixels[1], row.pixels[10], row.pixels[21], row.pixels[11]),
            ([2; 3], [3; 3], [4; 3], [255; 3])
        );
    }

    #[test]
    fn thumbnails_average_blocks() {
        let picture = Rgb::grey(4, 2, &[0, 10, 20, 30, 10, 20, 30, 40]).thumbnail(2);
        assert_eq!((picture.width, picture.height, picture.pixels), (2, 1, vec![[10; 3], [30; 3]]));
        let thin = Rgb::grey(9, 1, &[60; 9]).thumbnail(3);
        assert_eq!((thin.width, thin.height, thin.pixels[2]), (3, 1, [60; 3]));
    }
}
