//! Safe front of the `gemm` crate: strided f32 matrix products.
#![allow(unsafe_code)]

mod micro;
mod panels;

pub(crate) use panels::{Left, PANEL, panels_len, product, to_panels};

/// A strided view of an f32 matrix.
#[derive(Clone, Copy)]
pub struct Mat<'a> {
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
            let last = (rows - 1) * row_stride + (cols - 1) * col_stride;
            assert!(last < data.len(), "matrix view exceeds its slice");
        }
        Self { data, rows, cols, row_stride, col_stride }
    }
}

/// `dst = a b`, or `dst += a b` when `accumulate`; `dst` is row-major with `dst_stride` between rows.
/// One thread; parallel callers split the work themselves so that results do not depend on it.
pub fn gemm(dst: &mut [f32], dst_stride: usize, accumulate: bool, a: Mat, b: Mat) {
    assert_eq!(a.cols, b.rows, "inner dimensions differ");
    if a.rows == 0 || b.cols == 0 {
        return;
    }
    assert!(dst_stride >= b.cols && (a.rows - 1) * dst_stride + b.cols <= dst.len());
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
