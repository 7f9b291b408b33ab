//! Objects that grow pixel by pixel, with their number and the sum of their radii.

use super::ring::Ring;

/// The link of a pixel that is not there yet.
pub(super) const ABSENT: i32 = i32::MAX;

/// Pixels whose links are read ahead, so that the processor waits for memory once for all of them.
const AHEAD: usize = 32;

/// A union-find over pixels that knows the number of 8-connected objects and the sum of `sqrt(area)`.
pub(super) struct Growing {
    ring: Ring,
    /// Parent of a pixel; for a root, its area below zero; [`ABSENT`] for pixels not yet added. One array, for the
    /// pixels come in no order of place.
    link: Vec<i32>,
    /// Square roots of small areas, which most are.
    roots: Vec<f64>,
    pub objects: u32,
    pub sum_of_roots: f64,
}

impl Growing {
    pub fn new(ring: Ring) -> Self {
        let roots = (0..4096).map(|n| f64::from(n).sqrt()).collect();
        let link = vec![ABSENT; ring.first_of_groups.len()];
        Self { ring, link, roots, objects: 0, sum_of_roots: 0.0 }
    }

    /// Adds pixels, in this order.
    pub fn add(&mut self, places: &[u32]) {
        let mut ahead = [(0u8, 0usize); AHEAD];
        for places in places.chunks(AHEAD) {
            for (seen, &i) in ahead.iter_mut().zip(places) {
                let i = i as usize;
                let groups = self.ring.first_of_groups[i];
                *seen = (groups, self.nearer_the_root(self.neighbour(i, groups)));
            }
            for (&i, &(groups, first)) in places.iter().zip(&ahead) {
                self.add_one(i as usize, groups, first);
            }
        }
    }

    /// The first of `groups`; without any, some place.
    fn neighbour(&self, i: usize, groups: u8) -> usize {
        i.wrapping_add_signed(self.ring.steps[groups.trailing_zeros() as usize & 7])
    }

    /// The parent of a pixel, where it has one by now; else the pixel itself.
    fn nearer_the_root(&self, i: usize) -> usize {
        let parent = self.link[i];
        if (0..ABSENT).contains(&parent) { parent as usize } else { i }
    }

    fn find(&mut self, mut i: usize) -> usize {
        while self.link[i] >= 0 {
            let parent = self.link[i] as usize;
            if self.link[parent] >= 0 {
                self.link[i] = self.link[parent];
            }
            i = parent;
        }
        i
    }

    fn root(&self, area: i32) -> f64 {
        self.roots.get(area as usize).copied().unwrap_or_else(|| f64::from(area).sqrt())
    }

    /// Adds a pixel and joins it with the groups of neighbours that are there; `first` is on the way from the first of
    /// them to its root.
    fn add_one(&mut self, i: usize, mut groups: u8, first: usize) {
        let (mut own, mut area, mut joined, mut gone) = (i, 1, 0, 0.0);
        self.link[i] = -1;
        let mut from = first;
        while groups != 0 {
            let other = self.find(from);
            if other != own {
                let added = -self.link[other];
                gone += self.root(added);
                joined += 1;
                if added > area {
                    self.link[own] = other as i32;
                    own = other;
                } else {
                    self.link[other] = own as i32;
                }
                area += added;
                self.link[own] = -area;
            }
            groups &= groups - 1;
            from = self.neighbour(i, groups);
        }
        self.objects = self.objects + 1 - joined;
        self.sum_of_roots += self.root(area) - gone;
    }
}
