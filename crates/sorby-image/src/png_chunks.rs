//! What stands in a PNG apart from its pixels, wherever it stands: before them or behind.

use image::metadata::Orientation;
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// Longer EXIF blocks are not looked at.
const LONGEST_EXIF: u32 = 1 << 20;

#[derive(Clone, Copy, Debug)]
pub(crate) struct PngFacts {
    pub orientation: Orientation,
    /// Pictures of an animation; 1 for a plain PNG.
    pub pictures: u32,
}

/// Damaged files say nothing.
pub(crate) fn facts(path: &Path) -> PngFacts {
    let mut facts = PngFacts { orientation: Orientation::NoTransforms, pictures: 1 };
    let _ = collect(path, &mut facts);
    facts
}

fn collect(path: &Path, facts: &mut PngFacts) -> std::io::Result<()> {
    let mut file = BufReader::new(crate::files::open(path)?);
    file.seek(SeekFrom::Start(8))?;
    loop {
        let mut head = [0; 8];
        file.read_exact(&mut head)?;
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
        let mut read = 0;
        match &head[4..] {
            b"eXIf" if length <= LONGEST_EXIF => {
                let mut exif = vec![0; length as usize];
                file.read_exact(&mut exif)?;
                facts.orientation = Orientation::from_exif_chunk(&exif).unwrap_or(facts.orientation);
                read = length;
            }
            b"acTL" if length == 8 => {
                let mut count = [0; 4];
                file.read_exact(&mut count)?;
                facts.pictures = u32::from_be_bytes(count).max(1);
                read = 4;
            }
            b"IEND" => return Ok(()),
            _ => {}
        }
        // The rest, and the checksum.
        file.seek_relative(i64::from(length - read) + 4)?;
    }
}
