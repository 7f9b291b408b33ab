//! A simulated annotator: knows the true label, and draws as a person would, where the draft is most wrong.

use sorby_image::{IGNORE, LabelMap};
use sorby_measure::{Connectivity, Objects, components};

/// Radius of the brush and length of a stroke, in pixels.
const BRUSH_PX: usize = 3;
const STROKE_PX: usize = 60;

/// Paints a stroke: from the innermost pixel of the largest wrong patch along the longest straight way that stays in
/// the same true class, as wide as the brush or as the patch. `draft` is `None` before the first.
pub fn stroke(truth: &LabelMap, draft: Option<&LabelMap>, strokes: &mut LabelMap, class: Option<u8>) -> bool {
    let (width, height) = (truth.width, truth.height);
    let wrong: Vec<bool> = (0..truth.labels.len())
        .map(|i| {
            let label = truth.labels[i];
            label != IGNORE && class.is_none_or(|c| c == label) && draft.is_none_or(|d| d.labels[i] != label)
        })
        .collect();
    let Some((start, depth)) = innermost(&wrong, width, height) else { return false };
    let label = truth.labels[start];
    let (x, y) = ((start % width) as f64, (start / width) as f64);
    let mut best: Vec<usize> = vec![start];
    for step in 0..16 {
        let (dy, dx) = (std::f64::consts::PI * f64::from(step) / 16.0).sin_cos();
        let mut way = vec![start];
        for sign in [1.0, -1.0] {
            for i in 1..=STROKE_PX / 2 {
                let (px, py) = (x + sign * dx * i as f64, y + sign * dy * i as f64);
                if px < 0.0 || py < 0.0 || px >= width as f64 - 0.5 || py >= height as f64 - 0.5 {
                    break;
                }
                let at = py.round() as usize * width + px.round() as usize;
                if truth.labels[at] != label {
                    break;
                }
                way.push(at);
            }
        }
        if way.len() > best.len() {
            best = way;
        }
    }
    let radius = BRUSH_PX.min(depth.saturating_sub(1)) as isize;
    for at in best {
        for dy in -radius..=radius {
            for dx in -radius..=radius {
                let (px, py) = ((at % width) as isize + dx, (at / width) as isize + dy);
                let inside = px >= 0 && py >= 0 && px < width as isize && py < height as isize;
                if inside && dx * dx + dy * dy <= radius * radius {
                    let i = py as usize * width + px as usize;
                    // A careful hand does not leave the class.
                    if truth.labels[i] == label {
                        strokes.labels[i] = label;
                    }
                }
            }
        }
    }
    true
}

/// The pixel farthest from the edge of its patch, of the patch with the most pixels; and that distance (city blocks).
fn innermost(mask: &[bool], width: usize, height: usize) -> Option<(usize, usize)> {
    let labels: Vec<u8> = mask.iter().map(|m| u8::from(*m)).collect();
    let found: Objects = components(width, height, Connectivity::Four, &labels, |l| l == 1);
    let largest =
        (0..found.regions.len()).max_by_key(|i| (found.regions[*i].area_px, std::cmp::Reverse(*i)))?;
    let mut own = vec![false; mask.len()];
    for run in found.runs.iter().filter(|r| r.region as usize == largest) {
        own[run.y as usize * width + run.x_start as usize..run.y as usize * width + run.x_end as usize]
            .fill(true);
    }
    let mut depth = vec![0usize; mask.len()];
    let far = width + height;
    for i in 0..mask.len() {
        if own[i] {
            let left = if i % width > 0 { depth[i - 1] } else { 0 };
            let up = if i >= width { depth[i - width] } else { 0 };
            depth[i] = (left.min(up) + 1).min(far);
        }
    }
    let mut best = None;
    for i in (0..mask.len()).rev() {
        if own[i] {
            let right = if i % width + 1 < width { depth[i + 1] } else { 0 };
            let down = if i + width < mask.len() { depth[i + width] } else { 0 };
            depth[i] = depth[i].min(right.min(down) + 1);
            if best.is_none_or(|(_, d)| depth[i] >= d) {
                best = Some((i, depth[i]));
            }
        }
    }
    best
}

/// What drawing a mask by hand costs: for each object the corners of a polygon that stays within `tolerance_px` of its
/// outline (Douglas and Peucker).
pub fn polygon_clicks(objects: &Objects, tolerance_px: f64) -> usize {
    sorby_measure::outlines(&objects.runs, objects.regions.len(), Connectivity::Eight)
        .iter()
        .flatten()
        .map(|ring| {
            simplified(&ring.iter().map(|p| (p.0 as f64, p.1 as f64)).collect::<Vec<_>>(), tolerance_px)
        })
        .sum()
}

/// Corners that remain of a closed ring.
fn simplified(ring: &[(f64, f64)], tolerance_px: f64) -> usize {
    if ring.len() < 4 {
        return ring.len();
    }
    let from = ring[0];
    let far =
        (1..ring.len()).max_by(|a, b| apart(from, ring[*a]).total_cmp(&apart(from, ring[*b]))).unwrap_or(1);
    let mut closing: Vec<(f64, f64)> = ring[far..].to_vec();
    closing.push(from);
    2 + kept(&ring[..=far], tolerance_px) + kept(&closing, tolerance_px)
}

fn apart(a: (f64, f64), b: (f64, f64)) -> f64 {
    (a.0 - b.0).hypot(a.1 - b.1)
}

/// Corners kept between the ends of an open line.
fn kept(line: &[(f64, f64)], tolerance_px: f64) -> usize {
    if line.len() < 3 {
        return 0;
    }
    let (a, b) = (line[0], line[line.len() - 1]);
    let length = apart(a, b);
    let off = |p: &(f64, f64)| match length > 0.0 {
        true => ((b.0 - a.0) * (a.1 - p.1) - (a.0 - p.0) * (b.1 - a.1)).abs() / length,
        false => apart(a, *p),
    };
    let inner = &line[1..line.len() - 1];
    let far = (0..inner.len()).max_by(|i, j| off(&inner[*i]).total_cmp(&off(&inner[*j]))).unwrap_or(0);
    if off(&inner[far]) <= tolerance_px {
        return 0;
    }
    1 + kept(&line[..far + 2], tolerance_px) + kept(&line[far + 1..], tolerance_px)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_square_takes_four_clicks() {
        let square: Vec<(f64, f64)> = (0..10)
            .map(|i| (f64::from(i), 0.0))
            .chain((0..10).map(|i| (10.0, f64::from(i))))
            .chain((0..10).map(|i| (10.0 - f64::from(i), 10.0)))
            .chain((0..10).map(|i| (0.0, 10.0 - f64::from(i))))
            .collect();
        assert_eq!(simplified(&square, 1.0), 4);
    }

    #[test]
    fn strokes_stay_in_the_class_and_go_where_the_draft_is_wrong() {
        let mut truth = LabelMap::filled(60, 40, 0);
        for y in 10..20 {
            for x in 5..50 {
                truth.labels[y * 60 + x] = 1;
            }
        }
        let draft = LabelMap::filled(60, 40, 0);
        let mut strokes = LabelMap::filled(60, 40, IGNORE);
        assert!(stroke(&truth, Some(&draft), &mut strokes, None));
        let painted: Vec<usize> = (0..2400).filter(|i| strokes.labels[*i] != IGNORE).collect();
        assert!(
            painted.len() > 45 && painted.iter().all(|i| truth.labels[*i] == 1 && strokes.labels[*i] == 1)
        );
        assert!(!stroke(&truth, Some(&truth), &mut strokes, None), "nothing is wrong");
    }
}
