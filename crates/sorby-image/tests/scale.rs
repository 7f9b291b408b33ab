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
    Byte(u8),
    Double(f64),
    Doubles(&'a [f64]),
    Short(u16),
    Long(u32),
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
            // The encoder writes ASCII only; instruments write more.
            Value::Text(text) if !text.is_ascii() => directory.write_tag(tag, text.as_bytes()).unwrap(),
            Value::Text(text) => directory.write_tag(tag, *text).unwrap(),
            Value::Bytes(bytes) => directory.write_tag(tag, *bytes).unwrap(),
            Value::Byte(v) => directory.write_tag(tag, *v).unwrap(),
            Value::Double(v) => directory.write_tag(tag, *v).unwrap(),
            Value::Doubles(v) => directory.write_tag(tag, *v).unwrap(),
            Value::Long(v) => directory.write_tag(tag, *v).unwrap(),
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
    let reason = folder.read((32, 26), &[(34682, Value::Text(FEI))]).nm_per_px().unwrap_err().to_string();
    assert!(reason.contains("5.0000") && reason.contains("64x48") && reason.contains("32x26"), "{reason}");
    // The ion beam's images may state the field only.
    let ion = "[IRBeam]\nHFW=3.2e-006\n[Image]\nResolutionX=64\nResolutionY=48\n";
    assert_scale(&folder.read((64, 48), &[(34682, Value::Text(ion))]), 50.0);
    let oblong = FEI.replace("PixelHeight=5e-009", "PixelHeight=6e-009");
    let reason = folder.read((64, 48), &[(34682, Value::Text(&oblong))]).nm_per_px().unwrap_err().to_string();
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
    assert!(reading.nm_per_px().unwrap_err().to_string().contains("soon"));
    assert!(read(&folder.file("absent.tif")).is_err());
}

/// Each of these has one right value, refuses it by name, or states none.
enum Right<'a> {
    Nm(f64),
    Refused(&'a [&'a str]),
    NoScale(&'a str),
}

#[track_caller]
fn check(what: &str, reading: &ScaleReading, right: &Right) {
    match (reading.nm_per_px(), right) {
        (Ok(Some(got)), Right::Nm(nm)) => assert!((got / nm - 1.0).abs() < 1e-4, "{what}: {got}"),
        (Err(error), Right::Refused(words)) => {
            let reason = error.to_string();
            assert!(words.iter().all(|w| reason.contains(w)), "{what}: {reason}");
            assert!(!reason.contains('\n'), "one line: {reason}");
        }
        (Ok(None), Right::NoScale(remark)) => {
            assert!(reading.remarks.join("; ").contains(remark), "{what}: {:?}", reading.remarks);
        }
        (got, _) => panic!("{what}: {got:?}, {:?}", reading.remarks),
    }
}

#[test]
fn units_of_fei_xml() {
    let folder = Folder::new();
    let titan = |x: &str, y: &str| {
        format!("<M><ImageSize><X>64</X><Y>48</Y></ImageSize><PixelSize><X {x}</X><Y {y}</Y></PixelSize></M>")
    };
    let both = |one: &str| titan(one, one);
    for (text, right) in [
        (both("unit=\"m\">5E-08"), Right::Nm(50.0)),
        (both("unit='um'>0.05"), Right::Nm(50.0)),
        (both("unitPrefixPower='1' unit='&#181;m'>0.05"), Right::Nm(50.0)),
        (both("unit='&micro;m'>0.05"), Right::Nm(50.0)),
        (both("unit='micron'>0,05"), Right::Nm(50.0)),
        (both("unit='mm'>5e-5"), Right::Nm(50.0)),
        (both("unit='cm'>5e-6"), Right::Nm(50.0)),
        (both("unit='nm'>50"), Right::Nm(50.0)),
        (both("unit='pm'>50000"), Right::Nm(50.0)),
        (both("unit='Å'>500"), Right::Nm(50.0)),
        (both(">5e-8"), Right::Nm(50.0)),
        (titan("unit='nm'>50", "unit='um'>0.05"), Right::Nm(50.0)),
        (titan("unit='nm'>50", "unit='nm'>60"), Right::Refused(&["not square", "50", "60"])),
        (titan("unit='nm'>50", "unit='nm'>soon"), Right::Refused(&["soon"])),
        (both("unit='furlong'>50"), Right::Refused(&["50 furlong", "unit not known", "34683"])),
        (both("unit='m'>50"), Right::Refused(&["not credible"])),
        (both("unit='m'>0"), Right::Refused(&["not credible"])),
        (both("unit='m'>-5e-8"), Right::Refused(&["not credible"])),
        (both("unit='nm' unitPrefixPower='-9'>50"), Right::Refused(&["unitPrefixPower"])),
        (both("unit='1/nm'>5"), Right::NoScale("reciprocal")),
        (format!("{}<", both(">5e-8")), Right::Refused(&["XML"])),
        (both(">5e-8").replace("64", "128"), Right::Refused(&["128x48", "64x48"])),
        (
            format!(
                "<A xmlns:f='http://f'>{}</A>",
                both("f:unit='nm'>50").replace("PixelSize", "f:PixelSize")
            ),
            Right::Nm(50.0),
        ),
        (both(">5e-8").replace("<Y >", "<X>7e-8</X><Y >"), Right::Refused(&["X twice", "5e-8", "7e-8"])),
        (both(">5e-8").replace("<Y >", "<X >5e-8</X><Y >"), Right::Nm(50.0)),
        (format!("<A>{}{}</A>", both(">5e-8"), both(">7e-8")), Right::Refused(&["differ", "50.0", "70.0"])),
    ] {
        check(&text, &folder.read((64, 48), &[(34683, Value::Text(&text))]), &right);
    }
}

