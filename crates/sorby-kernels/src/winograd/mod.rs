//! 3x3 stride-1 "same" convolution by Winograd's F(4x4, 3x3) (Lavin & Gray, CVPR 2016), any dilation.
//!
//! With dilation d the pixels of one phase (row mod d, column mod d) form an ordinary image that
//! is convolved with an undilated kernel, so one tile list serves every dilation.
//!
//! `y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ x B)]A` per tile. The weight gradient is its exact adjoint,
//! `Gᵀ[Σ (Bᵀ x B) ⊙ (A gy Aᵀ)]G`; the input gradient is a forward pass with flipped weights.
//!
//! Two schedules. Layers of few channels, whose transformed weights fit in a core's second-level cache,
//! take a block of tiles through all stages at once, one task per block. Layers of many channels do one
//! stage after the other over many tiles, so that each frequency's weights are read once.

mod layout;
mod tiles;
mod transform;
mod weights;

use crate::epilogue::Epilogue;
use crate::gemm::{Left, PANEL, product};
use crate::scatter::Scatter;
use crate::{Mat, Nhwc, recycle, scratch};
use layout::Layout;
use rayon::prelude::*;
use tiles::{Tile, tiles};
use transform::{TransformKind, from_frequencies, to_frequencies};
pub(crate) use weights::Weights;

/// Products per tile: 6 x 6 frequencies.
const FREQUENCIES: usize = 36;

/// Floats of transformed data held at once (per operand) by the staged schedule; bounds scratch memory and
/// keeps it near the caches. From 3 to 10 million floats the layers of a step take the same time within 2 %.
const STAGE_FLOATS: usize = 3 << 20;

/// Floats of transformed weights up to which the blocked schedule is used: 1 MB, half a core's cache.
const CACHED_WEIGHTS: usize = 1 << 18;

/// Floats of transformed input and output of a block of tiles: 768 kB.
const BLOCK_FLOATS: usize = 3 << 16;

/// Tiles per transform task.
const TILES_PER_TASK: usize = 16;

/// Rows of a frequency's product per task.
const GEMM_ROWS: usize = 512;

/// Left-hand panels of the weight gradient: one cache line.
const LEFT_PANEL: usize = 16;

/// Input channels of a frequency's weight gradient per task: whole panels.
const GRADIENT_ROWS: usize = 128;

/// Tasks of the blocked weight gradient; each holds a sum of its own.
const PARTIAL_SUMS: usize = 8;

fn is_blocked(cin: usize, cout: usize) -> bool {
    FREQUENCIES * cin * cout <= CACHED_WEIGHTS
}

/// Tiles that go through the stages together.
fn tiles_at_once(cin: usize, cout: usize) -> usize {
    if is_blocked(cin, cout) {
        (BLOCK_FLOATS / (FREQUENCIES * (cin + cout))).max(8)
    } else {
        (STAGE_FLOATS / (FREQUENCIES * cin.max(cout))).max(64)
    }
}

/// `[n, h, w, cout]` from `x`, `[n, h, w, cin]`.
pub(crate) fn forward(x: &[f32], xs: Nhwc, w: &Weights, dilation: usize, epilogue: &Epilogue) -> Vec<f32> {
    let ys = Nhwc { c: w.cout, ..xs };
    let mut y = recycle::take(ys.len());
    let all = tiles(xs, dilation);
    let at_once = tiles_at_once(xs.c, w.cout).min(all.len());
    let pass = Pass { x, xs, y: &Scatter::new(&mut y), ys, w, dilation, epilogue };
    if is_blocked(xs.c, w.cout) {
        all.par_chunks(at_once).for_each(|part| pass.block(part));
    } else {
        let mut v = scratch::take(Layout::rows(at_once, xs.c).len());
        let mut m = scratch::take(FREQUENCIES * at_once * w.cout);
        all.chunks(at_once).for_each(|part| pass.stages(part, &mut v, &mut m));
    }
    y
}

