//! Masks as OME-TIFF with their pixel size, as Fiji, QuPath, napari and other readers of microscopy's files open them.

use crate::{ImageError, LabelMap, write};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

/// Bytes of a strip before it is compressed, about.
const STRIP_BYTES: usize = 1 << 16;

/// Field types of TIFF 6.0.
const ASCII: u16 = 2;
const SHORT: u16 = 3;
const LONG: u16 = 4;
const RATIONAL: u16 = 5;

/// A picture of numbers with what its file says of it.
///
/// One page of deflated strips, which ImageJ reads without a plugin. The pixel size stands in OME-XML (`PhysicalSizeX`) and
/// in the resolution tags (pixels per centimetre): one number, two places. There is no description of ImageJ's own: a file
/// has one description, and ImageJ takes the resolution.
#[derive(Clone, Copy, Debug)]
pub struct OmeTiff<'a> {
    /// Columns, in pixels.
    pub width: usize,
    /// Rows, in pixels.
    pub height: usize,
    /// What is stored.
    pub pixels: OmePixels<'a>,
    /// Pixel size in nanometres, if it is known.
    pub nm_per_px: Option<f64>,
    /// What the numbers are, in a word or two: name of the one channel.
    pub channel: &'a str,
}

/// Numbers of a picture, row by row.
#[derive(Clone, Copy, Debug)]
pub enum OmePixels<'a> {
    /// Class indices in 8 bits, with names and colours of the classes. The colours are a table for those who show indices
    /// in colour (ImageJ); the file is grey, for many programs read the colours of a palette instead of its indices.
    Classes(&'a [u8], &'a [String], &'a [[u8; 3]]),
    /// Numbers of objects, 0 for none: in 16 bits if they fit, else in 32.
    Objects(&'a [u32]),
}

impl LabelMap {
    /// Writes the mask as OME-TIFF with names and colours of its classes, where they are known.
    ///
    /// # Errors
    /// As [`OmeTiff::write`].
    pub fn write_ome_tiff(
        &self,
        path: &Path,
        (classes, colours): (&[String], &[[u8; 3]]),
        nm_per_px: Option<f64>,
    ) -> Result<(), ImageError> {
        let pixels = OmePixels::Classes(&self.labels, classes, colours);
        OmeTiff { width: self.width, height: self.height, pixels, nm_per_px, channel: "classes" }.write(path)
    }
}

impl OmeTiff<'_> {
    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// Names `path`, when it cannot be written or would pass the 4 GB of a plain TIFF.
    pub fn write(&self, path: &Path) -> Result<(), ImageError> {
        let bytes = self.bytes().map_err(|e| ImageError::io(path, e))?;
        write::atomically(path, &bytes)
    }

    fn bytes(&self) -> std::io::Result<Vec<u8>> {
        let depth = self.pixels.bytes_per_px();
        let rows_per_strip = (STRIP_BYTES / (self.width * depth).max(1)).clamp(1, self.height.max(1));
        let mut out = b"II\x2a\0\0\0\0\0".to_vec();
        let (mut offsets, mut lengths) = (Vec::new(), Vec::new());
        for top in (0..self.height).step_by(rows_per_strip) {
            let rows = rows_per_strip.min(self.height - top);
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(&self.pixels.little_endian(top * self.width, rows * self.width))?;
            let strip = encoder.finish()?;
            offsets.push(offset(&out)?);
            lengths.push(strip.len() as u32);
            out.extend(strip);
        }
        let mut fields = Fields::default();
        fields.long(256, self.width as u32);
        fields.long(257, self.height as u32);
        fields.short(258, &[8 * depth as u16]);
        // Deflate; 0 is black.
        fields.short(259, &[8]);
        fields.short(262, &[1]);
        fields.add(270, ASCII, (self.ome_xml() + "\0").as_bytes(), 1);
        fields.longs(273, &offsets);
        fields.short(277, &[1]);
        fields.long(278, rows_per_strip as u32);
        fields.longs(279, &lengths);
        if let Some(nm) = self.nm_per_px {
            // Pixels per centimetre as a fraction that keeps the digits.
            let per_cm = 1e7 / nm;
            let below = 10f64.powi(9 - (per_cm.max(1.0).log10().floor() as i32 + 1)).max(1.0);
            let ratio = [(per_cm * below).round() as u32, below as u32].map(u32::to_le_bytes).concat();
            fields.add(282, RATIONAL, &ratio, 8);
            fields.add(283, RATIONAL, &ratio, 8);
            fields.short(296, &[3]);
        }
        fields.add(305, ASCII, concat!("Sorby ", env!("CARGO_PKG_VERSION"), "\0").as_bytes(), 1);
        if let OmePixels::Classes(_, _, colours) = self.pixels {
            fields.short(320, &colour_map(colours));
        }
        fields.write(&mut out)?;
        Ok(out)
    }

    fn ome_xml(&self) -> String {
        let Self { width, height, channel, .. } = self;
        let size = self.nm_per_px.map_or(String::new(), |nm| {
            format!(
                r#" PhysicalSizeX="{nm}" PhysicalSizeXUnit="nm" PhysicalSizeY="{nm}" PhysicalSizeYUnit="nm""#
            )
        });
        let (reference, annotation) = match self.pixels {
            OmePixels::Classes(_, classes, colours) if !classes.is_empty() => {
                (r#"<AnnotationRef ID="Annotation:0"/>"#, class_annotation(classes, colours))
            }
            _ => ("", String::new()),
        };
        let channel = escaped(channel);
        format!(
            r#"<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://www.openmicroscopy.org/Schemas/OME/2016-06 http://www.openmicroscopy.org/Schemas/OME/2016-06/ome.xsd" Creator="Sorby {version}"><Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint{bits}" SizeX="{width}" SizeY="{height}" SizeC="1" SizeZ="1" SizeT="1"{size}><Channel ID="Channel:0:0" Name="{channel}" SamplesPerPixel="1"/><TiffData IFD="0" PlaneCount="1"/></Pixels>{reference}</Image>{annotation}</OME>"#,
            version = env!("CARGO_PKG_VERSION"),
            bits = 8 * self.pixels.bytes_per_px(),
        )
    }
}

/// Name and colour of each class by its index, as a map that readers of OME-XML show.
fn class_annotation(classes: &[String], colours: &[[u8; 3]]) -> String {
    let mut out = String::from(
        r#"<StructuredAnnotations><MapAnnotation ID="Annotation:0" Namespace="sorby/classes"><Value>"#,
    );
    for (i, name) in classes.iter().enumerate() {
        let _ = write!(out, r#"<M K="class {i}">{}</M>"#, escaped(name));
        if let Some([r, g, b]) = colours.get(i) {
            let _ = write!(out, r##"<M K="colour of class {i}">#{r:02x}{g:02x}{b:02x}</M>"##);
        }
    }
    out + "</Value></MapAnnotation></StructuredAnnotations>"
}

/// Text within XML; signs that XML cannot hold become `?`.
fn escaped(text: &str) -> String {
    let text = text.replace(|c: char| c.is_control() || c == '\u{fffe}' || c == '\u{ffff}', "?");
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// 256 reds, greens and blues of 16 bits: those of the classes, and for other indices their grey.
fn colour_map(colours: &[[u8; 3]]) -> Vec<u16> {
    let of = |channel: usize| {
        (0..256).map(move |i| u16::from(colours.get(i).map_or(i as u8, |c| c[channel])) * 257)
    };
    (0..3).flat_map(of).collect()
}

impl OmePixels<'_> {
    fn bytes_per_px(&self) -> usize {
        match self {
            Self::Classes(..) => 1,
            Self::Objects(numbers) if numbers.iter().all(|n| *n <= u32::from(u16::MAX)) => 2,
            Self::Objects(_) => 4,
        }
    }

    fn little_endian(&self, start: usize, count: usize) -> Vec<u8> {
        match self {
            Self::Classes(labels, ..) => labels[start..start + count].to_vec(),
            Self::Objects(numbers) => {
                let bytes = self.bytes_per_px();
                numbers[start..start + count]
                    .iter()
                    .flat_map(|n| n.to_le_bytes().into_iter().take(bytes))
                    .collect()
            }
        }
    }
}

fn offset(out: &[u8]) -> std::io::Result<u32> {
    u32::try_from(out.len()).map_err(|_| std::io::Error::other("mask too large for a TIFF (4 GB)"))
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
        self.longs(tag, &[value]);
    }

    fn longs(&mut self, tag: u16, values: &[u32]) {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.add(tag, LONG, &bytes, 4);
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
    use crate::stored::{Samples, stored_values};
    use crate::{LabelFile, LabelValues};

    #[test]
    fn classes_and_pixel_size_are_read_back() {
        let (width, height) = (300, 270);
        let labels = (0..width * height).map(|i| (i * 31 % 7) as u8).collect();
        let map = LabelMap { width, height, labels };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mask.tif");
        let classes = ["matrix".to_owned(), "M7C3 & <M23C6>".to_owned()];
        map.write_ome_tiff(&path, (&classes, &[[0, 0, 0], [230, 160, 20]]), Some(38.76)).unwrap();
        let reading = crate::scale::read(&path).unwrap();
        assert_eq!(reading.nm_per_px().unwrap(), Some(38.76));
        let stored = LabelFile::read(&path).unwrap().values;
        assert!(matches!(stored, LabelValues::Small(labels) if labels == map.labels), "indices, not colours");
        let mut decoder = tiff::decoder::Decoder::new(std::fs::File::open(&path).unwrap()).unwrap();
        let table = decoder.get_tag_u16_vec(tiff::tags::Tag::ColorMap).unwrap();
        assert_eq!([table[1], table[257], table[513]], [230 * 257, 160 * 257, 20 * 257]);
        assert_eq!([table[6], table[255]], [6 * 257, 65535], "no class: its grey");
        let text = decoder.get_tag_ascii_string(tiff::tags::Tag::ImageDescription).unwrap();
        let document = roxmltree::Document::parse(&text).unwrap();
        let said: Vec<_> = document.descendants().filter(|n| n.tag_name().name() == "M").collect();
        assert_eq!(said[2].text(), Some("M7C3 & <M23C6>"));
        assert_eq!((said[3].attribute("K"), said[3].text()), (Some("colour of class 1"), Some("#e6a014")));
    }

    #[test]
    fn numbers_of_objects_take_the_bits_they_need() {
        let folder = tempfile::tempdir().unwrap();
        for (most, bits) in [(65_535, 16), (65_536, 32)] {
            let numbers: Vec<u32> = (0..35).map(|i| if i % 5 == 0 { 0 } else { most + 1 - i }).collect();
            let path = folder.path().join(format!("{bits}.tif"));
            let pixels = OmePixels::Objects(&numbers);
            OmeTiff { width: 7, height: 5, pixels, nm_per_px: Some(2.5), channel: "objects" }
                .write(&path)
                .unwrap();
            let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
            assert!(text.contains(&format!("Type=\"uint{bits}\"")));
            let read: Vec<u32> = match stored_values(&path).unwrap().samples {
                Samples::U16(values) => values.into_iter().map(u32::from).collect(),
                Samples::U32(values) => values,
                other => panic!("{other:?}"),
            };
            assert_eq!(read, numbers);
        }
    }
}
