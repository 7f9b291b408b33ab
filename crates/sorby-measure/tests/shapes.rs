//! Shapes whose measures are known.

use sorby_image::{IGNORE, LabelMap};
use sorby_measure::{
    Connectivity, EdgeRule, Field, ObjectRule, Particles, Region, components, grain_counts, measure,
    measure_numbered, nearest_centroids_px, nearest_edges_px, numbered, outlines, signed_area_px,
};
use std::f64::consts::{PI, SQRT_2};

/// The one object of a picture.
fn object(width: usize, height: usize, inside: impl Fn(f64, f64) -> bool) -> Region {
    let pixels: Vec<u8> =
        (0..width * height).map(|i| u8::from(inside((i % width) as f64, (i / width) as f64))).collect();
    let mut found = components(width, height, Connectivity::Eight, &pixels, |v| v == 1).regions;
    assert_eq!(found.len(), 1);
    found.remove(0)
}

fn assert_near(got: f64, want: f64, share: f64, what: &str) {
    assert!((got - want).abs() <= share * want.abs(), "{what}: {got} instead of {want}");
}

#[test]
fn discs_are_round_at_every_size_and_place() {
    for radius in [3.0, 5.0, 10.0, 20.3, 50.7] {
        for shift in [0.0, 0.25, 0.5] {
            let c = 60.0 + shift;
            let disc = object(120, 120, |x, y| (x - c).hypot(y - c) <= radius);
            let (s, what) = (disc.shape, format!("radius {radius} at {c}"));
            // A disc of seven pixels across has single pixels for poles.
            let (round, solid) = if radius < 10.0 { (0.8, 0.75) } else { (0.93, 0.9) };
            assert!(s.circularity <= 1.0 && s.circularity > round, "{what}: {s:?}");
            assert!(s.solidity <= 1.0 && s.solidity > solid, "{what}: {s:?}");
            assert!(s.aspect_ratio <= 1.0 && s.aspect_ratio > round, "{what}: {s:?}");
            if radius >= 10.0 {
                assert_near(s.perimeter_crofton_px, 2.0 * PI * radius, 0.04, &what);
                assert_near(disc.equivalent_radius_px(), radius, 0.02, &what);
                assert_near(s.axis_major_length_px, 2.0 * radius, 0.02, &what);
                assert_near(s.axis_minor_length_px, 2.0 * radius, 0.02, &what);
                assert_near(s.roundness, 1.0, 0.13, &what);
            }
        }
    }
}

#[test]
fn squares_and_rectangles_are_exact() {
    for (w, h) in [(1, 1), (7, 7), (30, 30), (12, 3), (3, 12), (40, 1)] {
        let inside =
            |x: f64, y: f64| (5.0..5.0 + w as f64).contains(&x) && (6.0..6.0 + h as f64).contains(&y);
        let s = object(60, 60, inside).shape;
        let (w, h) = (f64::from(w), f64::from(h));
        assert_near(s.feret_diameter_max_px, w.hypot(h), 1e-12, "maximum Feret");
        assert_near(s.feret_diameter_min_px, w.min(h), 1e-12, "minimum Feret");
        assert_near(s.solidity, 1.0, 1e-12, "solidity");
        assert_eq!(s.area_filled_px as f64, w * h);
        let diagonal = h.atan2(w).to_degrees();
        let angle = s.feret_angle_deg;
        assert!((angle - diagonal).abs() < 1e-9 || (angle - (180.0 - diagonal)).abs() < 1e-9, "{angle}");
    }
}

