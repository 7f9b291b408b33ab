//! Weight transforms: `U = G g Gᵀ` before, `gw = Gᵀ gU G` after. Vectorised over output channels.
#![allow(unsafe_code)]

use super::FREQUENCIES;
use crate::dispatch::dispatched;
use crate::scatter::Scatter;
use crate::scratch::{self, Scratch};
use rayon::prelude::*;

/// Input channels per task: their taps are one contiguous stretch of each output channel's weights.
const INPUTS_PER_TASK: usize = 8;
/// Output channels transformed at once.
const LANES: usize = 64;

type Row = [f32; LANES];
const ZEROS: Row = [0.0; LANES];

/// Transformed weights, `[36, cin, cout]`.
pub(crate) struct Weights {
    u: Scratch,
    cin: usize,
    pub cout: usize,
}

impl Weights {
    /// From `[cout, cin, 3, 3]`.
    pub fn new(w: &[f32], cout: usize, cin: usize) -> Self {
        Self::build(cin, cout, |first, inputs, rows| {
            for o in 0..cout {
                let taps = &w[(o * cin + first) * 9..][..inputs * 9];
                rows.iter_mut().skip(o).step_by(cout).zip(taps).for_each(|(r, t)| *r = *t);
            }
        })
    }

    /// The adjoint layer's weights: input and output channels swapped, taps rotated by 180 degrees.
    pub fn flipped(w: &[f32], cout: usize, cin: usize) -> Self {
        Self::build(cout, cin, |first, inputs, rows| {
            for o in 0..inputs {
                for (i, taps) in w[(first + o) * cin * 9..][..cin * 9].chunks_exact(9).enumerate() {
                    for (tap, &t) in taps.iter().enumerate() {
                        rows[(o * 9 + 8 - tap) * cin + i] = t;
                    }
                }
            }
        })
    }

    /// `taps(first, inputs, rows)` fills `[inputs, 9, cout]` from input channel `first` on.
    fn build(cin: usize, cout: usize, taps: impl Fn(usize, usize, &mut [f32]) + Sync) -> Self {
        let mut u = scratch::take(FREQUENCIES * cin * cout);
        let out = Scatter::new(&mut u);
        (0..cin.div_ceil(INPUTS_PER_TASK)).into_par_iter().for_each(|task| {
            let first = task * INPUTS_PER_TASK;
            let inputs = INPUTS_PER_TASK.min(cin - first);
            let mut rows = vec![0.0; inputs * 9 * cout];
            taps(first, inputs, &mut rows);
            for (i, rows) in rows.chunks_exact(9 * cout).enumerate() {
                spread_taps(&out, rows, first + i, cin, cout);
            }
        });
        Self { u, cin, cout }
    }

    pub fn frequency(&self, f: usize) -> &[f32] {
        &self.u[f * self.cin * self.cout..][..self.cin * self.cout]
    }
}

/// `G g` of three taps.
#[inline(always)]
fn spread(out: [&mut [f32]; 6], g: [&[f32]; 3]) {
    let n = out[0].len();
    let [o0, o1, o2, o3, o4, o5] = out.map(|o| &mut o[..n]);
    let [g0, g1, g2] = g.map(|g| &g[..n]);
    for i in 0..n {
        let (a, b, c) = (g0[i], g1[i], g2[i]);
        let (even, odd) = (-(a + c) / 6.0, -b / 6.0);
        let (even2, odd2) = (a / 24.0 + c / 6.0, b / 12.0);
        o0[i] = a / 4.0;
        o1[i] = even + odd;
        o2[i] = even - odd;
        o3[i] = even2 + odd2;
        o4[i] = even2 - odd2;
        o5[i] = c;
    }
}

