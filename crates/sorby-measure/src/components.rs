//! Connected components of a binary image, from runs of pixels, in one pass and a union-find.

use crate::shape::{Shape, shape};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sorby_image::union_find::{find, join};

/// Which neighbours belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connectivity {
    /// Sharing an edge.
    Four,
    /// Sharing an edge or a corner (OpenCV's default).
    Eight,
}

impl Connectivity {
    /// Neighbours of a pixel: 4 or 8.
    pub fn neighbours(self) -> u8 {
        match self {
            Self::Four => 4,
            Self::Eight => 8,
        }
    }
}

/// A horizontal run of object pixels, `x_start..x_end` of row `y`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Row, from 0.
    pub y: u32,
    /// First column.
    pub x_start: u32,
    /// Column after the last.
    pub x_end: u32,
    /// Index into [`Objects::regions`].
    pub region: u32,
}

/// One connected object. Names follow scikit-image's `regionprops`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Region {
    /// Pixel count; holes are not part of it.
    pub area_px: u64,
    /// Mean pixel position (row, column).
    pub centroid_px: (f64, f64),
    /// Half-open bounding box: (min row, min column, max row, max column).
    pub bbox_px: (u32, u32, u32, u32),
    /// Has a pixel in the first or last row or column.
    pub touches_border: bool,
    /// Perimeter, Feret diameters, axes and the like.
    pub shape: Shape,
}

impl Region {
    /// Radius of the circle of equal area, `sqrt(A / pi)`.
    pub fn equivalent_radius_px(&self) -> f64 {
        (self.area_px as f64 / std::f64::consts::PI).sqrt()
    }

    /// Diameter of the circle of equal area; ISO 9276-6's equivalent circle diameter.
    pub fn equivalent_diameter_area_px(&self) -> f64 {
        2.0 * self.equivalent_radius_px()
    }
}

/// All objects of an image, ordered by their first pixel, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Objects {
    /// Columns of the image.
    pub width: usize,
    /// Rows of the image.
    pub height: usize,
    /// Pixels of all objects as runs, row by row, from left to right.
    pub runs: Vec<Run>,
    /// Measures of each object.
    pub regions: Vec<Region>,
}

/// Finds and measures the objects made of the pixels that `foreground` says yes to. `pixels` are the image's values,
/// row by row.
///
/// ```
/// use sorby_measure::{Connectivity, components};
///
/// let image = ["##..#",
///              "##.#.",
///              "....#"];
/// let pixels = image.concat().into_bytes();
///
/// // Every object drawn with its number.
/// let numbers = |connectivity| {
///     let mut rows = image.map(|_| *b".....");
///     for run in components(5, 3, connectivity, &pixels, |v| v == b'#').runs {
///         rows[run.y as usize][run.x_start as usize..run.x_end as usize].fill(b'0' + run.region as u8);
///     }
///     rows.map(|row| String::from_utf8_lossy(&row).into_owned())
/// };
///
/// assert_eq!(numbers(Connectivity::Four), ["00..1",
///                                          "00.2.",
///                                          "....3"]);
/// assert_eq!(numbers(Connectivity::Eight), ["00..1",
///                                           "00.1.",
///                                           "....1"]);
/// ```
///
/// # Panics
/// If there are not `width * height` pixels, or a side has 2^32 - 1 pixels or more.
pub fn components(
    width: usize,
    height: usize,
    connectivity: Connectivity,
    pixels: &[u8],
    foreground: impl Fn(u8) -> bool,
) -> Objects {
    let (runs, count) = label_runs(width, height, connectivity, pixels, foreground);
    Objects::from_runs(width, height, runs, count, |_| 1)
}

/// The runs of foreground pixels in raster order, each with the number of its object, and how many objects there
/// are; they are numbered by their first pixels.
///
/// # Panics
/// As [`components`].
pub fn label_runs(
    width: usize,
    height: usize,
    connectivity: Connectivity,
    pixels: &[u8],
    foreground: impl Fn(u8) -> bool,
) -> (Vec<Run>, usize) {
    assert_eq!(pixels.len(), width * height);
    assert!(width < u32::MAX as usize && height < u32::MAX as usize);
    let reach = u32::from(connectivity == Connectivity::Eight);
    let (mut runs, mut parent) = (Vec::<Run>::new(), Vec::<u32>::new());
    let mut above = 0..0;
    for (y, row) in pixels.chunks_exact(width.max(1)).enumerate() {
        let first = runs.len();
        let mut x = 0;
        let mut candidate = above.start;
        while let Some(start) = row[x..].iter().position(|&v| foreground(v)).map(|p| x + p) {
            let end = row[start..].iter().position(|&v| !foreground(v)).map_or(width, |p| start + p);
            let id = runs.len() as u32;
            parent.push(id);
            let run = Run { y: y as u32, x_start: start as u32, x_end: end as u32, region: 0 };
            // Runs above that end before this one starts cannot touch it or a later one.
            while candidate < above.end && runs[candidate].x_end + reach <= run.x_start {
                candidate += 1;
            }
            let mut touching = candidate;
            while touching < above.end && runs[touching].x_start < run.x_end + reach {
                join(&mut parent, touching as u32, id);
                touching += 1;
            }
            runs.push(run);
            x = end;
        }
        above = first..runs.len();
    }
    let mut index_of_root = vec![u32::MAX; runs.len()];
    let mut count = 0;
    for (i, run) in runs.iter_mut().enumerate() {
        let root = find(&mut parent, i as u32) as usize;
        if index_of_root[root] == u32::MAX {
            index_of_root[root] = count;
            count += 1;
        }
        run.region = index_of_root[root];
    }
    (runs, count as usize)
}

