//! How far each pixel is from the nearest pixel of another class.

/// Distances in pixels (a chamfer transform, within 8 % of Euclid's), half a pixel next to a boundary; `f32::MAX / 2`
/// where there is one class only.
pub(super) fn to_boundary(labels: &[u8], width: usize, height: usize) -> Vec<f32> {
    let mut distances = vec![f32::MAX / 2.0; labels.len()];
    for y in 0..height {
        for x in 0..width {
            let at = y * width + x;
            if x + 1 < width && labels[at] != labels[at + 1] {
                (distances[at], distances[at + 1]) = (0.5, 0.5);
            }
            if y + 1 < height && labels[at] != labels[at + width] {
                (distances[at], distances[at + width]) = (0.5, 0.5);
            }
        }
    }
    spread(&mut distances, width, height);
    distances
}

/// Distances to the nearest pixel for which `of` holds, 0 on it.
pub(super) fn to_pixels(labels: &[u8], width: usize, height: usize, of: impl Fn(u8) -> bool) -> Vec<f32> {
    let mut distances: Vec<f32> = labels.iter().map(|l| if of(*l) { 0.0 } else { f32::MAX / 2.0 }).collect();
    spread(&mut distances, width, height);
    distances
}

fn spread(distances: &mut [f32], width: usize, height: usize) {
    const DIAGONAL: f32 = std::f32::consts::SQRT_2;
    for y in 0..height {
        for x in 0..width {
            let at = y * width + x;
            let mut least = distances[at];
            let mut from = |i: usize, step: f32| least = least.min(distances[i] + step);
            if x > 0 {
                from(at - 1, 1.0);
            }
            if y > 0 {
                from(at - width, 1.0);
                if x > 0 {
                    from(at - width - 1, DIAGONAL);
                }
                if x + 1 < width {
                    from(at - width + 1, DIAGONAL);
                }
            }
            distances[at] = least;
        }
    }
    for y in (0..height).rev() {
        for x in (0..width).rev() {
            let at = y * width + x;
            let mut least = distances[at];
            let mut from = |i: usize, step: f32| least = least.min(distances[i] + step);
            if x + 1 < width {
                from(at + 1, 1.0);
            }
            if y + 1 < height {
                from(at + width, 1.0);
                if x + 1 < width {
                    from(at + width + 1, DIAGONAL);
                }
                if x > 0 {
                    from(at + width - 1, DIAGONAL);
                }
            }
            distances[at] = least;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_grow_from_the_boundary_on_both_sides() {
        let labels: Vec<u8> = (0..48).map(|i| u8::from(i % 8 >= 4)).collect();
        let distances = to_boundary(&labels, 8, 6);
        assert_eq!(distances[..8], [3.5, 2.5, 1.5, 0.5, 0.5, 1.5, 2.5, 3.5]);
        assert_eq!(to_pixels(&labels, 8, 6, |l| l == 1)[..8], [4.0, 3.0, 2.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
    }
}
