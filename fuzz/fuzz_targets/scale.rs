//! What instruments write into TIFF tags and into texts beside an image: numbers, units, settings, XML, binary blocks.
//!
//! Input: pieces between lines `--`, each of which begins with two bytes, where it goes and as which TIFF type.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static FOLDER: LazyLock<std::path::PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("sorby-fuzz-scale-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
});

const TAGS: [u16; 14] =
    [270, 282, 283, 33471, 33560, 34118, 34680, 34682, 34683, 40092, 50431, 65003, 65009, 65010];
const SIDECARS: [&str; 3] = ["a.txt", "A-TIF.hdr", "a.tif.txt"];

fuzz_target!(|data: &[u8]| {
    let mut tags: Vec<(u16, u8, &[u8])> = Vec::new();
    let mut beside: [&[u8]; 3] = [&[]; 3];
    for piece in pieces(data) {
        let [place, kind, value @ ..] = piece else { continue };
        match usize::from(place % 17) {
            at if at < TAGS.len() => tags.push((TAGS[at], 1 + kind % 12, value)),
            at => beside[at - TAGS.len()] = value,
        }
    }
    tags.sort_by_key(|t| t.0);
    tags.dedup_by_key(|t| t.0);
    for (name, text) in SIDECARS.iter().zip(beside) {
        let path = FOLDER.join(name);
        if text.is_empty() {
            let _ = std::fs::remove_file(path);
        } else {
            std::fs::write(path, text).unwrap();
        }
    }
    let path = FOLDER.join("a.tif");
    std::fs::write(&path, tiff(&tags)).unwrap();
    let reading = sorby_image::scale::read(&path).unwrap();
    match reading.nm_per_px() {
        Ok(Some(nm)) => assert!((1e-3..=1e6).contains(&nm)),
        Ok(None) => assert!(reading.found.is_none()),
        Err(reason) => assert!(!reason.to_string().contains('\n'), "one line: {reason}"),
    }
    assert!(reading.data_bar_px().is_none_or(|rows| rows < reading.height_px));
});

fn pieces(data: &[u8]) -> Vec<&[u8]> {
    const MARK: &[u8] = b"\n--\n";
    let mut pieces = Vec::new();
    let mut rest = data;
    while let Some(at) = rest.windows(MARK.len()).position(|w| w == MARK) {
        pieces.push(&rest[..at]);
        rest = &rest[at + MARK.len()..];
    }
    pieces.push(rest);
    pieces
}

/// A grey TIFF of 64 x 48 pixels with further tags, of which each takes the bytes given.
fn tiff(tags: &[(u16, u8, &[u8])]) -> Vec<u8> {
    const PIXELS: [u32; 2] = [64, 48];
    let sizes = [1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8];
    let own: [(u16, u32); 9] = [
        (256, PIXELS[0]),
        (257, PIXELS[1]),
        (258, 8),
        (259, 1),
        (262, 1),
        (273, 8),
        (277, 1),
        (278, PIXELS[1]),
        (279, PIXELS[0] * PIXELS[1]),
    ];
    let mut file = b"II*\0".to_vec();
    let directory = 8 + PIXELS[0] * PIXELS[1];
    file.extend(directory.to_le_bytes());
    file.resize(directory as usize, 100);
    let mut entries: Vec<(u16, u16, u32, Vec<u8>)> =
        own.iter().map(|(tag, v)| (*tag, 4, 1, v.to_le_bytes().to_vec())).collect();
    for (tag, kind, value) in tags {
        let count = value.len() / sizes[usize::from(kind - 1)];
        entries.push((*tag, u16::from(*kind), count as u32, value.to_vec()));
    }
    entries.sort_by_key(|e| e.0);
    let mut behind = directory as usize + 2 + 12 * entries.len() + 4;
    file.extend((entries.len() as u16).to_le_bytes());
    let mut values = Vec::new();
    for (tag, kind, count, mut value) in entries {
        file.extend(tag.to_le_bytes());
        file.extend(kind.to_le_bytes());
        file.extend(count.to_le_bytes());
        if value.len() <= 4 {
            value.resize(4, 0);
            file.extend(value);
        } else {
            file.extend((behind as u32).to_le_bytes());
            behind += value.len();
            values.extend(value);
        }
    }
    file.extend([0; 4]);
    file.extend(values);
    file
}
