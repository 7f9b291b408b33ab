//! The rate of plain matrix products on this machine: what every other rate is compared with.

use crate::{Mat, gemm};
use rayon::prelude::*;
use std::time::Instant;

/// Rows, inner length and columns of a product.
pub type Shape = (usize, usize, usize);

/// Shapes of the Winograd path from deep to shallow layers; the first is the usual measure.
pub const SHAPES: [Shape; 5] =
    [(512, 512, 512), (512, 256, 256), (512, 128, 128), (2048, 64, 64), (8192, 32, 32)];

/// Products at once, shared out between threads.
const PRODUCTS: usize = 36;

/// Seconds and floating-point operations of one pass over `PRODUCTS` products of a shape, `repeats` times.
pub fn time_products((m, k, n): Shape, repeats: usize) -> (Vec<f64>, f64) {
    let a = vec![0.5; PRODUCTS * m * k];
    let b = vec![0.25; PRODUCTS * k * n];
    let mut c = vec![0.0; PRODUCTS * m * n];
    let mut pass = || {
        let started = Instant::now();
        c.par_chunks_mut(m * n).zip(a.par_chunks(m * k)).zip(b.par_chunks(k * n)).for_each(|((c, a), b)| {
            gemm(c, n, false, Mat::rows(a, m, k, k), Mat::rows(b, k, n, n));
        });
        started.elapsed().as_secs_f64()
    };
    pass();
    ((0..repeats).map(|_| pass()).collect(), 2.0 * (PRODUCTS * m * k * n) as f64)
}
