//! Kinds of files that readers get wrong: the picture that the file means comes out, or one line refuses it.
//! Made by `reference/make_reader_fixtures.py`: pixel (x, y) of 17 x 13 is (13 x + 7 y) % 251.

use sorby_image::{GreyRange, Micrograph, Pixels, Shot, dimensions};
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixture/readers").join(name)
}

fn grey() -> Vec<u8> {
    (0..13u32).flat_map(|y| (0..17u32).map(move |x| ((13 * x + 7 * y) % 251) as u8)).collect()
}

fn colour() -> Vec<u8> {
    grey().iter().flat_map(|v| [*v, *v / 2, 255 - *v]).collect()
}

fn deep(values: &[u8]) -> Vec<u16> {
    values.iter().map(|v| 257 * u16::from(*v)).collect()
}

#[track_caller]
fn read(name: &str) -> Micrograph {
    Micrograph::read(&fixture(name)).unwrap_or_else(|e| panic!("{e}"))
}

#[track_caller]
fn refused(name: &str, words: &[&str]) {
    let message = Micrograph::read(&fixture(name)).unwrap_err().to_string();
    assert!(message.contains(name) && !message.contains('\n'), "{message}");
    for word in words {
        assert!(message.contains(word), "{message} lacks {word}");
    }
}

#[test]
fn planes_in_tiles_and_strips() {
    for name in ["tiled-planar.tif", "strips-planar.tif"] {
        assert_eq!(read(name).pixels, Pixels::Rgb8(colour()), "{name}");
    }
    assert_eq!(read("tiled-planar-16bit.tif").pixels, Pixels::Rgb16(deep(&colour())));
}

#[test]
fn bits_from_the_lowest_and_fax() {
    for name in ["reversed.tif", "reversed-lzw.tif"] {
        assert_eq!(read(name).pixels, Pixels::Grey8(grey()), "{name}");
    }
    let black_and_white: Vec<u8> = grey().iter().map(|v| if *v > 100 { 255 } else { 0 }).collect();
    for name in ["reversed-one-bit.tif", "g4.tif"] {
        assert_eq!(read(name).pixels, Pixels::Grey8(black_and_white.clone()), "{name}");
    }
    refused("g3.tif", &["fax group 3", "LZW or deflate"]);
}

#[test]
fn palettes_show_their_colours() {
    let expected: Vec<u8> = grey()
        .iter()
        .flat_map(|v| {
            let i = u32::from(*v % 16);
            [i * 40 % 256, i * 90 % 256, 255 - i].map(|c| c as u8)
        })
        .collect();
    for name in ["palette-lzw.tif", "palette-raw.tif", "palette-4bit.tif"] {
        assert_eq!(read(name).pixels, Pixels::Rgb8(expected.clone()), "{name}");
    }
}

#[test]
fn numbers_of_every_format() {
    for kind in ["f32", "f64"] {
        for order in ["le", "be"] {
            let name = format!("predictor-{kind}-{order}.tif");
            assert_eq!(read(&name).pixels, Pixels::Grey16(deep(&grey())), "{name}");
        }
    }
    for order in ["le", "be"] {
        let Pixels::Grey16(half) = read(&format!("predictor-f16-{order}.tif")).pixels else { panic!() };
        // Floats of 16 bits keep 11 binary digits.
        assert!(half.iter().zip(deep(&grey())).all(|(a, b)| a.abs_diff(b) <= 16), "{order}");
    }
    assert_eq!(read("predictor-extra.tif").pixels, Pixels::Rgb8(colour()));
    for name in ["zstd-16bit.tif", "white-is-zero-16bit.tif"] {
        assert_eq!(read(name).pixels, Pixels::Grey16(deep(&grey())), "{name}");
    }
    let signed =
        GreyRange::Fixed([-128.0, 127.0]).apply(&Shot::plain(read("int8.tif"))).unwrap().into_owned().image;
    assert_eq!(signed.pixels, Pixels::Grey16(deep(&grey())));
    let Pixels::Grey16(inverted) = read("white-is-zero-float.tif").pixels else { panic!() };
    assert!(inverted.iter().zip(deep(&grey())).all(|(a, b)| a.abs_diff(b) <= 1));
    refused("white-is-zero-int16.tif", &["lowest number is white"]);
    refused("four-bits.tif", &["4 bits", "8 bits per pixel"]);
    refused("twelve-bits.tif", &["12 bits", "16 bits per pixel"]);
    refused("complex.tif", &["complex", "amplitude"]);
}