#[test]
fn phenom_and_helios_xml() {
    let folder = Folder::new();
    let phenom = "<FeiImage><databarHeight>8</databarHeight><pixelWidth unit=\"um\">0.05</pixelWidth>\
                  <pixelHeight unit=\"um\">0.05</pixelHeight></FeiImage>";
    let reading = folder.read((64, 56), &[(34683, Value::Text(phenom))]);
    check("Phenom", &reading, &Right::Nm(50.0));
    assert_eq!(reading.data_bar_px(), Some(8));
    for (from, to, right) in [
        ("0.05", "50", Right::Nm(50_000.0)),
        ("unit=\"um\"", "unit=\"nm\"", Right::Nm(0.05)),
        ("unit=\"um\"", "", Right::Refused(&["without a unit"])),
        ("unit=\"um\">0.05</pixelW", "unit=\"um\">0.06</pixelW", Right::Refused(&["not square"])),
    ] {
        let text = phenom.replace(from, to);
        check(&text, &folder.read((64, 56), &[(34683, Value::Text(&text))]), &right);
    }
    let side = |name: &str, unit: &str, value: &str| {
        format!(
            "<item><key><string>{name}</string></key><value><MementoItem><Name>{name}</Name><MementoItemUnit>{unit}\
             </MementoItemUnit><anyType xmlns:q1=\"http://www.w3.org/2001/XMLSchema\" d:type=\"q1:double\" \
             xmlns:d=\"http://www.w3.org/2001/XMLSchema-instance\">{value}</anyType></MementoItem></value></item>"
        )
    };
    let section = |name: &str, inside: String| {
        format!(
            "<item><value><MementoItem><Name>{name}</Name><MementoItemUnit>MementoSection</MementoItemUnit>\
             <MementoItemSection>{inside}</MementoItemSection></MementoItem></value></item>"
        )
    };
    let metre = "MementoItemUnitMeter";
    for (inside, right) in [
        (side("Width", metre, "5E-08") + &side("Height", metre, "5E-08"), Right::Nm(50.0)),
        (side("Height", metre, "5E-08") + &side("Width", metre, "5E-08"), Right::Nm(50.0)),
        (side("Width", metre, "5E-08"), Right::Nm(50.0)),
        (side("Width", "MementoItemUnitNanometer", "50"), Right::Nm(50.0)),
        (side("Width", "MementoItemUnitParsec", "50"), Right::Refused(&["Parsec", "not known"])),
    ] {
        // The field has a width too, and comes first.
        let field = section("FieldOfView", side("Width", metre, "3.2e-6"));
        let text = format!("<Root>{field}{}</Root>", section("PixelSize", inside));
        check(&text, &folder.read((64, 48), &[(34682, Value::Text(&text))]), &right);
    }
}

