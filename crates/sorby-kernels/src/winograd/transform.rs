//! Data transforms of F(4x4, 3x3), vectorised over channels.
#![allow(unsafe_code)]

use super::FREQUENCIES;
use super::layout::Layout;
use super::tiles::{TILE, Tile};
use crate::Nhwc;
use crate::dispatch::dispatched;
use crate::epilogue::Epilogue;
use crate::prefetch::LINE;
use crate::scatter::Scatter;

/// Channels transformed at once: 36 rows of them stay in the first-level cache.
const LANES: usize = 64;

type Row = [f32; LANES];
static ZEROS: Row = [0.0; LANES];

/// Which transform takes a tile to its 36 frequencies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum TransformKind {
    /// `Bᵀ x B` of the 6x6 input patch around the tile.
    Input,
    /// `A gy Aᵀ` of the tile's 4x4 output gradient.
    OutputAdjoint,
}

dispatched! {
    /// Writes tiles `index..` of every frequency of `out`: in rows tile by tile, in panels panel by panel, so
    /// that runs are long. Panels are too many for the processor to foresee; the next lines are asked for.
    ///
    /// No two calls at a time may be given the same tile of the same `out`.
    pub(super) fn to_frequencies(
        out: &Scatter, layout: &Layout, x: &[f32], xs: Nhwc, tiles: &[Tile], dilation: usize,
        kind: TransformKind, index: usize,
    ) {
        // Patch edge, and its start before the tile.
        let (edge, before) = if kind == TransformKind::Input { (6, 1) } else { (TILE, 0) };
        let at = |start: usize, i: usize, len: usize| {
            (start + i * dilation).checked_sub(before * dilation).filter(|&p| p < len)
        };
        let mut half = [[ZEROS; 6]; 6];
        let chunks = xs.c.div_ceil(LANES);
        let in_rows = layout.panel >= xs.c;
        for step in 0..chunks * tiles.len() {
            let (chunk, number) = if in_rows {
                (step % chunks, step / chunks)
            } else {
                (step / tiles.len(), step % tiles.len())
            };
            let (c0, tile, index) = (chunk * LANES, &tiles[number], index + number);
            if !in_rows && number + 1 < tiles.len() {
                for f in 0..FREQUENCIES {
                    for c in (c0..(c0 + LANES).min(xs.c)).step_by(LINE) {
                        out.fetch(layout.offset(f, index + 1, c));
                    }
                }
            }
            let lanes = LANES.min(xs.c - c0);
            for column in 0..edge {
                let px = at(tile.x, column, xs.w);
                let mut patch = [&ZEROS[..lanes]; 6];
                for (row, patch) in patch.iter_mut().enumerate().take(edge) {
                    if let (Some(py), Some(px)) = (at(tile.y, row, xs.h), px) {
                        *patch = &x[xs.offset(tile.n, py, px) + c0..][..lanes];
                    }
                }
                let [h0, h1, h2, h3, h4, h5] = &mut half;
                let rows = [
                    &mut h0[column][..lanes], &mut h1[column][..lanes], &mut h2[column][..lanes],
                    &mut h3[column][..lanes], &mut h4[column][..lanes], &mut h5[column][..lanes],
                ];
                apply(rows, patch, kind);
            }
            for (i, half) in half.iter().enumerate() {
                for first in (0..lanes).step_by(layout.panel) {
                    let lanes = layout.panel.min(lanes - first);
                    // SAFETY: the channels of a tile belong to this call alone.
                    let rows = std::array::from_fn(|j| unsafe {
                        out.row(layout.offset(6 * i + j, index, c0 + first), lanes)
                    });
                    apply(rows, std::array::from_fn(|j| &half[j][first..first + lanes]), kind);
                }
            }
        }
    }
}

#[inline(always)]
fn apply(out: [&mut [f32]; 6], x: [&[f32]; 6], kind: TransformKind) {
    match kind {
        TransformKind::Input => input_1d(out, x),
        TransformKind::OutputAdjoint => output_adjoint_1d(out, x),
    }
}

