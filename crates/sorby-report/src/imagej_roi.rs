//! Outlines as a RoiSet.zip of ImageJ, after the layout of `ij.io.RoiEncoder` (version 227).

use std::io::{self, Seek, Write};
use zip::write::SimpleFileOptions;

const HEADER: usize = 64;
const TRACED: u8 = 8;
const RECTANGLE: u8 = 1;

/// A zip archive with one region of interest per object, named by its number from 1, written as the objects come.
pub struct RoiSet<W: Write + Seek> {
    archive: zip::ZipWriter<W>,
    count: usize,
}

impl<W: Write + Seek> RoiSet<W> {
    /// Begins an archive without objects.
    pub fn begin(out: W) -> Self {
        Self { archive: zip::ZipWriter::new(out), count: 0 }
    }

    /// Adds an object: its outer ring and those of its holes, lists of pixel corners (x, y) that are not closed.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn object(&mut self, rings: &[Vec<(u32, u32)>]) -> io::Result<()> {
        self.count += 1;
        // The same bytes every time.
        let options = SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored)
            .last_modified_time(zip::DateTime::default());
        self.archive.start_file(format!("{:05}.roi", self.count), options)?;
        self.archive.write_all(&roi(rings))
    }

    /// Writes the directory and gives the writer back.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn finish(self) -> io::Result<W> {
        Ok(self.archive.finish()?)
    }
}

fn roi(rings: &[Vec<(u32, u32)>]) -> Vec<u8> {
    let corners = || rings.iter().flatten();
    let (left, right) = corners().fold((u32::MAX, 0), |(l, r), c| (l.min(c.0), r.max(c.0)));
    let (top, bottom) = corners().fold((u32::MAX, 0), |(t, b), c| (t.min(c.1), b.max(c.1)));
    let mut out = vec![0u8; HEADER];
    out[..4].copy_from_slice(b"Iout");
    out[4..6].copy_from_slice(&227u16.to_be_bytes());
    for (at, value) in [(8, top), (10, left), (12, bottom), (14, right)] {
        out[at..at + 2].copy_from_slice(&(value as u16).to_be_bytes());
    }
    let simple = rings.len() == 1 && rings[0].len() < 65_536 && right.max(bottom) < 32_768;
    if simple {
        out[6] = TRACED;
        out[16..18].copy_from_slice(&(rings[0].len() as u16).to_be_bytes());
        let from = |start: u32, value: u32| ((value - start) as u16).to_be_bytes();
        rings[0].iter().for_each(|c| out.extend(from(left, c.0)));
        rings[0].iter().for_each(|c| out.extend(from(top, c.1)));
    } else {
        // Holes, or coordinates beyond 16 bits: a composite of segments in floating point.
        out[6] = RECTANGLE;
        let mut numbers = Vec::new();
        for ring in rings {
            for (i, (x, y)) in ring.iter().enumerate() {
                numbers.extend([f32::from(u8::from(i > 0)), *x as f32, *y as f32]);
            }
            numbers.push(4.0);
        }
        out[36..40].copy_from_slice(&(numbers.len() as u32).to_be_bytes());
        numbers.iter().for_each(|n| out.extend(n.to_be_bytes()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn bytes_are_where_imagej_looks() {
        let square = vec![(10, 20), (13, 20), (13, 22), (10, 22)];
        let bytes = roi(std::slice::from_ref(&square));
        let short = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        assert_eq!((&bytes[..4], bytes[6]), (&b"Iout"[..], TRACED));
        assert_eq!([8, 10, 12, 14, 16].map(short), [20, 10, 22, 13, 4]);
        assert_eq!([64, 66, 68, 70, 72, 74, 76, 78].map(short), [0, 3, 3, 0, 0, 0, 2, 2]);
        let ring = roi(&[square.clone(), vec![(11, 21), (11, 22), (12, 22), (12, 21)]]);
        assert_eq!(u32::from_be_bytes([ring[36], ring[37], ring[38], ring[39]]), 2 * (4 * 3 + 1));
        let mut set = RoiSet::begin(Cursor::new(Vec::new()));
        set.object(std::slice::from_ref(&square)).unwrap();
        set.object(&[square]).unwrap();
        let archive = zip::ZipArchive::new(set.finish().unwrap()).unwrap();
        let names: Vec<String> = archive.file_names().map(|n| n.unwrap().into_owned()).collect();
        assert_eq!(names, ["00001.roi", "00002.roi"]);
    }
}
