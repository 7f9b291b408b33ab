//! Splitting, test lines, grain size, unfolding, local threshold: hand-worked examples and populations of known
//! truth.

use sorby_image::LabelMap;
use sorby_measure::{
    Connectivity, EdgeRule, Field, GrainCounts, IntervalInputs, ObjectRule, Particles, Quantity, contiguity,
    estimate, fullman_mean_diameter, grain_counts, grain_size, lognormal, measure, saltykov, sauvola,
    section_classes, unfold_fields, unfold_non_negative, value,
};
use sorby_random::Stream;
use std::f64::consts::PI;

fn picture(width: usize, height: usize, inside: impl Fn(f64, f64) -> bool) -> LabelMap {
    let at = |i: usize| u8::from(inside((i % width) as f64, (i / width) as f64));
    LabelMap { width, height, labels: (0..width * height).map(at).collect() }
}

fn split_at(depth: f64) -> ObjectRule {
    ObjectRule { split_depth_px: Some(depth), ..ObjectRule::default() }
}

fn particles(mask: &LabelMap, filter: ObjectRule) -> Particles {
    measure(mask, 1, filter, None)
}

#[test]
fn touching_discs_come_apart_and_others_stay_whole() {
    let disc = |x: f64, y: f64, cx: f64, cy: f64, r: f64| (x - cx).hypot(y - cy) <= r;
    // Two discs of 12 whose centres are 20 apart: the neck is 2 sqrt(144 - 100) = 13 wide.
    let pair = picture(70, 50, |x, y| disc(x, y, 20.0, 25.0, 12.0) || disc(x, y, 40.0, 25.0, 12.0));
    assert_eq!(particles(&pair, ObjectRule::default()).regions.len(), 1);
    let apart = particles(&pair, split_at(2.0));
    assert_eq!((apart.regions.len(), apart.part_of.as_slice()), (2, &[0, 0][..]));
    let total: u64 = apart.regions.iter().map(|r| r.area_px).sum();
    assert_eq!(total, pair.labels.iter().map(|l| u64::from(*l)).sum::<u64>(), "no pixel is lost");
    for (r, x) in apart.regions.iter().zip([20.0, 40.0]) {
        assert!((r.area_px as f64 / total as f64 - 0.5).abs() < 0.02, "{} of {total}", r.area_px);
        assert!((r.centroid_px.1 - x).abs() < 1.0 && (r.centroid_px.0 - 25.0).abs() < 0.1);
    }
    // The neck is 5.4 narrower in half width than the discs: a deeper valley is asked for.
    assert_eq!(particles(&pair, split_at(6.5)).regions.len(), 1);
    // A disc, a square, a bar, a ring: nothing to split.
    let whole = picture(120, 60, |x, y| {
        disc(x, y, 20.0, 30.0, 14.0)
            || (40.0..60.0).contains(&x) && (10.0..30.0).contains(&y)
            || (40.0..80.0).contains(&x) && (40.0..45.0).contains(&y)
            || disc(x, y, 100.0, 30.0, 14.0) && !disc(x, y, 100.0, 30.0, 8.0)
    });
    assert_eq!(particles(&whole, split_at(1.0)).regions.len(), 4);
    assert_eq!(particles(&whole, split_at(1.0)).regions, particles(&whole, ObjectRule::default()).regions);
}

#[test]
fn contiguity_by_hand() {
    // Two grains of 3 x 4 side by side in the middle of 10 x 8, as one object of 6 x 4.
    let mask = picture(10, 8, |x, y| (2.0..8.0).contains(&x) && (2.0..6.0).contains(&y));
    let mut p = particles(&mask, ObjectRule::default());
    assert_eq!(contiguity(&p), Some(0.0));
    p.runs = p
        .runs
        .iter()
        .flat_map(|r| {
            let middle = 5;
            [
                sorby_measure::Run { x_end: middle, ..*r },
                sorby_measure::Run { x_start: middle, region: 1, ..*r },
            ]
        })
        .collect();
    // Rows cross the boundary between them 4 times and the outside 8 times; columns the outside 12 times.
    assert_eq!(contiguity(&p), Some(8.0 / (8.0 + 20.0)));
}

