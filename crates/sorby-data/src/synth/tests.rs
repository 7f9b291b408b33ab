//! What holds for all families: exact labels, fractions, contrast, the same bytes everywhere.

use super::*;
use proptest::prelude::*;
use std::path::Path;

fn scene_of(family: Family, side: usize, seed: u64) -> scene::Scene {
    family.scene(side, side, &mut Stream::numbered(seed, "test of families", &[]))
}

/// The steels of earlier versions are what they were: benchmarks and documents speak of them.
#[test]
fn carbide_and_ferrite_keep_their_bytes() {
    for (kind, pixels, label) in [
        (Kind::Carbide, "76b2de6e9b496578", "79da300c0e0e5e75"),
        (Kind::Ferrite, "34ea54e3b1dbea6a", "fd19f6b36875d270"),
    ] {
        let made = make(kind, 200, 160, 7, 0);
        let hash = |bytes: &[u8]| blake3::hash(bytes).to_hex()[..16].to_owned();
        assert_eq!(
            (hash(&made.pixels).as_str(), hash(&made.label.labels).as_str()),
            (pixels, label),
            "{}",
            kind.name()
        );
    }
}

#[test]
fn class_1_covers_what_was_asked_for() {
    for family in Family::ALL {
        let mut ratios = Vec::new();
        for seed in 0..10 {
            let scene = scene_of(family, 256, seed);
            let (Some(asked), share) = (scene.asked, scene.share(1)) else { continue };
            match family {
                Family::Cuboids | Family::Lamellae | Family::Dendrites | Family::Duplex => {
                    assert!((share - asked).abs() < 0.005, "{} {seed}: {share} for {asked}", family.name());
                }
                // No grain, needle or particle is cut to fit.
                _ => assert!(share < asked + 0.08, "{} {seed}: {share} for {asked}", family.name()),
            }
            ratios.push(share / asked);
        }
        let mean = ratios.iter().sum::<f64>() / ratios.len().max(1) as f64;
        assert!(ratios.is_empty() || (0.75..1.35).contains(&mean), "{}: {ratios:?}", family.name());
    }
}

#[test]
fn odd_sizes_give_labels_of_the_class_list() {
    for family in Family::ALL {
        for (width, height) in [(64, 64), (65, 97), (101, 64), (333, 77)] {
            for index in 0..3 {
                let made = make(Kind::Family(family, CameraRange::WIDE), width, height, 5, index);
                assert_eq!(made.pixels.len(), width * height);
                let bar = made.label.labels.iter().position(|l| *l == IN_BAR).unwrap_or(width * height);
                let (field, below) = made.label.labels.split_at(bar);
                assert!(bar % width == 0 && below.iter().all(|l| *l == IN_BAR), "{}", family.name());
                let classes = family.classes().len();
                assert!(field.iter().all(|l| usize::from(*l) < classes), "{}", family.name());
            }
        }
    }
}

/// A plain camera gives each class its own grey; darkest and brightest are apart by the contrast asked for.
#[test]
fn contrast_is_drawn_from_its_range_and_reversed() {
    for (contrast, reversed) in [((3.0, 8.0), 0.0), ((60.0, 70.0), 1.0), ((180.0, 200.0), 0.0)] {
        let range = CameraRange { contrast, reversed, ..CameraRange::PLAIN };
        for family in Family::ALL {
            let made = make(Kind::Family(family, range), 160, 160, 2, 0);
            let grey = |tone: f64| {
                let class = family.tones().iter().position(|t| *t == tone).unwrap() as u8;
                let mut greys: Vec<u8> = (made.pixels.iter().zip(&made.label.labels))
                    .filter_map(|(g, l)| (*l == class).then_some(*g))
                    .collect();
                greys.dedup();
                assert_eq!(greys.len(), 1, "{}: class {class} has one grey", family.name());
                f64::from(greys[0])
            };
            let difference = (grey(1.0) - grey(0.0)) * if reversed > 0.0 { -1.0 } else { 1.0 };
            let allowed = contrast.0 - 1.0..=contrast.1 + 1.0;
            assert!(allowed.contains(&difference), "{}: {difference}", family.name());
        }
    }
}

