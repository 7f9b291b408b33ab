//! Data bars and scale bars: drawn here in the manner of the makers, and real ones.

use sorby_image::scale::read;
use sorby_image::{DataBar, Micrograph};
use std::path::{Path, PathBuf};

const WIDTH: usize = 640;
const HEIGHT: usize = 480;
const BAR: usize = 36;

/// A noisy field above a bar of `ground`, into which `draw` puts ink.
fn picture(
    ground: u8,
    draw: impl Fn(&mut dyn FnMut(std::ops::Range<usize>, std::ops::Range<usize>)),
) -> Vec<u8> {
    let mut state = 5u64;
    let mut grey: Vec<u8> = (0..WIDTH * HEIGHT)
        .map(|_| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            40 + (state >> 56) as u8 / 2
        })
        .collect();
    grey[(HEIGHT - BAR) * WIDTH..].fill(ground);
    let mut ink = |xs: std::ops::Range<usize>, ys: std::ops::Range<usize>| {
        for y in ys {
            grey[(HEIGHT - BAR + y) * WIDTH..][xs.clone()].fill(255 - ground);
        }
    };
    draw(&mut ink);
    grey
}

/// Strokes like letters.
fn text(ink: &mut dyn FnMut(std::ops::Range<usize>, std::ops::Range<usize>), x: usize, y: usize) {
    for i in 0..12 {
        ink(x + 9 * i..x + 9 * i + 2, y..y + 9);
        ink(x + 9 * i..x + 9 * i + 6, y + 4..y + 6);
    }
}

#[test]
fn bars_of_three_makers_are_found_and_measured() {
    // Zeiss: a line with end marks, black on white, its length above it.
    let zeiss = picture(255, |ink| {
        text(ink, 200, 12);
        ink(20..123, 28..30);
        ink(20..22, 20..36);
        ink(121..123, 20..36);
    });
    let bar = DataBar::find(&zeiss, WIDTH, HEIGHT).unwrap();
    assert_eq!((bar.rows_px, bar.scale_bar.unwrap().length_px), (BAR, 101.0));
    // Hitachi: eleven marks, white on black.
    let hitachi = picture(0, |ink| {
        text(ink, 30, 14);
        (0..11).for_each(|i| ink(350 + 24 * i..353 + 24 * i, 2..10));
    });
    let bar = DataBar::find(&hitachi, WIDTH, HEIGHT).unwrap();
    assert_eq!((bar.rows_px, bar.scale_bar.unwrap().length_px), (BAR, 240.0));
    // FEI: a line with its length in the middle, and frames.
    let fei = picture(0, |ink| {
        ink(0..WIDTH, 0..1);
        (0..6).for_each(|i| ink(80 * i..80 * i + 1, 0..BAR));
        (0..5).for_each(|i| ink(80 * i + 20..80 * i + 50, 20..23));
        ink(420..490, 12..14);
        ink(540..610, 12..14);
        ink(420..422, 8..18);
        ink(608..610, 8..18);
    });
    let bar = DataBar::find(&fei, WIDTH, HEIGHT).unwrap();
    assert_eq!(bar.scale_bar.unwrap().length_px, 188.0);
    assert!(bar.rows_px >= BAR - 1, "{bar:?}");
}

#[test]
fn dark_or_bright_specimens_are_no_bars() {
    for ground in [0, 255] {
        let plain = picture(ground, |_| {});
        assert_eq!(DataBar::find(&plain, WIDTH, HEIGHT), None, "no text, no bar");
    }
    assert_eq!(DataBar::find(&vec![0; WIDTH * HEIGHT], WIDTH, HEIGHT), None);
    assert_eq!(DataBar::find(&[0; 30 * 30], 30, 30), None);
}

fn shared(folder: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(folder);
    if !path.is_dir() {
        eprintln!("skipped: {} is not there", path.display());
        return None;
    }
    Some(path)
}