#[test]
fn lines_tell_surface_intercept_and_free_path_of_discs() {
    let (cell, r) = (50.0, 15.0);
    let mask = picture(600, 500, |x, y| ((x % cell) - 24.7).hypot((y % cell) - 24.3) <= r);
    let p = particles(&mask, ObjectRule::default());
    let field = Field::of(&mask, 1, &p, EdgeRule::All);
    let of = |q| value(q, &[&field]).unwrap();
    let (area, outline) = (PI * r * r, 2.0 * PI * r);
    let near = |got: f64, want: f64| assert!((got / want - 1.0).abs() < 0.02, "{got} {want}");
    near(of(Quantity::AreaFraction), 100.0 * area / (cell * cell));
    // S_V = 4 / pi B_A; the mean chord of a disc is pi r / 2.
    near(of(Quantity::SurfaceDensity), 4.0 / PI * outline / (cell * cell));
    near(of(Quantity::MeanIntercept), PI * r / 2.0);
    near(of(Quantity::MeanFreePath), (cell * cell - area) / area * PI * r / 2.0);
    near(of(Quantity::MeanDiameter), 2.0 * r);
    near(of(Quantity::NumberDensity), 1e6 / (cell * cell));
    // With a pixel size, every quantity changes by its power of length.
    let scaled = measure(&mask, 1, ObjectRule::default(), Some(20.0));
    let scaled = Field::of(&mask, 1, &scaled, EdgeRule::All);
    for q in Quantity::ALL {
        let unit: f64 = match q {
            Quantity::NumberDensity => 0.02f64.powi(-2) / 1e6,
            Quantity::SurfaceDensity => 1.0 / 0.02,
            _ => 20f64.powi(q.length_power()),
        };
        near(value(q, &[&scaled]).unwrap(), of(q) * unit);
    }
}

#[test]
fn what_is_not_steel_is_not_counted() {
    let mut mask = picture(64, 64, |x, y| (x - 30.0).hypot(y - 20.0) <= 9.0);
    mask.ignore_bottom(20);
    let p = particles(&mask, ObjectRule::default());
    let field = Field::of(&mask, 1, &p, EdgeRule::All);
    let area = p.regions[0].area_px as f64;
    assert_eq!(value(Quantity::AreaFraction, &[&field]), Some(100.0 * area / (64.0 * 44.0)));
    assert_eq!(value(Quantity::NumberDensity, &[&field]), Some(1e6 / (64.0 * 44.0)));
    // Labels in a part of the picture only: what reaches its edge is cut, and the rules of the edge know its size.
    let mut part =
        picture(100, 100, |x, y| (x - 50.0).hypot(y - 50.0) <= 6.0 || (x - 20.0).hypot(y - 50.0) <= 6.0);
    for (i, label) in part.labels.iter_mut().enumerate() {
        if !(20..80).contains(&(i % 100)) || !(30..90).contains(&(i / 100)) {
            *label = sorby_image::IGNORE;
        }
    }
    let p = particles(&part, ObjectRule::default());
    assert_eq!((p.labelled_px, p.regions.len()), ((20, 30, 80, 90), 2));
    assert_eq!(p.regions.iter().filter(|r| r.touches_border).count(), 1);
    let weight = 60.0 * 60.0 / (46.0 * 46.0);
    let found = EdgeRule::MilesLantuejoul.weights(&p).weights;
    assert!((found.iter().sum::<f64>() - weight).abs() < 1e-9, "{found:?}");
    // The frame counts on what is known within it.
    let frame = Field::of(&part, 1, &p, EdgeRule::Gundersen { guard_px: 14 });
    assert_eq!(value(Quantity::NumberDensity, &[&frame]), Some(1e6 / (32.0 * 32.0)));
    let nothing = picture(64, 64, |_, _| false);
    let field = Field::of(&nothing, 1, &particles(&nothing, ObjectRule::default()), EdgeRule::All);
    assert_eq!(value(Quantity::AreaFraction, &[&field]), Some(0.0));
    for q in [Quantity::MeanDiameter, Quantity::D50, Quantity::MeanIntercept] {
        assert_eq!(estimate(q, &[&field], IntervalInputs::default()), None);
    }
    // No interval of nothing, of everything, of one object's size.
    let interval = |mask: &LabelMap, q| {
        let field = Field::of(mask, 1, &particles(mask, ObjectRule::default()), EdgeRule::All);
        estimate(q, &[&field, &field], IntervalInputs::default()).and_then(|e| e.ci95)
    };
    assert_eq!(interval(&nothing, Quantity::AreaFraction), None);
    assert_eq!(interval(&picture(64, 64, |_, _| true), Quantity::AreaFraction), None);
    assert_eq!(interval(&picture(64, 64, |x, y| x == 30.0 && y == 30.0), Quantity::D50), None);
}

