//! Class index per pixel.

use crate::{ImageError, MaskNote, mask_note, read, write};
use std::io::BufReader;
use std::path::Path;

/// Label of pixels that count for nothing.
pub const IGNORE: u8 = 255;

/// One class index per pixel, row-major; [`IGNORE`] marks pixels without label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelMap {
    pub width: usize,
    pub height: usize,
    pub labels: Vec<u8>,
}

/// A label file as stored, before its values are read as classes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RawLabels {
    /// One value per pixel: an index, or a grey level that stands for one.
    Values(LabelMap),
    /// Colours, red green blue.
    Colours { width: usize, height: usize, pixels: Vec<[u8; 3]> },
}

impl RawLabels {
    /// Reads a label file. Palette PNGs give their indices, not their colours; colour files whose
    /// three channels agree everywhere give that one channel.
    pub fn read(path: &Path) -> Result<Self, ImageError> {
        if let Some(indices) = palette_indices(path)? {
            return Ok(Self::Values(indices));
        }
        let image = read::decode(path)?;
        let (width, height) = (image.width() as usize, image.height() as usize);
        match image {
            image::DynamicImage::ImageLuma8(i) => {
                Ok(Self::Values(LabelMap { width, height, labels: i.into_raw() }))
            }
            image::DynamicImage::ImageLuma16(_) | image::DynamicImage::ImageLumaA16(_) => {
                let values = image.into_luma16().into_raw();
                let labels = values.into_iter().map(u8::try_from).collect::<Result<Vec<_>, _>>();
                let labels = labels.map_err(|_| {
                    ImageError::unreadable(path, "16-bit label with values above 255; labels must be 0..255")
                })?;
                Ok(Self::Values(LabelMap { width, height, labels }))
            }
            // Scaling 16 bits down to 8 would turn indices into zeros.
            other if other.color().bytes_per_pixel() / other.color().channel_count() > 1 => {
                let reason =
                    format!("label of pixel type {:?}; save labels with 8 bits per channel", other.color());
                Err(ImageError::unreadable(path, reason))
            }
            other => {
                let pixels: Vec<[u8; 3]> = other.to_rgb8().pixels().map(|p| p.0).collect();
                if pixels.iter().all(|p| p[0] == p[1] && p[1] == p[2]) {
                    let labels = pixels.iter().map(|p| p[0]).collect();
                    return Ok(Self::Values(LabelMap { width, height, labels }));
                }
                Ok(Self::Colours { width, height, pixels })
            }
        }
    }

    /// Reads a label file as colours, whatever it is: for labels painted in colours.
    pub fn read_colours(path: &Path) -> Result<Self, ImageError> {
        let image = read::decode(path)?.into_rgb8();
        let (width, height) = (image.width() as usize, image.height() as usize);
        Ok(Self::Colours { width, height, pixels: image.pixels().map(|p| p.0).collect() })
    }

    pub fn size(&self) -> (usize, usize) {
        match self {
            Self::Values(map) => (map.width, map.height),
            Self::Colours { width, height, .. } => (*width, *height),
        }
    }
}

/// Indices of a palette PNG; `None` for every other file.
fn palette_indices(path: &Path) -> Result<Option<LabelMap>, ImageError> {
    let file = crate::files::open(path).map_err(|e| ImageError::io(path, e))?;
    let mut decoder = png::Decoder::new(BufReader::new(file));
    decoder.set_transformations(png::Transformations::IDENTITY);
    let Ok(mut reader) = decoder.read_info() else { return Ok(None) };
    if reader.info().color_type != png::ColorType::Indexed {
        return Ok(None);
    }
    let damaged =
        |e: &dyn std::fmt::Display| ImageError::unreadable(path, format!("cannot be decoded ({e})"));
    read::require_sound_header(path)?;
    let size = reader.output_buffer_size().ok_or_else(|| damaged(&"too large"))?;
    if size as u64 > read::MAX_BYTES {
        return Err(damaged(&"it says it is larger than any image"));
    }
    let mut buffer = vec![0; size];
    let frame = reader.next_frame(&mut buffer).map_err(|e| damaged(&e))?;
    let bits = frame.bit_depth as usize;
    let (width, height) = (frame.width as usize, frame.height as usize);
    if bits == 8 && frame.line_size == width {
        // Masks may be large: no second copy.
        buffer.truncate(width * height);
        return Ok(Some(LabelMap { width, height, labels: buffer }));
    }
    let mut labels = Vec::with_capacity(width * height);
    for row in buffer.chunks(frame.line_size).take(height) {
        // Packed from the high bits down.
        labels.extend((0..width).map(|x| {
            let bit = x * bits;
            let shift = 8 - bits - bit % 8;
            (row[bit / 8] >> shift) & (0xFFu16 >> (8 - bits)) as u8
        }));
    }
    Ok(Some(LabelMap { width, height, labels }))
}