/// `Gᵀ u`.
#[inline(always)]
fn gather(out: [&mut [f32]; 3], u: [&[f32]; 6]) {
    let n = out[0].len();
    let [o0, o1, o2] = out.map(|o| &mut o[..n]);
    let [u0, u1, u2, u3, u4, u5] = u.map(|u| &u[..n]);
    for i in 0..n {
        let (sum, difference) = (u1[i] + u2[i], u1[i] - u2[i]);
        let (sum2, difference2) = (u3[i] + u4[i], u3[i] - u4[i]);
        o0[i] = u0[i] / 4.0 - sum / 6.0 + sum2 / 24.0;
        o1[i] = -difference / 6.0 + difference2 / 12.0;
        o2[i] = -sum / 6.0 + sum2 / 6.0 + u5[i];
    }
}

dispatched! {
    /// Transforms input channel `i`'s taps, `[9, cout]`, into row `i` of every frequency.
    fn spread_taps(out: &Scatter, taps: &[f32], i: usize, cin: usize, cout: usize) {
        let mut half = [[ZEROS; 3]; 6];
        for first in (0..cout).step_by(LANES) {
            let lanes = LANES.min(cout - first);
            for column in 0..3 {
                let [h0, h1, h2, h3, h4, h5] = &mut half;
                let rows = [
                    &mut h0[column][..lanes], &mut h1[column][..lanes], &mut h2[column][..lanes],
                    &mut h3[column][..lanes], &mut h4[column][..lanes], &mut h5[column][..lanes],
                ];
                spread(rows, std::array::from_fn(|row| &taps[(3 * row + column) * cout + first..][..lanes]));
            }
            for (row, half) in half.iter().enumerate() {
                let rows = std::array::from_fn(|column| {
                    let at = ((6 * row + column) * cin + i) * cout + first;
                    // SAFETY: row `i` of each frequency belongs to the task of channel `i` alone.
                    unsafe { out.row(at, lanes) }
                });
                spread(rows, std::array::from_fn(|column| &half[column][..lanes]));
            }
        }
    }
}

dispatched! {
    /// Gathers row `i` of every frequency of `gu` into taps, `[9, cout]`.
    fn gather_taps(taps: &mut [f32], gu: &[f32], i: usize, cin: usize, cout: usize) {
        let mut half = [[ZEROS; 6]; 3];
        for first in (0..cout).step_by(LANES) {
            let lanes = LANES.min(cout - first);
            for column in 0..6 {
                let [h0, h1, h2] = &mut half;
                let rows = [&mut h0[column][..lanes], &mut h1[column][..lanes], &mut h2[column][..lanes]];
                gather(rows, std::array::from_fn(|row| {
                    &gu[((6 * row + column) * cin + i) * cout + first..][..lanes]
                }));
            }
            for (row, half) in half.iter().enumerate() {
                let (a, rest) = taps[3 * row * cout..].split_at_mut(cout);
                let (b, c) = rest.split_at_mut(cout);
                let rows = [&mut a[first..][..lanes], &mut b[first..][..lanes], &mut c[first..][..lanes]];
                gather(rows, std::array::from_fn(|column| &half[column][..lanes]));
            }
        }
    }
}

/// Weight gradient `[cout, cin, 3, 3]` from the gradient by the transformed weights, `[36, cin, cout]`.
pub(super) fn gradient(gu: &[f32], cout: usize, cin: usize) -> Vec<f32> {
    let mut gw = crate::zeroed::zeroed(cout * cin * 9);
    let out = Scatter::new(&mut gw);
    (0..cin.div_ceil(INPUTS_PER_TASK)).into_par_iter().for_each(|task| {
        let first = task * INPUTS_PER_TASK;
        let inputs = INPUTS_PER_TASK.min(cin - first);
        let mut rows = vec![0.0; inputs * 9 * cout];
        for (i, rows) in rows.chunks_exact_mut(9 * cout).enumerate() {
            gather_taps(rows, gu, first + i, cin, cout);
        }
        for o in 0..cout {
            // SAFETY: these input channels of every output channel belong to this task alone.
            let taps = unsafe { out.row((o * cin + first) * 9, inputs * 9) };
            taps.iter_mut().zip(rows.iter().skip(o).step_by(cout)).for_each(|(t, r)| *t = *r);
        }
    });
    gw
}