#[test]
fn grain_size_numbers_of_the_standards() {
    // ASTM E112, table 4: G = 8 has 1984 grains per mm2 and a mean intercept of 20.0 um.
    let counts = GrainCounts {
        grains: 1984.0,
        area_px: 1e6,
        intercepts: 100.0,
        line_px: 2000.0,
        ..Default::default()
    };
    // 1000 x 1000 pixels of 1 um are 1 mm2; 2 mm of lines with 100 intercepts.
    let g = grain_size(&[(counts, 1000.0)]).unwrap();
    assert!((g.g_planimetric - 8.0).abs() < 0.01 && (g.g_intercept - 8.0).abs() < 0.01, "{g:?}");
    assert!((g.mean_lineal_intercept_um - 20.0).abs() < 1e-9);
    // ISO 643: m = 8 * 2^G, so 2048 grains per mm2 are G = 8.
    let iso = grain_size(&[(GrainCounts { grains: 2048.0, ..counts }, 1000.0)]).unwrap();
    assert!((iso.g_iso_643 - 8.0).abs() < 1e-9);
    assert_eq!(grain_size(&[(GrainCounts::default(), 1000.0)]), None);
}

#[test]
fn the_largest_grain_and_the_interval_of_the_number() {
    let field = |grains: f64, largest_whole_px: u64, largest_cut_px: u64| {
        let counts = GrainCounts {
            grains,
            area_px: 1e6,
            intercepts: grains,
            line_px: 2e4,
            largest_whole_px,
            largest_cut_px,
        };
        (counts, 1000.0)
    };
    let g = grain_size(&[field(100.0, 40_000, 10), field(128.0, 62_500, 10), field(90.0, 100, 10)]).unwrap();
    let largest = g.largest.unwrap();
    // 62 500 um2 are 0.0625 mm2: -3.321928 lg 0.0625 - 2.954 = 4 - 2.954.
    assert!(
        (largest.area_um2 - 62_500.0).abs() < 1e-6 && (largest.g - 1.046).abs() < 1e-9 && largest.field == 1
    );
    assert!(!g.larger_is_cut);
    // By hand: log2 of the sums of two fields, 218, 190 and 228 grains on 2 mm2; t of two degrees 4.302653.
    let without: Vec<f64> = [218.0, 190.0, 228.0].iter().map(|n: &f64| (n / 2.0).log2()).collect();
    let mean = without.iter().sum::<f64>() / 3.0;
    let wanted = 4.302653 * (without.iter().map(|v| (v - mean).powi(2)).sum::<f64>() * 2.0 / 3.0).sqrt();
    assert!((g.g_planimetric_half_width.unwrap() - wanted).abs() < 1e-5);
    assert!((g.g_intercept_half_width.unwrap() - 2.0 * wanted).abs() < 1e-4);
    let one = grain_size(&[field(100.0, 0, 10)]).unwrap();
    assert!(one.largest.is_none() && one.larger_is_cut && one.g_planimetric_half_width.is_none());
}

/// Square grains of 22 px with boundaries of one, `unknown` telling which columns are not known.
fn mosaic(unknown: impl Fn(usize) -> bool) -> Particles {
    let edge = 220;
    let label = |i: usize| match (i % edge, i / edge) {
        (x, _) if unknown(x) => 255,
        (x, y) => u8::from(x % 22 != 0 && y % 22 != 0),
    };
    let mask = LabelMap { width: edge, height: edge, labels: (0..edge * edge).map(label).collect() };
    measure(&mask, 1, ObjectRule { connectivity: Connectivity::Four, ..ObjectRule::default() }, Some(1000.0))
}

#[test]
fn what_is_not_known_does_not_make_grains_smaller() {
    let of = |p: &Particles| grain_size(&[(grain_counts(p), 1000.0)]).unwrap().mean_lineal_intercept_um;
    let whole = of(&mosaic(|_| false));
    // Strips that cut every second grain in half: they end the field as its edges do.
    let half = of(&mosaic(|x| x % 44 >= 11 && x % 44 < 33));
    assert!((half / whole - 1.0).abs() < 0.08, "{half} um instead of {whole}");
    // A corner is a quarter of a grain.
    let mut labels = vec![0; 400];
    (0..25).for_each(|i| labels[i % 5 + 20 * (i / 5)] = 1);
    let one = measure(&LabelMap { width: 20, height: 20, labels }, 1, ObjectRule::default(), None);
    assert_eq!(grain_counts(&one).grains, 0.25);
}