/// `Bᵀ x`.
#[inline(always)]
fn input_1d(out: [&mut [f32]; 6], x: [&[f32]; 6]) {
    let n = out[0].len();
    let [o0, o1, o2, o3, o4, o5] = out.map(|o| &mut o[..n]);
    let [x0, x1, x2, x3, x4, x5] = x.map(|x| &x[..n]);
    for i in 0..n {
        let (d0, d1, d2, d3, d4, d5) = (x0[i], x1[i], x2[i], x3[i], x4[i], x5[i]);
        let (even, odd) = (d4 - 4.0 * d2, d3 - 4.0 * d1);
        let (even2, odd2) = (d4 - d2, 2.0 * (d3 - d1));
        o0[i] = 4.0 * d0 - 5.0 * d2 + d4;
        o1[i] = even + odd;
        o2[i] = even - odd;
        o3[i] = even2 + odd2;
        o4[i] = even2 - odd2;
        o5[i] = 4.0 * d1 - 5.0 * d3 + d5;
    }
}

/// `A gy`.
#[inline(always)]
fn output_adjoint_1d(out: [&mut [f32]; 6], x: [&[f32]; 6]) {
    let n = out[0].len();
    let [o0, o1, o2, o3, o4, o5] = out.map(|o| &mut o[..n]);
    let [x0, x1, x2, x3, ..] = x.map(|x| &x[..n]);
    for i in 0..n {
        let (d0, d1, d2, d3) = (x0[i], x1[i], x2[i], x3[i]);
        let (even, odd) = (d0 + d2, d1 + d3);
        let (even2, odd2) = (d0 + 4.0 * d2, 2.0 * d1 + 8.0 * d3);
        o0[i] = d0;
        o1[i] = even + odd;
        o2[i] = even - odd;
        o3[i] = even2 + odd2;
        o4[i] = even2 - odd2;
        o5[i] = d3;
    }
}

/// `Aᵀ m`.
#[inline(always)]
fn output_1d(out: [&mut [f32]; TILE], m: [&[f32]; 6]) {
    let n = out[0].len();
    let [o0, o1, o2, o3] = out.map(|o| &mut o[..n]);
    let [m0, m1, m2, m3, m4, m5] = m.map(|m| &m[..n]);
    for i in 0..n {
        let (sum, difference) = (m1[i] + m2[i], m1[i] - m2[i]);
        let (sum2, difference2) = (m3[i] + m4[i], m3[i] - m4[i]);
        o0[i] = m0[i] + sum + sum2;
        o1[i] = difference + 2.0 * difference2;
        o2[i] = sum + 4.0 * sum2;
        o3[i] = difference + 8.0 * difference2 + m5[i];
    }
}

dispatched! {
    /// Writes the tile's output pixels, `Aᵀ m A`, from `m` (`[36, tiles, c]`).
    ///
    /// No two calls at a time may be given the same tile of the same `y`.
    pub(super) fn from_frequencies(
        y: &Scatter, ys: Nhwc, tile: &Tile, dilation: usize, m: &[f32], index: usize, tiles: usize,
        epilogue: &Epilogue,
    ) {
        let mut half = [[ZEROS; 6]; TILE];
        let mut unused = [ZEROS; TILE];
        for c0 in (0..ys.c).step_by(LANES) {
            let lanes = LANES.min(ys.c - c0);
            for j in 0..6 {
                let column = std::array::from_fn(|i| {
                    &m[((6 * i + j) * tiles + index) * ys.c + c0..][..lanes]
                });
                let [h0, h1, h2, h3] = &mut half;
                let rows = [&mut h0[j][..lanes], &mut h1[j][..lanes], &mut h2[j][..lanes], &mut h3[j][..lanes]];
                output_1d(rows, column);
            }
            for (i, half) in half.iter().enumerate() {
                let py = tile.y + i * dilation;
                if py >= ys.h {
                    break;
                }
                let mut spare = unused.iter_mut();
                let rows = std::array::from_fn(|j| {
                    let px = tile.x + j * dilation;
                    if px < ys.w {
                        // SAFETY: tiles do not overlap, so this pixel is written by this call only.
                        unsafe { y.row(ys.offset(tile.n, py, px) + c0, lanes) }
                    } else {
                        spare.next().map(|row| &mut row[..lanes]).unwrap_or_default()
                    }
                });
                output_1d(rows, std::array::from_fn(|j| &half[j][..lanes]));
                if epilogue.is_empty() {
                    continue;
                }
                for px in (tile.x..ys.w).step_by(dilation).take(TILE) {
                    let at = ys.offset(tile.n, py, px) + c0;
                    // SAFETY: as above, and the rows written before are no longer borrowed.
                    epilogue.apply(unsafe { y.row(at, lanes) }, c0, at);
                }
            }
        }
    }
}
