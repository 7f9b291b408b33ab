//! Whether the values of masks are numbers of objects: then each is one connected piece.

use super::survey::Values;
use sorby_image::union_find::join;
use std::collections::BTreeMap;

/// How sure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evidence {
    Sure,
    /// As few values, each one piece, as there may be classes.
    Maybe,
    No,
}

/// So many values that are a piece each are no classes.
const SURELY_OBJECTS: usize = 8;
/// Share of object numbers that are one piece; some objects are cut or have a stray pixel.
const IN_ONE_PIECE: f64 = 0.9;
/// The same where no program would number classes so.
const IN_ONE_PIECE_AT_LEAST: f64 = 0.5;

/// Values beyond, in no even steps, are neither class indices nor greys for classes.
const HIGHEST_CLASS: i64 = 31;
/// So many of these are enough.
const IRREGULAR: usize = 4;

/// What the files together say.
pub(crate) fn evidence(files: &[&Values]) -> Evidence {
    let (mut most, mut numbers, mut whole, mut wide) = (0, 0u64, 0u64, false);
    for file in files {
        let Some(pieces) = &file.pieces else { return Evidence::No };
        if pieces.keys().any(|v| *v < 0) {
            return Evidence::No;
        }
        let own = || pieces.iter().filter(|(v, _)| **v != 0);
        most = most.max(own().count());
        numbers += own().count() as u64;
        whole += own().filter(|(_, n)| **n == 1).count() as u64;
        wide |= file.bits >= 16;
    }
    let irregular = files.iter().any(|f| irregular(f));
    let share = if irregular { IN_ONE_PIECE_AT_LEAST } else { IN_ONE_PIECE };
    if most < 2 || (whole as f64) < share * numbers as f64 {
        Evidence::No
    } else if most >= SURELY_OBJECTS || wide || irregular {
        Evidence::Sure
    } else {
        Evidence::Maybe
    }
}

/// Whether values are as no program numbers classes: large, and in uneven steps.
fn irregular(file: &Values) -> bool {
    let own: Vec<i64> = file.pieces.iter().flat_map(|p| p.keys().copied()).filter(|v| *v != 0).collect();
    let steps: Vec<i64> = own.windows(2).map(|w| w[1] - w[0]).collect();
    // Greys for classes are 0, s, 2 s, ...
    let even = own.first().is_some_and(|first| steps.iter().all(|step| (step - first).abs() <= 1));
    own.len() >= IRREGULAR && own.last().is_some_and(|v| *v > HIGHEST_CLASS) && !even
}

/// Connected pieces (corners join) of each value; `None` where neighbours in a row are seldom alike.
pub(crate) fn pieces<T: Copy + PartialEq + Into<i64>>(
    width: usize,
    values: &[T],
) -> Option<BTreeMap<i64, u64>> {
    let rows = || values.chunks_exact(width.max(1));
    let changes: usize = rows().map(|row| row.windows(2).filter(|w| w[0] != w[1]).count()).sum();
    // Runs of three pixels on average, and not one of a few pixels only.
    if changes * 3 > values.len() {
        return None;
    }
    let mut runs: Vec<(usize, usize, usize)> = Vec::with_capacity(changes + values.len() / width.max(1));
    let mut parent: Vec<u32> = Vec::new();
    let mut above = 0..0;
    for (y, row) in rows().enumerate() {
        let first = runs.len();
        let (mut x, mut candidate) = (0, above.start);
        for same in row.chunk_by(|a, b| a == b) {
            let (start, end) = (x, x + same.len());
            x = end;
            let id = runs.len();
            parent.push(id as u32);
            runs.push((y, start, end));
            while candidate < above.end && runs[candidate].2 < start {
                candidate += 1;
            }
            let met = (candidate..above.end).take_while(|i| runs[*i].1 <= end).collect::<Vec<_>>();
            for i in met {
                let (upper, x) = (runs[i].0, runs[i].1);
                if values[upper * width + x] == same[0] {
                    join(&mut parent, i as u32, id as u32);
                }
            }
        }
        above = first..runs.len();
    }
    let mut pieces = BTreeMap::new();
    for (i, (y, start, _)) in runs.iter().enumerate() {
        if parent[i] as usize == i {
            *pieces.entry(values[y * width + start].into()).or_default() += 1;
        }
    }
    Some(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_each_value() {
        let map = [0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 2, 2, 0, 0, 0, 0, 2, 2, 3, 3, 0, 0, 0, 0].map(|v: u8| v);
        let found = pieces(8, &map).unwrap();
        // The single 1 of the second row touches a corner of the first piece.
        assert_eq!(found, BTreeMap::from([(0, 2), (1, 1), (2, 1), (3, 1)]));
        let noise: Vec<u8> = (0..64).map(|i| (i * 37 % 101) as u8).collect();
        assert_eq!(pieces(8, &noise), None);
    }
}
