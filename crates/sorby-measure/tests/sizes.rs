//! Edge rules on populations of known sizes; intervals by hand and by their coverage.

use sorby_image::LabelMap;
use sorby_measure::{EdgeRule, Filter, field_mean, fields_needed, measure, sizes};

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
fn only_the_weighted_rule_is_unbiased() {
    let mut noise = Noise(3);
    let diameter = |side: f64| 2.0 * side / std::f64::consts::PI.sqrt();
    let truth = (diameter(4.0) + diameter(30.0)) / 2.0;
    let rules = [EdgeRule::All, EdgeRule::Exclude, EdgeRule::MilesLantuejoul];
    let (mut sum, mut weight) = ([0.0; 3], [0.0; 3]);
    for _ in 0..3000 {
        let particles = measure(&window(&mut noise), 1, Filter::default(), None);
        for (i, rule) in rules.iter().enumerate() {
            if let Some(s) = sizes(&particles.regions, particles.field_px, *rule) {
                sum[i] += s.mean_diameter_px * s.weight;
                weight[i] += s.weight;
            }
        }
    }
    let mean = |i: usize| sum[i] / weight[i];
    assert!((mean(2) / truth - 1.0).abs() < 0.01, "weighted: {} of {truth}", mean(2));
    assert!(mean(1) < 0.85 * truth, "leaving cut ones out misses large ones: {} of {truth}", mean(1));
    assert!((mean(0) / truth - 1.0).abs() > 0.02, "as seen: {} of {truth}", mean(0));
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
    let p = measure(&LabelMap { width: 40, height: 30, labels }, 1, Filter::default(), None);
    let unit = 2.0 / std::f64::consts::PI.sqrt();
    let all = sizes(&p.regions, p.field_px, EdgeRule::All).unwrap();
    assert!((all.mean_diameter_px - 5.0 * unit).abs() < 1e-12 && all.count == 4);
    assert!((all.sd_diameter_px - 5f64.sqrt() * unit).abs() < 1e-12);
    let inside = sizes(&p.regions, p.field_px, EdgeRule::Exclude).unwrap();
    assert!((inside.d10_px, inside.d50_px, inside.d90_px) == (2.0 * unit, 4.0 * unit, 6.0 * unit));
    let weights: Vec<f64> = [2.0, 4.0, 6.0].map(|s| 1200.0 / ((40.0 - s) * (30.0 - s))).to_vec();
    let total: f64 = weights.iter().sum();
    let mean = (2.0 * weights[0] + 4.0 * weights[1] + 6.0 * weights[2]) / total * unit;
    let weighted = sizes(&p.regions, p.field_px, EdgeRule::MilesLantuejoul).unwrap();
    assert!((weighted.mean_diameter_px - mean).abs() < 1e-12 && (weighted.weight - total).abs() < 1e-12);
    assert_eq!(sizes(&[], (10, 10), EdgeRule::All), None);
}

#[test]
fn intervals_by_hand() {
    // Five fields of 10, 12, 14, 16, 18 %: s = sqrt(10), t(4) = 2.776.
    let m = field_mean(&[10.0, 12.0, 14.0, 16.0, 18.0]).unwrap();
    assert!((m.mean - 14.0).abs() < 1e-12 && (m.sd - 10f64.sqrt()).abs() < 1e-12);
    assert!((m.ci95 - 2.7764 * 2f64.sqrt()).abs() < 1e-3, "{m:?}");
    assert!((m.relative_accuracy_percent.unwrap() - 28.05).abs() < 0.01, "{m:?}");
    // 10 % of 14 is 1.4: with n fields t s / sqrt(n) must come below.
    let n = fields_needed(&m, 10.0).unwrap();
    assert_eq!(n, 23, "2.080 * 3.162 / sqrt(22) = 1.402, 2.074 * 3.162 / sqrt(23) = 1.367");
    assert_eq!(field_mean(&[3.0]), None);
    assert_eq!(field_mean(&[0.0, 0.0]).unwrap().relative_accuracy_percent, None);
}

#[test]
fn intervals_cover_the_mean_as_often_as_they_say() {
    let mut noise = Noise(9);
    let mut covered = 0;
    for _ in 0..4000 {
        // Sums of twelve uniforms are close to normal with mean 6.
        let fields: Vec<f64> = (0..6).map(|_| (0..12).map(|_| noise.next()).sum()).collect();
        let m = field_mean(&fields).unwrap();
        covered += u32::from((m.mean - 6.0).abs() <= m.ci95);
    }
    let share = f64::from(covered) / 4000.0;
    assert!((0.94..0.96).contains(&share), "{share}");
}
