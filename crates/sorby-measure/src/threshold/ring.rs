//! Which of a pixel's eight neighbours are there before it, and which of these are enough to reach all of them.

use rayon::prelude::*;

/// Neighbours that touch each other are of one object already: one of each group in the ring stands for it. Bits are in
/// the order above left, above, above right, left, right, below left, below, below right.
pub(super) struct Ring {
    /// By rows of `stride` with a margin of one: the first of each group of neighbours that are added before the pixel.
    pub first_of_groups: Vec<u8>,
    /// Distance of each neighbour in memory.
    pub steps: [isize; 8],
}

/// Positions of the neighbours, column and row, in the order of the bits.
const PLACES: [(i8, i8); 8] = [(-1, -1), (0, -1), (1, -1), (-1, 0), (1, 0), (-1, 1), (0, 1), (1, 1)];

/// By the neighbours that are there: the first of each group that touches.
const FIRST_OF_GROUPS: [u8; 256] = {
    let mut table = [0; 256];
    let mut there = 0;
    while there < 256 {
        table[there] = first_of_groups(there as u8);
        there += 1;
    }
    table
};

const fn first_of_groups(there: u8) -> u8 {
    let (mut left, mut firsts) = (there, 0u8);
    while left != 0 {
        let first = left & left.wrapping_neg();
        firsts |= first;
        // All that is reached from it.
        let mut group = first;
        loop {
            let grown = group | (touching(group) & there);
            if grown == group {
                break;
            }
            group = grown;
        }
        left &= !group;
    }
    firsts
}

/// Neighbours that touch one of these.
const fn touching(these: u8) -> u8 {
    let (mut found, mut a) = (0u8, 0);
    while a < 8 {
        let mut b = 0;
        while b < 8 && these & (1 << a) != 0 {
            let ((ax, ay), (bx, by)) = (PLACES[a], PLACES[b]);
            if (ax - bx).abs() <= 1 && (ay - by).abs() <= 1 {
                found |= 1 << b;
            }
            b += 1;
        }
        a += 1;
    }
    found
}

impl Ring {
    /// Pixels are added from bright to dark, those of one value row by row.
    pub fn of(pixels: &[u8], width: usize) -> Self {
        let stride = width + 2;
        let height = pixels.len() / width.max(1);
        // One above the value, so that the margin is darker than all.
        let mut padded = vec![0u16; stride * (height + 2)];
        for (row, own) in pixels.chunks_exact(width.max(1)).zip(padded.chunks_exact_mut(stride).skip(1)) {
            own[1..=width].iter_mut().zip(row).for_each(|(p, &v)| *p = u16::from(v) + 1);
        }
        let mut first_of_groups = vec![0u8; stride * (height + 2)];
        first_of_groups.par_chunks_exact_mut(stride).enumerate().for_each(|(y, out)| {
            if (1..=height).contains(&y) {
                let row = |y: usize| &padded[y * stride..][..stride];
                ring_of_row([row(y - 1), row(y), row(y + 1)], &mut out[1..=width]);
            }
        });
        let step = |(dx, dy): (i8, i8)| isize::from(dy) * stride as isize + isize::from(dx);
        Self { first_of_groups, steps: PLACES.map(step) }
    }
}

/// `out` is narrower than the rows by their margins.
fn ring_of_row([above, own, below]: [&[u16]; 3], out: &mut [u8]) {
    let width = out.len();
    let (a, o, b) = (&above[..width + 2], &own[..width + 2], &below[..width + 2]);
    for (x, out) in out.iter_mut().enumerate() {
        let v = o[x + 1];
        let before = |n: u16, bit: u32| u8::from(n >= v) << bit;
        let later = |n: u16, bit: u32| u8::from(n > v) << bit;
        *out = before(a[x], 0)
            | before(a[x + 1], 1)
            | before(a[x + 2], 2)
            | before(o[x], 3)
            | later(o[x + 2], 4)
            | later(b[x], 5)
            | later(b[x + 1], 6)
            | later(b[x + 2], 7);
    }
    out.iter_mut().for_each(|there| *there = FIRST_OF_GROUPS[usize::from(*there)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_in_a_ring_are_known_by_their_first() {
        let of = |there: u8| FIRST_OF_GROUPS[usize::from(there)];
        assert_eq!((of(0), of(0xFF)), (0, 1));
        // Opposite corners do not touch, nor do left and right; above and left do.
        assert_eq!((of(0b1010_0101), of(0b0001_1000), of(0b0000_1010)), (0b1010_0101, 0b0001_1000, 0b10));
        // Left, below left and below right: two groups.
        assert_eq!(of(0b1010_1000), 0b1000_1000);
    }
}
