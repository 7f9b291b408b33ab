//! A mask in which objects and matrix are exchanged, among masks in which they are not.

use super::survey::Values;

/// What one mask of two values looks like.
struct Look {
    /// Share of the foreground.
    share: f64,
    /// Whether the foreground lies in pieces within a background of fewer: the usual way.
    usual: bool,
}

fn look(file: &Values, back: i64, front: i64) -> Option<Look> {
    let count = |v: i64| file.counts.get(&v).copied().unwrap_or(0) as f64;
    let pieces = file.pieces.as_ref()?;
    let pieces = |v: i64| pieces.get(&v).copied().unwrap_or(0);
    let pixels = count(back) + count(front);
    (count(back) > 0.0 && count(front) > 0.0 && pieces(back) != pieces(front))
        .then(|| Look { share: count(front) / pixels, usual: pieces(front) > pieces(back) })
}

/// The files (their places in the list) that look exchanged: their foreground is the larger part and in fewer pieces than
/// the background, that of all others the smaller part and in more, and their backgrounds have shares as the others'
/// foregrounds have. Masks of two values only: `back`, `front`.
pub(crate) fn exchanged(files: &[(usize, &Values)], back: i64, front: i64) -> Vec<usize> {
    let looks: Vec<(usize, Look)> =
        files.iter().filter_map(|(i, v)| Some((*i, look(v, back, front)?))).collect();
    let (odd, rest): (Vec<_>, Vec<_>) = looks.iter().partition(|(_, l)| l.share > 0.5 && !l.usual);
    if rest.is_empty() || !rest.iter().all(|(_, l)| l.share < 0.5 && l.usual) {
        return Vec::new();
    }
    let (low, high) = rest.iter().fold((1.0f64, 0.0f64), |(a, b), (_, l)| (a.min(l.share), b.max(l.share)));
    let as_theirs = |share: f64| low / 2.0 <= 1.0 - share && 1.0 - share <= 2.0 * high;
    odd.iter().filter(|(_, l)| as_theirs(l.share)).map(|(i, _)| *i).collect()
}
