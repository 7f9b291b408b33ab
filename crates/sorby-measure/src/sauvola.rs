//! Sauvola's local threshold.

/// Bright objects by Sauvola and Pietikainen (2000), worked on the negative picture, for the method looks for dark
/// marks: a pixel belongs to an object where `255 - v <= m (1 + k (s / 128 - 1))`, m and s being mean and standard
/// deviation of the negative in a square of `window_px` (odd) about it, mirrored at the edges.
pub fn sauvola(pixels: &[u8], width: usize, height: usize, window_px: usize, k: f64) -> Vec<bool> {
    assert_eq!(pixels.len(), width * height);
    let half = window_px / 2;
    // Sums over rows above and columns to the left, of the mirrored picture.
    let (wide, high) = (width + 2 * half, height + 2 * half);
    let mirror = |i: usize, n: usize| {
        let i = (i as isize - half as isize).rem_euclid(2 * n as isize) as usize;
        if i < n { i } else { 2 * n - 1 - i }
    };
    let columns: Vec<usize> = (0..wide).map(|x| mirror(x, width)).collect();
    let mut sums = vec![(0u64, 0u64); (wide + 1) * (high + 1)];
    for y in 0..high {
        let row = &pixels[mirror(y, height) * width..][..width];
        let (mut sum, mut squares) = (0u64, 0u64);
        for (x, &column) in columns.iter().enumerate() {
            let v = u64::from(255 - row[column]);
            (sum, squares) = (sum + v, squares + v * v);
            let above = sums[y * (wide + 1) + x + 1];
            sums[(y + 1) * (wide + 1) + x + 1] = (above.0 + sum, above.1 + squares);
        }
    }
    let size = 2 * half + 1;
    let n = (size * size) as f64;
    let mut out = Vec::with_capacity(pixels.len());
    for y in 0..height {
        for x in 0..width {
            let at = |dy: usize, dx: usize| sums[(y + dy) * (wide + 1) + x + dx];
            let (a, b, c, d) = (at(0, 0), at(0, size), at(size, 0), at(size, size));
            let mean = (d.0 + a.0 - b.0 - c.0) as f64 / n;
            let variance = (d.1 + a.1 - b.1 - c.1) as f64 / n - mean * mean;
            let threshold = mean * (1.0 + k * (variance.max(0.0).sqrt() / 128.0 - 1.0));
            out.push(f64::from(255 - pixels[y * width + x]) <= threshold);
        }
    }
    out
}
