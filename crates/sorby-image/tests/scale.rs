//! Pixel sizes of every vendor: real files where there are some, else files made here.

use sorby_image::scale::{ScaleReading, read};
use std::fs::File;
use std::path::{Path, PathBuf};
use tiff::encoder::{TiffEncoder, colortype::Gray8};
use tiff::tags::Tag;

/// Tags of a file made here.
enum Value<'a> {
    Text(&'a str),
    Bytes(&'a [u8]),
    Double(f64),
    Short(u16),
    Rational(u32, u32),
}

/// A grey TIFF of `width` x `height` with extra tags.
fn tiff(path: &Path, (width, height): (u32, u32), tags: &[(u16, Value)]) {
    let mut encoder = TiffEncoder::new(File::create(path).unwrap()).unwrap();
    let mut image = encoder.new_image::<Gray8>(width, height).unwrap();
    for (tag, value) in tags {
        let tag = Tag::from_u16_exhaustive(*tag);
        let directory = image.encoder();
        match value {
            Value::Text(text) => directory.write_tag(tag, *text).unwrap(),
            Value::Bytes(bytes) => directory.write_tag(tag, *bytes).unwrap(),
            Value::Double(v) => directory.write_tag(tag, *v).unwrap(),
            Value::Short(v) => directory.write_tag(tag, *v).unwrap(),
            Value::Rational(n, d) => {
                directory.write_tag(tag, tiff::encoder::Rational { n: *n, d: *d }).unwrap()
            }
        }
    }
    image.write_data(&vec![0; (width * height) as usize]).unwrap();
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn read(&self, size: (u32, u32), tags: &[(u16, Value)]) -> ScaleReading {
        tiff(&self.file("image.tif"), size, tags);
        read(&self.file("image.tif")).unwrap()
    }
}

fn assert_scale(reading: &ScaleReading, nm: f64) {
    let got = reading.nm_per_px().unwrap().unwrap();
    assert!((got / nm - 1.0).abs() < 1e-4, "{got} instead of {nm} nm per pixel from {reading:?}");
}

#[test]
fn real_files_of_the_vendors() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/sem-metadata");
    if !folder.exists() {
        println!("skipped: {} is not there", folder.display());
        return;
    }
    for (file, vendor, nm, bar) in [
        ("FEI-Helios-Ebeam-8bits.tif", "FEI / Thermo Fisher", 3372.4, Some(29)),
        ("test_tiff_Zeiss_SEM_1k.tif", "Zeiss", 2615.0, None),
        ("FeMoOx_AntiA_04_1k5x_CN.tif", "Zeiss", 74.43, None),
        ("hitachi-TM4000-1200x.tif", "Hitachi", 82.68229, None),
        ("olympus_SIS.tif", "Olympus SIS", 0.023_927_9, None),
        ("test_loading_image_saved_with_DM.tif", "Gatan", 168.674_69, None),
        ("test_loading_image_saved_with_imageJ.tif", "ImageJ", 168.674_7, None),
    ] {
        let reading = read(&folder.join(file)).unwrap();
        assert_scale(&reading, nm);
        assert_eq!(reading.found.as_ref().unwrap().vendor, vendor, "{file}");
        assert_eq!(reading.data_bar_px(), bar, "{file}");
    }
    // A resolution without a unit, and a diffraction pattern.
    for file in ["test_loading_image_saved_with_imageJ_no_scale.tif", "JEOL-SightX-SAED-dummy.tif"] {
        assert_eq!(read(&folder.join(file)).unwrap().found, None, "{file}");
    }
}

const FEI: &str = "[Scan]\r\nPixelWidth=5e-009\r\nPixelHeight=5e-009\r\nVerFieldsize=2.4e-007\r\n\
                   [Image]\r\nResolutionX=64\r\nResolutionY=48\r\n";

