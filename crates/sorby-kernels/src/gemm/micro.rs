//! The innermost loop of a product: a tile of up to [`MAX_ROWS`] x 32 values kept in registers.
#![allow(unsafe_code)]

use super::panels::PANEL;
use crate::dispatch::{SimdLevel, simd_level};

/// Rows of a tile. 14 rows of two 512-bit registers leave four for operands.
pub(super) const MAX_ROWS: usize = 14;

/// A tile's operands. All offsets are in floats.
#[derive(Clone, Copy)]
pub(super) struct Tile<'a> {
    /// Left matrix from the tile's first row: element (i, p) at `i * row_stride + p * k_stride`.
    pub a: &'a [f32],
    pub row_stride: usize,
    pub k_stride: usize,
    pub rows: usize,
    pub k: usize,
    /// `[k, 32]`.
    pub panel: &'a [f32],
}

impl Tile<'_> {
    /// Adds the tile's product to `out`'s rows, or stores it. `out` holds `rows` rows of at least 32
    /// floats, `stride` apart.
    pub fn run(&self, out: &mut [f32], stride: usize, accumulate: bool) {
        assert!(self.rows >= 1 && self.rows <= MAX_ROWS && self.panel.len() >= self.k * PANEL);
        assert!(
            self.k == 0 || (self.rows - 1) * self.row_stride + (self.k - 1) * self.k_stride < self.a.len()
        );
        assert!((self.rows - 1) * stride + PANEL <= out.len());
        let out = out.as_mut_ptr();
        match simd_level() {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the level was detected; the assertions above bound every access.
            SimdLevel::Avx512 => unsafe { avx512::run(self, out, stride, accumulate) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            SimdLevel::Avx2 => unsafe { avx2::run(self, out, stride, accumulate) },
            // SAFETY: the assertions above bound every access.
            _ => unsafe { portable(self, out, stride, accumulate) },
        }
    }
}

