//! f32 matrix products: our own on panels ([`product`]), and a safe front of the `gemm` crate for odd shapes.
#![allow(unsafe_code)]

mod micro;
mod panels;

pub(crate) use panels::{Left, PANEL, panels_len, product, to_panels};

/// A strided view of an f32 matrix.
#[derive(Clone, Copy)]
pub(crate) struct Mat<'a> {
    data: &'a [f32],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a> Mat<'a> {
    /// `rows` x `cols`, consecutive rows `row_stride` apart, elements of a row adjacent.
    pub fn rows(data: &'a [f32], rows: usize, cols: usize, row_stride: usize) -> Self {
        Self::strided(data, rows, cols, row_stride, 1)
    }

    /// The transpose, without moving data.
    pub fn t(self) -> Self {
        Self {
            data: self.data,
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
        }
    }

    fn strided(data: &'a [f32], rows: usize, cols: usize, row_stride: usize, col_stride: usize) -> Self {
        if rows > 0 && cols > 0 {
            let last = (rows - 1).checked_mul(row_stride).zip((cols - 1).checked_mul(col_stride));
            let inside = last.and_then(|(r, c)| r.checked_add(c)).is_some_and(|last| last < data.len());
            assert!(inside, "matrix view exceeds its slice");
        }
        Self { data, rows, cols, row_stride, col_stride }
    }
}

/// `dst = a b`, or `dst += a b` when `accumulate`; `dst` is row-major with `dst_stride` between rows.
/// One thread; parallel callers split the work themselves so that results do not depend on it.
pub(crate) fn gemm(dst: &mut [f32], dst_stride: usize, accumulate: bool, a: Mat, b: Mat) {
    assert_eq!(a.cols, b.rows, "inner dimensions differ");
    if a.rows == 0 || b.cols == 0 {
        return;
    }
    let end = (a.rows - 1).checked_mul(dst_stride).and_then(|start| start.checked_add(b.cols));
    assert!(dst_stride >= b.cols && end.is_some_and(|end| end <= dst.len()), "destination too small");
    if a.cols == 0 {
        if !accumulate {
            dst.chunks_mut(dst_stride).take(a.rows).for_each(|row| row[..b.cols].fill(0.0));
        }
        return;
    }
    // SAFETY: `Mat::strided` checked that every element of `a` and `b` lies inside its slice, the
    // assertion above does the same for `dst`, and `dst` cannot alias them as it is `&mut`.
    unsafe {
        gemm::gemm(
            a.rows,
            b.cols,
            a.cols,
            dst.as_mut_ptr(),
            1,
            dst_stride as isize,
            accumulate,
            a.data.as_ptr(),
            a.col_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.col_stride as isize,
            b.row_stride as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}
