//! Whole files damaged in every way, and files made to harm.

use sorby_image::LabelMap;
use sorby_random::Stream;
use std::io::{Cursor, Write as _};

pub struct Case {
    pub name: String,
    pub what: String,
    pub bytes: Vec<u8>,
    /// No reader of pictures or weights can make anything of it.
    pub must_fail: bool,
    /// Its header speaks of gigabytes.
    pub asks_for_much: bool,
}

impl Case {
    fn new(name: &str, what: String, bytes: Vec<u8>) -> Self {
        Self { name: name.to_owned(), what, bytes, must_fail: false, asks_for_much: false }
    }
}

/// Random bytes changed in each whole file.
const FLIPS: usize = 120;
/// Lengths each whole file is cut to, next to those of every kilobyte.
const CUTS: usize = 40;

pub fn corpus() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut stream = Stream::new(9, &[b"hostile"]);
    for (name, bytes) in whole_files() {
        let kilobytes = (1..).map(|k| 1024 * k).take_while(|n| *n < bytes.len());
        let parts = (0..CUTS).map(|i| bytes.len() * i / CUTS);
        for length in kilobytes.chain(parts) {
            cases.push(Case::new(name, format!("{name} cut to {length} bytes"), bytes[..length].to_vec()));
        }
        for _ in 0..FLIPS {
            let (at, bit) = (stream.below(bytes.len()), stream.below(8));
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << bit;
            cases.push(Case::new(name, format!("{name} with bit {bit} of byte {at} changed"), damaged));
        }
        // Headers hold the numbers that matter: there, whole bytes too.
        for at in 0..64.min(bytes.len()) {
            for value in [0, 0x7f, 0xff] {
                let mut damaged = bytes.clone();
                damaged[at] = value;
                cases.push(Case::new(name, format!("{name} with byte {at} = {value}"), damaged));
            }
        }
    }
    cases.extend(made_to_harm());
    cases.extend(found_by_fuzzing());
    cases
}

/// One small whole file of each kind that is read.
fn whole_files() -> Vec<(&'static str, Vec<u8>)> {
    let grey = image::GrayImage::from_fn(61, 47, |x, y| image::Luma([(x * 7 + y * 13) as u8]));
    let encoded = |format: image::ImageFormat| {
        let mut bytes = Cursor::new(Vec::new());
        grey.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    };
    let folder = tempfile::tempdir().unwrap();
    let mask = LabelMap { width: 61, height: 47, labels: grey.iter().map(|v| v % 3).collect() };
    let written = |name: &str, write: &dyn Fn(&std::path::Path)| {
        write(&folder.path().join(name));
        std::fs::read(folder.path().join(name)).unwrap()
    };
    let fixture = |name: &str| {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../sorby-image/tests/fixture");
        std::fs::read(folder.join(name)).unwrap()
    };
    let header = br#"{"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}"#;
    let mut safetensors = (header.len() as u64).to_le_bytes().to_vec();
    safetensors.extend(header);
    safetensors.extend([0; 16]);
    vec![
        ("a.png", encoded(image::ImageFormat::Png)),
        ("a.bmp", encoded(image::ImageFormat::Bmp)),
        ("a.jpg", encoded(image::ImageFormat::Jpeg)),
        ("lzw.tif", fixture("lzw.tif")),
        ("planar.tif", fixture("colour-planar.tif")),
        ("bigtiff.tif", fixture("bigtiff.tif")),
        ("float.tif", fixture("float-counts.tif")),
        ("pages.tif", fixture("two-pages.tif")),
        ("ome.tif", written("ome.tif", &|p| mask.write_ome_tiff(p, (&[], &[]), Some(5.0)).unwrap())),
        ("palette.png", written("palette.png", &|p| mask.write_png(p, &[[0; 3], [9; 3], [90; 3]]).unwrap())),
        ("a.safetensors", safetensors),
        ("a.pth", archive(&[("a/data.pkl", b"\x80\x02}q\0."), ("a/version", b"3\n")])),
    ]
}