#[test]
fn turned_ellipses_keep_their_axes_and_tell_their_angle() {
    for degrees in [0.0, 17.0, 45.0, 71.0, 90.0, 120.0, 163.0f64] {
        let (sin, cos) = degrees.to_radians().sin_cos();
        // Anti-clockwise as seen: rows run downwards.
        let s = object(160, 160, |x, y| {
            let (x, y) = (x - 80.0, 80.0 - y);
            ((x * cos + y * sin) / 60.0).powi(2) + ((y * cos - x * sin) / 20.0).powi(2) <= 1.0
        })
        .shape;
        let what = format!("turned by {degrees}");
        assert_near(s.axis_major_length_px, 120.0, 0.01, &what);
        assert_near(s.axis_minor_length_px, 40.0, 0.02, &what);
        assert_near(s.feret_diameter_max_px, 120.0, 0.02, &what);
        assert_near(s.feret_diameter_min_px, 40.0, 0.05, &what);
        let turn = (s.feret_angle_deg - degrees).rem_euclid(180.0);
        assert!(turn.min(180.0 - turn) < 5.0, "{what}: {}", s.feret_angle_deg);
        // Measured from the row axis, which points down.
        let turn = (s.orientation_rad.to_degrees() + 90.0 - degrees).rem_euclid(180.0);
        assert!(turn.min(180.0 - turn) < 0.5, "{what}: {}", s.orientation_rad.to_degrees());
        let ramanujan = {
            let (a, b) = (60.0f64, 20.0);
            PI * (3.0 * (a + b) - ((3.0 * a + b) * (a + 3.0 * b)).sqrt())
        };
        assert_near(s.perimeter_crofton_px, ramanujan, 0.03, &what);
    }
}

#[test]
fn rings_are_filled_and_lines_are_thin() {
    let ring = object(60, 60, |x, y| (10.0..=20.0).contains(&(x - 30.0).hypot(y - 30.0)));
    let disc = object(60, 60, |x, y| (x - 30.0).hypot(y - 30.0) <= 20.0);
    assert_eq!(ring.shape.area_filled_px, disc.area_px);
    assert!(ring.area_px < disc.area_px && ring.shape.circularity == disc.shape.circularity);
    assert_near(ring.shape.perimeter_crofton_px, 2.0 * PI * 30.0, 0.03, "both outlines of a ring");
    // A hole that opens at a corner only is still a hole to an 8-connected object.
    let diagonal = object(20, 20, |x, y| x == y && x < 10.0);
    assert_near(diagonal.shape.feret_diameter_max_px, 10.0 * SQRT_2, 1e-12, "a diagonal line");
    assert_near(diagonal.shape.feret_diameter_min_px, SQRT_2, 1e-12, "its width");
    assert!((diagonal.shape.feret_angle_deg - 135.0).abs() < 1e-9, "it falls to the right");
    let comb = object(21, 12, |x, y| y == 0.0 || (x % 2.0 == 0.0 && y < 10.0));
    assert_near(comb.shape.solidity, comb.area_px as f64 / 210.0, 1e-12, "a comb");
}

#[test]
fn measures_do_not_depend_on_the_place() {
    let blob = |dx: f64, dy: f64| {
        object(300, 300, move |x, y| {
            let (x, y) = (x - dx - 30.0, y - dy - 30.0);
            x.hypot(y * 1.7) < 18.0 + 4.0 * (3.0 * y.atan2(x)).cos()
        })
        .shape
    };
    let (one, other) = (blob(0.0, 0.0), blob(211.0, 180.0));
    assert_eq!(one.area_filled_px, other.area_filled_px);
    assert_eq!(one.feret_diameter_max_px, other.feret_diameter_max_px);
    assert_near(one.axis_major_length_px, other.axis_major_length_px, 1e-12, "moments");
    assert_near(one.orientation_rad, other.orientation_rad, 1e-9, "orientation");
}

#[test]
fn a_data_bar_is_an_edge_of_the_field() {
    let mut labels = vec![0; 10 * 8];
    // One particle that touches the bar in rows 6 and 7, one that does not.
    labels[5 * 10 + 2] = 1;
    labels[3 * 10 + 7] = 1;
    labels[6 * 10..].fill(IGNORE);
    let mask = LabelMap { width: 10, height: 8, labels };
    let all = measure(&mask, 1, ObjectRule::default(), None);
    assert_eq!((all.regions.len(), all.field_area_px), (2, 60));
    let inside = measure(&mask, 1, ObjectRule { exclude_edge: true, ..ObjectRule::default() }, None);
    assert_eq!(inside.regions.len(), 1);
    assert_eq!(inside.regions[0].centroid_px, (3.0, 7.0));
}