#[test]
fn fei_settings_of_every_coding_and_beam() {
    let folder = Folder::new();
    let utf16: Vec<u8> = FEI.encode_utf16().flat_map(u16::to_le_bytes).collect();
    check("UTF-16", &folder.read((64, 48), &[(34682, Value::Bytes(&utf16))]), &Right::Nm(5.0));
    let ions = "[Beam]\nBeam=IBeam\nScan=IScan\n[EScan]\nPixelWidth=9e-9\n[IScan]\nPixelWidth=5e-9\n";
    for (text, right) in [
        (FEI.to_uppercase(), Right::Nm(5.0)),
        (FEI.replace("\r\n", "\r"), Right::Nm(5.0)),
        (FEI.replace("5e-009", "5,0e-009"), Right::Nm(5.0)),
        (FEI.replace("5e-009", "5 nm"), Right::Nm(5.0)),
        (FEI.replace("5e-009", "5 furlong"), Right::Refused(&["5 furlong", "not known", "34680"])),
        (FEI.replace("PixelHeight=5e-009", "PixelHeight=x"), Right::Refused(&["`x`"])),
        (
            FEI.replace("PixelHeight", "PixelWidth=6e-9\nPixelHeight"),
            Right::Refused(&["twice", "5e-009", "6e-9"]),
        ),
        (FEI.replace("5e-009", ""), Right::NoScale("")),
        (ions.to_owned(), Right::Nm(5.0)),
        // The beam that made the picture and the field must say the same; the other beam's scan does not matter.
        (format!("{ions}[Scan]\nPixelWidth=7e-9\n"), Right::Refused(&["differ", "5.0000", "7.0000"])),
        (format!("{ions}[Scan]\nPixelWidth=5e-9\n"), Right::Nm(5.0)),
        (ions.replace("[Beam]", "[B]"), Right::Refused(&["differ", "9.0000", "5.0000"])),
        (FEI.replace("VerF", "HorFieldsize=3.2e-7\nVerF"), Right::Nm(5.0)),
        (
            FEI.replace("VerF", "HorFieldsize=6.4e-7\nVerF"),
            Right::Refused(&["differ", "5.0000", "10.0000", "HorFieldsize"]),
        ),
        (ions.replace("[IScan]", "[Other]").replace("[EScan]", "[Another]"), Right::NoScale("")),
        (
            "[Beam]\nBeam=EBeam\n[EBeam]\nHFW=3.2e-6\n[Image]\nResolutionX=64\nResolutionY=48\n".into(),
            Right::Nm(50.0),
        ),
        (
            format!("{FEI}[Beam]\nBeam=EBeam\n[EBeam]\nHFW=6.4e-7\n[IBeam]\nHFW=9e-7\n"),
            Right::Refused(&["differ", "5.0000", "10.0000", "HFW"]),
        ),
        (format!("{FEI}[Beam]\nBeam=EBeam\n[EBeam]\nHFW=3.2e-7\n[IBeam]\nHFW=9e-7\n"), Right::Nm(5.0)),
        (format!("{FEI}ResolutionX=128\n"), Right::Refused(&["ResolutionX twice", "64", "128"])),
        (FEI.replace("VerF", "HorFieldsize=3.2e-7 furlong\nVerF"), Right::Refused(&["furlong"])),
    ] {
        check(&text, &folder.read((64, 48), &[(34680, Value::Text(&text))]), &right);
    }
}

