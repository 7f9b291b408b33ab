//! Distances between neighbouring objects.

use crate::components::Region;

/// Distance from each object's centroid to the nearest other centroid, in pixels; `None` for an object alone.
/// Objects near the field's edge may have a nearer neighbour outside it.
pub fn nearest_centroids_px(regions: &[Region]) -> Vec<Option<f64>> {
    let points: Vec<(f64, f64)> = regions.iter().map(|r| r.centroid_px).collect();
    // In order of rows, so that a search may stop where rows alone are farther than the best found.
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by(|&a, &b| points[a].0.total_cmp(&points[b].0));
    let mut nearest = vec![None; points.len()];
    for (place, &i) in order.iter().enumerate() {
        let mut best = f64::INFINITY;
        let mut look = |others: &mut dyn Iterator<Item = &usize>| {
            for &j in others {
                let (dy, dx) = (points[j].0 - points[i].0, points[j].1 - points[i].1);
                if dy.abs() >= best {
                    break;
                }
                best = best.min(dy.hypot(dx));
            }
        };
        look(&mut order[..place].iter().rev());
        look(&mut order[place + 1..].iter());
        nearest[i] = best.is_finite().then_some(best);
    }
    nearest
}
