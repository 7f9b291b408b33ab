//! Sauvola's local threshold.

/// Bright objects by Sauvola and Pietikainen (2000), worked on the negative picture, for the method looks for dark
/// marks: a pixel belongs to an object where `255 - v <= m (1 + k (s / 128 - 1))`, m and s being mean and standard
/// deviation of the negative in a square of `window_px` (odd) about it, mirrored at the edges.
///
/// # Panics
/// If there are not `width * height` pixels, or there is no pixel at all.
pub fn sauvola(pixels: &[u8], width: usize, height: usize, window_px: usize, k: f64) -> Vec<bool> {
    assert_eq!(pixels.len(), width * height);
    let half = window_px / 2;
    let mirror = |i: usize, n: usize| {
        let i = (i as isize - half as isize).rem_euclid(2 * n as isize) as usize;
        if i < n { i } else { 2 * n - 1 - i }
    };
    let columns: Vec<usize> = (0..width + 2 * half).map(|x| mirror(x, width)).collect();
    // Sum and sum of squares of every column over the rows of the window, which slides down.
    let mut sums = vec![(0u64, 0u64); width];
    let slide = |sums: &mut [(u64, u64)], row: usize, enters: bool| {
        let row = &pixels[mirror(row, height) * width..][..width];
        for (sum, v) in sums.iter_mut().zip(row) {
            let v = u64::from(255 - *v);
            *sum = if enters { (sum.0 + v, sum.1 + v * v) } else { (sum.0 - v, sum.1 - v * v) };
        }
    };
    (0..2 * half).for_each(|row| slide(&mut sums, row, true));
    let size = 2 * half + 1;
    let n = (size * size) as f64;
    let mut out = Vec::with_capacity(pixels.len());
    for y in 0..height {
        slide(&mut sums, y + 2 * half, true);
        let (mut sum, mut squares) = (0, 0);
        for (x, column) in columns.iter().enumerate() {
            let enters = sums[*column];
            (sum, squares) = (sum + enters.0, squares + enters.1);
            if x < 2 * half {
                continue;
            }
            let at = x - 2 * half;
            let mean = sum as f64 / n;
            let variance = squares as f64 / n - mean * mean;
            let threshold = mean * (1.0 + k * (variance.max(0.0).sqrt() / 128.0 - 1.0));
            out.push(f64::from(255 - pixels[y * width + at]) <= threshold);
            let leaves = sums[columns[at]];
            (sum, squares) = (sum - leaves.0, squares - leaves.1);
        }
        slide(&mut sums, y, false);
    }
    out
}