#[test]
fn numbers_are_objects_whatever_they_touch() {
    // Two that touch, with a gap in the numbers; a ring in two halves of one number, another piece of it below.
    let rows = ["AABB..", "AABB..", "......", ".CCC..", ".C.C..", ".CCC..", "......", ".....C"];
    let numbers: Vec<u32> = rows
        .concat()
        .bytes()
        .map(|b| [b'.', b'A', b'B', b'C'].iter().position(|c| *c == b).unwrap() as u32)
        .collect();
    let far: Vec<u32> = numbers.iter().map(|n| if *n == 3 { u32::MAX } else { *n }).collect();
    let found = numbered(6, 8, &far);
    let areas: Vec<u64> = found.regions.iter().map(|r| r.area_px).collect();
    assert_eq!(areas, [4, 4, 9]);
    assert_eq!(found, numbered(6, 8, &numbers), "what the numbers are does not matter");
    assert_eq!(found.regions[2].shape.area_filled_px, 10, "the hole of an object in two pieces");
    let alone = components(6, 8, Connectivity::Eight, &[vec![0; 18], vec![0; 30]].concat(), |v| v == 1);
    assert!(alone.regions.is_empty());
    let mask = LabelMap { width: 6, height: 8, labels: numbers.iter().map(|n| u8::from(*n > 0)).collect() };
    let p = measure_numbered(&mask, &far, 1, ObjectRule::default(), Some(2.0));
    assert_eq!((p.regions.len(), p.class_area_px, p.field_area_px), (3, 17, 48));
    assert_eq!(
        measure(&mask, 1, ObjectRule::default(), None).regions.len(),
        3,
        "the touching two, the ring, the pixel"
    );
    let filter = ObjectRule { min_area_px: 5, ..ObjectRule::default() };
    assert_eq!(measure_numbered(&mask, &far, 1, filter, None).regions.len(), 1);
}

#[test]
fn lines_that_are_ignored_part_grains_as_lines_of_another_class_do() {
    let grains = |line: u8| {
        let at = |i: usize| if i % 200 % 40 == 20 || i / 200 % 40 == 20 { line } else { 1 };
        LabelMap { width: 200, height: 160, labels: (0..200 * 160).map(at).collect() }
    };
    let filter = ObjectRule { connectivity: Connectivity::Four, ..ObjectRule::default() };
    let (known, ignored) = (grains(0), grains(IGNORE));
    let (one, other) = (measure(&known, 1, filter, None), measure(&ignored, 1, filter, None));
    assert_eq!(grain_counts(&one).grains, 12.0 + 14.0 / 2.0 + 1.0);
    assert_eq!((one.boundary_px, other.boundary_px), (0, known.histogram()[0]));
    assert_eq!(Particles { boundary_px: 0, ..other.clone() }, one);
    let field = |mask, p| Field::of(mask, 1, p, EdgeRule::default());
    assert_eq!(field(&known, &one), field(&ignored, &other));
}

/// Pixels of 1 with a chance of one in sixteen.
fn speckle(width: usize, height: usize) -> Vec<u8> {
    let mut state = 7u64;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        u8::from(state >> 60 == 0)
    };
    (0..width * height).map(|_| next()).collect()
}