#[test]
fn imagej_units_and_printing_resolutions() {
    let folder = Folder::new();
    for (lines, x, y, right) in [
        ("unit=cm", (118_110, 1000), (118_110, 1000), Right::NoScale("300 dpi")),
        ("unit=cm", (2835, 100), (2835, 100), Right::NoScale("72 dpi")),
        ("unit=cm", (28, 1), (28, 1), Right::NoScale("72 dpi")),
        ("unit=inch", (300, 1), (300, 1), Right::NoScale("300 dpi")),
        ("unit=inch", (96, 1), (96, 1), Right::NoScale("96 dpi")),
        ("unit=m", (11811, 1), (11811, 1), Right::NoScale("300 dpi")),
        ("unit=mm", (11811, 1000), (11811, 1000), Right::NoScale("300 dpi")),
        ("unit=micron", (72, 25_400), (72, 25_400), Right::NoScale("72 dpi")),
        ("unit=\\u00B5m", (118_110, 10_000_000), (118_110, 10_000_000), Right::NoScale("300 dpi")),
        ("unit=nm", (300, 25_400_000), (300, 25_400_000), Right::NoScale("300 dpi")),
        ("unit=um", (1, 10), (1, 10), Right::Nm(10_000.0)),
        ("unit=um\nunit=nm", (20, 1), (20, 1), Right::Refused(&["unit twice", "um", "nm"])),
        ("unit=cm", (20_000, 1), (20_000, 1), Right::Nm(500.0)),
        ("unit=inch", (50_801, 1), (50_801, 1), Right::Nm(500.0)),
        ("unit=micron", (20, 1), (20, 1), Right::Nm(50.0)),
        ("unit=\\u00B5m", (20, 1), (20, 1), Right::Nm(50.0)),
        ("unit= um ", (20, 1), (20, 1), Right::Nm(50.0)),
        ("Unit = nm", (1, 50), (1, 50), Right::Nm(50.0)),
        ("unit=mm", (20_000, 1), (20_000, 1), Right::Nm(50.0)),
        ("unit=Angstrom", (1, 500), (1, 500), Right::Nm(50.0)),
        ("unit=um\nyunit=nm", (20, 1), (1, 50), Right::Nm(50.0)),
        ("unit=um\nyunit=nm", (20, 1), (20, 1), Right::Refused(&["not square"])),
        ("unit=um", (20, 1), (25, 1), Right::Refused(&["not square", "50.0", "40.0"])),
        ("unit=pixel", (20, 1), (20, 1), Right::NoScale("pixel")),
        ("unit=1/nm", (20, 1), (20, 1), Right::NoScale("reciprocal")),
        ("unit=furlong", (1, 50), (1, 50), Right::Refused(&["50 furlong", "not known"])),
        ("unit=um", (20, 0), (20, 0), Right::Refused(&["not credible"])),
        ("unit=um", (0, 1), (0, 1), Right::Refused(&["not credible"])),
        ("unit=", (118, 1), (118, 1), Right::NoScale("")),
        ("images=3", (118, 1), (118, 1), Right::NoScale("")),
    ] {
        let text = format!("ImageJ=1.54f\n{lines}\nmin=0.0\n");
        let tags = [
            (270, Value::Text(&text)),
            (282, Value::Rational(x.0, x.1)),
            (283, Value::Rational(y.0, y.1)),
            (296, Value::Short(3)),
        ];
        check(&format!("{lines} {x:?}"), &folder.read((64, 48), &tags), &right);
    }
    // A micro sign in Latin-1, as Windows writes it; resolutions of wrong types.
    for (text, x, right) in [
        (
            b"ImageJ=1.54f\nunit=\xb5m\n".as_slice(),
            [Value::Rational(20, 1), Value::Rational(20, 1)],
            Right::Nm(50.0),
        ),
        (b"ImageJ=1.54f\nunit=um\n", [Value::Text("20"), Value::Text("20")], Right::Nm(50.0)),
        (b"ImageJ=1.54f\nunit=um\n", [Value::Double(20.0), Value::Short(20)], Right::Nm(50.0)),
        (b"ImageJ=1.54f\nunit=um\n", [Value::Text("many"), Value::Text("20")], Right::Refused(&["many"])),
        (
            b"ImageJ=1.54f\nunit=um\n",
            [Value::Doubles(&[2.0, 3.0]), Value::Double(2.0)],
            Right::Refused(&["2 numbers"]),
        ),
        (b"ImageJ=1.54f\n", [Value::Doubles(&[2.0, 3.0]), Value::Double(2.0)], Right::NoScale("")),
    ] {
        let [x, y] = x;
        let tags = [(270, Value::Bytes(text)), (282, x), (283, y)];
        check(&String::from_utf8_lossy(text), &folder.read((64, 48), &tags), &right);
    }
}