#[test]
fn square_grains_are_counted_with_halves_and_corners() {
    // Grains of 10 x 10 with boundaries one pixel wide, the field beginning in the middle of a grain.
    let mask = picture(110, 88, |x, y| (x + 5.0) % 11.0 != 0.0 && (y + 5.0) % 11.0 != 0.0);
    let p = measure(
        &mask,
        1,
        ObjectRule { connectivity: sorby_measure::Connectivity::Four, ..ObjectRule::default() },
        None,
    );
    let counts = grain_counts(&p);
    // A grain takes 121 pixels with its boundary.
    assert!((counts.grains - 110.0 * 88.0 / 121.0).abs() < 1e-9, "{counts:?}");
    // Rows and columns along boundaries meet no grain: 1 line in 11.
    let want = 2.0 * 110.0 * 88.0 / 11.0 * 10.0 / 11.0;
    assert!((counts.intercepts / want - 1.0).abs() < 1e-9, "{counts:?} {want}");
}

/// Sections, by a random plane, of spheres of two sizes in a unit volume, with the true number and mean diameter.
fn sections(random: &mut Stream, spheres: &[(f64, f64)], area: f64) -> Vec<(f64, f64)> {
    let mut out = Vec::new();
    for &(diameter, per_volume) in spheres {
        // A plane of this area meets per_volume * diameter * area spheres (a Poisson number of them).
        let mean = per_volume * diameter * area;
        let mut count = 0;
        let mut waited = -(1.0 - random.unit()).ln();
        while waited < mean {
            count += 1;
            waited -= (1.0 - random.unit()).ln();
        }
        for _ in 0..count {
            let height = random.uniform(-0.5, 0.5) * diameter;
            out.push((2.0 * (diameter * diameter / 4.0 - height * height).max(0.0).sqrt(), 1.0));
        }
    }
    out
}

/// Diameters with their numbers per volume; the sum of these and the mean of those.
fn lognormal_spheres() -> (Vec<(f64, f64)>, f64, f64) {
    let (mut random, number) = (Stream::new(77, &[]), 4e-4);
    let diameters: Vec<f64> = (0..200).map(|_| 8.0 * (0.25 * random.normal()).exp()).collect();
    let mean = diameters.iter().sum::<f64>() / 200.0;
    (diameters.iter().map(|d| (*d, number / 200.0)).collect(), number, mean)
}

