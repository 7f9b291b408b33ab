//! Shape of an object from its runs. Names follow scikit-image's `regionprops` where it has them; the terms of
//! ISO 9276-6 are given with them.

use crate::components::Run;
use crate::raster::Raster;
use serde::{Deserialize, Serialize};
use std::f64::consts::{FRAC_PI_4, PI};

/// Measures of one object, in pixels.
///
/// Pixels are unit squares: hull, Feret diameters and solidity use their corners, so a single pixel has a
/// Feret diameter of sqrt(2) and no object a solidity above 1. Moments use pixel centres, as scikit-image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Shape {
    /// Area with holes filled: background that no 4-connected path leads out of (scikit-image lets holes of an
    /// 8-connected object leak at corners).
    pub area_filled_px: u64,
    /// Boundary length by Crofton's formula in four directions, holes included.
    pub perimeter_crofton_px: f64,
    /// Largest distance between two parallel tangents (ISO 9276-6: maximum Feret diameter).
    pub feret_diameter_max_px: f64,
    /// Direction of the maximum Feret diameter from the x axis, degrees, counter-clockwise, in 0..180.
    pub feret_angle_deg: f64,
    /// Smallest distance between two parallel tangents.
    pub feret_diameter_min_px: f64,
    /// Major axis of the ellipse with the same second moments.
    pub axis_major_length_px: f64,
    /// Minor axis of that ellipse.
    pub axis_minor_length_px: f64,
    /// Angle between the row axis and the major axis, radians, in -pi/2..pi/2.
    pub orientation_rad: f64,
    /// Area over the area of the convex hull.
    pub solidity: f64,
    /// `4 pi A / P^2` with the filled area's outline, at most 1: a raster makes small discs rounder than round.
    pub circularity: f64,
    /// `4 A / (pi Fmax^2)` (ISO 9276-6: roundness).
    pub roundness: f64,
    /// Minimum over maximum Feret diameter (ISO 9276-6: aspect ratio).
    pub aspect_ratio: f64,
}

/// A corner of a pixel: (x, y).
type Corner = (i64, i64);

/// Measures the object made of `runs`, which are in raster order and lie in so many pieces.
pub(crate) fn shape(runs: &[Run], pieces: usize) -> Shape {
    let area: u64 = runs.iter().map(|r| u64::from(r.x_end - r.x_start)).sum();
    let contacts = Contacts::of(runs);
    let perimeter = contacts.crofton(area, runs.len());
    // Runs are the nodes of a planar graph and their contacts its edges: a cycle in it goes round a hole.
    let (area_filled, outline) = if contacts.pairs + pieces == runs.len() {
        (area, perimeter)
    } else {
        let filled = Raster::of(runs).filled();
        (filled.count(), filled.crofton())
    };
    let hull = convex_hull(runs);
    let (feret_max, feret_angle) = longest(&hull);
    let feret_min = narrowest(&hull);
    let (major, minor, orientation) = ellipse(runs, area as f64);
    let circle = 4.0 * PI * area_filled as f64 / (outline * outline);
    Shape {
        area_filled_px: area_filled,
        perimeter_crofton_px: perimeter,
        feret_diameter_max_px: feret_max,
        feret_angle_deg: feret_angle,
        feret_diameter_min_px: feret_min,
        axis_major_length_px: major,
        axis_minor_length_px: minor,
        orientation_rad: orientation,
        solidity: area as f64 / twice_area(&hull) * 2.0,
        circularity: circle.min(1.0),
        roundness: 4.0 * area as f64 / (PI * feret_max * feret_max),
        aspect_ratio: feret_min / feret_max,
    }
}

/// Boundary length from the crossings of lines in four directions (horizontal, vertical and both diagonals), each
/// direction weighted by its share of all directions and the spacing of its lines (Legland et al., Image Anal.
/// Stereol. 26, 2007; the equal weights of scikit-image's `perimeter_crofton`).
fn crofton(straight: u64, diagonal: u64) -> f64 {
    // Lines of a diagonal direction are closer by sqrt(2).
    FRAC_PI_4 * (straight as f64 + diagonal as f64 / 2f64.sqrt()) / 2.0
}