fn pictures(folder: &Path) -> Vec<(String, Micrograph)> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let name = |f: &PathBuf| f.file_stem().unwrap().to_string_lossy().into_owned();
    files
        .iter()
        .filter(|f| sorby_image::is_image(f))
        .map(|f| (name(f), Micrograph::read(f).unwrap()))
        .collect()
}

#[test]
fn every_real_bar_is_found_and_none_elsewhere() {
    let Some(folder) = shared("metaldam") else { return };
    for (name, image) in pictures(&folder.join("images")) {
        let bar =
            DataBar::find(&image.to_grey8(), image.width, image.height).unwrap_or_else(|| panic!("{name}"));
        // Two microscopes: bars of 50 of 768 and 64 of 960 rows.
        let (rows, lengths) = if image.width == 1024 { (50, [34.0, 68.0, 102.0]) } else { (64, [504.0; 3]) };
        assert_eq!(bar.rows_px, rows, "{name}");
        let length = bar.scale_bar.unwrap_or_else(|| panic!("{name}")).length_px;
        assert!(lengths.iter().any(|l| (l - length).abs() <= 1.0), "{name}: {length}");
    }
    for without in ["uhcs-spheroidite/images", "uhcs-microconstituents/train/images", "super/train"] {
        for (name, image) in pictures(&shared(without).unwrap()) {
            assert_eq!(DataBar::find(&image.to_grey8(), image.width, image.height), None, "{without}/{name}");
        }
    }
}

#[test]
fn real_bars_are_as_long_as_the_metadata_say() {
    let Some(folder) = shared("sem-metadata") else { return };
    for (name, nm) in [
        ("FEI-Helios-Ebeam-8bits.tif", 500_000.0),
        ("hitachi-TM4000-1200x.tif", 40_000.0),
        // Uncompressed palette files, which the TIFF library does not decode.
        ("FeMoOx_AntiA_04_1k5x_CN.tif", 10_000.0),
        ("test_tiff_Zeiss_SEM_1k.tif", 200_000.0),
    ] {
        let path = folder.join(name);
        let (reading, image) = (read(&path).unwrap(), Micrograph::read(&path).unwrap());
        let scale = reading.nm_per_px().unwrap().unwrap();
        let bar = reading.data_bar(&image).unwrap().scale_bar.unwrap_or_else(|| panic!("{name}"));
        assert!(bar.agrees(nm, scale), "{name}: {bar:?} of {scale} nm per pixel");
        assert!((bar.nearest_round_nm(scale) / nm - 1.0).abs() < 1e-9, "{name}");
        assert!(!bar.agrees(nm, 2.0 * scale) && !bar.agrees(nm, 1.06 * scale), "{name}");
    }
}

/// The picture was halved, its sidecar was not corrected, and it does not say the size it was written for.
#[test]
fn a_bar_that_contradicts_its_sidecar_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let draw = |step: usize| {
        picture(0, |ink| {
            text(ink, 30, 14);
            (0..11).for_each(|i| ink(300 + step * i..302 + step * i, 2..10));
        })
    };
    for (name, step, wrong) in [("whole", 24, false), ("halved", 12, true)] {
        let path = folder.path().join(format!("{name}.png"));
        image::GrayImage::from_raw(WIDTH as u32, HEIGHT as u32, draw(step)).unwrap().save(&path).unwrap();
        let sidecar = "[SemImageFile]\r\nPixelSize=20.833\r\nMicronMarker=5000\r\n";
        std::fs::write(path.with_extension("txt"), sidecar).unwrap();
        let reading = read(&path).unwrap();
        let told = reading.check_scale_bar(reading.data_bar(&Micrograph::read(&path).unwrap()));
        assert_eq!(told.is_err(), wrong, "{name}: {told:?}");
        if let Err(reason) = told {
            let reason = reason.to_string();
            assert!(reason.contains("20.8330") && reason.contains("41.6667"), "both values: {reason}");
        }
    }
}