#[test]
fn jpeg_in_tiff_is_in_colour() {
    for name in ["jpeg-ycbcr", "jpeg-tiles"] {
        let (Pixels::Rgb8(found), Pixels::Rgb8(expected)) =
            (read(&format!("{name}.tif")).pixels, read(&format!("{name}.png")).pixels)
        else {
            panic!("{name} has lost its colours")
        };
        let most = found.iter().zip(&expected).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(found.len() == expected.len() && most <= 2, "{name}: {most} grey levels off");
    }
    let Pixels::Rgb8(found) = read("jpeg-rgb.tif").pixels else { panic!() };
    for (i, pixel) in found.chunks_exact(3).enumerate() {
        let (x, y) = ((i % 48) as u8, (i / 48) as u8);
        let expected = [4 * x + 20, 5 * y + 60, 200 - 2 * x - 2 * y];
        assert!(
            pixel.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 4),
            "{x} {y}: {pixel:?} {expected:?}"
        );
    }
}

#[test]
fn colours_of_other_kinds() {
    let (Pixels::Rgb8(found), Pixels::Rgb8(expected)) = (read("cmyk.tif").pixels, read("cmyk.png").pixels)
    else {
        panic!()
    };
    assert!(found.iter().zip(&expected).all(|(a, b)| a.abs_diff(*b) <= 1));
    refused("lab.tif", &["L*a*b*", "RGB or grey"]);
    for name in ["grey-alpha.tif", "premultiplied-full.tif"] {
        assert_eq!(read(name).pixels, Pixels::Grey8(grey()), "{name}");
    }
    refused("premultiplied.tif", &["transparent", "without transparency"]);
    refused("two-channels.tif", &["2 channels"]);
    refused("five-channels.tif", &["5 channels"]);
    for (name, kind) in [("jpeg2000", "JPEG 2000"), ("webp", "WebP"), ("lerc", "LERC"), ("lzma", "LZMA")] {
        refused(&format!("compressed-{name}.tif"), &[kind, "without compression, or with LZW or deflate"]);
    }
}

#[test]
fn several_pictures_behind_one_directory() {
    for name in ["stack-imagej.tif", "stack-tifffile.tif", "stack-metamorph.tif"] {
        refused(name, &["holds 3 pictures"]);
    }
    refused("stack-volume.tif", &["a single picture"]);
    refused("in-sub-directory.tif", &["holds 2 pictures"]);
    refused("animated.png", &["holds 2 pictures"]);
    for name in ["one-of-a-stack.tif", "pyramid-in-sub-directory.tif"] {
        assert_eq!(read(name), Micrograph::grey8(17, 13, grey()), "{name}");
    }
}

/// The upright picture of stored pixels: (width, height, values) by the definitions of EXIF.
fn upright(exif: u8, width: usize, height: usize, stored: impl Fn(usize, usize) -> u8) -> Micrograph {
    let (w, h) = if exif > 4 { (height, width) } else { (width, height) };
    let pixel = |i: usize| {
        let (x, y) = (i % w, i / w);
        match exif {
            1 => stored(x, y),
            2 => stored(width - 1 - x, y),
            3 => stored(width - 1 - x, height - 1 - y),
            4 => stored(x, height - 1 - y),
            5 => stored(y, x),
            6 => stored(y, height - 1 - x),
            7 => stored(width - 1 - y, height - 1 - x),
            _ => stored(width - 1 - y, x),
        }
    };
    Micrograph::grey8(w, h, (0..w * h).map(pixel).collect())
}