/// How the runs of neighbouring rows meet.
#[derive(Default)]
struct Contacts {
    /// Pairs of runs that share an edge or a corner.
    pairs: usize,
    /// Pixels with a neighbour of the object straight below, and on the two diagonals below.
    below: u64,
    diagonal: u64,
}

impl Contacts {
    fn of(runs: &[Run]) -> Self {
        let mut out = Self::default();
        let mut lower = 0;
        for upper in runs {
            while lower < runs.len()
                && (runs[lower].y <= upper.y
                    || runs[lower].y == upper.y + 1 && runs[lower].x_end < upper.x_start)
            {
                lower += 1;
            }
            let row = runs[lower..].iter().take_while(|r| r.y == upper.y + 1 && r.x_start <= upper.x_end);
            for r in row {
                let shared = |shift: i64| {
                    let end = (i64::from(upper.x_end) + shift).min(r.x_end.into());
                    (end - (i64::from(upper.x_start) + shift).max(r.x_start.into())).max(0) as u64
                };
                out.pairs += 1;
                out.below += shared(0);
                out.diagonal += shared(1) + shared(-1);
            }
        }
        out
    }

    /// Every pixel is two ends of a pair in each direction, unless the pair lies inside.
    fn crofton(&self, area: u64, runs: usize) -> f64 {
        crofton(2 * runs as u64 + 2 * (area - self.below), 2 * (2 * area - self.diagonal))
    }
}

impl Raster {
    fn count(&self) -> u64 {
        self.pixels.iter().map(|p| u64::from(*p)).sum()
    }

    /// With every background pixel that no 4-connected path leads out of.
    fn filled(&self) -> Self {
        const OUTSIDE: u8 = 2;
        let (w, mut pixels) = (self.width, self.pixels.clone());
        let mut stack = vec![0];
        pixels[0] = OUTSIDE;
        while let Some(at) = stack.pop() {
            let x = at % w;
            let next = [
                (x > 0).then(|| at - 1),
                (x + 1 < w).then(|| at + 1),
                at.checked_sub(w),
                Some(at + w).filter(|n| *n < pixels.len()),
            ];
            for n in next.into_iter().flatten() {
                if pixels[n] == 0 {
                    pixels[n] = OUTSIDE;
                    stack.push(n);
                }
            }
        }
        pixels.iter_mut().for_each(|p| *p = u8::from(*p != OUTSIDE));
        Self { pixels, ..*self }
    }

    /// [`crofton`], pixel by pixel.
    fn crofton(&self) -> f64 {
        let (mut straight, mut diagonal) = (0, 0);
        for at in 0..self.pixels.len() - self.width - 1 {
            let here = self.pixels[at];
            let [right, below, across] = [1, self.width, self.width + 1].map(|d| self.pixels[at + d]);
            straight += u64::from(here != right) + u64::from(here != below);
            diagonal += u64::from(here != across) + u64::from(right != below);
        }
        crofton(straight, diagonal)
    }
}

/// Corners of the convex hull of the pixel squares (Andrew's monotone chain along the rows).
fn convex_hull(runs: &[Run]) -> Vec<Corner> {
    let (top, bottom) = (runs[0].y, runs[runs.len() - 1].y);
    let mut reach = vec![(i64::MAX, i64::MIN); (bottom - top) as usize + 2];
    for r in runs {
        let row = (r.y - top) as usize;
        for (left, right) in &mut reach[row..row + 2] {
            *left = (*left).min(r.x_start.into());
            *right = (*right).max(r.x_end.into());
        }
    }
    let row = |i: usize| i64::from(top) + i as i64;
    let mut hull = chain(reach.iter().enumerate().map(|(i, r)| (r.0, row(i))));
    hull.extend(chain(reach.iter().enumerate().rev().map(|(i, r)| (r.1, row(i)))));
    hull
}