#[test]
fn gaps_are_those_between_all_pairs_of_pixels() {
    let (width, height) = (60, 50);
    let mut pixels = speckle(width, height);
    // Larger objects, one inside a ring.
    for (x, y) in (0..width).flat_map(|x| (0..height).map(move |y| (x, y))) {
        let r = (x as f64 - 30.0).hypot(y as f64 - 25.0);
        pixels[y * width + x] |= u8::from(r < 5.0 || (9.0..12.0).contains(&r));
    }
    for connectivity in [Connectivity::Four, Connectivity::Eight] {
        let objects = components(width, height, connectivity, &pixels, |v| v == 1);
        let of = |i: u32| objects.runs.iter().filter(move |r| r.region == i);
        for (i, got) in nearest_edges_px(&objects.runs, objects.regions.len()).into_iter().enumerate() {
            let mut want = f64::INFINITY;
            for a in of(i as u32) {
                for b in objects.runs.iter().filter(|b| b.region != i as u32) {
                    for (p, q) in (a.x_start..a.x_end).flat_map(|p| (b.x_start..b.x_end).map(move |q| (p, q)))
                    {
                        let (dx, dy) = (f64::from(p.abs_diff(q)), f64::from(a.y.abs_diff(b.y)));
                        want = want.min((dx - 1.0).max(0.0).hypot((dy - 1.0).max(0.0)));
                    }
                }
            }
            assert!((got.unwrap() - want).abs() < 1e-12, "{connectivity:?} {i}: {got:?} {want}");
        }
    }
    assert_eq!(nearest_edges_px(&[], 0), []);
    let alone = components(2, 1, Connectivity::Four, &[1, 0], |v| v == 1);
    assert_eq!(nearest_edges_px(&alone.runs, 1), [None]);
}

#[test]
fn nearest_neighbours_are_those_of_all_pairs() {
    let pixels = speckle(90, 70);
    let regions = components(90, 70, Connectivity::Eight, &pixels, |v| v == 1).regions;
    assert!(regions.len() > 100);
    for (i, (r, got)) in regions.iter().zip(nearest_centroids_px(&regions)).enumerate() {
        let distance =
            |o: &Region| (o.centroid_px.0 - r.centroid_px.0).hypot(o.centroid_px.1 - r.centroid_px.1);
        let others = regions.iter().enumerate().filter(|(j, _)| *j != i);
        let want = others.map(|(_, o)| distance(o)).fold(f64::INFINITY, f64::min);
        assert!((got.unwrap() - want).abs() < 1e-12, "{i}");
    }
    assert_eq!(nearest_centroids_px(&regions[..1]), [None]);
    assert!(nearest_centroids_px(&[]).is_empty());
}

#[test]
fn outlines_enclose_what_they_outline() {
    let (width, height) = (40, 30);
    let mut pixels = speckle(width, height);
    for (x, y) in (0..width).flat_map(|x| (0..height).map(move |y| (x, y))) {
        let r = (x as f64 - 20.0).hypot(y as f64 - 15.0);
        pixels[y * width + x] |= u8::from((4.0..8.0).contains(&r));
    }
    for connectivity in [Connectivity::Four, Connectivity::Eight] {
        let objects = components(width, height, connectivity, &pixels, |v| v == 1);
        let rings = outlines(&objects.runs, objects.regions.len(), connectivity);
        for (region, rings) in objects.regions.iter().zip(&rings) {
            let areas: Vec<f64> = rings.iter().map(|r| signed_area_px(r)).collect();
            assert_eq!(areas.iter().sum::<f64>(), region.area_px as f64);
            assert!(areas[0] > 0.0, "the outer ring comes first");
            if connectivity == Connectivity::Eight {
                assert_eq!(
                    areas[0], region.shape.area_filled_px as f64,
                    "one outer ring, the others are holes"
                );
                assert!(areas[1..].iter().all(|a| *a < 0.0));
            }
            for (a, b) in rings.iter().flat_map(|r| r.iter().zip(r.iter().cycle().skip(1))) {
                assert!((a.0 == b.0) != (a.1 == b.1), "sides are along rows or columns: {a:?} {b:?}");
            }
        }
    }
    let square = components(
        5,
        5,
        Connectivity::Eight,
        &[&[0; 6][..], &[1, 1, 0, 0, 0, 1, 1], &[0; 12]].concat(),
        |v| v == 1,
    );
    assert_eq!(outlines(&square.runs, 1, Connectivity::Eight), [[[(3, 1), (3, 3), (1, 3), (1, 1)]]]);
}
