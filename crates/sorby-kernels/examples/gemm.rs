//! SGEMM rate of this machine, for the shapes of the Winograd path.
use rayon::prelude::*;
use sorby_kernels::{Mat, gemm};
use std::time::Instant;
fn main() {
    for (m, k, n) in
        [(512, 512, 512), (2048, 64, 64), (512, 256, 256), (128, 512, 512), (8192, 32, 32), (512, 128, 128)]
    {
        let f = 36;
        let a = vec![0.5f32; f * m * k];
        let b = vec![0.5f32; f * k * n];
        let mut c = vec![0f32; f * m * n];
        let mut best = f64::MAX;
        let mut best_t = f64::MAX;
        for _ in 0..5 {
            let s = Instant::now();
            c.par_chunks_mut(m * n).enumerate().for_each(|(i, c)| {
                gemm(c, n, false, Mat::rows(&a[i * m * k..], m, k, k), Mat::rows(&b[i * k * n..], k, n, n));
            });
            best = best.min(s.elapsed().as_secs_f64());
            // transposed: [k x m]^T [k x n] with k = m
            let s = Instant::now();
            let mut d = vec![0f32; f * k * n];
            d.par_chunks_mut(k * n).enumerate().for_each(|(i, d)| {
                gemm(
                    d,
                    n,
                    false,
                    Mat::rows(&a[i * m * k..], m, k, k).t(),
                    Mat::rows(&c[i * m * n..], m, n, n),
                );
            });
            best_t = best_t.min(s.elapsed().as_secs_f64());
        }
        let fl = 2.0 * (f * m * k * n) as f64;
        println!("{m}x{k}x{n}: {:.0} GF/s  transposed {:.0}", fl / best / 1e9, fl / best_t / 1e9);
    }
}
