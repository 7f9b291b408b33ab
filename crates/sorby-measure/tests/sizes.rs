//! Edge rules on populations of known sizes and number; size statistics by hand.

use sorby_image::LabelMap;
use sorby_measure::{EdgeRule, ObjectRule, measure, sizes};

struct Noise(u64);

impl Noise {
    /// Uniform in 0..1.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// A window on an endless plane of squares of 4 and 30 pixels, equal in number and never touching.
fn window(noise: &mut Noise) -> LabelMap {
    const SIZE: usize = 120;
    const CELL: usize = 34;
    // Cells of a lattice at a random place, each with one square at a random place in it.
    let origin = [noise.next(), noise.next()].map(|v| (v * CELL as f64) as isize - 2 * CELL as isize);
    let mut labels = vec![0; SIZE * SIZE];
    let cells = SIZE / CELL + 4;
    for (row, column) in (0..cells).flat_map(|r| (0..cells).map(move |c| (r, c))) {
        let side = if noise.next() < 0.5 { 4 } else { 30 };
        let room = (CELL - 1 - side) as f64;
        let [y0, x0] = [row, column].map(|i| (i * CELL) as isize);
        let (dy, dx) = ((noise.next() * room) as isize, (noise.next() * room) as isize);
        let (top, left) = (origin[0] + y0 + dy, origin[1] + x0 + dx);
        for (y, x) in (0..side as isize).flat_map(|y| (0..side as isize).map(move |x| (top + y, left + x))) {
            if (0..SIZE as isize).contains(&y) && (0..SIZE as isize).contains(&x) {
                labels[y as usize * SIZE + x as usize] = 1;
            }
        }
    }
    LabelMap { width: SIZE, height: SIZE, labels }
}

#[test]
fn weights_and_frame_are_unbiased_and_nothing_else_is() {
    let mut noise = Noise(3);
    let diameter = |side: f64| 2.0 * side / std::f64::consts::PI.sqrt();
    let truth = (diameter(4.0) + diameter(30.0)) / 2.0;
    let frame = EdgeRule::Gundersen { guard_px: 31 };
    let rules = [EdgeRule::All, EdgeRule::Exclude, EdgeRule::MilesLantuejoul, frame];
    let (mut sum, mut weight, mut area) = ([0.0; 4], [0.0; 4], [0.0; 4]);
    for _ in 0..6000 {
        let particles = measure(&window(&mut noise), 1, ObjectRule::default(), None);
        for (i, rule) in rules.iter().enumerate() {
            if let Some(s) = sizes(&particles, *rule) {
                sum[i] += s.mean_diameter_px * s.weight;
                weight[i] += s.weight;
            }
            area[i] += rule.weights(&particles).area_px;
        }
    }
    // Mean diameter and number per area, over the truth.
    let mean = |i: usize| sum[i] / weight[i] / truth;
    let number = |i: usize| weight[i] / area[i] * 34.0 * 34.0;
    for (i, name) in [(2, "weighted"), (3, "frame")] {
        assert!(
            (mean(i) - 1.0).abs() < 0.01 && (number(i) - 1.0).abs() < 0.01,
            "{name}: {} {}",
            mean(i),
            number(i)
        );
    }
    assert!(
        mean(1) < 0.85 && number(1) < 0.85,
        "leaving cut ones out misses large ones: {} {}",
        mean(1),
        number(1)
    );
    assert!((mean(0) - 1.0).abs() > 0.02 && number(0) > 1.1, "as seen: {} {}", mean(0), number(0));
}

#[test]
fn statistics_by_hand() {
    // Squares of 2, 4 and 6 pixels inside a field of 40 x 30, and one of 8 at the edge.
    let mut labels = vec![0; 40 * 30];
    for (side, top, left) in [(2, 2, 2), (4, 10, 10), (6, 20, 20), (8, 5, 32)] {
        for (y, x) in (0..side).flat_map(|y| (0..side).map(move |x| (y, x))) {
            labels[(top + y) * 40 + left + x] = 1;
        }
    }
    let p = measure(&LabelMap { width: 40, height: 30, labels }, 1, ObjectRule::default(), None);
    let unit = 2.0 / std::f64::consts::PI.sqrt();
    let all = sizes(&p, EdgeRule::All).unwrap();
    assert!((all.mean_diameter_px - 5.0 * unit).abs() < 1e-12 && all.count == 4);
    assert!((all.sd_diameter_px - 5f64.sqrt() * unit).abs() < 1e-12);
    let inside = sizes(&p, EdgeRule::Exclude).unwrap();
    assert!((inside.d10_px, inside.d50_px, inside.d90_px) == (2.0 * unit, 4.0 * unit, 6.0 * unit));
    let weights: Vec<f64> = [2.0, 4.0, 6.0].map(|s| 1200.0 / ((39.0 - s) * (29.0 - s))).to_vec();
    let total: f64 = weights.iter().sum();
    let mean = (2.0 * weights[0] + 4.0 * weights[1] + 6.0 * weights[2]) / total * unit;
    let weighted = sizes(&p, EdgeRule::MilesLantuejoul).unwrap();
    assert!((weighted.mean_diameter_px - mean).abs() < 1e-12 && (weighted.weight - total).abs() < 1e-12);
    // A guard of 8: the frame is 24 x 14 pixels from (8, 8); of the squares at rows 10 and 20, the second meets its
    // lower side at row 22.
    let frame = EdgeRule::Gundersen { guard_px: 8 }.weights(&p);
    assert_eq!((frame.weights, frame.area_px, frame.cut), (vec![0.0, 0.0, 1.0, 0.0], 24.0 * 14.0, 0));
    let empty =
        measure(&LabelMap { width: 10, height: 10, labels: vec![0; 100] }, 1, ObjectRule::default(), None);
    assert_eq!(sizes(&empty, EdgeRule::All), None);
}
