//! Masks as tiled TIFF that carry their pixel size, as QuPath, napari and Fiji (Bio-Formats) read them.

use crate::{ImageError, LabelMap, write};
use std::io::Write as _;
use std::path::Path;

const TILE_PX: usize = 256;

/// Field types of TIFF 6.0.
const ASCII: u16 = 2;
const SHORT: u16 = 3;
const LONG: u16 = 4;
const RATIONAL: u16 = 5;

impl LabelMap {
    /// Writes the mask as a TIFF of deflated tiles of 256 x 256. The pixel size stands in OME-XML
    /// (`PhysicalSizeX`) and in the resolution tags (pixels per centimetre).
    ///
    /// # Errors
    /// Names `path`, when it cannot be written or would pass the 4 GB of a plain TIFF.
    pub fn write_tiled_tiff(&self, path: &Path, nm_per_px: Option<f64>) -> Result<(), ImageError> {
        let bytes = self.tiled_tiff(nm_per_px).map_err(|e| ImageError::io(path, e))?;
        write::atomically(path, &bytes)
    }

    fn tiled_tiff(&self, nm_per_px: Option<f64>) -> std::io::Result<Vec<u8>> {
        let mut out = b"II\x2a\0\0\0\0\0".to_vec();
        let (mut offsets, mut lengths) = (Vec::new(), Vec::new());
        for top in (0..self.height).step_by(TILE_PX) {
            for left in (0..self.width).step_by(TILE_PX) {
                let tile = self.deflated_tile(top, left)?;
                offsets.push(offset(&out)?);
                lengths.push(tile.len() as u32);
                out.extend(tile);
            }
        }
        let mut fields = Fields::default();
        fields.long(256, self.width as u32);
        fields.long(257, self.height as u32);
        fields.short(258, &[8]);
        // Deflate; 0 is black (many programs read a palette's colours instead of its indices).
        fields.short(259, &[8]);
        fields.short(262, &[1]);
        fields.add(270, ASCII, ome_xml(self.width, self.height, nm_per_px).as_bytes(), 1);
        fields.short(277, &[1]);
        if let Some(nm) = nm_per_px {
            // Pixels per centimetre as a fraction that keeps the digits.
            let per_cm = 1e7 / nm;
            let below = 10f64.powi(9 - (per_cm.max(1.0).log10().floor() as i32 + 1)).max(1.0);
            let ratio = [(per_cm * below).round() as u32, below as u32].map(u32::to_le_bytes).concat();
            fields.add(282, RATIONAL, &ratio, 8);
            fields.add(283, RATIONAL, &ratio, 8);
            fields.short(296, &[3]);
        }
        fields.long(322, TILE_PX as u32);
        fields.long(323, TILE_PX as u32);
        let longs = |values: &[u32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        fields.add(324, LONG, &longs(&offsets), 4);
        fields.add(325, LONG, &longs(&lengths), 4);
        fields.write(&mut out)?;
        Ok(out)
    }

    /// Pixels outside the picture are 0.
    fn deflated_tile(&self, top: usize, left: usize) -> std::io::Result<Vec<u8>> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        let mut row = [0u8; TILE_PX];
        let width = TILE_PX.min(self.width - left);
        for y in top..top + TILE_PX {
            row.fill(0);
            if y < self.height {
                row[..width].copy_from_slice(&self.labels[y * self.width + left..][..width]);
            }
            encoder.write_all(&row)?;
        }
        encoder.finish()
    }
}

fn offset(out: &[u8]) -> std::io::Result<u32> {
    u32::try_from(out.len()).map_err(|_| std::io::Error::other("mask too large for a TIFF (4 GB)"))
}

fn ome_xml(width: usize, height: usize, nm_per_px: Option<f64>) -> String {
    let size = nm_per_px.map_or(String::new(), |nm| {
        format!(r#" PhysicalSizeX="{nm}" PhysicalSizeXUnit="nm" PhysicalSizeY="{nm}" PhysicalSizeYUnit="nm""#)
    });
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint8" SizeX="{width}" SizeY="{height}" SizeC="1" SizeZ="1" SizeT="1"{size}><Channel ID="Channel:0:0" SamplesPerPixel="1"/><TiffData/></Pixels></Image></OME>{}"#,
        '\0'
    )
}

/// The entries of an image file directory, in order of tags.
#[derive(Default)]
struct Fields(Vec<(u16, u16, u32, Vec<u8>)>);

impl Fields {
    fn add(&mut self, tag: u16, kind: u16, data: &[u8], item_bytes: usize) {
        self.0.push((tag, kind, (data.len() / item_bytes) as u32, data.to_vec()));
    }

    fn short(&mut self, tag: u16, values: &[u16]) {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.add(tag, SHORT, &bytes, 2);
    }

    fn long(&mut self, tag: u16, value: u32) {
        self.add(tag, LONG, &value.to_le_bytes(), 4);
    }

    /// Writes the values that do not fit into an entry, then the directory, and points the header to it.
    fn write(self, out: &mut Vec<u8>) -> std::io::Result<()> {
        let mut entries = (self.0.len() as u16).to_le_bytes().to_vec();
        for (tag, kind, count, mut data) in self.0 {
            if data.len() > 4 {
                out.resize(out.len().next_multiple_of(2), 0);
                let place = offset(out)?;
                out.extend(data);
                data = place.to_le_bytes().to_vec();
            }
            data.resize(4, 0);
            entries.extend(tag.to_le_bytes());
            entries.extend(kind.to_le_bytes());
            entries.extend(count.to_le_bytes());
            entries.extend(data);
        }
        out.resize(out.len().next_multiple_of(2), 0);
        let place = offset(out)?;
        out[4..8].copy_from_slice(&place.to_le_bytes());
        out.extend(entries);
        // No further directory.
        out.extend([0; 4]);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_and_pixel_size_are_read_back() {
        let (width, height) = (300, 270);
        let labels = (0..width * height).map(|i| (i * 31 % 7) as u8).collect();
        let map = LabelMap { width, height, labels };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mask.tif");
        map.write_tiled_tiff(&path, Some(38.76)).unwrap();
        let reading = crate::scale::read(&path).unwrap();
        assert_eq!(reading.nm_per_px().unwrap(), Some(38.76));
        let mut decoder = tiff::decoder::Decoder::new(std::fs::File::open(&path).unwrap()).unwrap();
        assert_eq!(decoder.get_chunk_type(), tiff::decoder::ChunkType::Tile);
        for (chunk, (top, left)) in [(0, 0), (0, 256), (256, 0), (256, 256)].into_iter().enumerate() {
            let tiff::decoder::DecodingResult::U8(tile) = decoder.read_chunk(chunk as u32).unwrap() else {
                panic!()
            };
            let (w, h) = ((width - left).min(256), (height - top).min(256));
            assert_eq!(tile.len(), w * h);
            for (y, row) in tile.chunks_exact(w).enumerate() {
                assert_eq!(row, &map.labels[(top + y) * width + left..][..w]);
            }
        }
    }
}