fn cross(o: Corner, a: Corner, b: Corner) -> i64 {
    (a.0 - o.0) * (b.1 - o.1) - (a.1 - o.1) * (b.0 - o.0)
}

/// The part of the hull along corners in order, turning one way only.
fn chain(corners: impl Iterator<Item = Corner>) -> Vec<Corner> {
    let mut hull: Vec<Corner> = Vec::new();
    for corner in corners {
        while hull.len() >= 2 && cross(hull[hull.len() - 2], hull[hull.len() - 1], corner) >= 0 {
            hull.pop();
        }
        hull.push(corner);
    }
    hull
}

fn twice_area(hull: &[Corner]) -> f64 {
    let next = hull.iter().cycle().skip(1);
    hull.iter().zip(next).map(|(a, b)| a.0 * b.1 - a.1 * b.0).sum::<i64>().unsigned_abs() as f64
}

/// Largest distance between corners, and its direction in degrees.
fn longest(hull: &[Corner]) -> (f64, f64) {
    let (mut best, mut direction) = (0, (1, 0));
    for (i, a) in hull.iter().enumerate() {
        for b in &hull[i + 1..] {
            let (dx, dy) = (b.0 - a.0, b.1 - a.1);
            if dx * dx + dy * dy > best {
                (best, direction) = (dx * dx + dy * dy, (dx, dy));
            }
        }
    }
    // Rows run down the picture, angles up.
    let angle = (-direction.1 as f64).atan2(direction.0 as f64).to_degrees();
    ((best as f64).sqrt(), angle.rem_euclid(180.0))
}

/// Smallest width: it is found across one of the hull's edges.
fn narrowest(hull: &[Corner]) -> f64 {
    let edges = hull.iter().zip(hull.iter().cycle().skip(1));
    let width = |(a, b): (&Corner, &Corner)| {
        let length = (((b.0 - a.0).pow(2) + (b.1 - a.1).pow(2)) as f64).sqrt();
        (length > 0.0)
            .then(|| hull.iter().map(|c| cross(*a, *b, *c).unsigned_abs()).max().unwrap_or(0) as f64 / length)
    };
    edges.filter_map(width).fold(f64::INFINITY, f64::min)
}

/// Major and minor axis and orientation from the second moments of the pixel centres.
fn ellipse(runs: &[Run], area: f64) -> (f64, f64, f64) {
    // About the first run, so that nothing cancels for objects far from the origin.
    let (x0, y0) = (f64::from(runs[0].x_start), f64::from(runs[0].y));
    let (mut sx, mut sy, mut sxx, mut syy, mut sxy) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for r in runs {
        let (first, n) = (f64::from(r.x_start) - x0, f64::from(r.x_end - r.x_start));
        let y = f64::from(r.y) - y0;
        let sum = n * first + n * (n - 1.0) / 2.0;
        sx += sum;
        sy += n * y;
        sxx += n * first * first + first * n * (n - 1.0) + (n - 1.0) * n * (2.0 * n - 1.0) / 6.0;
        syy += n * y * y;
        sxy += sum * y;
    }
    let (mx, my) = (sx / area, sy / area);
    let (xx, yy, xy) = (sxx / area - mx * mx, syy / area - my * my, sxy / area - mx * my);
    let (mean, spread) = ((xx + yy) / 2.0, (((xx - yy) / 2.0).powi(2) + xy * xy).sqrt());
    let axis = |moment: f64| 4.0 * moment.max(0.0).sqrt();
    let orientation = if xx == yy {
        if xy < 0.0 { -FRAC_PI_4 } else { FRAC_PI_4 }
    } else {
        0.5 * (2.0 * xy).atan2(yy - xx)
    };
    (axis(mean + spread), axis(mean - spread), orientation)
}
