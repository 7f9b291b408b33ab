//! An image with its pixel size and the rows that are its field: what every verb works on.

use crate::scale::ScaleReading;
use crate::scale::agreement::{self, KnownScale, Said, ScaleError};
use crate::{DataBar, ImageError, Micrograph, scale};
use std::borrow::Cow;
use std::path::Path;

/// A micrograph, its settled pixel size, and which of its rows show the specimen.
#[derive(Clone, Debug, PartialEq)]
pub struct Shot {
    /// All rows, those of a data bar too.
    pub image: Micrograph,
    /// `None`: nobody states one.
    pub scale: Option<KnownScale>,
    field_rows: usize,
}

impl Shot {
    /// Reads an image with all that is known of its scale.
    ///
    /// # Errors
    /// When the file cannot be read, or statements of its pixel size contradict each other.
    pub fn read(path: &Path, said: &Said) -> Result<Self, ImageError> {
        Self::of(path, Micrograph::read(path)?, said)
    }

    /// The same for an image that was read already.
    ///
    /// # Errors
    /// As [`Shot::read`].
    pub fn of(path: &Path, image: Micrograph, said: &Said) -> Result<Self, ImageError> {
        let (reading, bar) = looked_at(path, &image, said.no_data_bar);
        let scale = agreement::of_image(path, &reading, bar, said)?;
        let field_rows = image.height - bar.map_or(0, |b| b.rows_px.min(image.height));
        Ok(Self { image, scale, field_rows })
    }

    /// The same for an image that is no file's: a data bar is known by its looks, the pixel size by what is said.
    ///
    /// # Errors
    /// When statements of its pixel size contradict each other.
    pub fn in_memory(image: Micrograph, said: &Said) -> Result<Self, ScaleError> {
        let reading = ScaleReading::silent(image.width as u32, image.height as u32);
        let bar = if said.no_data_bar { None } else { reading.data_bar(&image) };
        let scale = agreement::of_picture(&reading, bar, said)?;
        let field_rows = image.height - bar.map_or(0, |b| b.rows_px.min(image.height));
        Ok(Self { image, scale, field_rows })
    }

    /// An image with its field, for work to which lengths do not matter: nothing is asked of its scale.
    pub fn without_scale(path: &Path, image: Micrograph, no_data_bar: bool) -> Self {
        let (_, bar) = looked_at(path, &image, no_data_bar);
        let field_rows = image.height - bar.map_or(0, |b| b.rows_px.min(image.height));
        Self { image, scale: None, field_rows }
    }

    /// An image of which nothing is known but its pixels: all rows are field.
    pub fn plain(image: Micrograph) -> Self {
        Self { field_rows: image.height, image, scale: None }
    }

    /// Nanometres per pixel.
    pub fn nm_per_px(&self) -> Option<f64> {
        self.scale.as_ref().map(|s| s.nm_per_px)
    }

    /// Rows from the top that show the specimen; those below are a data bar.
    pub fn field_rows(&self) -> usize {
        self.field_rows
    }

    /// Rows at the bottom that are no part of the field.
    pub fn data_bar_px(&self) -> usize {
        self.image.height - self.field_rows
    }

    /// Keeps the first `rows` rows. What the file declares of a data bar is of the image before; below the rows that are
    /// left, a bar is looked for anew.
    ///
    /// # Panics
    /// When the image has fewer than `rows` rows.
    pub fn cut_to(&mut self, rows: usize) {
        self.image.crop_rows(rows);
        let bar = DataBar::find(&self.image.to_grey8(), self.image.width, rows);
        self.field_rows = rows - bar.map_or(0, |b| b.rows_px);
    }

    /// Takes rows from `rows` on for no part of the field, such as those that a label ignores to the last pixel.
    pub fn end_field_at(&mut self, rows: usize) {
        self.field_rows = self.field_rows.min(rows);
    }

    /// The field alone: the image without the rows of its data bar.
    pub fn field(&self) -> Cow<'_, Micrograph> {
        if self.field_rows == self.image.height {
            return Cow::Borrowed(&self.image);
        }
        let mut image = self.image.clone();
        image.crop_rows(self.field_rows);
        Cow::Owned(image)
    }

    /// 8-bit grey values of the field, row-major.
    pub fn field_grey8(&self) -> Vec<u8> {
        let mut grey = self.image.to_grey8();
        grey.truncate(self.field_rows * self.image.width);
        grey
    }

    /// The same shot with other pixels of the same size.
    ///
    /// # Panics
    /// When the size differs.
    pub(crate) fn with_pixels(&self, image: Micrograph) -> Self {
        assert_eq!((image.width, image.height), (self.image.width, self.image.height));
        Self { image, scale: self.scale.clone(), field_rows: self.field_rows }
    }
}

/// What a file says of its scale, and its data bar. Pixels that can be read need no metadata that can be.
fn looked_at(path: &Path, image: &Micrograph, no_data_bar: bool) -> (ScaleReading, Option<DataBar>) {
    let (width_px, height_px) = (image.width as u32, image.height as u32);
    let reading = scale::read(path).unwrap_or(ScaleReading::silent(width_px, height_px));
    let bar = if no_data_bar { None } else { reading.data_bar(image) };
    (reading, bar)
}
