//! The 4x4 output tiles that cover every phase of every image.

use crate::Nhwc;

/// Output edge of a tile.
pub(super) const TILE: usize = 4;

/// A tile by its first output pixel; its pixels are `dilation` apart.
#[derive(Clone, Copy)]
pub(super) struct Tile {
    pub n: usize,
    pub y: usize,
    pub x: usize,
}

pub(super) fn tiles(xs: Nhwc, dilation: usize) -> Vec<Tile> {
    let step = TILE * dilation;
    let starts = |len: usize| -> Vec<usize> {
        (0..dilation.min(len)).flat_map(|phase| (phase..len).step_by(step)).collect()
    };
    let (rows, columns) = (starts(xs.h), starts(xs.w));
    let mut out = Vec::with_capacity(xs.n * rows.len() * columns.len());
    for n in 0..xs.n {
        for &y in &rows {
            out.extend(columns.iter().map(|&x| Tile { n, y, x }));
        }
    }
    out
}
