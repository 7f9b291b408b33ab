//! Weight transforms: `U = G g Gᵀ` before, `gw = Gᵀ gU G` after.

use super::FREQUENCIES;
use crate::dispatch::dispatched;
use crate::scatter::Scatter;
use rayon::prelude::*;

/// Transformed weights, `[36, cin, cout]`.
pub(crate) struct Weights {
    u: Vec<f32>,
    cin: usize,
    pub cout: usize,
}

impl Weights {
    /// From `[cout, cin, 3, 3]`.
    pub fn new(w: &[f32], cout: usize, cin: usize) -> Self {
        Self::build(cin, cout, |i, row| {
            for (o, tap) in (0..cout).flat_map(|o| (0..9).map(move |t| (o, t))) {
                row[tap * cout + o] = w[(o * cin + i) * 9 + tap];
            }
        })
    }

    /// The adjoint layer's weights: input and output channels swapped, taps rotated by 180 degrees.
    pub fn flipped(w: &[f32], cout: usize, cin: usize) -> Self {
        Self::build(cout, cin, |o, row| {
            for (i, tap) in (0..cin).flat_map(|i| (0..9).map(move |t| (i, t))) {
                row[(8 - tap) * cin + i] = w[(o * cin + i) * 9 + tap];
            }
        })
    }

    /// `taps(i, row)` fills `[9, cout]` for input channel `i`.
    fn build(cin: usize, cout: usize, taps: impl Fn(usize, &mut [f32]) + Sync) -> Self {
        let mut u = vec![0.0; FREQUENCIES * cin * cout];
        let out = Scatter::new(&mut u);
        (0..cin).into_par_iter().for_each(|i| {
            let mut row = vec![0.0; 9 * cout];
            taps(i, &mut row);
            transform(&out, &row, i, cin, cout);
        });
        Self { u, cin, cout }
    }

    pub fn frequency(&self, f: usize) -> &[f32] {
        &self.u[f * self.cin * self.cout..][..self.cin * self.cout]
    }
}

/// `G g` for one column of three taps.
#[inline(always)]
fn spread(g: [f32; 3]) -> [f32; 6] {
    let (even, odd) = (-(g[0] + g[2]) / 6.0, -g[1] / 6.0);
    let (even2, odd2) = (g[0] / 24.0 + g[2] / 6.0, g[1] / 12.0);
    [g[0] / 4.0, even + odd, even - odd, even2 + odd2, even2 - odd2, g[2]]
}

/// `Gᵀ u`.
#[inline(always)]
fn gather(u: [f32; 6]) -> [f32; 3] {
    let (sum, difference) = (u[1] + u[2], u[1] - u[2]);
    let (sum2, difference2) = (u[3] + u[4], u[3] - u[4]);
    [
        u[0] / 4.0 - sum / 6.0 + sum2 / 24.0,
        -difference / 6.0 + difference2 / 12.0,
        -sum / 6.0 + sum2 / 6.0 + u[5],
    ]
}

dispatched! {
    fn transform(out: &Scatter, taps: &[f32], i: usize, cin: usize, cout: usize) {
        for o in 0..cout {
            let mut half = [[0.0; 3]; 6];
            for column in 0..3 {
                let spread = spread(std::array::from_fn(|row| taps[(3 * row + column) * cout + o]));
                for (half, s) in half.iter_mut().zip(spread) {
                    half[column] = s;
                }
            }
            for (row, half) in half.iter().enumerate() {
                for (column, u) in spread(*half).into_iter().enumerate() {
                    #[allow(unsafe_code)]
                    // SAFETY: row `i` of each frequency belongs to the task of channel `i` alone.
                    unsafe { out.row(((6 * row + column) * cin + i) * cout + o, 1)[0] = u; }
                }
            }
        }
    }
}

/// Weight gradient `[cout, cin, 3, 3]` from the gradient by the transformed weights, `[36, cin, cout]`.
pub(super) fn gradient(gu: &[f32], cout: usize, cin: usize) -> Vec<f32> {
    let mut gw = vec![0.0; cout * cin * 9];
    const OUT_PER_TASK: usize = 16;
    gw.par_chunks_mut(OUT_PER_TASK * cin * 9).enumerate().for_each(|(task, gw)| {
        for i in 0..cin {
            for (o, gw) in gw.chunks_mut(cin * 9).enumerate() {
                let at = |f: usize| gu[(f * cin + i) * cout + task * OUT_PER_TASK + o];
                let mut half = [[0.0; 6]; 3];
                for column in 0..6 {
                    let g = gather(std::array::from_fn(|row| at(6 * row + column)));
                    for (half, g) in half.iter_mut().zip(g) {
                        half[column] = g;
                    }
                }
                for (row, half) in half.iter().enumerate() {
                    gw[i * 9 + row * 3..][..3].copy_from_slice(&gather(*half));
                }
            }
        }
    });
    gw
}