#[test]
fn ome_xml_of_every_spelling() {
    let folder = Folder::new();
    let ome = |inside: &str| {
        format!("<?xml version='1.0'?><!-- PhysicalSizeX=\"9\" --><OME xmlns='http://o'>{inside}</OME>")
    };
    let image = |attributes: &str| format!("<Image><Pixels {attributes}/></Image>");
    let size = "SizeX='64' SizeY='48'";
    for (text, right) in [
        (ome(&image(&format!("PhysicalSizeX='0.05' {size} PhysicalSizeY='0.05'"))), Right::Nm(50.0)),
        (ome(&image(&format!("{size} PhysicalSizeXUnit='nm' PhysicalSizeX='50'"))), Right::Nm(50.0)),
        (ome(&image(&format!("{size} PhysicalSizeX='0.05' PhysicalSizeXUnit='&#181;m'"))), Right::Nm(50.0)),
        (ome(&image(&format!("{size} PhysicalSizeX='0.05' PhysicalSizeXUnit='&#xB5;m'"))), Right::Nm(50.0)),
        (ome(&image(&format!("{size} PhysicalSizeX='5e-5' PhysicalSizeXUnit=\"mm\""))), Right::Nm(50.0)),
        (
            ome(&image(&format!("{size} PhysicalSizeX='1' PhysicalSizeXUnit='pixel'"))),
            Right::NoScale("pixel"),
        ),
        (
            ome(&image(&format!("{size} PhysicalSizeX='1' PhysicalSizeXUnit='furlong'"))),
            Right::Refused(&["furlong"]),
        ),
        (
            ome(&image(&format!("{size} PhysicalSizeX='0.05' PhysicalSizeY='70' PhysicalSizeYUnit='nm'"))),
            Right::Refused(&["square"]),
        ),
        (ome(&image(&format!("{size} PhysicalSizeY='0.05'"))), Right::Refused(&["without PhysicalSizeX"])),
        (ome(&image("SizeX='128' SizeY='96' PhysicalSizeX='0.05'")), Right::Refused(&["128x96", "64x48"])),
        (ome(&image(size)), Right::NoScale("")),
        (ome(&image(&format!("{size} PhysicalSizeX='352.7777777777778'"))), Right::NoScale("72 dpi")),
        (
            ome(&image(&format!("{size} PhysicalSizeX='84.67' PhysicalSizeY='84.67'"))),
            Right::NoScale("300 dpi"),
        ),
        (
            ome(&image(&format!("{size} PhysicalSizeX='84666.7' PhysicalSizeXUnit='nm'"))),
            Right::NoScale("300 dpi"),
        ),
        (
            ome(&image(&format!("{size} PhysicalSizeX='0.00847' PhysicalSizeXUnit='cm'"))),
            Right::NoScale("300 dpi"),
        ),
        (
            ome(&image(&format!("{size} PhysicalSizeX='0.0033333' PhysicalSizeXUnit='in'"))),
            Right::NoScale("300 dpi"),
        ),
        (
            ome(&image(&format!("{size} PhysicalSizeX='0.3528' PhysicalSizeXUnit='mm'"))),
            Right::NoScale("72 dpi"),
        ),
        (ome(&image(&format!("{size} PhysicalSizeX='0.0847'"))), Right::Nm(84.7)),
        (ome(&image(&format!("{size} PhysicalSizeX='6.45'"))), Right::Nm(6450.0)),
        (
            format!(
                "<o:OME xmlns:o='http://o'><o:Image><o:Pixels {size} PhysicalSizeX='0.05'/></o:Image></o:OME>"
            ),
            Right::Nm(50.0),
        ),
        // Several images: those of this file's size are meant.
        (
            ome(&(image(&format!("{size} PhysicalSizeX='0.05'"))
                + &image(&format!("{size} PhysicalSizeX='0.07'")))),
            Right::Refused(&["differ", "50.0", "70.0"]),
        ),
        (
            ome(&(image("SizeX='8' SizeY='6' PhysicalSizeX='0.4'")
                + &image(&format!("{size} PhysicalSizeX='0.05'")))),
            Right::Nm(50.0),
        ),
        (
            ome(&(image(size) + &image(&format!("{size} PhysicalSizeX='0.05'")))),
            Right::Refused(&["only 1 of its 2"]),
        ),
        (ome("<Image><Pixels PhysicalSizeX='0.05'></Image>"), Right::Refused(&["XML"])),
        ("<svg><metadata>OME</metadata></svg>".to_owned(), Right::NoScale("")),
    ] {
        check(&text, &folder.read((64, 48), &[(270, Value::Text(&text))]), &right);
    }
}

#[test]
fn zeiss_and_tescan_units() {
    let folder = Folder::new();
    let zeiss = |size: &str| {
        format!(
            "0\n0\n0\n2e-8\nAP_PIXEL_SIZE\nPixel Size = 99 nm\nAP_IMAGE_PIXEL_SIZE\nImage Pixel Size = {size}\n"
        )
    };
    for (size, right) in [
        ("50 nm", Right::Nm(50.0)),
        ("0.05 µm", Right::Nm(50.0)),
        ("0,05 um", Right::Nm(50.0)),
        ("50000 pm", Right::Nm(50.0)),
        ("0.05 \\u00b5m", Right::Nm(50.0)),
        ("2,615 µm", Right::Refused(&["2.615", "2615"])),
        ("50", Right::Refused(&["without a unit"])),
        ("50 furlong", Right::Refused(&["50 furlong"])),
        ("0 nm", Right::Refused(&["not credible"])),
        ("3 m", Right::Refused(&["not credible"])),
    ] {
        check(size, &folder.read((64, 48), &[(34118, Value::Text(&zeiss(size)))]), &right);
    }
    let field = |width: &str| format!("{}AP_WIDTH\nWidth = {width}\n", zeiss("50 nm"));
    for (width, right) in [
        ("3.2 µm", Right::Nm(50.0)),
        ("6.4 µm", Right::Refused(&["differ", "50.0000", "100.0000", "AP_WIDTH"])),
        ("wide", Right::Refused(&["wide", "not a number"])),
        ("3.2 furlong", Right::Refused(&["3.2 furlong"])),
        ("3.2 µm\nAP_WIDTH\nWidth = 3200 nm", Right::Nm(50.0)),
        ("3.2 µm\nAP_WIDTH\nWidth = 6.4 µm", Right::Refused(&["AP_WIDTH twice", "3.2", "6.4"])),
        (
            "3.2 µm\nAP_IMAGE_PIXEL_SIZE\nImage Pixel Size = 70 nm",
            Right::Refused(&["AP_IMAGE_PIXEL_SIZE twice", "50 nm", "70 nm"]),
        ),
        (
            "3.2 µm\nDP_IMAGE_STORE\na = 64 * 48\nDP_IMAGE_STORE\na = 128 * 96",
            Right::Refused(&["DP_IMAGE_STORE twice"]),
        ),
    ] {
        check(width, &folder.read((64, 48), &[(34118, Value::Text(&field(width)))]), &right);
    }
    // Both tags, one in UTF-16; they agree or not.
    let wide = |size: &str| -> Vec<u8> { zeiss(size).encode_utf16().flat_map(u16::to_le_bytes).collect() };
    for (other, right) in [("50 nm", Right::Nm(50.0)), ("60 nm", Right::Refused(&["differ", "50.0", "60.0"]))]
    {
        let (narrow, wide) = (zeiss("50 nm"), wide(other));
        let tags = [(34118, Value::Text(&narrow)), (34119, Value::Bytes(&wide))];
        check(other, &folder.read((64, 48), &tags), &right);
    }
    for (size, right) in [
        ("4e-9", Right::Nm(4.0)),
        ("4,0e-9", Right::Nm(4.0)),
        ("4 nm", Right::Nm(4.0)),
        ("4e-3 um", Right::Nm(4.0)),
        ("nan", Right::Refused(&["nan"])),
        ("4 furlong", Right::Refused(&["4 furlong"])),
    ] {
        // The binary head of a block runs into the first line; a thumbnail may lie before it.
        let mut bytes = vec![0xff, 0xd8, 0x00, 0x00, 0x12, 0x00, 0x02, 0x00];
        bytes.extend(format!("Device=MIRA\r\nPixelSizeX={size}\r\nPixelSizeY={size}\r\n").bytes());
        bytes.extend([0, 0, 3, 0]);
        bytes.extend(b"HV=20000\r\n");
        check(size, &folder.read((64, 48), &[(50431, Value::Bytes(&bytes))]), &right);
    }
}