impl LabelMap {
    pub fn filled(width: usize, height: usize, label: u8) -> Self {
        Self { width, height, labels: vec![label; width * height] }
    }

    /// Rows above those at the bottom that are ignored to the last pixel, such as a data bar's.
    pub fn field_rows(&self) -> usize {
        let rows = self.labels.chunks_exact(self.width.max(1));
        self.height - rows.rev().take_while(|row| row.iter().all(|&l| l == IGNORE)).count()
    }

    /// Keeps the first `rows` rows: cuts a data bar off the bottom.
    pub fn crop_rows(&mut self, rows: usize) {
        assert!(rows <= self.height);
        self.labels.truncate(rows * self.width);
        self.height = rows;
    }

    /// Makes the map `height` rows high; the rows that it lacked are ignored: what a data bar's rows are to a label.
    pub fn pad_rows(&mut self, height: usize) {
        assert!(height >= self.height);
        self.labels.resize(self.width * height, IGNORE);
        self.height = height;
    }

    /// Marks the last `rows` as ignored: a data bar is no part of the field.
    pub fn ignore_bottom(&mut self, rows: usize) {
        let start = self.height.saturating_sub(rows) * self.width;
        self.labels[start..].fill(IGNORE);
    }

    /// Marks as ignored what `truth` ignores, so that both are measured on the same field.
    pub fn ignore_where(&mut self, truth: &LabelMap) {
        assert_eq!((self.width, self.height), (truth.width, truth.height));
        for (label, &t) in self.labels.iter_mut().zip(&truth.labels) {
            if t == IGNORE {
                *label = IGNORE;
            }
        }
    }

    /// Pixels per value.
    pub fn histogram(&self) -> [u64; 256] {
        let mut counts = [0; 256];
        self.labels.iter().for_each(|&l| counts[l as usize] += 1);
        counts
    }

    /// Writes an index PNG whose palette shows the classes in `colours`: viewers show colours,
    /// programs read indices.
    pub fn write_png(&self, path: &Path, colours: &[[u8; 3]]) -> Result<(), ImageError> {
        write::atomically(path, &self.encoded(path, colours, None)?)
    }

    /// The same with a note that says what the mask is and how large its pixels are.
    pub fn write_mask(&self, path: &Path, colours: &[[u8; 3]], note: &MaskNote) -> Result<(), ImageError> {
        write::atomically(path, &self.encoded(path, colours, Some(note.to_text()))?)
    }

    /// The same for a mask that takes the place of a file of another ending: it gets that file's rights, and its note
    /// names the file, which is then to be removed. From the moment at which the mask has its name, the other file counts
    /// no more ([`crate::supersedes`]).
    pub fn write_mask_for(
        &self,
        path: &Path,
        colours: &[[u8; 3]],
        note: &MaskNote,
        old: &Path,
    ) -> Result<(), ImageError> {
        let replaces = mask_note::replaces_line(old).map_err(|e| ImageError::io(old, e))?;
        let bytes = self.encoded(path, colours, Some(note.to_text() + &replaces))?;
        write::atomically_for(path, old, &bytes)
    }

    fn encoded(&self, path: &Path, colours: &[[u8; 3]], note: Option<String>) -> Result<Vec<u8>, ImageError> {
        let mut palette = vec![0u8; 256 * 3];
        for (i, c) in colours.iter().enumerate().take(256) {
            palette[3 * i..3 * i + 3].copy_from_slice(c);
        }
        let kind = write::PngKind::Palette(palette);
        let text = note.map(|n| (mask_note::KEYWORD, n));
        write::encode(self.width, self.height, kind, &self.labels, text)
            .map_err(|e| ImageError::unreadable(path, e))
    }
}
