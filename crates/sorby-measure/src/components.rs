//! Connected components of a binary image, from runs of pixels, in one pass and a union-find.

use crate::shape::{Shape, shape};

/// Which neighbours belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connectivity {
    /// Sharing an edge.
    Four,
    /// Sharing an edge or a corner (OpenCV's default).
    Eight,
}

/// A horizontal run of object pixels, `x_start..x_end` of row `y`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    pub y: u32,
    pub x_start: u32,
    pub x_end: u32,
    /// Index into [`Objects::regions`].
    pub region: u32,
}

/// One connected object. Names follow scikit-image's `regionprops`.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// Pixel count; holes are not part of it.
    pub area_px: u64,
    /// Mean pixel position (row, column).
    pub centroid_px: (f64, f64),
    /// Half-open bounding box: (min row, min column, max row, max column).
    pub bbox_px: (u32, u32, u32, u32),
    /// Has a pixel in the first or last row or column.
    pub touches_border: bool,
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
    pub width: usize,
    pub height: usize,
    pub runs: Vec<Run>,
    pub regions: Vec<Region>,
}

fn find(parent: &mut [u32], mut i: u32) -> u32 {
    while parent[i as usize] != i {
        parent[i as usize] = parent[parent[i as usize] as usize];
        i = parent[i as usize];
    }
    i
}

/// Joins two trees; the smaller index becomes the root, so roots keep the order of first pixels.
fn join(parent: &mut [u32], a: u32, b: u32) {
    let (a, b) = (find(parent, a), find(parent, b));
    parent[a.max(b) as usize] = a.min(b);
}

/// Finds the objects of `foreground`, called with each row's index and giving its pixels.
pub fn components<'a>(
    width: usize,
    height: usize,
    connectivity: Connectivity,
    pixels: &'a [u8],
    foreground: impl Fn(u8) -> bool + 'a,
) -> Objects {
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
    collect(width, height, runs, parent)
}

fn collect(width: usize, height: usize, mut runs: Vec<Run>, mut parent: Vec<u32>) -> Objects {
    let mut index_of_root = vec![u32::MAX; runs.len()];
    let mut regions: Vec<Region> = Vec::new();
    for (i, run) in runs.iter_mut().enumerate() {
        let root = find(&mut parent, i as u32) as usize;
        if index_of_root[root] == u32::MAX {
            index_of_root[root] = regions.len() as u32;
            regions.push(Region {
                area_px: 0,
                centroid_px: (0.0, 0.0),
                bbox_px: (run.y, run.x_start, run.y + 1, run.x_end),
                touches_border: false,
                shape: Shape::default(),
            });
        }
        run.region = index_of_root[root];
        let region = &mut regions[run.region as usize];
        let length = u64::from(run.x_end - run.x_start);
        region.area_px += length;
        // Sums for now; divided below. A run's columns average (start + end - 1) / 2.
        region.centroid_px.0 += f64::from(run.y) * length as f64;
        region.centroid_px.1 += (f64::from(run.x_start) + f64::from(run.x_end) - 1.0) / 2.0 * length as f64;
        let b = &mut region.bbox_px;
        *b = (b.0.min(run.y), b.1.min(run.x_start), b.2.max(run.y + 1), b.3.max(run.x_end));
    }
    for region in &mut regions {
        let area = region.area_px as f64;
        region.centroid_px = (region.centroid_px.0 / area, region.centroid_px.1 / area);
        let (top, left, bottom, right) = region.bbox_px;
        region.touches_border = top == 0 || left == 0 || bottom as usize == height || right as usize == width;
    }
    measure_shapes(&runs, &mut regions);
    Objects { width, height, runs, regions }
}

/// Hands every region its own runs, in order of rows.
fn measure_shapes(runs: &[Run], regions: &mut [Region]) {
    let mut start = vec![0usize; regions.len() + 1];
    runs.iter().for_each(|r| start[r.region as usize + 1] += 1);
    (0..regions.len()).for_each(|i| start[i + 1] += start[i]);
    let mut next = start.clone();
    let mut sorted = runs.to_vec();
    for run in runs {
        sorted[next[run.region as usize]] = *run;
        next[run.region as usize] += 1;
    }
    for (region, part) in regions.iter_mut().zip(start.windows(2)) {
        region.shape = shape(&sorted[part[0]..part[1]]);
    }
}