#[test]
fn gatan_and_olympus_types() {
    let folder = Folder::new();
    for (unit, value, right) in [
        (Value::Text("nm"), Value::Double(50.0), Right::Nm(50.0)),
        (Value::Bytes(b"\xb5m\0"), Value::Double(0.05), Right::Nm(50.0)),
        (Value::Text("micrometer"), Value::Double(0.05), Right::Nm(50.0)),
        (Value::Text("nm"), Value::Text("50"), Right::Nm(50.0)),
        (Value::Text("nm"), Value::Doubles(&[50.0, 50.0]), Right::Nm(50.0)),
        (Value::Text("nm"), Value::Doubles(&[50.0, 60.0]), Right::Refused(&["2 numbers"])),
        (Value::Text("nm"), Value::Text("soon"), Right::Refused(&["soon"])),
        // A byte is a number, not the letter of that code; several are neither.
        (Value::Text("nm"), Value::Byte(50), Right::Nm(50.0)),
        (Value::Text("nm"), Value::Bytes(b"50"), Right::Refused(&["2 bytes"])),
        (Value::Text("nm"), Value::Text("50\nnm"), Right::Refused(&["50 nm"])),
        (Value::Text("nm"), Value::Double(f64::NAN), Right::Refused(&["not credible"])),
        (Value::Text("furlong"), Value::Double(50.0), Right::Refused(&["50 furlong"])),
        (Value::Text("1/nm"), Value::Double(0.5), Right::NoScale("reciprocal")),
        (Value::Text("nm^-1"), Value::Double(0.5), Right::NoScale("reciprocal")),
        (Value::Text("eV"), Value::Double(0.5), Right::NoScale("not a length")),
        (Value::Text(""), Value::Double(1.0), Right::NoScale("without a unit")),
    ] {
        check("Gatan", &folder.read((64, 48), &[(65003, unit), (65009, value)]), &right);
    }
    let olympus = "[Dimensions]\nPixelSizeX=5e-8\nPixelSizeY=5e-8\n";
    check("Olympus", &folder.read((64, 48), &[(33471, Value::Text(olympus))]), &Right::Nm(50.0));
    let small = olympus.to_lowercase();
    check("Olympus", &folder.read((64, 48), &[(33471, Value::Text(&small))]), &Right::Nm(50.0));
    // Offsets that lead nowhere: the file was saved by another program.
    for offset in [0, 8, 4_000_000_000] {
        let tags = [(33560, Value::Long(offset))];
        check("offset", &folder.read((64, 48), &tags), &Right::NoScale("saved by another program"));
    }
}

