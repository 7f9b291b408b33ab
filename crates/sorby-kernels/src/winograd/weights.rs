//! Weight transforms: `U = G g Gᵀ` before, `gw = Gᵀ gU G` after. Vectorised over output channels.
#![allow(unsafe_code)]

use super::FREQUENCIES;
use crate::dispatch::dispatched;
use crate::gemm::{PANEL, panels_len};
use crate::scatter::Scatter;
use crate::zeroed::zeroed;
use crate::{
    recycle,
    scratch::{self, Scratch},
};
use rayon::prelude::*;

/// Input channels per task: their taps are one contiguous stretch of each output channel's weights.
const INPUTS_PER_TASK: usize = 32;
/// Output channels transformed at once: one panel.
const LANES: usize = PANEL;

type Row = [f32; LANES];
const ZEROS: Row = [0.0; LANES];

/// Transformed weights, 36 matrices `[cin, cout]` in panels.
pub(crate) struct Weights {
    u: Storage,
    cin: usize,
    pub cout: usize,
}

/// Memory of transformed weights: borrowed for one operation, or their own.
enum Storage {
    Scratch(Scratch),
    Kept(Vec<f32>),
}

impl Storage {
    fn slice(&self) -> &[f32] {
        match self {
            Self::Scratch(buffer) => buffer,
            Self::Kept(buffer) => buffer,
        }
    }

    fn slice_mut(&mut self) -> &mut [f32] {
        match self {
            Self::Scratch(buffer) => buffer,
            Self::Kept(buffer) => buffer,
        }
    }
}

impl Weights {
    /// From `[cout, cin, 3, 3]`; `kept` for those that outlive the operation.
    pub fn new(w: &[f32], cout: usize, cin: usize, kept: bool) -> Self {
        Self::build(cin, cout, kept, |i, o, inputs, taps| {
            for lane in 0..taps.lanes {
                let from = &w[((o + lane) * cin + i) * 9..][..inputs * 9];
                taps.values.iter_mut().skip(lane).step_by(LANES).zip(from).for_each(|(t, w)| *t = *w);
            }
        })
    }

    /// The adjoint layer's weights: input and output channels swapped, taps rotated by 180 degrees.
    pub fn flipped(w: &[f32], cout: usize, cin: usize) -> Self {
        Self::build(cout, cin, false, |i, o, inputs, taps| {
            for input in 0..inputs {
                let from = &w[((i + input) * cin + o) * 9..][..taps.lanes * 9];
                for (lane, from) in from.chunks_exact(9).enumerate() {
                    for (tap, w) in from.iter().enumerate() {
                        taps.values[(input * 9 + 8 - tap) * LANES + lane] = *w;
                    }
                }
            }
        })
    }

    /// `fill(i, o, inputs, taps)` collects the taps of inputs `i..i + inputs` and outputs from `o` on.
    fn build(
        cin: usize,
        cout: usize,
        kept: bool,
        fill: impl Fn(usize, usize, usize, &mut Taps) + Sync,
    ) -> Self {
        let len = FREQUENCIES * panels_len(cin, cout);
        let mut u = if kept { Storage::Kept(zeroed(len)) } else { Storage::Scratch(scratch::take(len)) };
        let out = Scatter::new(u.slice_mut());
        (0..cin.div_ceil(INPUTS_PER_TASK)).into_par_iter().for_each(|task| {
            let i = task * INPUTS_PER_TASK;
            let inputs = INPUTS_PER_TASK.min(cin - i);
            let mut taps = Taps::new();
            for o in (0..cout).step_by(LANES) {
                taps.lanes = LANES.min(cout - o);
                fill(i, o, inputs, &mut taps);
                for (input, taps_of) in taps.values.chunks_exact(9 * LANES).enumerate().take(inputs) {
                    spread_taps(&out, taps_of, i + input, o, taps.lanes, cin, cout);
                }
            }
        });
        Self { u, cin, cout }
    }

    pub fn frequency(&self, f: usize) -> &[f32] {
        let len = panels_len(self.cin, self.cout);
        &self.u.slice()[f * len..][..len]
    }
}

