//! One field of view, cut into cells: what its numbers are, and how much they vary within it.

use crate::edges::EdgeRule;
use crate::intervals::{Spread, ratio_spread};
use crate::lines::lines;
use crate::particles::Particles;
use crate::quantity::{Quantity, Sums};
use crate::ruling::{HeavyObject, ruling};
use crate::sizes::Distribution;
use crate::unknown::with_boundaries;
use serde::{Deserialize, Serialize};
use sorby_image::{IGNORE, LabelMap};

/// Standard errors up to this share of the value are rounding.
const ROUNDING: f64 = 1e-12;
/// Cells along the shorter side of a field.
const CELLS: usize = 16;

/// An object's diameter in pixels, weight, and cell.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Sized {
    diameter_px: f64,
    weight: f64,
    cell: usize,
    /// Its number among the field's objects, and the size of its box.
    object: usize,
    box_px: (u32, u32),
}

/// One field as sums over a grid of cells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Field {
    columns: usize,
    cells: Vec<Sums>,
    total: Sums,
    sized: Vec<Sized>,
    /// Objects are there, but the edge cuts every one.
    only_cut: bool,
    /// Pixel size in nanometres, where it is known.
    pub nm_per_px: Option<f64>,
}

impl Field {
    /// Sums over `mask`, of which `p` are the objects of `class`.
    pub fn of(mask: &LabelMap, class: u8, p: &Particles, rule: EdgeRule) -> Self {
        let mask = &*with_boundaries(mask, class).0;
        let (width, height) = p.field_px;
        let side = (width.min(height) / CELLS).max(1);
        let columns = width.div_ceil(side);
        let mut cells = vec![Sums::default(); columns * height.div_ceil(side)];
        for (y, row) in mask.labels.chunks_exact(width.max(1)).take(height).enumerate() {
            for (cell, part) in cells[y / side * columns..].iter_mut().zip(row.chunks(side)) {
                cell.class_area += part.iter().filter(|&&l| l == class).count() as f64;
                cell.field_area += part.iter().filter(|&&l| l != IGNORE || l == class).count() as f64;
            }
        }
        for (cell, met) in cells.iter_mut().zip(lines(mask, height, class, side, columns)) {
            (cell.line, cell.class_line, cell.crossings) = (met.length_px, met.class_px, met.crossings);
        }
        let edge = rule.weights(p);
        let (left, top, right, bottom) = edge.frame_px;
        for y in top as usize..bottom as usize {
            for (cell, start) in cells[y / side * columns..].iter_mut().zip((0..width).step_by(side)) {
                let (from, to) = (start.max(left as usize), (start + side).min(right as usize));
                let part = mask.labels.get(y * width + from..y * width + to).unwrap_or_default();
                cell.counting_area += part.iter().filter(|&&l| l != IGNORE || l == class).count() as f64;
            }
        }
        let mut sized = Vec::new();
        let only_cut = !p.regions.is_empty()
            && p.regions.iter().all(|r| r.touches_border)
            && edge.weights.iter().all(|w| *w == 0.0);
        for (object, (r, weight)) in p.regions.iter().zip(edge.weights).enumerate().filter(|(_, o)| o.1 > 0.0)
        {
            let cell = r.centroid_px.0 as usize / side * columns + r.centroid_px.1 as usize / side;
            let diameter_px = r.equivalent_diameter_area_px();
            let (top, left, bottom, right) = r.bbox_px;
            sized.push(Sized { diameter_px, weight, cell, object, box_px: (right - left, bottom - top) });
            let sums = &mut cells[cell];
            sums.weight += weight;
            sums.diameter += weight * diameter_px;
            sums.circularity += weight * r.shape.circularity;
            sums.aspect_ratio += weight * r.shape.aspect_ratio;
        }
        let mut total = Sums::default();
        cells.iter().for_each(|c| total.add(c));
        Self { columns, cells, total, sized, only_cut, nm_per_px: p.nm_per_px }
    }

    /// Whether objects are there of which the edge of the field cuts every one, and the rule counts none.
    pub fn only_cut(&self) -> bool {
        self.only_cut
    }

    /// The objects that count, with their weights, of this field as the first.
    pub(crate) fn sized(&self) -> impl Iterator<Item = HeavyObject> {
        self.sized.iter().map(|s| HeavyObject {
            field: 0,
            object: s.object,
            weight: s.weight,
            width_px: s.box_px.0,
            height_px: s.box_px.1,
        })
    }

    /// Diameters in nanometres (pixels without a pixel size) with their weights, and the area in square micrometres
    /// (pixels) that the weights are of.
    pub fn diameters(&self) -> (Vec<(f64, f64)>, f64) {
        let nm = self.nm_per_px.unwrap_or(1.0);
        let area = self.nm_per_px.map_or(1.0, |nm| (nm / 1000.0).powi(2));
        let sized = self.sized.iter().map(|s| (s.diameter_px * nm, s.weight)).collect();
        (sized, self.total.counting_area * area)
    }
}

/// Value of a quantity over fields together; `None` where there is nothing to take it of.
pub fn value(quantity: Quantity, fields: &[&Field]) -> Option<f64> {
    if let Some(share) = quantity.percentile() {
        return distribution(fields).quantile(share);
    }
    // Of objects that are all cut none counts, but none is not their number.
    if quantity == Quantity::NumberDensity
        && fields.iter().any(|f| f.only_cut)
        && fields.iter().all(|f| f.sized.is_empty())
    {
        return None;
    }
    let sum = fields.iter().map(|f| quantity.ratio(&f.total, f.nm_per_px)).fold((0.0, 0.0), add);
    (sum.1 > 0.0).then(|| sum.0 / sum.1)
}