/// The binary block of Olympus, behind the pixels of a whole file, and damaged.
#[test]
fn olympus_binary_block() {
    let folder = Folder::new();
    let file = folder.file("image.tif");
    let block = |count: i16, at: u32, power: i16| -> Vec<u8> {
        let mut bytes = vec![0; 60];
        bytes[..4].copy_from_slice(b"SIS0");
        bytes[58..60].copy_from_slice(&count.to_le_bytes());
        bytes.extend([1, 0, 0, 0]);
        bytes.extend(at.to_le_bytes());
        bytes.extend([0; 10]);
        bytes.extend(power.to_le_bytes());
        bytes.extend(50f64.to_le_bytes());
        bytes.extend(50f64.to_le_bytes());
        bytes
    };
    tiff(&file, (64, 48), &[(33560, Value::Long(0))]);
    let length = std::fs::metadata(&file).unwrap().len() as u32;
    let nowhere = Right::NoScale("saved by another program");
    for (count, at, power, right) in [
        (1, length + 68, -9, Right::Nm(50.0)),
        (1, length + 68, -6, Right::Nm(50_000.0)),
        (1, length + 68, 30_000, Right::Refused(&["not credible"])),
        (1, u32::MAX, -9, Right::NoScale("saved by another program")),
        (0, length + 68, -9, Right::NoScale("saved by another program")),
        (-1, length + 68, -9, Right::NoScale("saved by another program")),
        (i16::MAX, length + 68, -9, nowhere),
    ] {
        tiff(&file, (64, 48), &[(33560, Value::Long(length))]);
        let mut bytes = std::fs::read(&file).unwrap();
        bytes.extend(block(count, at, power));
        std::fs::write(&file, bytes).unwrap();
        check(&format!("{count} {at} {power}"), &read(&file).unwrap(), &right);
    }
}

#[test]
fn sidecars_of_every_name_and_coding() {
    let hitachi = "[SemImageFile]\r\nDataSize=64x48\r\nPixelSize=50\r\n";
    let tescan = "[MAIN]\r\nPixelSizeX=5e-8\r\nPixelSizeY=5e-8\r\n";
    let jeol = "$CM_FULL_SIZE 64 48\r\n$$SM_MICRON_BAR 20\r\n$$SM_MICRON_MARKER 1um\r\n";
    for name in [
        "Steel.txt",
        "Steel.TXT",
        "Steel.Txt",
        "STEEL.TXT",
        "steel.txt",
        "Steel.tif.txt",
        "steel.TIF.Txt",
        "Steel.hdr",
        "Steel.HDR",
        "Steel-tif.hdr",
        "STEEL-TIF.HDR",
        "Steel.tif.hdr",
        "Steel-tiff.hdr",
    ] {
        for text in [hitachi, tescan, jeol] {
            let folder = Folder::new();
            tiff(&folder.file("Steel.tif"), (64, 48), &[]);
            std::fs::write(folder.file(name), text).unwrap();
            let reading = read(&folder.file("Steel.tif")).unwrap();
            check(name, &reading, &Right::Nm(50.0));
            assert_eq!(reading.found.unwrap().sidecar.as_deref(), Some(name));
        }
    }
    let wide = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_be_bytes).collect() };
    let marker = |micro: &[u8]| [jeol.split("um").next().unwrap().as_bytes(), micro, b"m\r\n"].concat();
    for (bytes, right) in [
        (wide(hitachi), Right::Nm(50.0)),
        (wide(&format!("\u{feff}{hitachi}")), Right::Nm(50.0)),
        (format!("\u{feff}{hitachi}").into_bytes(), Right::Nm(50.0)),
        (hitachi.replace("\r\n", "\r").into_bytes(), Right::Nm(50.0)),
        (hitachi.to_uppercase().into_bytes(), Right::Nm(50.0)),
        (hitachi.replace("=50", "=50,0").into_bytes(), Right::Nm(50.0)),
        (hitachi.replace("=50", " = 50 nm").into_bytes(), Right::Nm(50.0)),
        (hitachi.replace("=50", "=82,683").into_bytes(), Right::Refused(&["82.683", "82683"])),
        (hitachi.replace("=50", "=82,683\nWD=7,9 mm").into_bytes(), Right::Nm(82.683)),
        (hitachi.replace("=50", "=50\nPixelSize=60").into_bytes(), Right::Refused(&["twice"])),
        (hitachi.replace("=50", "=").into_bytes(), Right::NoScale("")),
        (hitachi.replace("64x48", "128x96").into_bytes(), Right::Refused(&["128x96", "64x48", "steel.txt"])),
        (marker("µ".as_bytes()), Right::Nm(50.0)),
        (marker(b"\xb5"), Right::Nm(50.0)),
        (marker(b"\x83\xca"), Right::Nm(50.0)),
        (marker(b"\xa6\xcc"), Right::Nm(50.0)),
        (marker(b"\xa5\xec"), Right::Nm(50.0)),
        (jeol.replace("1um", "1").into_bytes(), Right::Refused(&["without a unit"])),
        (jeol.replace("1um", "1 furlong").into_bytes(), Right::Refused(&["1 furlong"])),
        (jeol.replace("BAR 20", "BAR 0").into_bytes(), Right::Refused(&["not credible"])),
        (format!("{jeol}$$SM_MICRON_BAR 40\n").into_bytes(), Right::Refused(&["BAR twice", "20", "40"])),
        (format!("{jeol}$$SM_MICRON_MARKER 1000 nm\n").into_bytes(), Right::Nm(50.0)),
        (format!("{jeol}$$SM_MICRON_MARKER 2um\n").into_bytes(), Right::Refused(&["MARKER twice"])),
        (format!("{jeol}$CM_FULL_SIZE 128 96\n").into_bytes(), Right::Refused(&["FULL_SIZE twice"])),
        (format!("{hitachi}MicronMarker=long\n").into_bytes(), Right::Refused(&["long"])),
        (format!("{hitachi}DataSize=128x96\n").into_bytes(), Right::Refused(&["DataSize twice"])),
        (jeol.replace("BAR 20", "BAR long").into_bytes(), Right::Refused(&["long"])),
        (jeol.to_lowercase().into_bytes(), Right::Nm(50.0)),
    ] {
        let folder = Folder::new();
        tiff(&folder.file("steel.tif"), (64, 48), &[]);
        std::fs::write(folder.file("steel.txt"), &bytes).unwrap();
        check(&String::from_utf8_lossy(&bytes), &read(&folder.file("steel.tif")).unwrap(), &right);
    }
}

