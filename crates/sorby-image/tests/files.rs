//! Reading and writing image files.

use sorby_image::{LabelMap, Micrograph, Pixels, RawLabels, write};

#[test]
fn every_format_reads_back() {
    let folder = tempfile::tempdir().unwrap();
    let grey: Vec<u8> = (0..35).map(|i| i * 7).collect();
    for name in ["a.png", "a.tif", "a.bmp"] {
        let path = folder.path().join(name);
        image::GrayImage::from_raw(7, 5, grey.clone()).unwrap().save(&path).unwrap();
        assert_eq!(Micrograph::read(&path).unwrap(), Micrograph::grey8(7, 5, grey.clone()), "{name}");
    }
    let jpeg = folder.path().join("a.jpg");
    image::GrayImage::from_pixel(8, 8, image::Luma([90])).save(&jpeg).unwrap();
    assert!(Micrograph::read(&jpeg).unwrap().to_grey8().iter().all(|&v| v.abs_diff(90) <= 2));
    let deep = folder.path().join("deep.tif");
    let values = vec![0u16, 257, 65535, 32896];
    image::ImageBuffer::<image::Luma<u16>, _>::from_raw(2, 2, values.clone()).unwrap().save(&deep).unwrap();
    let deep = Micrograph::read(&deep).unwrap();
    assert_eq!(deep.pixels, Pixels::Grey16(values));
    assert_eq!(deep.to_f32(), [0.0, 1.0, 255.0, 128.0]);
    let colour = folder.path().join("c.png");
    image::RgbImage::from_pixel(2, 1, image::Rgb([1, 2, 3])).save(&colour).unwrap();
    assert_eq!(Micrograph::read(&colour).unwrap().channels(), 3);
    let same = folder.path().join("s.png");
    image::RgbImage::from_pixel(2, 1, image::Rgb([9, 9, 9])).save(&same).unwrap();
    assert_eq!(Micrograph::read(&same).unwrap().channels(), 1);
}

#[test]
fn masks_keep_their_indices_behind_a_palette() {
    let folder = tempfile::tempdir().unwrap();
    let map = LabelMap { width: 3, height: 2, labels: vec![0, 1, 2, 255, 1, 0] };
    let path = folder.path().join("new/folder/mask.png");
    map.write_png(&path, &[[0, 0, 0], [255, 0, 0], [0, 255, 0]]).unwrap();
    assert_eq!(RawLabels::read(&path).unwrap(), RawLabels::Values(map));
    // Two-bit palettes are packed four to a byte.
    let packed = folder.path().join("packed.png");
    let mut encoder = png::Encoder::new(std::fs::File::create(&packed).unwrap(), 5, 1);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Two);
    encoder.set_palette(vec![0; 12]);
    encoder.write_header().unwrap().write_image_data(&[0b00_01_10_11, 0b01_00_00_00]).unwrap();
    let RawLabels::Values(map) = RawLabels::read(&packed).unwrap() else { panic!("indices expected") };
    assert_eq!(map.labels, [0, 1, 2, 3, 1]);
}

#[test]
fn damaged_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("whole.tif");
    image::GrayImage::from_pixel(64, 64, image::Luma([3])).save(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    for keep in [0, 3, 7, 100, bytes.len() / 2] {
        let cut = folder.path().join("cut.tif");
        std::fs::write(&cut, &bytes[..keep]).unwrap();
        let message = Micrograph::read(&cut).unwrap_err().to_string();
        assert!(message.contains("cut.tif") && !message.contains('\n'), "{message}");
    }
    let message = Micrograph::read(&folder.path().join("absent.png")).unwrap_err().to_string();
    assert!(message.contains("absent.png"), "{message}");
}

#[test]
fn atomic_writing_replaces_and_leaves_no_scraps() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b.txt");
    write::atomically(&path, b"old").unwrap();
    write::atomically(&path, b"new").unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"new");
    assert_eq!(std::fs::read_dir(folder.path().join("a")).unwrap().count(), 1);
}
