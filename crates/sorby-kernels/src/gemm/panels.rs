//! Products with a right-hand matrix that is already laid out for the microkernel.
//!
//! Whoever makes the right-hand matrix writes it in panels of [`PANEL`] columns, `[columns / 32][k][32]`,
//! so that the microkernel reads it as one stream. The left matrix is read in place: its elements are
//! only ever broadcast.

use super::Mat;
use super::micro::{MAX_ROWS, Tile};
use crate::prefetch::{LINE, fetch};

/// Columns of a panel.
pub(crate) const PANEL: usize = 32;

/// Floats of a `k` x `n` matrix in panels; the last panel is padded.
pub(crate) fn panels_len(k: usize, n: usize) -> usize {
    k * n.next_multiple_of(PANEL)
}

/// Lays out a matrix in panels.
pub(crate) fn to_panels(b: Mat) -> Vec<f32> {
    let (k, n) = (b.rows, b.cols);
    let mut out = vec![0.0; panels_len(k, n)];
    for (j, panel) in out.chunks_exact_mut(k * PANEL).enumerate() {
        let columns = PANEL.min(n - j * PANEL);
        for (p, row) in panel.chunks_exact_mut(PANEL).enumerate() {
            let first = p * b.row_stride + j * PANEL * b.col_stride;
            for (i, v) in row[..columns].iter_mut().enumerate() {
                *v = b.data[first + i * b.col_stride];
            }
        }
    }
    out
}

/// The left matrix of a [`product`]: element (i, p) at
/// `(i / panel) * panel_stride + (i % panel) * row_stride + p * k_stride`.
#[derive(Clone, Copy)]
pub(crate) struct Left<'a> {
    data: &'a [f32],
    rows: usize,
    k: usize,
    panel: usize,
    panel_stride: usize,
    row_stride: usize,
    k_stride: usize,
}

impl<'a> Left<'a> {
    /// A strided matrix.
    pub fn plain(a: Mat<'a>) -> Self {
        Self {
            data: a.data,
            rows: a.rows,
            k: a.cols,
            panel: usize::MAX,
            panel_stride: 0,
            row_stride: a.row_stride,
            k_stride: a.col_stride,
        }
    }

    /// The transpose of a `k` x `rows` matrix kept in panels of `panel` columns, `[rows / panel][k][panel]`.
    pub fn transposed_panels(data: &'a [f32], k: usize, rows: usize, panel: usize) -> Self {
        assert!(data.len() >= k * rows.next_multiple_of(panel));
        Self { data, rows, k, panel, panel_stride: k * panel, row_stride: 1, k_stride: panel }
    }

    /// From row `first` of the matrix on.
    fn starting_at(&self, first: usize) -> &'a [f32] {
        let (panel, row) = (first / self.panel, first % self.panel);
        &self.data[panel * self.panel_stride + row * self.row_stride..]
    }

    /// Asks for part `part` of `parts` of some rows.
    fn fetch(&self, first: usize, last: usize, part: usize, parts: usize) {
        if self.k_stride == 1 {
            for row in first..last {
                let start = row * self.row_stride;
                let range = start + part * self.k / parts..start + (part + 1) * self.k / parts;
                range.step_by(LINE).for_each(|at| fetch(self.data.as_ptr().wrapping_add(at)));
            }
        } else if first.is_multiple_of(self.panel) {
            let (start, len) = (first / self.panel * self.panel_stride, self.panel_stride);
            let range = start + part * len / parts..start + (part + 1) * len / parts;
            range.step_by(LINE).for_each(|at| fetch(self.data.as_ptr().wrapping_add(at)));
        }
    }

    /// Blocks of rows of nearly equal height, none across panels.
    fn blocks(&self) -> impl Iterator<Item = (usize, usize)> {
        let (rows, panel) = (self.rows, self.panel.min(self.rows));
        (0..rows).step_by(panel.max(1)).flat_map(move |start| {
            let height = panel.min(rows - start);
            let count = height.div_ceil(MAX_ROWS);
            (0..count).map(move |b| (start + b * height / count, start + (b + 1) * height / count))
        })
    }
}

