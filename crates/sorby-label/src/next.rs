//! Where a label would help most.

/// A box of an image, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Region {
    /// Left column of the box.
    pub x: usize,
    /// Top row of the box.
    pub y: usize,
    /// Columns of the box, in pixels.
    pub width: usize,
    /// Rows of the box, in pixels.
    pub height: usize,
    /// Mean doubt in it, 0..1: one less the probability of the class given.
    pub doubt: f64,
}

/// The square of `size_px` in which a mask is least sure, and the mean doubt of the whole field. `confidence` is the
/// probability of each pixel's class, 0..255, row-major; rows from `field_rows` on are no part of it. `None` where
/// there is no field, or `confidence` has fewer values than it.
pub fn doubtful_region(
    confidence: &[u8],
    width: usize,
    field_rows: usize,
    size_px: usize,
) -> Option<(Region, f64)> {
    if width == 0 || field_rows == 0 || confidence.len() < width * field_rows {
        return None;
    }
    let (w, h) = (size_px.min(width), size_px.min(field_rows));
    // Sums of everything above and to the left.
    let mut sums = vec![0u64; (width + 1) * (field_rows + 1)];
    for y in 0..field_rows {
        let mut row = 0;
        for x in 0..width {
            row += u64::from(255 - confidence[y * width + x]);
            sums[(y + 1) * (width + 1) + x + 1] = sums[y * (width + 1) + x + 1] + row;
        }
    }
    let at = |x: usize, y: usize| sums[y * (width + 1) + x];
    let sum = |x: usize, y: usize| at(x + w, y + h) + at(x, y) - at(x + w, y) - at(x, y + h);
    let step = (size_px / 8).max(1);
    let places = |limit: usize| (0..=limit).step_by(step).chain([limit]);
    let mut best = (0, 0, sum(0, 0));
    for y in places(field_rows - h) {
        for x in places(width - w) {
            let found = sum(x, y);
            if found > best.2 {
                best = (x, y, found);
            }
        }
    }
    let mean = |total: u64, pixels: usize| total as f64 / 255.0 / pixels as f64;
    let region = Region { x: best.0, y: best.1, width: w, height: h, doubt: mean(best.2, w * h) };
    Some((region, mean(at(width, field_rows), width * field_rows)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_doubtful_corner_is_found() {
        let mut sure = vec![255; 100 * 80];
        for y in 60..80 {
            for x in 70..90 {
                sure[y * 100 + x] = 0;
            }
        }
        let (region, mean) = doubtful_region(&sure, 100, 80, 24).unwrap();
        assert!(region.x <= 70 && region.x + 24 >= 90 && region.y == 56, "{region:?}");
        assert!((region.doubt - 400.0 / 576.0).abs() < 1e-9);
        assert!((mean - 400.0 / 8000.0).abs() < 1e-9);
        // A data bar is no part of the field.
        let (region, _) = doubtful_region(&sure, 100, 60, 24).unwrap();
        assert_eq!(region.doubt, 0.0);
    }
}
