//! Objects of one class that touch.
//!
//! A label map cannot hold that two objects of one class touch, so a line of pixels that are not counted (255) is drawn
//! between them, on the side of the larger one.

use sorby_image::{IGNORE, LabelMap};
use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

/// Parts objects of one class; `numbers` says for each pixel which object it is of, 0 for none. Tells what was done, if
/// anything.
pub(super) fn part<N: Copy + Default + Ord + Hash>(map: &mut LabelMap, numbers: &[N]) -> Option<String> {
    let none = N::default();
    let mut sizes: HashMap<N, u64> = HashMap::new();
    numbers.iter().filter(|n| **n != none).for_each(|n| *sizes.entry(*n).or_default() += 1);
    let (mut contacts, mut line) = (BTreeSet::new(), BTreeSet::new());
    each_neighbours(map.width, map.height, &mut |here, there| {
        let (a, b) = (numbers[here], numbers[there]);
        if a != none && b != none && a != b && map.labels[here] == map.labels[there] {
            contacts.insert((a.min(b), a.max(b)));
            line.insert(if (sizes[&a], a) > (sizes[&b], b) { here } else { there });
        }
    });
    if contacts.is_empty() {
        return None;
    }
    line.iter().for_each(|at| map.labels[*at] = IGNORE);
    let left: BTreeSet<N> =
        numbers.iter().zip(&map.labels).filter(|(_, l)| **l != IGNORE).map(|p| *p.0).collect();
    let lost = sizes.keys().filter(|n| !left.contains(n)).count();
    let plural = |n: usize| if n == 1 { "" } else { "s" };
    let mut told = format!(
        "objects touch in {} place{} ({} objects): a line of {} pixels between them is not counted (255)",
        contacts.len(),
        plural(contacts.len()),
        sizes.len(),
        line.len()
    );
    if lost > 0 {
        told += &format!("; {lost} object{} had no pixel next to the line and are lost", plural(lost));
    }
    Some(told)
}

/// Calls `meet` with each pair of neighbours, diagonal ones too.
fn each_neighbours(width: usize, height: usize, meet: &mut dyn FnMut(usize, usize)) {
    for y in 0..height {
        for x in 0..width {
            let here = y * width + x;
            let (right, below, left) = (x + 1 < width, y + 1 < height, x > 0);
            let neighbours = [
                (right, 1),
                (below && left, width.wrapping_sub(1)),
                (below, width),
                (below && right, width + 1),
            ];
            for (_, step) in neighbours.into_iter().filter(|(there, _)| *there) {
                meet(here, here + step);
            }
        }
    }
}

/// Which object each pixel of a drawing is of, and how objects of one class lie over each other.
pub(super) struct Owners {
    /// Object by pixel; 0 for none.
    pixels: Vec<u32>,
    /// Class and drawn pixels of each object; the first stands for none.
    objects: Vec<(u8, u64)>,
    /// Pixels of the first that the second was drawn over.
    shared: HashMap<(u32, u32), u64>,
}

impl Owners {
    pub fn of(pixels: usize) -> Self {
        Self { pixels: vec![0; pixels], objects: vec![(0, 0)], shared: HashMap::new() }
    }

    /// Gives a pixel to an object of a class; none of the background, and of what is not known, is an object.
    pub fn give(&mut self, at: usize, object: usize, class: u8) {
        let before = self.pixels[at];
        if class == 0 || class == IGNORE {
            self.pixels[at] = 0;
            return;
        }
        let object = object as u32 + 1;
        if before == object {
            return;
        }
        if self.objects[before as usize].0 == class {
            *self.shared.entry((before, object)).or_default() += 1;
        }
        let known = self.objects.len().max(object as usize + 1);
        self.objects.resize(known, (0, 0));
        let (own, drawn) = &mut self.objects[object as usize];
        (*own, *drawn) = (class, *drawn + 1);
        self.pixels[at] = object;
    }

    /// Takes objects of one class for one of which the smaller lies in the other by half or more: drawn twice, or in
    /// parts. Less is what outlines by hand share where two objects touch. Gives the object of each pixel, and how many
    /// became part of another.
    pub fn join(&self) -> (Vec<u32>, usize) {
        let mut root: Vec<u32> = (0..self.objects.len() as u32).collect();
        let top = |root: &[u32], mut at: u32| {
            while root[at as usize] != at {
                at = root[at as usize];
            }
            at
        };
        let mut joined = 0;
        for ((a, b), shared) in &self.shared {
            let smaller = self.objects[*a as usize].1.min(self.objects[*b as usize].1);
            let (a, b) = (top(&root, *a), top(&root, *b));
            if 2 * shared >= smaller && a != b {
                root[a.max(b) as usize] = a.min(b);
                joined += 1;
            }
        }
        (self.pixels.iter().map(|object| top(&root, *object)).collect(), joined)
    }
}