fn add(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    (a.0 + b.0, a.1 + b.1)
}

/// Standard error from the sampling of fields: from the spread between fields; for one field from the covariance
/// between its parts. `None` where it cannot be known: without any variation (no object, one object, one class all
/// over) nothing is known of how much there is, and where an edge weight decides ([`ruling`]) the spread is about a
/// mean that one object has drawn to itself.
pub fn sampling(quantity: Quantity, fields: &[&Field]) -> Option<Spread> {
    if quantity.by_edge_weights() && ruling(fields).is_some() {
        return None;
    }
    // What rounding leaves of the objects of one field that are all alike is no variation.
    let one = fields.len() == 1;
    let least = if one { ROUNDING * value(quantity, fields).map_or(0.0, f64::abs) } else { 0.0 };
    spread(quantity, fields).filter(|s| s.standard_error.is_finite() && s.standard_error > least)
}

fn spread(quantity: Quantity, fields: &[&Field]) -> Option<Spread> {
    let Some(share) = quantity.percentile() else {
        let pairs = |f: &Field, sums: &Sums| quantity.ratio(sums, f.nm_per_px);
        return match fields {
            [one] => within(one, &one.cells.iter().map(|c| pairs(one, c)).collect::<Vec<_>>()),
            _ => ratio_spread(&fields.iter().map(|f| pairs(f, &f.total)).collect::<Vec<_>>()),
        };
    };
    let sizes = distribution(fields);
    let at = sizes.quantile(share)?;
    // Of each object its cell, and its weight if it is not larger, and its weight.
    let counted = |f: &Field| {
        let nm = f.nm_per_px.unwrap_or(1.0);
        let pair = |s: &Sized| (s.weight * f64::from(u8::from(s.diameter_px * nm <= at)), s.weight);
        f.sized.iter().map(|s| (s.cell, pair(s))).collect::<Vec<_>>()
    };
    let spread = match fields {
        [one] => {
            let mut cells = vec![(0.0, 0.0); one.cells.len()];
            counted(one).into_iter().for_each(|(cell, pair)| cells[cell] = add(cells[cell], pair));
            within(one, &cells)?
        }
        _ => {
            let total = |f: &&Field| counted(f).into_iter().map(|c| c.1).fold((0.0, 0.0), add);
            ratio_spread(&fields.iter().map(total).collect::<Vec<_>>())?
        }
    };
    // The interval of the share, read off the distribution (Woodruff 1952).
    let half = spread.ci95();
    let (low, high) = (sizes.quantile((share - half).max(0.0))?, sizes.quantile((share + half).min(1.0))?);
    Some(spread.times((high - low) / (2.0 * half)))
}

fn distribution(fields: &[&Field]) -> Distribution {
    Distribution::of(fields.iter().flat_map(|f| f.diameters().0).collect())
}

/// Standard error of the ratio of the sums of `pairs` over the cells of one field, from the covariance of its
/// residuals at every distance up to where it has faded (integral range; Matheron 1989, Lantuejoul 1991).
fn within(field: &Field, pairs: &[(f64, f64)]) -> Option<Spread> {
    let (y, x) = pairs.iter().copied().fold((0.0, 0.0), add);
    let (columns, rows) = (field.columns, pairs.len() / field.columns.max(1));
    let reach = columns.min(rows) / 3;
    if x <= 0.0 || reach < 2 {
        return None;
    }
    let ratio = y / x;
    let residual: Vec<f64> = pairs.iter().map(|(y, x)| y - ratio * x).collect();
    let n = residual.len() as f64;
    let covariance = |dy: usize, dx: isize| {
        let (first, last) = ((-dx).max(0) as usize, (columns as isize - dx.max(0)) as usize);
        let mut sum = 0.0;
        for row in 0..rows - dy {
            let (upper, lower) = (row * columns, (row + dy) * columns);
            sum += (first..last)
                .map(|c| residual[upper + c] * residual[(lower + c).wrapping_add_signed(dx)])
                .sum::<f64>();
        }
        sum / ((rows - dy) * (last - first)) as f64
    };
    let mut rings = vec![(0.0, 0usize); reach + 1];
    for dy in 0..=reach {
        for dx in -(reach as isize)..=reach as isize {
            let ring = (dy as f64).hypot(dx as f64).round() as usize;
            if ring > reach || (dy == 0 && dx < 0) {
                continue;
            }
            // Every lag but none has its mirror image.
            let times = if (dy, dx) == (0, 0) { 1 } else { 2 };
            rings[ring].0 += times as f64 * covariance(dy, dx);
            rings[ring].1 += times;
        }
    }
    let own = rings[0].0;
    let (mut sum, mut lags) = (0.0, 0);
    for (i, (ring, count)) in rings.into_iter().enumerate() {
        if ring > 0.0 {
            (sum, lags) = (sum + ring, lags + count);
            continue;
        }
        // Neighbouring parts are less alike than chance where objects keep apart: what of it is beyond one standard
        // error (that of independent parts, each lag and its mirror image being one) counts. Farther off it is noise.
        if i == 1 {
            sum += (ring + own * (2.0 * count as f64 / n).sqrt()).min(0.0);
        }
        break;
    }
    let sum = sum.max(0.25 * own);
    if own <= 0.0 {
        return None;
    }
    // Taking the mean away lowers each covariance by 1 / n of their sum.
    let sum = sum / (1.0 - lags as f64 / n).max(0.25);
    Some(Spread { standard_error: (n * sum).sqrt() / x, degrees: (n * own / sum - 1.0).max(1.0) })
}