#[test]
fn pictures_stand_upright() {
    let stored = grey();
    for exif in 1..=8 {
        let expected = upright(exif, 17, 13, |x, y| stored[y * 17 + x]);
        for ending in ["png", "tif"] {
            let name = format!("turned-{exif}.{ending}");
            assert_eq!(read(&name), expected, "{name}");
            assert_eq!(dimensions(&fixture(&name)), Some((expected.width, expected.height)), "{name}");
        }
        let name = format!("turned-{exif}.jpg");
        let Micrograph { width, height, pixels: Pixels::Rgb8(found) } = read(&name) else { panic!() };
        let expected = upright(exif, 48, 32, |x, _| 4 * x as u8 + 20);
        assert_eq!((width, height), (expected.width, expected.height), "{name}");
        assert_eq!(dimensions(&fixture(&name)), Some((width, height)), "{name}");
        let reds = found.iter().step_by(3).zip(expected.to_grey8());
        assert!(reds.into_iter().all(|(a, b)| a.abs_diff(b) <= 4), "{name}");
    }
}

#[test]
fn the_scale_turns_with_the_picture() {
    for exif in [1, 3, 6, 8] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jpg");
        std::fs::copy(fixture(&format!("turned-{exif}.jpg")), &path).unwrap();
        let sidecar = "[SemImageFile]\r\nDataSize=48x32\r\nPixelSize=12.5\r\n";
        std::fs::write(path.with_extension("txt"), sidecar).unwrap();
        let reading = sorby_image::scale::read(&path).unwrap();
        assert_eq!(dimensions(&path), Some((reading.width_px as usize, reading.height_px as usize)));
        assert_eq!(reading.nm_per_px(), Ok(Some(12.5)), "{exif}");
    }
}

const JPEGS: [&str; 13] = [
    "baseline",
    "full-colour",
    "grey",
    "restart",
    "restart-rows",
    "progressive",
    "progressive-grey",
    "progressive-restart",
    "odd-size",
    "noise",
    "thumbnail",
    "cmyk",
    "scans",
];

/// Writes `bytes` and reads them as a JPEG.
fn read_bytes(folder: &Path, bytes: &[u8]) -> Result<Micrograph, String> {
    let path = folder.join("a.jpg");
    std::fs::write(&path, bytes).unwrap();
    let outcome = Micrograph::read(&path).map_err(|e| e.to_string());
    if let Err(message) = &outcome {
        assert!(message.contains("a.jpg: ") && !message.contains('\n'), "{message}");
    }
    outcome
}

#[test]
fn a_jpeg_cut_anywhere_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for name in JPEGS {
        let bytes = std::fs::read(fixture(&format!("{name}.jpg"))).unwrap();
        let whole = read_bytes(folder.path(), &bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        // The last two bytes are the end marker; the one before holds the last code.
        let data = bytes.len() - 2;
        for end in 0..data {
            let cut = read_bytes(folder.path(), &bytes[..end]);
            assert!(cut.is_err(), "{name} was read with {end} of {} bytes", bytes.len());
        }
        // Without end marker nothing of the picture is missing.
        for end in data..bytes.len() {
            assert_eq!(read_bytes(folder.path(), &bytes[..end]).as_ref(), Ok(&whole), "{name} {end}");
        }
    }
}

#[test]
fn a_cut_jpeg_is_not_made_whole_by_what_follows() {
    let folder = tempfile::tempdir().unwrap();
    for name in JPEGS {
        let bytes = std::fs::read(fixture(&format!("{name}.jpg"))).unwrap();
        let whole = read_bytes(folder.path(), &bytes).unwrap();
        let start = bytes.windows(2).position(|w| w == [0xff, 0xda]).unwrap() + 14;
        for end in (start..bytes.len() - 3).step_by(7) {
            let mut filled = bytes.clone();
            filled[end..].fill(0);
            let zeros = read_bytes(folder.path(), &filled);
            assert!(zeros.is_err(), "{name}: zeros from {end} of {} on", bytes.len());
            let closed = [&bytes[..end], &[0xff, 0xd9]].concat();
            // Between two scans, a progressive picture is coarser, and nothing shows that more was to come.
            let between = name.starts_with("progressive") || matches!(name, "odd-size" | "noise");
            assert!(read_bytes(folder.path(), &closed).is_err() || between, "{name}: closed at {end}");
        }
        for tail in [&b"trailing text of a camera"[..], &[0; 100], &[0xff, 0xd8, 0xff, 0xe0]] {
            assert_eq!(read_bytes(folder.path(), &[&bytes, tail].concat()).as_ref(), Ok(&whole), "{name}");
        }
    }
}