/// What a forward pass works on.
struct Pass<'a> {
    x: &'a [f32],
    xs: Nhwc,
    y: &'a Scatter<'a>,
    ys: Nhwc,
    w: &'a Weights,
    dilation: usize,
    epilogue: &'a Epilogue<'a>,
}

impl Pass<'_> {
    /// All stages of one block of tiles, by the calling thread.
    fn block(&self, part: &[Tile]) {
        let (t, cin, cout) = (part.len(), self.xs.c, self.ys.c);
        let input = Layout::rows(t, cin);
        let mut v = scratch::take(input.len());
        let mut m = scratch::take(FREQUENCIES * t * cout);
        let rows = Scatter::new(&mut v);
        to_frequencies(&rows, &input, self.x, self.xs, part, self.dilation, TransformKind::Input, 0);
        for (f, (m, v)) in m.chunks_exact_mut(t * cout).zip(v.chunks_exact(input.frequency_len())).enumerate()
        {
            product(
                m,
                cout,
                false,
                Left::plain(Mat::rows(v, t, cin, input.panel)),
                self.w.frequency(f),
                cout,
            );
        }
        self.write(part, &m, 0, t);
    }

    /// One stage after the other, each by all threads.
    fn stages(&self, part: &[Tile], v: &mut [f32], m: &mut [f32]) {
        let (t, cin, cout) = (part.len(), self.xs.c, self.ys.c);
        let input = Layout::rows(t, cin);
        let (v, m) = (&mut v[..input.len()], &mut m[..FREQUENCIES * t * cout]);
        transform_tiles(v, &input, self.x, self.xs, part, self.dilation, TransformKind::Input);
        m.par_chunks_mut(t * cout).zip(v.par_chunks(input.frequency_len())).enumerate().for_each(
            |(f, (m, v))| {
                let rows = m.par_chunks_mut(GEMM_ROWS * cout).zip(v.par_chunks(GEMM_ROWS * input.panel));
                rows.for_each(|(m, v)| {
                    let a = Left::plain(Mat::rows(v, m.len() / cout, cin, input.panel));
                    product(m, cout, false, a, self.w.frequency(f), cout);
                });
            },
        );
        part.par_chunks(TILES_PER_TASK).enumerate().for_each(|(task, tiles)| {
            self.write(tiles, m, task * TILES_PER_TASK, t);
        });
    }

    /// Output pixels of `tiles`, which are numbers `first..` of the `count` in `m`.
    fn write(&self, tiles: &[Tile], m: &[f32], first: usize, count: usize) {
        for (i, tile) in tiles.iter().enumerate() {
            from_frequencies(self.y, self.ys, tile, self.dilation, m, first + i, count, self.epilogue);
        }
    }
}

/// `[cout, cin, 3, 3]` from `x`, `[n, h, w, cin]`, and `gy`, `[n, h, w, cout]`.
pub(crate) fn weight_gradient(x: &[f32], xs: Nhwc, gy: &[f32], cout: usize, dilation: usize) -> Vec<f32> {
    let all = tiles(xs, dilation);
    let at_once = tiles_at_once(xs.c, cout).min(all.len());
    let pass = GradientPass { x, xs, gy, ys: Nhwc { c: cout, ..xs }, dilation };
    let sum_len = FREQUENCIES * xs.c * cout;
    let mut gu = scratch::take(sum_len);
    if !is_blocked(xs.c, cout) {
        let mut v = scratch::take(pass.left(at_once).len());
        let mut q = scratch::take(pass.right(at_once).len());
        for (i, part) in all.chunks(at_once).enumerate() {
            pass.stages(&mut gu, i > 0, part, &mut v, &mut q);
        }
        return weights::gradient(&gu, cout, xs.c);
    }
    let per_sum = all.len().div_ceil(PARTIAL_SUMS);
    let mut sums = scratch::take(PARTIAL_SUMS * sum_len);
    let used = all.len().div_ceil(per_sum);
    sums.par_chunks_mut(sum_len).zip(all.par_chunks(per_sum)).for_each(|(sum, tiles)| {
        let mut v = scratch::take(pass.left(at_once).len());
        let mut q = scratch::take(pass.right(at_once).len());
        for (i, part) in tiles.chunks(at_once).enumerate() {
            pass.block(sum, i > 0, part, &mut v, &mut q);
        }
    });
    gu.par_chunks_mut(xs.c * cout).enumerate().for_each(|(f, gu)| {
        gu.fill(0.0);
        for sum in sums.chunks_exact(sum_len).take(used) {
            gu.iter_mut().zip(&sum[f * xs.c * cout..]).for_each(|(g, s)| *g += s);
        }
    });
    weights::gradient(&gu, cout, xs.c)
}