/// Taps of some input channels and up to [`LANES`] output channels, `[inputs, 9, LANES]`.
struct Taps {
    values: [f32; INPUTS_PER_TASK * 9 * LANES],
    lanes: usize,
}

impl Taps {
    fn new() -> Self {
        Self { values: [0.0; INPUTS_PER_TASK * 9 * LANES], lanes: 0 }
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
    /// Transforms the taps of input channel `i`, `[9, LANES]`, for `lanes` output channels from `o` on.
    ///
    /// No two calls at a time may be given the same `i` and `o` of the same `out`.
    fn spread_taps(
        out: &Scatter, taps: &[f32], i: usize, o: usize, lanes: usize, cin: usize, cout: usize,
    ) {
        for f in 0..FREQUENCIES {
            let next = f * panels_len(cin, cout) + o * cin + (i + 1) * PANEL;
            out.fetch(next);
            out.fetch(next + PANEL / 2);
        }
        let mut half = [[ZEROS; 3]; 6];
        for column in 0..3 {
            let [h0, h1, h2, h3, h4, h5] = &mut half;
            let rows = [
                &mut h0[column][..lanes], &mut h1[column][..lanes], &mut h2[column][..lanes],
                &mut h3[column][..lanes], &mut h4[column][..lanes], &mut h5[column][..lanes],
            ];
            spread(rows, std::array::from_fn(|row| &taps[(3 * row + column) * LANES..][..lanes]));
        }
        for (row, half) in half.iter().enumerate() {
            let rows = std::array::from_fn(|column| {
                let frequency = (6 * row + column) * panels_len(cin, cout);
                // SAFETY: row `i` of each panel belongs to the task of channel `i` alone.
                unsafe { out.row(frequency + o * cin + i * PANEL, lanes) }
            });
            spread(rows, std::array::from_fn(|column| &half[column][..lanes]));
        }
    }
}

/// Input channels per task of [`gradient`].
const GATHERED_INPUTS: usize = 8;

dispatched! {
    /// Gathers the taps of input channel `i`, `[9, cout]`, from `gu`.
    fn gather_taps(taps: &mut [f32], gu: &[f32], i: usize, cin: usize, cout: usize) {
        let mut half = [[ZEROS; 6]; 3];
        for o in (0..cout).step_by(LANES) {
            let lanes = LANES.min(cout - o);
            for column in 0..6 {
                let [h0, h1, h2] = &mut half;
                let rows = [&mut h0[column][..lanes], &mut h1[column][..lanes], &mut h2[column][..lanes]];
                gather(rows, std::array::from_fn(|row| {
                    &gu[((6 * row + column) * cin + i) * cout + o..][..lanes]
                }));
            }
            for (half, taps) in half.iter().zip(taps.chunks_exact_mut(3 * cout)) {
                let (a, rest) = taps.split_at_mut(cout);
                let (b, c) = rest.split_at_mut(cout);
                let rows = [&mut a[o..][..lanes], &mut b[o..][..lanes], &mut c[o..][..lanes]];
                gather(rows, std::array::from_fn(|column| &half[column][..lanes]));
            }
        }
    }
}

/// Weight gradient `[cout, cin, 3, 3]` from the gradient by the transformed weights, `[36, cin, cout]`.
pub(super) fn gradient(gu: &[f32], cout: usize, cin: usize) -> Vec<f32> {
    let mut gw = recycle::take(cout * cin * 9);
    let out = Scatter::new(&mut gw);
    (0..cin.div_ceil(GATHERED_INPUTS)).into_par_iter().for_each(|task| {
        let i = task * GATHERED_INPUTS;
        let inputs = GATHERED_INPUTS.min(cin - i);
        let mut taps = scratch::take(inputs * 9 * cout);
        for (input, taps) in taps.chunks_exact_mut(9 * cout).enumerate() {
            gather_taps(taps, gu, i + input, cin, cout);
        }
        for o in 0..cout {
            // SAFETY: these input channels of every output channel belong to this task alone.
            let to = unsafe { out.row((o * cin + i) * 9, inputs * 9) };
            to.iter_mut().zip(taps.iter().skip(o).step_by(cout)).for_each(|(t, v)| *t = *v);
        }
    });
    gw
}
