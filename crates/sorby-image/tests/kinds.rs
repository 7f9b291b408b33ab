//! Files of every kind that microscopes and other programs write are read right, or refused by name.
//! Made by `reference/make_image_fixtures.py`: pixel (x, y) of 17 x 13 is (13 x + 7 y) % 251.

use sorby_image::{GreyRange, Micrograph, Pixels, Shot};
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixture").join(name)
}

fn grey() -> Vec<u8> {
    (0..13u32).flat_map(|y| (0..17u32).map(move |x| ((13 * x + 7 * y) % 251) as u8)).collect()
}

#[track_caller]
fn read(name: &str) -> Micrograph {
    Micrograph::read(&fixture(name)).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn grey_of_8_bits() {
    let names =
        ["lzw", "deflate", "packbits", "strips", "bigtiff", "white-is-zero", "with-thumbnail", "palette-lzw"];
    for name in names {
        assert_eq!(read(&format!("{name}.tif")), Micrograph::grey8(17, 13, grey()), "{name}");
    }
    assert_eq!(read("grey-alpha.png"), Micrograph::grey8(17, 13, grey()));
    let tiled = read("tiled.tif");
    assert_eq!((tiled.width, tiled.height), (57, 53));
    for (row, expected) in tiled.to_grey8().chunks_exact(57).zip(grey().chunks_exact(17)) {
        assert_eq!(&row[..17], expected);
    }
    assert!(read("jpeg-in-tiff.tif").to_grey8().iter().all(|v| v.abs_diff(90) <= 2));
}

fn ranged(range: GreyRange, image: Micrograph) -> Micrograph {
    range.apply(&Shot::plain(image)).unwrap().into_owned().image
}

#[test]
fn sixteen_bits_keep_their_range() {
    let deep: Vec<u16> = grey().iter().map(|v| 257 * u16::from(*v)).collect();
    for name in
        ["lzw-16bit.tif", "deflate-16bit.tif", "packbits-16bit.tif", "big-endian-16bit.tif", "16bit.png"]
    {
        assert_eq!(read(name).pixels, Pixels::Grey16(deep.clone()), "{name}");
    }
    let twelve = read("twelve-in-16bit.tif");
    let mapped = ranged(GreyRange::Fixed([0.0, 255.0 * 16.0]), twelve);
    assert_eq!(mapped.pixels, Pixels::Grey16(deep));
}

#[test]
fn one_bit_is_black_and_white() {
    let expected: Vec<u8> = grey().iter().map(|v| if *v > 100 { 255 } else { 0 }).collect();
    for name in ["one-bit.tif", "one-bit.png"] {
        assert_eq!(read(name).to_grey8(), expected, "{name}");
    }
}

#[test]
fn colour_whatever_its_order() {
    let expected: Vec<u8> = grey().iter().flat_map(|v| [*v, *v / 2, 255 - *v]).collect();
    for name in ["colour.tif", "colour-alpha.tif", "colour-planar.tif"] {
        assert_eq!(read(name).pixels, Pixels::Rgb8(expected.clone()), "{name}");
    }
}

#[test]
fn numbers_need_a_range() {
    let unit: Vec<u16> = grey().iter().map(|v| 257 * u16::from(*v)).collect();
    assert_eq!(read("float-unit.tif").pixels, Pixels::Grey16(unit.clone()));
    for name in ["float-counts.tif", "float64-counts.tif"] {
        let counts = read(name);
        let message = GreyRange::Full.apply(&Shot::plain(counts.clone())).unwrap_err().to_string();
        assert!(message.contains("0 to 3921.5") && message.contains("data.grey_range"), "{message}");
        let mapped = ranged(GreyRange::Fixed([0.0, 4000.0]), counts);
        assert_eq!(mapped.pixels, Pixels::Grey16(unit.clone()));
    }
    for (name, low, high) in [("uint32.tif", 0.0, 255_000.0), ("int16.tif", -100.0, 155.0)] {
        let mapped = ranged(GreyRange::Fixed([low, high]), read(name));
        assert_eq!(mapped.pixels, Pixels::Grey16(unit.clone()), "{name}");
    }
}

#[test]
fn what_cannot_be_known_is_refused_by_name() {
    for (name, word) in [
        ("two-pages.tif", "2 pictures"),
        ("float-stack.tif", "2 pictures"),
        ("float-nan.tif", "1 pixels are no numbers"),
    ] {
        let message = Micrograph::read(&fixture(name)).unwrap_err().to_string();
        assert!(message.contains(name) && message.contains(word) && !message.contains('\n'), "{message}");
    }
}