#[test]
fn spheres_cut_by_planes_are_recovered() {
    let (truth, number, mean) = lognormal_spheres();
    let (mut by_saltykov, mut by_squares, mut by_fullman) = (Vec::new(), Vec::new(), Vec::new());
    for seed in 0..200 {
        let found = sections(&mut Stream::new(seed, &[]), &truth, 4e5);
        let (width, per_area) = section_classes(&found, 4e5, 10).unwrap();
        let a = saltykov(width, &per_area).unwrap();
        let b = unfold_non_negative(width, &per_area).unwrap();
        assert!(b.per_volume.iter().all(|n| *n >= 0.0));
        by_saltykov.push((a.total_per_volume / number, a.mean_diameter / mean));
        by_squares.push((b.total_per_volume / number, b.mean_diameter / mean));
        by_fullman.push((1.0, fullman_mean_diameter(&found).unwrap() / mean));
    }
    // (mean, standard deviation) of the recovered over the true value.
    let spread = |v: &[(f64, f64)], f: fn(&(f64, f64)) -> f64| {
        let n = v.len() as f64;
        let mean = v.iter().map(f).sum::<f64>() / n;
        (mean, (v.iter().map(|x| (f(x) - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt())
    };
    for (name, found, bias) in [("Saltykov", &by_saltykov, 0.03), ("least squares", &by_squares, 0.05)] {
        let (n, d) = (spread(found, |v| v.0), spread(found, |v| v.1));
        assert!((n.0 - 1.0).abs() < bias && n.1 < 0.15, "{name}: number {n:?}");
        assert!((d.0 - 1.0).abs() < bias && d.1 < 0.1, "{name}: mean diameter {d:?}");
    }
    let fullman = spread(&by_fullman, |v| v.1);
    assert!((fullman.0 - 1.0).abs() < 0.03, "{fullman:?}");
}

#[test]
fn unfolding_intervals_hold_the_truth() {
    let (truth, number, mean) = lognormal_spheres();
    for (name, unfold) in
        [("Saltykov", saltykov as fn(f64, &[f64]) -> _), ("least squares", unfold_non_negative)]
    {
        let (mut numbers, mut means) = (0, 0);
        for seed in 0..300 {
            let mut random = Stream::new(1000 + seed, &[]);
            let fields: Vec<_> = (0..10).map(|_| (sections(&mut random, &truth, 4e4), 4e4)).collect();
            let found = unfold_fields(&fields, 12, unfold).unwrap();
            numbers += u32::from(
                (found.spheres.total_per_volume - number).abs() <= found.total_per_volume.unwrap().ci95(),
            );
            means +=
                u32::from((found.spheres.mean_diameter - mean).abs() <= found.mean_diameter.unwrap().ci95());
        }
        assert!(numbers >= 270 && means >= 270, "{name}: {numbers} and {means} of 300");
    }
    let one = unfold_fields(&[(vec![(1.0, 1.0)], 1.0)], 1, saltykov).unwrap();
    assert!((one.spheres.total_per_volume - 1.0).abs() < 1e-12 && one.mean_diameter.is_none());
}

#[test]
fn unfolding_by_hand() {
    // Spheres of diameter 1 only, one per unit volume: N_A = N_V D = 1, all in the first class.
    let one = saltykov(1.0, &[1.0]).unwrap();
    assert!((one.total_per_volume - 1.0).abs() < 1e-12 && one.mean_diameter == 1.0);
    // Spheres of diameter 2, one per unit volume, cut 2 per area: 2 - sqrt 3 of them below 1, sqrt 3 above.
    let two = saltykov(1.0, &[2.0 - 3f64.sqrt(), 3f64.sqrt()]).unwrap();
    assert!(two.per_volume[0].abs() < 1e-12 && (two.per_volume[1] - 1.0).abs() < 1e-12, "{two:?}");
    // Classes that only larger spheres could fill: negative by Saltykov, zero by least squares.
    let short = [0.1, 3f64.sqrt()];
    assert!(saltykov(1.0, &short).unwrap().per_volume[0] < 0.0);
    assert_eq!(unfold_non_negative(1.0, &short).unwrap().per_volume[0], 0.0);
    assert_eq!(section_classes(&[], 1.0, 5), None);
}

#[test]
fn lognormal_sizes_are_fitted() {
    let mut random = Stream::new(5, &[]);
    let sizes: Vec<(f64, f64)> = (0..20_000).map(|_| (40.0 * (0.35 * random.normal()).exp(), 1.0)).collect();
    let fit = lognormal(&sizes).unwrap();
    assert!((fit.median / 40.0 - 1.0).abs() < 0.01 && (fit.geometric_sd / 0.35f64.exp() - 1.0).abs() < 0.01);
    assert!(fit.largest_distance < 0.01, "{fit:?}");
    // Two sizes only are no lognormal distribution.
    let two: Vec<(f64, f64)> = (0..100).map(|i| (if i % 2 == 0 { 1.0 } else { 3.0 }, 1.0)).collect();
    assert!(lognormal(&two).unwrap().largest_distance > 0.3);
    assert_eq!(lognormal(&[(2.0, 1.0), (2.0, 1.0)]), None);
}

#[test]
fn local_threshold_by_its_definition() {
    let (width, height, window, k) = (23, 17, 7, 0.2);
    let mut random = Stream::new(8, &[]);
    let pixels: Vec<u8> = (0..width * height).map(|_| random.uniform(20.0, 250.0) as u8).collect();
    let got = sauvola(&pixels, width, height, window, k);
    let mirror = |i: isize, n: usize| {
        let i = if i < 0 { -1 - i } else { i };
        (if i >= n as isize { 2 * n as isize - 1 - i } else { i }) as usize
    };
    let half = window as isize / 2;
    for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
        let around: Vec<f64> = (-half..=half)
            .flat_map(|dy| (-half..=half).map(move |dx| (y as isize + dy, x as isize + dx)))
            .map(|(y, x)| f64::from(255 - pixels[mirror(y, height) * width + mirror(x, width)]))
            .collect();
        let n = around.len() as f64;
        let mean = around.iter().sum::<f64>() / n;
        let sd = (around.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
        let threshold = mean * (1.0 + k * (sd / 128.0 - 1.0));
        let v = f64::from(255 - pixels[y * width + x]);
        assert_eq!(got[y * width + x], v <= threshold, "{x} {y}: {v} {threshold}");
    }
    // Bright discs on ground that brightens from left to right, where no one threshold serves.
    let shade = |x: f64, y: f64| {
        let disc = (x % 40.0 - 20.0).hypot(y % 40.0 - 20.0) <= 8.0;
        (disc, (40.0 + 0.25 * x + if disc { 90.0 } else { 0.0 }) as u8)
    };
    let at = |i: usize| shade((i % 400) as f64, (i / 400) as f64);
    let grey: Vec<u8> = (0..400 * 200).map(|i| at(i).1).collect();
    let found = sauvola(&grey, 400, 200, 51, 0.2);
    let wrong = (0..grey.len()).filter(|&i| found[i] != at(i).0).count();
    assert!(wrong < grey.len() / 200, "{wrong}");
}