#[test]
fn of_several_jpegs_the_first() {
    let bytes = std::fs::read(fixture("two-pictures.jpg")).unwrap();
    let Pixels::Rgb8(found) = read("two-pictures.jpg").pixels else { panic!() };
    assert!(found[..3].iter().zip([20u8, 60, 200]).all(|(a, b)| a.abs_diff(b) <= 8), "{:?}", &found[..3]);
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(read_bytes(folder.path(), &bytes[..bytes.len() - 40]).unwrap().pixels, Pixels::Rgb8(found));
}

/// Writes pages of one value each, with their size and `NewSubfileType`.
fn pages(path: &Path, pages: &[(u32, u32, u8, u32)]) {
    use tiff::tags::Tag;
    let mut encoder = tiff::encoder::TiffEncoder::new(std::fs::File::create(path).unwrap()).unwrap();
    for (width, height, value, kind) in pages {
        let mut page = encoder.new_image::<tiff::encoder::colortype::Gray8>(*width, *height).unwrap();
        page.encoder().write_tag(Tag::NewSubfileType, *kind).unwrap();
        page.encoder()
            .write_tag(Tag::ImageDescription, format!("ImageJ=1\nunit=nm\nx={value}").as_str())
            .unwrap();
        for side in [Tag::XResolution, Tag::YResolution] {
            page.encoder().write_tag(side, tiff::encoder::Rational { n: 1, d: u32::from(*value) }).unwrap();
        }
        page.write_data(&vec![*value; (width * height) as usize]).unwrap();
    }
}

#[test]
fn a_thumbnail_before_the_picture_does_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.tif");
    for (thumbnails, name) in [(vec![(8, 6, 1, 1)], "one"), (vec![(4, 3, 1, 1), (8, 6, 2, 1)], "two")] {
        pages(&file, &[thumbnails, vec![(32, 24, 9, 0)]].concat());
        let image = Micrograph::read(&file).unwrap();
        assert_eq!((image.width, image.pixels), (32, Pixels::Grey8(vec![9; 32 * 24])), "{name}");
        assert_eq!(dimensions(&file), Some((32, 24)), "{name}");
        let scale = sorby_image::scale::read(&file).unwrap();
        assert_eq!((scale.width_px, scale.nm_per_px().unwrap()), (32, Some(9.0)), "{name}");
    }
    // A page alone is the picture whatever it is marked as; a copy as large as the picture is none.
    pages(&file, &[(8, 6, 7, 1)]);
    assert_eq!(Micrograph::read(&file).unwrap().pixels, Pixels::Grey8(vec![7; 48]));
    for several in [
        [(8, 6, 1, 1), (32, 24, 9, 0), (32, 24, 8, 0)].as_slice(),
        &[(32, 24, 1, 1), (32, 24, 9, 0)],
        &[(32, 24, 1, 0), (32, 24, 9, 0)],
    ] {
        pages(&file, several);
        assert!(Micrograph::read(&file).unwrap_err().to_string().contains("holds 2 pictures"), "{several:?}");
    }
}

#[test]
fn a_jpeg_of_twelve_bits_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut jpeg = Vec::new();
    let encoder = image::codecs::jpeg::JpegEncoder::new(&mut jpeg);
    image::GrayImage::new(17, 13).write_with_encoder(encoder).unwrap();
    // The first number behind the frame's marker and length.
    let frame = jpeg.windows(2).position(|b| b == [0xff, 0xc0]).unwrap();
    assert_eq!(std::mem::replace(&mut jpeg[frame + 4], 12), 8);
    let told = read_bytes(folder.path(), &jpeg).unwrap_err();
    assert!(told.contains("JPEG of 12 bits") && !told.contains("complete"), "{told}");
}