pub fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in entries {
        archive.start_file(*name, options).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// Seeds of the fuzz targets, and what they found.
fn found_by_fuzzing() -> Vec<Case> {
    let seeds = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    let folders = std::fs::read_dir(seeds).unwrap().flatten().map(|e| e.path());
    let files = folders.flat_map(|f| std::fs::read_dir(f).unwrap().flatten().map(|e| e.path()));
    let case = |path: std::path::PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        Case::new(&name, format!("seed {}", path.display()), std::fs::read(&path).unwrap())
    };
    files.map(case).collect()
}

fn made_to_harm() -> Vec<Case> {
    let harmful = |name: &str, what: &str, bytes: Vec<u8>| Case {
        must_fail: true,
        ..Case::new(name, what.to_owned(), bytes)
    };
    let greedy =
        |name: &str, what: &str, bytes: Vec<u8>| Case { asks_for_much: true, ..harmful(name, what, bytes) };
    let mut deep = b"{\"a\":".repeat(200_000);
    deep.extend(b"1");
    let mut lying = u64::MAX.to_le_bytes().to_vec();
    lying.extend(b"{}");
    let huge = br#"{"w":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,16]}}"#;
    let mut overflow = (huge.len() as u64).to_le_bytes().to_vec();
    overflow.extend(huge);
    overflow.extend([0; 16]);
    vec![
        greedy("wide.png", "a PNG of 60000 x 60000 in 100 bytes", png_header(60_000, 60_000)),
        greedy("most.png", "a PNG of 2147483647 x 2147483647", png_header(i32::MAX as u32, i32::MAX as u32)),
        greedy("wide.tif", "a TIFF of 60000 x 60000 in 200 bytes", tiff(60_000, 60_000, 0)),
        greedy("most.tif", "a TIFF of 4294967295 x 4294967295", tiff(u32::MAX, u32::MAX, 0)),
        greedy("wide.bmp", "a BMP of 60000 x 60000 in 54 bytes", bmp(60_000, 60_000)),
        harmful("cycle.tif", "a TIFF whose directory follows itself", tiff(1, 1, 8)),
        harmful("deep.json", "JSON of 200000 levels", deep),
        harmful("lying.safetensors", "safetensors with a header of 2^64 bytes", lying),
        harmful("overflow.safetensors", "safetensors with a shape beyond 64 bits", overflow),
        harmful("empty.tif", "an empty file", Vec::new()),
        harmful(
            "up.pth",
            "an archive with names that climb out",
            archive(&[("../../../tmp/x", b"1"), ("/etc/x", b"2")]),
        ),
        harmful(
            "memo.pth",
            "a pickle that repeats itself",
            archive(&[("a/data.pkl", &[b"\x80\x02]".to_vec(), b"q\0h\0h\0e".repeat(50_000)].concat())]),
        ),
    ]
}

/// Signature and header of an 8-bit grey PNG, and nothing more.
fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut chunk = b"IHDR".to_vec();
    chunk.extend(width.to_be_bytes());
    chunk.extend(height.to_be_bytes());
    chunk.extend([8, 0, 0, 0, 0]);
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\r".to_vec();
    let sum = crc32(&chunk);
    bytes.extend(chunk);
    bytes.extend(sum.to_be_bytes());
    bytes.extend(b"\0\0\0\x10IDAT");
    bytes.extend([0; 40]);
    bytes
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0u32, |crc, b| (0..8).fold(crc ^ u32::from(*b), step))
}

/// A grey TIFF of one strip with hardly any data; the next directory is at `next`.
fn tiff(width: u32, height: u32, next: u32) -> Vec<u8> {
    let fields: [(u16, u16, u32); 8] = [
        (256, 4, width),
        (257, 4, height),
        (258, 3, 8),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 130),
        (278, 4, height),
        (279, 4, if next == 0 { u32::MAX } else { 0 }),
    ];
    let mut bytes = b"II\x2a\0\x08\0\0\0".to_vec();
    bytes.extend((fields.len() as u16).to_le_bytes());
    for (tag, kind, value) in fields {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes.extend(1u32.to_le_bytes());
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend(next.to_le_bytes());
    bytes.resize(200, 0);
    bytes
}

fn bmp(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
    bytes.extend(width.to_le_bytes());
    bytes.extend(height.to_le_bytes());
    bytes.extend([1, 0, 24, 0]);
    bytes.resize(54, 0);
    bytes
}
