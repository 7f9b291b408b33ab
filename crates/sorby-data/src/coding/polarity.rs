//! A mask in which objects and matrix are exchanged, among masks in which they are not.

use super::survey::Values;

/// What one mask of two values looks like.
struct Look {
    /// Share of the foreground.
    share: f64,
    /// Whether the foreground is in more pieces than the background, in fewer, or in as many.
    pieces: std::cmp::Ordering,
}

/// A share that is larger than all others by so much is none of their series.
const JUMP: f64 = 0.5;

fn look(file: &Values, back: i64, front: i64) -> Option<Look> {
    let count = |v: i64| file.counts.get(&v).copied().unwrap_or(0) as f64;
    let pieces = file.pieces.as_ref()?;
    let pieces = |v: i64| pieces.get(&v).copied().unwrap_or(0);
    let pixels = count(back) + count(front);
    (count(back) > 0.0 && count(front) > 0.0)
        .then(|| Look { share: count(front) / pixels, pieces: pieces(front).cmp(&pieces(back)) })
}

/// The files (their places in the list) that look exchanged: their foreground is the larger part and in no more pieces
/// than the background, that of all others the smaller part and in no fewer, and either their backgrounds have shares
/// as the others' foregrounds have, or their foreground is larger than any other's by half the field. Masks of two
/// values only: `back`, `front`.
pub(crate) fn exchanged(files: &[(usize, &Values)], back: i64, front: i64) -> Vec<usize> {
    let looks: Vec<(usize, Look)> =
        files.iter().filter_map(|(i, v)| Some((*i, look(v, back, front)?))).collect();
    let (odd, rest): (Vec<_>, Vec<_>) = looks.iter().partition(|(_, l)| l.share > 0.5 && l.pieces.is_le());
    if rest.is_empty() || !rest.iter().all(|(_, l)| l.share < 0.5 && l.pieces.is_ge()) {
        return Vec::new();
    }
    let (low, high) = rest.iter().fold((1.0f64, 0.0f64), |(a, b), (_, l)| (a.min(l.share), b.max(l.share)));
    let as_theirs = |share: f64| low / 2.0 <= 1.0 - share && 1.0 - share <= 2.0 * high;
    // As many pieces of each say nothing: then the share alone must.
    let is_odd = |l: &Look| l.pieces.is_lt() && as_theirs(l.share) || l.share > high + JUMP;
    odd.iter().filter(|(_, l)| is_odd(l)).map(|(i, _)| *i).collect()
}