/// Objects that are numbered pixel by pixel, 0 for none. Each number is one object (scikit-image's `regionprops`),
/// though it lie in pieces; numbers that touch stay apart.
///
/// # Panics
/// If there are not `width * height` numbers.
pub fn numbered(width: usize, height: usize, numbers: &[u32]) -> Objects {
    assert_eq!(numbers.len(), width * height);
    let mut index = std::collections::HashMap::new();
    let mut runs = Vec::<Run>::new();
    for (y, row) in numbers.chunks_exact(width.max(1)).enumerate() {
        let mut x = 0;
        for same in row.chunk_by(|a, b| a == b) {
            let (x_start, x_end) = (x as u32, (x + same.len()) as u32);
            x += same.len();
            if same[0] != 0 {
                let next = index.len() as u32;
                let region = *index.entry(same[0]).or_insert(next);
                runs.push(Run { y: y as u32, x_start, x_end, region });
            }
        }
    }
    Objects::from_runs(width, height, runs, index.len(), pieces)
}

/// Pieces that the runs of one object, in raster order, make up; corners join.
fn pieces(runs: &[Run]) -> usize {
    let mut parent: Vec<u32> = (0..runs.len() as u32).collect();
    let mut lower = 0;
    for (i, upper) in runs.iter().enumerate() {
        while lower < runs.len()
            && (runs[lower].y <= upper.y || runs[lower].y == upper.y + 1 && runs[lower].x_end < upper.x_start)
        {
            lower += 1;
        }
        let met = runs[lower..].iter().take_while(|r| r.y == upper.y + 1 && r.x_start <= upper.x_end).count();
        (lower..lower + met).for_each(|j| join(&mut parent, i as u32, j as u32));
    }
    (0..runs.len()).filter(|i| parent[*i] as usize == *i).count()
}

impl Objects {
    /// Measures the `count` objects that `runs`, in raster order, say which they belong to; `pieces` says in how many
    /// pieces an object lies.
    pub(crate) fn from_runs(
        width: usize,
        height: usize,
        runs: Vec<Run>,
        count: usize,
        pieces: impl Fn(&[Run]) -> usize + Sync,
    ) -> Self {
        let grouped = ByRegion::of(&runs, count);
        let part = |i: usize| region(grouped.runs(i), pieces(grouped.runs(i)), width, height);
        let regions = (0..count).into_par_iter().with_min_len(64).map(part).collect();
        Self { width, height, runs, regions }
    }

    /// The objects that `keep` says yes to, in the same order.
    pub(crate) fn retain(&mut self, keep: impl Fn(&Region) -> bool) {
        let mut count = 0;
        let index: Vec<Option<u32>> = (self.regions.iter())
            .map(|r| {
                keep(r).then(|| {
                    count += 1;
                    count - 1
                })
            })
            .collect();
        if count as usize == self.regions.len() {
            return;
        }
        self.runs.retain_mut(|run| match index[run.region as usize] {
            Some(i) => {
                run.region = i;
                true
            }
            None => false,
        });
        let mut old = index.iter();
        self.regions.retain(|_| old.next().is_some_and(Option::is_some));
    }
}

/// Runs sorted by object, in raster order within each.
pub(crate) struct ByRegion {
    runs: Vec<Run>,
    start: Vec<usize>,
}

impl ByRegion {
    pub(crate) fn of(runs: &[Run], count: usize) -> Self {
        let mut start = vec![0usize; count + 1];
        runs.iter().for_each(|r| start[r.region as usize + 1] += 1);
        (0..count).for_each(|i| start[i + 1] += start[i]);
        let mut next = start.clone();
        let mut sorted = runs.to_vec();
        for run in runs {
            sorted[next[run.region as usize]] = *run;
            next[run.region as usize] += 1;
        }
        Self { runs: sorted, start }
    }

    pub(crate) fn runs(&self, region: usize) -> &[Run] {
        &self.runs[self.start[region]..self.start[region + 1]]
    }
}

/// Measures one object from its runs, in raster order.
fn region(runs: &[Run], pieces: usize, width: usize, height: usize) -> Region {
    let (mut area, mut rows, mut columns) = (0, 0.0, 0.0);
    let (top, bottom) = (runs[0].y, runs[runs.len() - 1].y + 1);
    let (mut left, mut right) = (u32::MAX, 0);
    for run in runs {
        let length = u64::from(run.x_end - run.x_start);
        area += length;
        rows += f64::from(run.y) * length as f64;
        // A run's columns average (start + end - 1) / 2.
        columns += (f64::from(run.x_start) + f64::from(run.x_end) - 1.0) / 2.0 * length as f64;
        (left, right) = (left.min(run.x_start), right.max(run.x_end));
    }
    Region {
        area_px: area,
        centroid_px: (rows / area as f64, columns / area as f64),
        bbox_px: (top, left, bottom, right),
        touches_border: top == 0 || left == 0 || bottom as usize == height || right as usize == width,
        shape: shape(runs, pieces),
    }
}