#[test]
fn statements_of_one_file_must_agree() {
    let folder = Folder::new();
    let hitachi = |nm: f64| format!("[SemImageFile]\nPixelSize={nm}\n");
    let tags = [(34682, Value::Text(FEI))];
    for (nm, right) in [
        (5.0, Right::Nm(5.0)),
        // Within the tolerance the first vendor's value holds.
        (5.09, Right::Nm(5.0)),
        (5.2, Right::Refused(&["differ", "5.0000", "5.2000", "34682", "image.txt"])),
    ] {
        std::fs::write(folder.file("image.txt"), hitachi(nm)).unwrap();
        check(&nm.to_string(), &folder.read((64, 48), &tags), &right);
    }
    // Two sidecars.
    std::fs::write(folder.file("image.txt"), hitachi(5.0)).unwrap();
    std::fs::write(folder.file("image.tif.txt"), hitachi(6.0)).unwrap();
    let right = Right::Refused(&["differ", "5.0000", "6.0000", "image.txt", "image.tif.txt"]);
    check("two sidecars", &folder.read((64, 48), &[]), &right);
    // Each must fit the image.
    std::fs::write(folder.file("image.tif.txt"), format!("{}DataSize=32x24\n", hitachi(5.0))).unwrap();
    check("other size", &folder.read((64, 48), &tags), &Right::Refused(&["32x24", "image.tif.txt"]));
    // A unit that is not known does not go under next to another statement.
    std::fs::write(folder.file("image.tif.txt"), "[SemImageFile]\nPixelSize=5 furlong\n").unwrap();
    check("unknown", &folder.read((64, 48), &tags), &Right::Refused(&["5 furlong"]));
}

/// Windows shows TIFF tag 40092 as a comment; in files of Hitachi's tabletop microscopes it holds the settings.
#[test]
fn hitachi_settings_in_the_comment() {
    let folder = Folder::new();
    let bytes = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let settings = bytes("PixelSize=82.5\r\nCondition=Vacc=15.0kV Mag=x1.20k\r\n");
    check("settings", &folder.read((64, 48), &[(40092, Value::Bytes(&settings))]), &Right::Nm(82.5));
    let comment = bytes("PixelSize=82.5 I think\r\n");
    check("comment", &folder.read((64, 48), &[(40092, Value::Bytes(&comment))]), &Right::NoScale(""));
}

/// Dots per metre of PNG, density of JPEG: for printing.
#[test]
fn densities_of_png_and_jpeg_are_no_scale() {
    let folder = Folder::new();
    let file = File::create(folder.file("a.png")).unwrap();
    let mut encoder = png::Encoder::new(file, 8, 8);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_pixel_dims(Some(png::PixelDimensions {
        xppu: 20_000_000,
        yppu: 20_000_000,
        unit: png::Unit::Meter,
    }));
    encoder.write_header().unwrap().write_image_data(&[0; 64]).unwrap();
    check("pHYs", &read(&folder.file("a.png")).unwrap(), &Right::NoScale(""));
    let mut jpeg = Vec::new();
    let mut encoder = image::codecs::jpeg::JpegEncoder::new(&mut jpeg);
    encoder.set_pixel_density(image::codecs::jpeg::PixelDensity::dpi(300));
    encoder.encode(&[0; 64], 8, 8, image::ExtendedColorType::L8).unwrap();
    std::fs::write(folder.file("a.jpg"), jpeg).unwrap();
    check("JFIF", &read(&folder.file("a.jpg")).unwrap(), &Right::NoScale(""));
}