#[test]
fn a_printing_resolution_is_no_scale() {
    let folder = Folder::new();
    for dpi in [72, 96, 300] {
        let tags = [(282, Value::Rational(dpi, 1)), (283, Value::Rational(dpi, 1)), (296, Value::Short(2))];
        assert_eq!(folder.read((8, 8), &tags).found, None);
    }
    let tags = [(270, Value::Text("ImageJ=1.53\nimages=1\n")), (282, Value::Rational(5, 1))];
    assert_eq!(folder.read((8, 8), &tags).found, None);
}

#[test]
fn fei_with_and_without_its_bar_and_resized() {
    let folder = Folder::new();
    let with_bar = folder.read((64, 52), &[(34682, Value::Text(FEI))]);
    assert_scale(&with_bar, 5.0);
    assert_eq!(with_bar.data_bar_px(), Some(4));
    let cut = folder.read((64, 48), &[(34680, Value::Text(FEI))]);
    assert_scale(&cut, 5.0);
    assert_eq!(cut.data_bar_px(), None);
    // Half the size, the old metadata.
    let reason = folder.read((32, 26), &[(34682, Value::Text(FEI))]).nm_per_px().unwrap_err();
    assert!(reason.contains("5.0000") && reason.contains("64x48") && reason.contains("32x26"), "{reason}");
    // The ion beam's images may state the field only.
    let ion = "[IRBeam]\nHFW=3.2e-006\n[Image]\nResolutionX=64\nResolutionY=48\n";
    assert_scale(&folder.read((64, 48), &[(34682, Value::Text(ion))]), 50.0);
    let oblong = FEI.replace("PixelHeight=5e-009", "PixelHeight=6e-009");
    let reason = folder.read((64, 48), &[(34682, Value::Text(&oblong))]).nm_per_px().unwrap_err();
    assert!(reason.contains("not square"), "{reason}");
}

#[test]
fn zeiss_takes_the_images_pixel_not_the_monitors() {
    let folder = Folder::new();
    let head = "0\r\n0\r\n0\r\n2.0e-008\r\n";
    let store = "DP_IMAGE_STORE\r\nStore resolution = 64 * 48\r\n";
    let both = format!(
        "{head}{store}AP_PIXEL_SIZE\r\nPixel Size = 99 nm\r\nAP_IMAGE_PIXEL_SIZE\r\nImage Pixel Size = 850.0 pm\r\n"
    );
    assert_scale(&folder.read((64, 48), &[(34118, Value::Text(&both))]), 0.85);
    // A micro sign in Latin-1.
    let mut latin = format!("{head}AP_WIDTH\r\nWidth = 6.4 ").into_bytes();
    latin.extend(b"\xb5m\r\n");
    assert_scale(&folder.read((64, 48), &[(34118, Value::Bytes(&latin))]), 100.0);
    // Nothing but the head: metres per pixel of a picture 1024 wide.
    assert_scale(&folder.read((64, 48), &[(34118, Value::Text(head))]), 20.0 * 1024.0 / 64.0);
    assert!(folder.read((128, 96), &[(34118, Value::Text(&both))]).nm_per_px().is_err());
}

