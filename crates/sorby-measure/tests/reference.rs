//! Objects, thresholds and sweeps against OpenCV and scikit-image (`reference/fixtures/components.json`).

use proptest::prelude::*;
use serde_json::Value;
use sorby_image::LabelMap;
use sorby_measure::{Connectivity, ObjectRule, compare, components, measure, otsu, pool, sweep};

fn fixture() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../reference/fixtures/components.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Rows of 0 and 1 as text.
fn mask(rows: &[&str]) -> LabelMap {
    let labels = rows.iter().flat_map(|r| r.bytes().map(|b| b - b'0')).collect();
    LabelMap { width: rows[0].len(), height: rows.len(), labels }
}

fn floats(v: &Value) -> Vec<f64> {
    v.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

#[test]
fn objects_match_opencv_and_scikit_image() {
    let json = fixture();
    for name in ["random", "shapes", "ellipse"] {
        let case = &json[name];
        let rows: Vec<&str> = case["rows"].as_array().unwrap().iter().map(|r| r.as_str().unwrap()).collect();
        let m = mask(&rows);
        for (key, connectivity) in [("opencv_4", Connectivity::Four), ("opencv_8", Connectivity::Eight)] {
            let found = components(m.width, m.height, connectivity, &m.labels, |l| l == 1);
            assert_eq!(found.regions.len() as u64, case[key]["count"].as_u64().unwrap(), "{name} {key}");
            let mut areas: Vec<f64> = found.regions.iter().map(|r| r.area_px as f64).collect();
            areas.sort_by(f64::total_cmp);
            assert_eq!(areas, floats(&case[key]["areas"]), "{name} {key}");
        }
        let mut found = components(m.width, m.height, Connectivity::Eight, &m.labels, |l| l == 1).regions;
        found.sort_by_key(|r| (r.bbox_px.0, r.bbox_px.1));
        for (r, want) in found.iter().zip(case["regions_8"].as_array().unwrap()) {
            let b = r.bbox_px;
            assert_eq!([b.0, b.1, b.2, b.3].map(f64::from).to_vec(), floats(&want["bbox"]));
            let centroid = floats(&want["centroid"]);
            assert!(
                (r.centroid_px.0 - centroid[0]).abs() < 1e-9 && (r.centroid_px.1 - centroid[1]).abs() < 1e-9
            );
            let diameter = want["equivalent_diameter"].as_f64().unwrap();
            assert!((r.equivalent_diameter_area_px() - diameter).abs() < 1e-9);
            let number = |key: &str| want[key].as_f64().unwrap();
            let close = |got: f64, key: &str| {
                assert!(
                    (got - number(key)).abs() < 1e-9,
                    "{name} {b:?} {key}: {got} against {}",
                    number(key)
                );
            };
            close(r.shape.area_filled_px as f64, "area_filled");
            close(r.shape.perimeter_crofton_px, "perimeter_crofton");
            // Equal moments in exact arithmetic may differ in the last bit there.
            assert!((r.shape.axis_major_length_px - number("axis_major")).abs() < 1e-6, "{name} {b:?}");
            assert!((r.shape.axis_minor_length_px - number("axis_minor")).abs() < 1e-6, "{name} {b:?}");
            if r.shape.axis_major_length_px > r.shape.axis_minor_length_px + 1e-6 {
                let turn = (r.shape.orientation_rad - number("orientation")).rem_euclid(std::f64::consts::PI);
                assert!(turn.min(std::f64::consts::PI - turn) < 1e-6, "{name} {b:?} orientation");
            }
        }
    }
}

#[test]
fn small_known_answers() {
    let count = |m: &LabelMap, c| components(m.width, m.height, c, &m.labels, |l| l == 1).regions.len();
    let diagonal = mask(&["10", "01"]);
    assert_eq!((count(&diagonal, Connectivity::Eight), count(&diagonal, Connectivity::Four)), (1, 2));
    let ring = mask(&["11111", "10001", "10101", "10001", "11111"]);
    assert_eq!(count(&ring, Connectivity::Eight), 2);
    let comb = mask(&["10101", "10101", "11111"]);
    assert_eq!(count(&comb, Connectivity::Four), 1);
    let objects = components(5, 5, Connectivity::Eight, &ring.labels, |l| l == 1);
    assert_eq!(
        objects.regions.iter().map(|r| (r.area_px, r.touches_border)).collect::<Vec<_>>(),
        [(16, true), (1, false)]
    );
    assert_eq!(count(&LabelMap::filled(7, 3, 0), Connectivity::Eight), 0);
    assert_eq!(count(&LabelMap::filled(7, 3, 1), Connectivity::Eight), 1);
}

#[test]
fn a_field_by_hand() {
    // A 2x2 particle inside, a single pixel in the corner, four ignored pixels.
    let mut m = mask(&["100000", "001100", "001100", "000000"]);
    m.labels[18..22].fill(255);
    let p = measure(&m, 1, ObjectRule::default(), Some(10.0));
    let s = p.summary();
    assert_eq!((s.count, p.class_area_px, p.field_area_px), (2, 5, 20));
    let radii = [(1.0 / std::f64::consts::PI).sqrt(), (4.0 / std::f64::consts::PI).sqrt()];
    let mean = (radii[0] + radii[1]) / 2.0;
    assert!((s.mean_radius_px.unwrap() - mean).abs() < 1e-12);
    assert!((s.mean_diameter_nm.unwrap() - 20.0 * mean).abs() < 1e-9);
    assert!((s.area_fraction - 0.25).abs() < 1e-12);
    // 20 pixels of 100 nm2 are 0.002 um2.
    assert!((s.number_density_per_um2.unwrap() - 1000.0).abs() < 1e-6);
    // Beside pixels that are not known, the 2x2 particle may go on: it is cut as the one in the corner is.
    let whole = ObjectRule { exclude_edge: true, ..ObjectRule::default() };
    assert_eq!(measure(&m, 1, whole, None).summary().count, 0);
    assert_eq!(p.labelled_px, (0, 0, 6, 4));
    let strict = ObjectRule { min_area_px: 2, ..ObjectRule::default() };
    let filtered = measure(&m, 1, strict, None).summary();
    assert_eq!((filtered.count, filtered.mean_radius_nm), (1, None));
    assert!((filtered.area_fraction - 0.25).abs() < 1e-12, "filters do not change the area fraction");
    let errors = compare(&filtered, &s);
    assert_eq!((errors.count_error, errors.mean_radius_error_nm), (-1, None));
    let empty = measure(&LabelMap::filled(4, 4, 0), 1, ObjectRule::default(), Some(1.0));
    assert_eq!((empty.summary().count, empty.summary().mean_radius_px), (0, None));
    // Pooled means weigh particles, not images.
    let both = pool(&[p.clone(), empty]);
    assert_eq!((both.count, both.mean_radius_px), (2, s.mean_radius_px));
    assert_eq!(pool(&[p, measure(&m, 1, ObjectRule::default(), None)]).mean_radius_nm, None);
}

#[test]
fn sweep_and_otsu_match_the_reference() {
    let json = &fixture()["sweep"];
    let (w, h) = (json["width"].as_u64().unwrap() as usize, json["height"].as_u64().unwrap() as usize);
    let image: Vec<u8> = match &json["image"][0] {
        Value::Array(_) => {
            json["image"].as_array().unwrap().iter().flat_map(floats).map(|v| v as u8).collect()
        }
        _ => floats(&json["image"]).into_iter().map(|v| v as u8).collect(),
    };
    let got = sweep(&image, w, h);
    for t in 0..256 {
        assert_eq!(u64::from(got.counts[t]), json["counts"][t].as_u64().unwrap(), "threshold {t}");
        match (got.mean_radii_px[t], json["mean_radii"][t].as_f64()) {
            (Some(g), Some(w)) => assert!((g - w).abs() < 1e-9, "threshold {t}: {g}, expected {w}"),
            (g, w) => assert_eq!(g, w, "threshold {t}"),
        }
    }
    assert_eq!(f64::from(otsu(&image)), json["otsu"].as_f64().unwrap());
}

#[test]
fn best_thresholds_take_the_lowest_of_equals() {
    let s = sweep(&[0, 200, 0, 200, 0], 5, 1);
    assert_eq!((s.counts[0], s.counts[199], s.counts[200]), (2, 2, 0));
    assert_eq!((s.best_for_count(2), s.best_for_count(0)), (0, 200));
    assert_eq!(s.best_for_radius(0.5), 0);
}

proptest! {
    /// The sweep equals 256 separate labellings.
    #[test]
    fn sweep_equals_separate_labellings(w in 1usize..12, h in 1usize..12, seed in any::<u64>()) {
        let mut state = seed | 1;
        let image: Vec<u8> = (0..w * h).map(|_| {
            state ^= state << 13; state ^= state >> 7; state ^= state << 17;
            (state >> 32) as u8 & 0xF3
        }).collect();
        let got = sweep(&image, w, h);
        for t in (0..=255u8).step_by(5) {
            let objects = components(w, h, Connectivity::Eight, &image, |v| v > t);
            prop_assert_eq!(got.counts[usize::from(t)] as usize, objects.regions.len());
            let radii: f64 = objects.regions.iter().map(|r| r.equivalent_radius_px()).sum();
            let mean = (!objects.regions.is_empty()).then(|| radii / objects.regions.len() as f64);
            match (got.mean_radii_px[usize::from(t)], mean) {
                (Some(a), Some(b)) => prop_assert!((a - b).abs() < 1e-9),
                (a, b) => prop_assert_eq!(a, b),
            }
        }
    }

    /// Areas add up, and mirroring an image changes nothing.
    #[test]
    fn areas_add_up(w in 1usize..30, h in 1usize..30, bits in proptest::collection::vec(any::<bool>(), 900)) {
        let image: Vec<u8> = bits[..w * h].iter().map(|&b| u8::from(b)).collect();
        let mirrored: Vec<u8> = image.chunks(w).flat_map(|r| r.iter().rev().copied()).collect();
        for c in [Connectivity::Four, Connectivity::Eight] {
            let areas = |p: &[u8]| {
                let mut a: Vec<u64> = components(w, h, c, p, |v| v == 1).regions.iter().map(|r| r.area_px).collect();
                a.sort_unstable();
                a
            };
            prop_assert_eq!(areas(&image).iter().sum::<u64>(), image.iter().map(|&v| u64::from(v)).sum::<u64>());
            prop_assert_eq!(areas(&image), areas(&mirrored));
        }
    }
}