/// Each effect alone changes pixels, none changes a label.
#[test]
fn effects_are_switched_one_by_one() {
    let plain = make(Kind::Family(Family::Granular, CameraRange::PLAIN), 128, 128, 4, 1);
    let strong = Effect::new(1.0, 0.3, 0.3);
    let loud = Effect::new(1.0, 20.0, 20.0);
    let off = CameraRange::PLAIN;
    for (what, range) in [
        ("texture", CameraRange { texture: strong, ..off }),
        ("tones", CameraRange { tones: strong, ..off }),
        ("edges", CameraRange { edges: loud, ..off }),
        ("relief", CameraRange { relief: loud, ..off }),
        ("shading", CameraRange { shading: loud, ..off }),
        ("charging", CameraRange { charging: strong, ..off }),
        ("stretch", CameraRange { stretch: Effect::new(1.0, 0.01, 0.01), ..off }),
        ("stripes", CameraRange { stripes: loud, ..off }),
        ("scratches", CameraRange { scratches: loud, ..off }),
        ("dirt", CameraRange { dirt: loud, ..off }),
        ("defocus", CameraRange { defocus: Effect::new(1.0, 2.0, 2.0), ..off }),
        ("drift", CameraRange { drift: strong, ..off }),
        ("shot noise", CameraRange { shot_noise: loud, ..off }),
        ("detector noise", CameraRange { detector_noise: loud, ..off }),
    ] {
        let made = make(Kind::Family(Family::Granular, range), 128, 128, 4, 1);
        assert_ne!(made.pixels, plain.pixels, "{what}");
        assert_eq!(made.label.labels, plain.label.labels, "{what}");
    }
    let bar = CameraRange { bar: Effect::new(1.0, 0.1, 0.1), ..off };
    let made = make(Kind::Family(Family::Granular, bar), 128, 128, 4, 1);
    assert_eq!(made.label.labels.iter().filter(|l| **l == IN_BAR).count(), 13 * 128);
    assert_eq!(made.label.labels[..115 * 128], plain.label.labels[..115 * 128]);
}

fn files(at: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for folder in ["images", "labels", "."] {
        for entry in std::fs::read_dir(at.join(folder)).unwrap().map(Result::unwrap) {
            if entry.path().is_file() {
                let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
                found.push((name, std::fs::read(entry.path()).unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_set_is_the_same_for_any_number_of_threads_and_images() {
    let at = tempfile::tempdir().unwrap();
    let write = |name: &str, threads: usize, images: usize| {
        let kind = Kind::Family(Family::Network, CameraRange::WIDE);
        let set = SynthSet { kind, images, width: 96, height: 80, seed: 3 };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| write_dataset(&at.path().join(name), set).unwrap());
        files(&at.path().join(name))
    };
    let one = write("one", 1, 5);
    assert!(one == write("four", 4, 5), "threads change nothing");
    let pictures = |all: &[(String, Vec<u8>)]| -> Vec<_> {
        all.iter().filter(|(name, _)| name.ends_with("-002.png")).cloned().collect()
    };
    let two = pictures(&write("two", 2, 2));
    assert_eq!((two.len(), two == pictures(&one)), (2, true), "images do not depend on their number");
}

#[test]
fn a_family_is_a_clean_data_set_with_fractions_as_truth() {
    let at = tempfile::tempdir().unwrap();
    let kind = Kind::Family(Family::Graphite, CameraRange::MILD);
    let set = SynthSet { kind, images: 5, width: 160, height: 120, seed: 1 };
    write_dataset(at.path(), set).unwrap();
    let data = crate::Dataset::open(at.path()).unwrap();
    assert_eq!(data.manifest.class_names(), Family::Graphite.classes());
    let problems = crate::check(&data).problems;
    assert!(problems.is_empty(), "{problems:?}");
    let truth = std::fs::read_to_string(at.path().join("truth.csv")).unwrap();
    let shares: Vec<f64> =
        truth.lines().skip(1).take(3).map(|l| l.split(',').nth(3).unwrap().parse().unwrap()).collect();
    assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-5, "{shares:?}");
    let label = data.load_one(&data.items[0]).unwrap().label;
    assert_eq!(format!("{:.6}", label.histogram()[1] as f64 / (160.0 * 120.0)), format!("{:.6}", shares[1]));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn every_class_shows_in_most_images(seed in any::<u64>(), which in 0..Family::ALL.len()) {
        let family = Family::ALL[which];
        let whole = (0..6).filter(|i| {
            let scene = family.scene(160, 160, &mut Stream::numbered(seed, "classes", &[*i]));
            (0..family.classes().len()).all(|class| scene.labels.contains(&(class as u8)))
        });
        prop_assert!(whole.count() >= 5, "{}", family.name());
    }
}