#[test]
fn sidecars() {
    let folder = Folder::new();
    let jeol = "$CM_MAG 10000\r\n$CM_FULL_SIZE 64 48\r\n$$SM_MICRON_BAR 20\r\n$$SM_MICRON_MARKER 1um\r\n";
    let utf16: Vec<u8> = "\u{feff}[SemImageFile]\r\nDataSize=64x48\r\nPixelSize=12.5\r\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for (text, nm) in [
        (jeol.as_bytes().to_vec(), 50.0),
        (jeol.replace("1um", "500nm").into_bytes(), 25.0),
        (utf16, 12.5),
        (b"[SemImageFile]\nDataSize=64x48\nPixelSize=7.25\n".to_vec(), 7.25),
    ] {
        std::fs::write(folder.file("image.txt"), text).unwrap();
        assert_scale(&folder.read((64, 48), &[]), nm);
        assert!(folder.read((32, 24), &[]).nm_per_px().is_err(), "resized");
    }
    std::fs::remove_file(folder.file("image.txt")).unwrap();
    std::fs::write(folder.file("image.hdr"), "[MAIN]\nPixelSizeX=2e-9\nPixelSizeY=2e-9\n").unwrap();
    assert_scale(&folder.read((64, 48), &[]), 2.0);
    // Sidecars belong to other formats too.
    image::GrayImage::new(10, 10).save(folder.file("picture.png")).unwrap();
    assert_eq!(read(&folder.file("picture.png")).unwrap().found, None);
    std::fs::write(folder.file("picture.txt"), "[SemImageFile]\nPixelSize=3\n").unwrap();
    assert_scale(&read(&folder.file("picture.png")).unwrap(), 3.0);
    std::fs::write(folder.file("picture.txt"), "notes of the operator").unwrap();
    assert_eq!(read(&folder.file("picture.png")).unwrap().found, None);
}

#[test]
fn other_tags() {
    let folder = Folder::new();
    let tescan = b"\x01\x02\x03[MAIN]\r\nDescription=steel\r\nPixelSizeX=4e-9\r\nPixelSizeY=4e-9\r\n";
    assert_scale(&folder.read((64, 48), &[(50431, Value::Bytes(tescan))]), 4.0);
    // The stage has an X too, and comes first.
    let titan = "<Root><Stage><X>3e-4</X></Stage><Image><PixelSize><X unit=\"m\">6e-9</X><Y unit=\"m\">6e-9</Y>\
                 </PixelSize></Image></Root>";
    assert_scale(&folder.read((64, 48), &[(34683, Value::Text(titan))]), 6.0);
    let gatan = [
        (65003, Value::Text("nm")),
        (65004, Value::Text("nm")),
        (65009, Value::Double(0.5)),
        (65010, Value::Double(0.5)),
    ];
    assert_scale(&folder.read((64, 48), &gatan), 0.5);
    // A reciprocal length is no length.
    let pattern = [(65003, Value::Text("1/nm")), (65009, Value::Double(0.5))];
    assert_eq!(folder.read((64, 48), &pattern).found, None);
    let ome = "<?xml version=\"1.0\"?><OME><Image><Pixels SizeX=\"64\" SizeY=\"48\" PhysicalSizeX=\"0.02\" \
               PhysicalSizeY=\"0.02\"/></Image></OME>";
    assert_scale(&folder.read((64, 48), &[(270, Value::Text(ome))]), 20.0);
    let ome = ome.replace("PhysicalSizeX=\"0.02\"", "PhysicalSizeX=\"20\" PhysicalSizeXUnit=\"nm\"");
    assert_scale(&folder.read((64, 48), &[(270, Value::Text(&ome))]), 20.0);
    assert!(folder.read((32, 24), &[(270, Value::Text(&ome))]).nm_per_px().is_err(), "resized");
    let imagej = [
        (270, Value::Text("ImageJ=1.53\nunit=nm\n")),
        (282, Value::Rational(1, 4)),
        (283, Value::Rational(1, 4)),
    ];
    assert_scale(&folder.read((64, 48), &imagej), 4.0);
}

#[test]
fn nonsense_is_no_scale() {
    let folder = Folder::new();
    for value in ["0", "-5e-9", "nan", "inf"] {
        let text = FEI.replace("5e-009", value);
        let reading = folder.read((64, 48), &[(34682, Value::Text(&text))]);
        assert!(reading.nm_per_px().is_err(), "{value}: {reading:?}");
    }
    let reading = folder.read((64, 48), &[(34682, Value::Text("[Scan]\nPixelWidth=soon\n"))]);
    assert_eq!(reading.found, None);
    assert!(read(&folder.file("absent.tif")).is_err());
}
