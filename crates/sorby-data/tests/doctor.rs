//! Faults put into clean data are found, and nothing is found where there are none.

use sorby_data::doctor::{Misplaced, Turn, alignment, repair};
use sorby_data::synth::{Kind, SynthSet, make, write_dataset};
use sorby_data::{Dataset, check};
use sorby_random::Stream;
use std::path::Path;

const TURNS: [Turn; 3] = [Turn::LeftRight, Turn::UpDown, Turn::HalfTurn];

fn micrograph(index: u64) -> sorby_data::synth::Synthetic {
    make(Kind::Carbide, 280 + 8 * (index as usize % 5), 220, 11, index)
}

#[test]
fn injected_misplacements_are_found_and_clean_labels_are_left_alone() {
    let (mut injected, mut found, mut false_alarms) = (0, 0, 0);
    for index in 0..40 {
        let s = micrograph(index);
        let mut random = Stream::numbered(5, "faults", &[index]);
        let lies = |label: &sorby_image::LabelMap| alignment(&s.pixels, label).and_then(|a| a.misplaced);
        false_alarms += u32::from(lies(&s.label).is_some());
        let mut offset = || random.below(13) as i32 - 6;
        let (dx, dy) = (offset(), offset());
        let shift = Misplaced::Shifted { dx, dy: if (dx, dy) == (0, 0) { 1 } else { dy } };
        for fault in [shift, Misplaced::Turned(TURNS[index as usize % 3])] {
            injected += 1;
            let back = match fault {
                Misplaced::Shifted { dx, dy } => Misplaced::Shifted { dx: -dx, dy: -dy },
                turned => turned,
            };
            found += u32::from(lies(&repair(&s.label, fault)) == Some(back));
        }
    }
    println!(
        "{found} of {injected} faults found and measured right, {false_alarms} false alarms on 40 clean labels"
    );
    assert!(f64::from(found) >= 0.95 * f64::from(injected), "{found} of {injected}");
    assert_eq!(false_alarms, 0);
}

fn data_set(folder: &Path) {
    let set = SynthSet { kind: Kind::Carbide, images: 6, width: 200, height: 160, seed: 8 };
    write_dataset(folder, set).unwrap();
}

#[test]
fn faults_of_a_whole_set_are_told_by_file() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("data");
    data_set(&at);
    let summary = || {
        let (data, mut problems) = Dataset::examine(&at).unwrap();
        let summary = check(&data);
        problems.extend(summary.problems.clone());
        (problems, summary.remarks)
    };
    let (problems, remarks) = summary();
    assert!(problems.is_empty() && remarks.is_empty(), "{problems:?} {remarks:?}");

    // The first image again, darker, as the last: it is in another split.
    let copy = |from: &str, to: &str| {
        let image = sorby_image::Micrograph::read(&at.join(format!("images/{from}.png"))).unwrap();
        let darker: Vec<u8> = image.to_grey8().iter().map(|v| (f32::from(*v) * 0.8) as u8).collect();
        let bytes = sorby_image::write::png_bytes(
            image.width,
            image.height,
            sorby_image::write::PngKind::Grey,
            &darker,
        );
        std::fs::write(at.join(format!("images/{to}.png")), bytes.unwrap()).unwrap();
        std::fs::copy(at.join(format!("labels/{from}.png")), at.join(format!("labels/{to}.png"))).unwrap();
    };
    copy("carbide-001", "carbide-006");
    let (problems, _) = summary();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].what.contains("shows the same place as `carbide-001`"), "{problems:?}");

    // A specimen on both sides, and pixel sizes far apart.
    let path = at.join("dataset.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let more = "\n[specimens]\n\"bar 3\" = [\"carbide-001\", \"carbide-006\"]\n[scale.images]\n\"carbide-002\" = 60.0\n";
    std::fs::write(&path, text + more).unwrap();
    let (_, remarks) = summary();
    let told: String = remarks.iter().map(|r| format!("{r}\n")).collect();
    assert!(
        told.contains("specimen `bar 3` is on both sides") && told.contains("4.8 times as large"),
        "{told}"
    );
}

#[test]
fn resized_labels_and_marks_in_a_data_bar_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("data");
    data_set(&at);
    let colours = [[0; 3], [200, 0, 0]];
    let half = sorby_image::LabelMap::filled(100, 80, 0);
    half.write_png(&at.join("labels/carbide-001.png"), &colours).unwrap();
    let turned = sorby_image::LabelMap::filled(160, 200, 0);
    turned.write_png(&at.join("labels/carbide-002.png"), &colours).unwrap();
    let (data, _) = Dataset::examine(&at).unwrap();
    let told: String = check(&data).problems.iter().map(|p| format!("{p}\n")).collect();
    assert!(told.contains("resized by 0.500") && told.contains("transposed"), "{told}");

    // A black bar with a white frame of text below the field, over which the label goes on.
    let image = sorby_image::Micrograph::read(&at.join("images/carbide-003.png")).unwrap();
    let mut pixels = image.to_grey8();
    for y in 130..160 {
        for x in 0..200 {
            let text = (136..152).contains(&y) && x % 7 < 3 && (20..120).contains(&x);
            pixels[y * 200 + x] = if text { 255 } else { 0 };
        }
    }
    let bytes = sorby_image::write::png_bytes(200, 160, sorby_image::write::PngKind::Grey, &pixels).unwrap();
    std::fs::write(at.join("images/carbide-003.png"), bytes).unwrap();
    sorby_image::LabelMap::filled(200, 160, 1)
        .write_png(&at.join("labels/carbide-003.png"), &colours)
        .unwrap();
    let (data, _) = Dataset::examine(&at).unwrap();
    let told: String = check(&data).remarks.iter().map(|p| format!("{p}\n")).collect();
    assert!(told.contains("carbide-003.png: marks 6000 pixels inside"), "{told}");
}