/// `dst = a b`, or `dst += a b` when `accumulate`; `b` has `n` columns in panels, `dst` is row-major with
/// `dst_stride` between rows. One thread; every element is one sum in the order of `k`.
///
/// A block of rows meets all panels before the next, so that its left operand stays in the first-level
/// cache while the right-hand matrix streams from the second. Meanwhile the next block is fetched:
/// measured, waiting for it costs a fifth of the time.
pub(crate) fn product(dst: &mut [f32], dst_stride: usize, accumulate: bool, a: Left, b: &[f32], n: usize) {
    let (m, k) = (a.rows, a.k);
    assert!(k > 0 && b.len() == panels_len(k, n), "panels do not match the left matrix");
    assert!(m == 0 || n == 0 || (dst_stride >= n && (m - 1) * dst_stride + n <= dst.len()));
    let panels = n.div_ceil(PANEL);
    let mut blocks = a.blocks().peekable();
    while let Some((first, last)) = blocks.next() {
        let next = blocks.peek().copied();
        for (j, panel) in b.chunks_exact(k * PANEL).enumerate() {
            if let Some((first, last)) = next {
                a.fetch(first, last, j, panels);
                for row in first..last {
                    fetch(dst.as_ptr().wrapping_add(row * dst_stride + j * PANEL));
                    fetch(dst.as_ptr().wrapping_add(row * dst_stride + j * PANEL + LINE));
                }
            }
            let tile = Tile {
                a: a.starting_at(first),
                row_stride: a.row_stride,
                k_stride: a.k_stride,
                rows: last - first,
                k,
                panel,
            };
            let columns = PANEL.min(n - j * PANEL);
            let start = first * dst_stride + j * PANEL;
            if columns == PANEL {
                tile.run(&mut dst[start..], dst_stride, accumulate);
            } else {
                narrow(&tile, &mut dst[start..], dst_stride, accumulate, columns);
            }
        }
    }
}

/// A tile of the last panel: its padded columns go nowhere.
fn narrow(tile: &Tile, dst: &mut [f32], dst_stride: usize, accumulate: bool, columns: usize) {
    let mut spare = [0.0; MAX_ROWS * PANEL];
    tile.run(&mut spare, PANEL, false);
    for (i, row) in spare.chunks_exact(PANEL).take(tile.rows).enumerate() {
        for (d, v) in dst[i * dst_stride..][..columns].iter_mut().zip(row) {
            *d = if accumulate { *d + v } else { *v };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 7919 + seed * 104_729) % 1009) as f32 / 504.5 - 1.0).collect()
    }

    /// Both orders of the left matrix, every remainder of rows and columns, storing and adding.
    #[test]
    fn equals_the_plain_sum() {
        for (m, k, n) in [(1, 1, 1), (13, 5, 31), (14, 70, 32), (15, 9, 33), (29, 33, 65), (70, 17, 96)] {
            let (a, b) = (values(m * k, 1), values(k * n, 2));
            let panels = to_panels(Mat::rows(&b, k, n, n));
            let mut transposed = vec![0.0; m * k];
            (0..m * k).for_each(|i| transposed[(i % k) * m + i / k] = a[i]);
            for (left, accumulate) in [
                (Mat::rows(&a, m, k, k), false),
                (Mat::rows(&a, m, k, k), true),
                (Mat::rows(&transposed, k, m, m).t(), false),
            ] {
                let stride = n + 3;
                let mut dst = vec![0.5; m * stride];
                product(&mut dst, stride, accumulate, Left::plain(left), &panels, n);
                for (i, row) in dst.chunks_exact(stride).enumerate() {
                    for (j, got) in row.iter().enumerate() {
                        let sum: f64 =
                            (0..k).map(|p| f64::from(a[i * k + p] * b[p * n + j.min(n - 1)])).sum();
                        let want = match (j < n, accumulate) {
                            (true, true) => sum + 0.5,
                            (true, false) => sum,
                            // Between the rows nothing is touched.
                            (false, _) => 0.5,
                        };
                        assert!(
                            (f64::from(*got) - want).abs() < 1e-4,
                            "{m}x{k}x{n} at {i},{j}: {got} {want}"
                        );
                    }
                }
            }
        }
    }
}