/// What a weight gradient works on.
struct GradientPass<'a> {
    x: &'a [f32],
    xs: Nhwc,
    gy: &'a [f32],
    ys: Nhwc,
    dilation: usize,
}

impl GradientPass<'_> {
    /// Transformed input: left operand, read transposed.
    fn left(&self, tiles: usize) -> Layout {
        Layout::panels(tiles, self.xs.c, LEFT_PANEL)
    }

    /// Transformed output gradient: right operand.
    fn right(&self, tiles: usize) -> Layout {
        Layout::panels(tiles, self.ys.c, PANEL)
    }

    fn block(&self, gu: &mut [f32], accumulate: bool, part: &[Tile], v: &mut [f32], q: &mut [f32]) {
        let (left, right) = (self.left(part.len()), self.right(part.len()));
        let (v_rows, q_rows) = (Scatter::new(v), Scatter::new(q));
        let d = self.dilation;
        to_frequencies(&v_rows, &left, self.x, self.xs, part, d, TransformKind::Input, 0);
        to_frequencies(&q_rows, &right, self.gy, self.ys, part, d, TransformKind::OutputAdjoint, 0);
        for (f, gu) in gu.chunks_exact_mut(self.xs.c * self.ys.c).enumerate() {
            self.sum(gu, accumulate, f, 0, part.len(), v, q);
        }
    }

    fn stages(&self, gu: &mut [f32], accumulate: bool, part: &[Tile], v: &mut [f32], q: &mut [f32]) {
        let (left, right) = (self.left(part.len()), self.right(part.len()));
        let d = self.dilation;
        transform_tiles(&mut v[..left.len()], &left, self.x, self.xs, part, d, TransformKind::Input);
        transform_tiles(
            &mut q[..right.len()],
            &right,
            self.gy,
            self.ys,
            part,
            d,
            TransformKind::OutputAdjoint,
        );
        gu.par_chunks_mut(self.xs.c * self.ys.c).enumerate().for_each(|(f, gu)| {
            gu.par_chunks_mut(GRADIENT_ROWS * self.ys.c).enumerate().for_each(|(i, gu)| {
                self.sum(gu, accumulate, f, i * GRADIENT_ROWS, part.len(), v, q);
            });
        });
    }

    /// Products of the input channels from `first` on with all output channels, summed over tiles.
    fn sum(
        &self,
        gu: &mut [f32],
        accumulate: bool,
        f: usize,
        first: usize,
        tiles: usize,
        v: &[f32],
        q: &[f32],
    ) {
        let (left, right) = (self.left(tiles), self.right(tiles));
        let cout = self.ys.c;
        let v = &v[left.offset(f, 0, first)..];
        let a = Left::transposed_panels(v, tiles, gu.len() / cout, LEFT_PANEL);
        product(gu, cout, accumulate, a, &q[right.offset(f, 0, 0)..][..right.frequency_len()], cout);
    }
}

/// Transforms each tile, by all threads.
fn transform_tiles(
    out: &mut [f32],
    layout: &Layout,
    x: &[f32],
    xs: Nhwc,
    part: &[Tile],
    dilation: usize,
    kind: TransformKind,
) {
    let rows = Scatter::new(out);
    part.par_chunks(TILES_PER_TASK).enumerate().for_each(|(task, tiles)| {
        to_frequencies(&rows, layout, x, xs, tiles, dilation, kind, task * TILES_PER_TASK);
    });
}
