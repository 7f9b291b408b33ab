//! Outlines of objects as polygons along the edges of pixels.

use crate::components::{ByRegion, Connectivity, Run};
use crate::raster::Raster;
use rayon::prelude::*;

/// A closed ring of pixel corners (x, y), the first not repeated at the end.
pub type Ring = Vec<(u32, u32)>;

/// Each object's outline (clockwise on the screen) followed by those of its holes (anti-clockwise), for the objects
/// that `runs`, in raster order, make up.
///
/// ```
/// use sorby_measure::{Connectivity, components, outlines, signed_area_px};
///
/// let image = ["....",
///              ".###",
///              ".#.#",
///              ".###"];
/// let ring = components(4, 4, Connectivity::Eight, image.concat().as_bytes(), |v| v == b'#');
/// let drawn = outlines(&ring.runs, ring.regions.len(), Connectivity::Eight);
///
/// // Corners (x, y) of pixels, of which (0, 0) is the upper left one of the image.
/// let outside = vec![(4, 1), (4, 4), (1, 4), (1, 1)];
/// let hole = vec![(3, 3), (3, 2), (2, 2), (2, 3)];
/// assert_eq!((signed_area_px(&outside), signed_area_px(&hole)), (9.0, -1.0));
/// assert_eq!(drawn, [[outside, hole]]);
/// ```
///
/// # Panics
/// If a run is of an object with a number of `count` or above, or an object has no run.
pub fn outlines(runs: &[Run], count: usize, connectivity: Connectivity) -> Vec<Vec<Ring>> {
    let grouped = ByRegion::of(runs, count);
    (0..count).into_par_iter().map(|i| rings(grouped.runs(i), connectivity)).collect()
}

/// East, south, west, north.
const STEPS: [(i64, i64); 4] = [(1, 0), (0, 1), (-1, 0), (0, -1)];

/// Objects whose outlines are kept at once.
const CHUNK: usize = 4096;

/// The same, object after object: a picture of a million objects does not need all their outlines in memory.
///
/// # Errors
/// What `each` gives, at once.
///
/// # Panics
/// As [`outlines`].
pub fn each_outline<E>(
    runs: &[Run],
    count: usize,
    connectivity: Connectivity,
    mut each: impl FnMut(usize, &[Ring]) -> Result<(), E>,
) -> Result<(), E> {
    let grouped = ByRegion::of(runs, count);
    for first in (0..count).step_by(CHUNK) {
        let chunk = first..count.min(first + CHUNK);
        let made: Vec<Vec<Ring>> =
            chunk.into_par_iter().map(|i| rings(grouped.runs(i), connectivity)).collect();
        made.iter().enumerate().try_for_each(|(i, rings)| each(first + i, rings))?;
    }
    Ok(())
}

fn rings(runs: &[Run], connectivity: Connectivity) -> Vec<Ring> {
    // A corner (x, y) is the upper left one of pixel (x, y) of the picture with its margin.
    let Raster { left, top, width, pixels } = Raster::of(runs);
    let (width, height) = (width as i64, (pixels.len() / width) as i64);
    let at = |x: i64, y: i64| pixels[(y * width + x) as usize] == 1;
    let mut seen = vec![false; pixels.len()];
    let mut out = Vec::new();
    for y in 1..height {
        for x in 1..width {
            // Every ring has an edge that runs east above a pixel of the object.
            if seen[(y * width + x) as usize] || !at(x, y) || at(x, y - 1) {
                continue;
            }
            let mut ring = Ring::new();
            let (mut corner, mut heading) = ((x, y), 0);
            loop {
                if heading == 0 {
                    seen[(corner.1 * width + corner.0) as usize] = true;
                }
                corner = (corner.0 + STEPS[heading].0, corner.1 + STEPS[heading].1);
                let (cx, cy) = corner;
                // The two pixels ahead, to the left and to the right; the object is on the right.
                let (ahead_left, ahead_right) = match heading {
                    0 => (at(cx, cy - 1), at(cx, cy)),
                    1 => (at(cx, cy), at(cx - 1, cy)),
                    2 => (at(cx - 1, cy), at(cx - 1, cy - 1)),
                    _ => (at(cx - 1, cy - 1), at(cx, cy - 1)),
                };
                let turned = match (connectivity, ahead_left, ahead_right) {
                    (_, true, true) | (Connectivity::Eight, true, false) => (heading + 3) % 4,
                    (_, false, true) => heading,
                    (_, _, false) => (heading + 1) % 4,
                };
                if turned != heading {
                    ring.push(((cx - 1) as u32 + left, (cy - 1) as u32 + top));
                }
                heading = turned;
                if corner == (x, y) && heading == 0 {
                    break;
                }
            }
            out.push(ring);
        }
    }
    out
}

/// Area inside a ring, negative for holes.
pub fn signed_area_px(ring: &[(u32, u32)]) -> f64 {
    let next = ring.iter().cycle().skip(1);
    let cross = |((ax, ay), (bx, by)): (&(u32, u32), &(u32, u32))| {
        i64::from(*ax) * i64::from(*by) - i64::from(*bx) * i64::from(*ay)
    };
    ring.iter().zip(next).map(cross).sum::<i64>() as f64 / 2.0
}
