//! Objects of a synthetic label.

use sorby_image::LabelMap;

/// Areas in pixels of the 8-connected regions of a class, by their first pixels.
pub(super) fn object_areas(label: &LabelMap, class: u8) -> Vec<u64> {
    let (width, height) = (label.width, label.height);
    let mut seen: Vec<bool> = label.labels.iter().map(|l| *l != class).collect();
    let mut areas = Vec::new();
    let mut stack = Vec::new();
    for start in 0..label.labels.len() {
        if seen[start] {
            continue;
        }
        stack.push(start);
        seen[start] = true;
        let mut area = 0;
        while let Some(at) = stack.pop() {
            area += 1;
            let (y, x) = (at / width, at % width);
            for ny in y.saturating_sub(1)..=(y + 1).min(height - 1) {
                for nx in x.saturating_sub(1)..=(x + 1).min(width - 1) {
                    let next = ny * width + nx;
                    if !seen[next] {
                        seen[next] = true;
                        stack.push(next);
                    }
                }
            }
        }
        areas.push(area);
    }
    areas
}