/// Plain loops, four rows at a time; the compiler vectorises them for the target's baseline.
///
/// # Safety
/// `out` must be valid for `rows` rows of 32 floats, `stride` apart.
unsafe fn portable(t: &Tile, out: *mut f32, stride: usize, accumulate: bool) {
    for first in (0..t.rows).step_by(4) {
        let rows = 4.min(t.rows - first);
        let mut sums = [[0.0f32; PANEL]; 4];
        for (p, b) in t.panel.chunks_exact(PANEL).take(t.k).enumerate() {
            for (i, sum) in sums.iter_mut().enumerate().take(rows) {
                let a = t.a[(first + i) * t.row_stride + p * t.k_stride];
                sum.iter_mut().zip(b).for_each(|(s, b)| *s += a * b);
            }
        }
        for (i, sum) in sums.iter().enumerate().take(rows) {
            // SAFETY: row `first + i` of `out` is valid by this function's contract.
            let row = unsafe { std::slice::from_raw_parts_mut(out.add((first + i) * stride), PANEL) };
            for (o, s) in row.iter_mut().zip(sum) {
                *o = if accumulate { *o + s } else { *s };
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use super::{MAX_ROWS, Tile};
    use std::arch::x86_64::*;

    /// # Safety
    /// AVX-512F; `a` and `panel` must hold the tile, `out` its rows.
    #[target_feature(enable = "avx512f")]
    pub unsafe fn run(t: &Tile, out: *mut f32, stride: usize, accumulate: bool) {
        macro_rules! rows {
            ($($n:literal)*) => {
                match t.rows {
                    // SAFETY: this function's own contract.
                    $($n if t.k_stride == 1 => unsafe { rows::<$n, 1>(t, out, stride, accumulate) },)*
                    // SAFETY: as above.
                    $($n if t.k_stride == 16 => unsafe { rows::<$n, 16>(t, out, stride, accumulate) },)*
                    // SAFETY: as above.
                    $($n => unsafe { rows::<$n, 0>(t, out, stride, accumulate) },)*
                    _ => unreachable!("checked by the caller"),
                }
            };
        }
        rows!(1 2 3 4 5 6 7 8 9 10 11 12 13 14)
    }

    /// The tile with compile-time rows and distance between the left matrix's columns (0: as the tile says).
    #[target_feature(enable = "avx512f")]
    unsafe fn rows<const R: usize, const KS: usize>(
        t: &Tile,
        out: *mut f32,
        stride: usize,
        accumulate: bool,
    ) {
        let mut sums = [[_mm512_setzero_ps(); 2]; MAX_ROWS];
        let (rs, ks) = (t.row_stride, if KS == 0 { t.k_stride } else { KS });
        // One pointer for three rows, the other two reached by addressing modes; rows from R on are never
        // read. Made opaque, or the compiler derives them from each other with additions in every step,
        // which take issue slots from the multiplications.
        #[allow(clippy::pointers_in_nomem_asm_block)]
        let opaque = |mut p: *const f32| {
            // SAFETY: no instruction at all; the pointer comes back as it went in.
            unsafe {
                std::arch::asm!("/* {0} */", inout(reg) p, options(pure, nomem, nostack, preserves_flags));
            }
            p
        };
        let mut a: [*const f32; 5] =
            std::array::from_fn(|i| opaque(t.a.as_ptr().wrapping_add(3 * i.min((R - 1) / 3) * rs)));
        let mut b = t.panel.as_ptr();
        macro_rules! step {
            ($p:literal: $($i:literal)*) => {
                // SAFETY: the caller checked that `k` rows of the panel and of `a` are there.
                unsafe {
                    let (b0, b1) = (_mm512_loadu_ps(b.add(32 * $p)), _mm512_loadu_ps(b.add(32 * $p + 16)));
                    $(
                        if $i < R {
                            let v = _mm512_set1_ps(*a[$i / 3].add(($i % 3) * rs + $p * ks));
                            sums[$i][0] = _mm512_fmadd_ps(v, b0, sums[$i][0]);
                            sums[$i][1] = _mm512_fmadd_ps(v, b1, sums[$i][1]);
                        }
                    )*
                }
            };
        }
        const UNROLL: usize = 4;
        // Written out: left to the compiler, the longest loops are not unrolled and spill.
        for _ in 0..t.k / UNROLL {
            step!(0: 0 1 2 3 4 5 6 7 8 9 10 11 12 13);
            step!(1: 0 1 2 3 4 5 6 7 8 9 10 11 12 13);
            step!(2: 0 1 2 3 4 5 6 7 8 9 10 11 12 13);
            step!(3: 0 1 2 3 4 5 6 7 8 9 10 11 12 13);
            a = a.map(|a| a.wrapping_add(UNROLL * ks));
            b = b.wrapping_add(UNROLL * 32);
        }
        for _ in 0..t.k % UNROLL {
            step!(0: 0 1 2 3 4 5 6 7 8 9 10 11 12 13);
            a = a.map(|a| a.wrapping_add(ks));
            b = b.wrapping_add(32);
        }
        macro_rules! store {
            ($($i:literal)*) => {$(
                if $i < R {
            // SAFETY: row `i` of `out` is valid by this function's contract.
            unsafe {
                let row = out.add($i * stride);
                let [mut s0, mut s1] = sums[$i];
                if accumulate {
                    s0 = _mm512_add_ps(s0, _mm512_loadu_ps(row));
                    s1 = _mm512_add_ps(s1, _mm512_loadu_ps(row.add(16)));
                }
                _mm512_storeu_ps(row, s0);
                _mm512_storeu_ps(row.add(16), s1);
            }
                }
            )*};
        }
        store!(0 1 2 3 4 5 6 7 8 9 10 11 12 13);
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use super::Tile;
    use std::arch::x86_64::*;

    /// Rows at once: 6 rows of two 256-bit registers leave four for operands.
    const ROWS: usize = 6;

    /// # Safety
    /// AVX2 and FMA; `a` and `panel` must hold the tile, `out` its rows.
    #[target_feature(enable = "avx2,fma")]
    pub unsafe fn run(t: &Tile, out: *mut f32, stride: usize, accumulate: bool) {
        let blocks = t.rows.div_ceil(ROWS);
        for half in 0..2 {
            for block in 0..blocks {
                let (first, end) = (block * t.rows / blocks, (block + 1) * t.rows / blocks);
                // SAFETY: both halves of the block's rows lie inside the tile.
                unsafe {
                    let out = out.add(first * stride + 16 * half);
                    match end - first {
                        1 => rows::<1>(t, first, half, out, stride, accumulate),
                        2 => rows::<2>(t, first, half, out, stride, accumulate),
                        3 => rows::<3>(t, first, half, out, stride, accumulate),
                        4 => rows::<4>(t, first, half, out, stride, accumulate),
                        5 => rows::<5>(t, first, half, out, stride, accumulate),
                        _ => rows::<6>(t, first, half, out, stride, accumulate),
                    }
                }
            }
        }
    }

    #[target_feature(enable = "avx2,fma")]
    unsafe fn rows<const R: usize>(
        t: &Tile,
        first: usize,
        half: usize,
        out: *mut f32,
        stride: usize,
        accumulate: bool,
    ) {
        let mut sums = [[_mm256_setzero_ps(); 2]; R];
        let (rs, ks) = (t.row_stride, t.k_stride);
        let start = t.a.as_ptr().wrapping_add(first * rs);
        let mut a: [*const f32; 2] = std::array::from_fn(|i| start.wrapping_add(3 * i * rs));
        let mut b = t.panel.as_ptr().wrapping_add(16 * half);
        for _ in 0..t.k {
            // SAFETY: the caller checked that `k` rows of the panel and of `a` are there.
            unsafe {
                let (b0, b1) = (_mm256_loadu_ps(b), _mm256_loadu_ps(b.add(8)));
                for (i, sum) in sums.iter_mut().enumerate() {
                    let v = _mm256_set1_ps(*a[i / 3].add((i % 3) * rs));
                    sum[0] = _mm256_fmadd_ps(v, b0, sum[0]);
                    sum[1] = _mm256_fmadd_ps(v, b1, sum[1]);
                }
            }
            b = b.wrapping_add(32);
            for a in &mut a {
                *a = a.wrapping_add(ks);
            }
        }
        for (i, sum) in sums.iter().enumerate() {
            // SAFETY: row `i` of `out` is valid by this function's contract.
            unsafe {
                let row = out.add(i * stride);
                let (mut s0, mut s1) = (sum[0], sum[1]);
                if accumulate {
                    s0 = _mm256_add_ps(s0, _mm256_loadu_ps(row));
                    s1 = _mm256_add_ps(s1, _mm256_loadu_ps(row.add(8)));
                }
                _mm256_storeu_ps(row, s0);
                _mm256_storeu_ps(row.add(8), s1);
            }
        }
    }
}
