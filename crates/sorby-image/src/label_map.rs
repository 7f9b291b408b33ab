//! Class index per pixel.

use crate::label_file::{LabelFile, LabelValues};
use crate::{ImageError, MaskNote, mask_note, write};
use std::path::Path;

/// Label of pixels that count for nothing.
pub const IGNORE: u8 = 255;

/// One class index per pixel, row-major; [`IGNORE`] marks pixels without label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelMap {
    /// Columns, in pixels.
    pub width: usize,
    /// Rows, in pixels.
    pub height: usize,
    /// `width * height` class indices; the top row first.
    pub labels: Vec<u8>,
}

/// A label file as stored, before its values are read as classes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RawLabels {
    /// One value per pixel: an index, or a grey level that stands for one.
    Values(LabelMap),
    /// Colours, red green blue.
    Colours {
        /// Columns, in pixels.
        width: usize,
        /// Rows, in pixels.
        height: usize,
        /// `width * height` colours, row-major.
        pixels: Vec<[u8; 3]>,
    },
}

impl RawLabels {
    /// Reads a label file's stored values, see [`LabelFile::read`].
    ///
    /// # Errors
    /// When it cannot be read, or has values beyond 255.
    pub fn read(path: &Path) -> Result<Self, ImageError> {
        let LabelFile { width, height, values, .. } = LabelFile::read(path)?;
        match values {
            LabelValues::Small(labels) => Ok(Self::Values(LabelMap { width, height, labels })),
            LabelValues::Colours(pixels) => Ok(Self::Colours { width, height, pixels }),
            LabelValues::Wide(values) => {
                let odd = values.iter().find(|v| !(0..256).contains(*v)).copied().unwrap_or_default();
                Err(ImageError::unreadable(path, format!("has the value {odd}; class indices are 0 to 255")))
            }
        }
    }

    /// Reads a label file as colours, whatever it is: for labels painted in colours.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read_colours(path: &Path) -> Result<Self, ImageError> {
        let LabelFile { width, height, values, .. } = LabelFile::read_colours(path)?;
        let pixels = match values {
            LabelValues::Colours(pixels) => pixels,
            LabelValues::Small(values) => values.into_iter().map(|v| [v; 3]).collect(),
            LabelValues::Wide(_) => {
                return Err(ImageError::unreadable(path, "has values beyond 255, no colours"));
            }
        };
        Ok(Self::Colours { width, height, pixels })
    }

    /// Width and height, in pixels.
    pub fn size(&self) -> (usize, usize) {
        match self {
            Self::Values(map) => (map.width, map.height),
            Self::Colours { width, height, .. } => (*width, *height),
        }
    }
}

impl LabelMap {
    /// A map of `width` x `height` pixels that all have the class `label`.
    pub fn filled(width: usize, height: usize, label: u8) -> Self {
        Self { width, height, labels: vec![label; width * height] }
    }

    /// Number of rows above those at the bottom that are ignored to the last pixel, such as a data bar's.
    ///
    /// A row with one known pixel is part of the field (`#` here is [`IGNORE`]):
    ///
    /// ```
    /// use sorby_image::{IGNORE, LabelMap};
    ///
    /// let rows = [
    ///     "0110",
    ///     "####",
    ///     "00#0",
    ///     "####",
    ///     "####",
    /// ];
    /// let label = |c| if c == '#' { IGNORE } else { c as u8 - b'0' };
    /// let labels = rows.concat().chars().map(label).collect();
    /// let map = LabelMap { width: 4, height: 5, labels };
    /// assert_eq!(map.field_rows(), 3);
    /// ```
    pub fn field_rows(&self) -> usize {
        let rows = self.labels.chunks_exact(self.width.max(1));
        self.height - rows.rev().take_while(|row| row.iter().all(|&l| l == IGNORE)).count()
    }

    /// Keeps the first `rows` rows: cuts a data bar off the bottom.
    ///
    /// # Panics
    /// When the map has fewer than `rows` rows.
    pub fn crop_rows(&mut self, rows: usize) {
        assert!(rows <= self.height);
        self.labels.truncate(rows * self.width);
        self.height = rows;
    }

    /// Makes the map `height` rows high; the rows that it lacked are ignored: what a data bar's rows are to a label.
    ///
    /// # Panics
    /// When the map has more than `height` rows.
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
    ///
    /// # Panics
    /// When the two maps differ in size.
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
    ///
    /// # Errors
    /// When `path` cannot be written; the old file, if any, is then as it was.
    pub fn write_png(&self, path: &Path, colours: &[[u8; 3]]) -> Result<(), ImageError> {
        write::atomically(path, &self.encoded(path, colours, None)?)
    }

    /// The same with a note that says what the mask is and how large its pixels are.
    ///
    /// # Errors
    /// As [`LabelMap::write_png`].
    pub fn write_mask(&self, path: &Path, colours: &[[u8; 3]], note: &MaskNote) -> Result<(), ImageError> {
        write::atomically(path, &self.encoded(path, colours, Some(self.noted(note)))?)
    }

    /// The same for a mask that takes the place of a file of another ending: it gets that file's rights, and its note
    /// names the file, which is then to be removed. From the moment at which the mask has its name, the other file counts
    /// no more ([`crate::supersedes`]).
    ///
    /// # Errors
    /// When `old` cannot be read, or `path` cannot be written.
    pub fn write_mask_for(
        &self,
        path: &Path,
        colours: &[[u8; 3]],
        note: &MaskNote,
        old: &Path,
    ) -> Result<(), ImageError> {
        let replaces = mask_note::replaces_line(old).map_err(|e| ImageError::io(old, e))?;
        let bytes = self.encoded(path, colours, Some(self.noted(note) + &replaces))?;
        write::atomically_for(path, old, &bytes)
    }

    /// The note with what it is a note of.
    fn noted(&self, note: &MaskNote) -> String {
        note.to_text() + &mask_note::pixels_line(self)
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
