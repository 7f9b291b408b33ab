//! Which things belong together: trees in a list of parents, the smallest index of a tree at its root.

/// The root of `i`; shortens the way to it.
///
/// # Panics
/// Where `i` is no index of `parent`.
pub fn find(parent: &mut [u32], mut i: u32) -> u32 {
    while parent[i as usize] != i {
        parent[i as usize] = parent[parent[i as usize] as usize];
        i = parent[i as usize];
    }
    i
}

/// Joins two trees; the smaller index becomes the root, so roots keep the order of first pixels.
///
/// # Panics
/// As [`find`].
pub fn join(parent: &mut [u32], a: u32, b: u32) {
    let (a, b) = (find(parent, a), find(parent, b));
    parent[a.max(b) as usize] = a.min(b);
}
