//! 3x3 stride-1 "same" convolution by Winograd's F(4x4, 3x3) (Lavin & Gray, CVPR 2016), any dilation.
//!
//! With dilation d the pixels of one phase (row mod d, column mod d) form an ordinary image that
//! is convolved with an undilated kernel, so one tile list serves every dilation.
//!
//! `y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ x B)]A` per tile. The weight gradient is its exact adjoint,
//! `Gᵀ[Σ (Bᵀ x B) ⊙ (A gy Aᵀ)]G`; the input gradient is a forward pass with flipped weights.

mod tiles;
mod transform;
mod weights;

use crate::scatter::Scatter;
use crate::scratch;
use crate::{Mat, Nhwc, gemm};
use rayon::prelude::*;
use tiles::{Tile, tiles};
use transform::{TransformKind, from_frequencies, to_frequencies};
pub(crate) use weights::Weights;

/// Products per tile: 6 x 6 frequencies.
const FREQUENCIES: usize = 36;

/// Floats of transformed data held at once (per operand); bounds scratch memory and keeps it near
/// the caches. Measured on layer1-4 shapes at batch 8, see BENCHMARKS.md.
const SCRATCH_FLOATS: usize = 6 << 20;

/// Tiles handled per round for rows of `channels`.
fn tiles_per_round(channels: usize) -> usize {
    (SCRATCH_FLOATS / (FREQUENCIES * channels)).max(64)
}

/// Tiles per transform task.
const TILES_PER_TASK: usize = 16;

/// Rows of a frequency's product per task.
const GEMM_ROWS: usize = 512;

pub(crate) fn forward(x: &[f32], xs: Nhwc, w: &Weights, dilation: usize) -> Vec<f32> {
    let ys = Nhwc { c: w.cout, ..xs };
    let mut y = crate::zeroed::zeroed(ys.len());
    let all = tiles(xs, dilation);
    let round = tiles_per_round(xs.c.max(w.cout)).min(all.len());
    let mut v = scratch::take(FREQUENCIES * round * xs.c);
    let mut m = scratch::take(FREQUENCIES * round * w.cout);
    let y_rows = Scatter::new(&mut y);
    for part in all.chunks(round) {
        let t = part.len();
        transform_tiles(&mut v[..FREQUENCIES * t * xs.c], x, xs, part, dilation, TransformKind::Input);
        m[..FREQUENCIES * t * w.cout]
            .par_chunks_mut(t * w.cout)
            .zip(v.par_chunks(t * xs.c))
            .enumerate()
            .for_each(|(f, (m, v))| {
                let u = Mat::rows(w.frequency(f), xs.c, w.cout, w.cout);
                m.par_chunks_mut(GEMM_ROWS * w.cout).zip(v.par_chunks(GEMM_ROWS * xs.c)).for_each(
                    |(m, v)| {
                        let rows = m.len() / w.cout;
                        gemm(m, w.cout, false, Mat::rows(v, rows, xs.c, xs.c), u);
                    },
                );
            });
        part.par_chunks(TILES_PER_TASK).enumerate().for_each(|(task, tiles)| {
            for (i, tile) in tiles.iter().enumerate() {
                from_frequencies(&y_rows, ys, tile, dilation, &m, task * TILES_PER_TASK + i, t);
            }
        });
    }
    y
}

pub(crate) fn weight_gradient(x: &[f32], xs: Nhwc, gy: &[f32], cout: usize, dilation: usize) -> Vec<f32> {
    let ys = Nhwc { c: cout, ..xs };
    let all = tiles(xs, dilation);
    let round = tiles_per_round(xs.c.max(cout)).min(all.len());
    let mut v = scratch::take(FREQUENCIES * round * xs.c);
    let mut q = scratch::take(FREQUENCIES * round * cout);
    let mut gu = scratch::take(FREQUENCIES * xs.c * cout);
    for (i, part) in all.chunks(round).enumerate() {
        let t = part.len();
        transform_tiles(&mut v[..FREQUENCIES * t * xs.c], x, xs, part, dilation, TransformKind::Input);
        transform_tiles(
            &mut q[..FREQUENCIES * t * cout],
            gy,
            ys,
            part,
            dilation,
            TransformKind::OutputAdjoint,
        );
        gu.par_chunks_mut(xs.c * cout).enumerate().for_each(|(f, gu)| {
            let v = Mat::rows(&v[f * t * xs.c..], t, xs.c, xs.c).t();
            gemm(gu, cout, i > 0, v, Mat::rows(&q[f * t * cout..], t, cout, cout));
        });
    }
    weights::gradient(&gu, cout, xs.c)
}

/// Transforms each tile to `[36, tiles, c]`.
fn transform_tiles(
    out: &mut [f32],
    x: &[f32],
    xs: Nhwc,
    part: &[Tile],
    dilation: usize,
    kind: TransformKind,
) {
    let rows = Scatter::new(out);
    part.par_chunks(TILES_PER_TASK).enumerate().for_each(|(task, tiles)| {
        for (i, tile) in tiles.iter().enumerate() {
            to_frequencies(&rows, x, xs, tile, dilation, kind, task * TILES_PER_TASK + i, part.len());
        }
    });
}
