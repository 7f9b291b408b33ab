//! The pixel size and the field of an image, by the same rule as the program's verbs; a contradiction is refused.

use crate::error::Answer;
use crate::gallery::version;
use crate::lock::lock;
use serde::Serialize;
use sorby_data::{Entry, Manifest};
use sorby_image::scale::{self, ScaleReading, agreement};
use sorby_image::{DataBar, ImageError, KnownScale, Micrograph, Shot};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// What an image's own pixels and metadata say of its scale and field.
#[derive(Clone, Debug)]
pub struct Seen {
    reading: ScaleReading,
    bar: Option<DataBar>,
    height: usize,
}

impl Seen {
    pub fn of(path: &Path, image: &Micrograph) -> Self {
        let (width_px, height_px) = (image.width as u32, image.height as u32);
        let reading = scale::read(path).unwrap_or(ScaleReading::silent(width_px, height_px));
        Self { bar: reading.data_bar(image), reading, height: image.height }
    }
}

/// The settled pixel size of an image, and the rows that are its field.
#[derive(Clone, Debug)]
pub struct Settled {
    pub scale: Option<KnownScale>,
    pub field_rows: usize,
}

/// What the page shows of a pixel size: a number with its source, or why there is none.
#[derive(Serialize)]
pub struct ShownScale {
    pub nm_per_px: Option<f64>,
    pub scale_source: Option<String>,
    pub scale_problem: Option<String>,
}

impl ShownScale {
    pub fn of(settled: Result<Option<KnownScale>, ImageError>) -> Self {
        let (known, problem) = match settled {
            Ok(known) => (known, None),
            // The name of the file stands next to it anyway.
            Err(ImageError::Scale { cause, .. }) => (None, Some(cause.to_string())),
            Err(other) => (None, Some(other.to_string())),
        };
        Self {
            nm_per_px: known.as_ref().map(|k| k.nm_per_px),
            scale_source: known.map(|k| k.source),
            scale_problem: problem,
        }
    }
}

/// A file, its version, and the rows that are left of it (a label may lack those of a data bar).
type Key = (PathBuf, String, Option<usize>);

/// What was seen of images, so that each is decoded once for it.
#[derive(Default)]
pub struct Scales(Mutex<HashMap<Key, Seen>>);

impl Scales {
    /// What was seen of an image while its pixels were read for something else.
    pub fn keep(&self, path: &Path, seen: &Seen) {
        self.put((path.to_owned(), version(path), None), seen.clone());
    }

    /// The scale of an image whose label has `label_rows` rows, and its field.
    ///
    /// # Errors
    /// When the image cannot be read, or what is stated of its pixel size contradicts itself.
    pub fn settled(
        &self,
        manifest: &Manifest,
        entry: &Entry,
        label_rows: Option<usize>,
    ) -> Result<Settled, ImageError> {
        let whole = self.seen(&entry.image, None)?;
        let said = entry.said(manifest);
        let bar = whole.bar.filter(|_| !said.no_data_bar);
        let scale = agreement::of_image(&entry.image, &whole.reading, bar, &said)?;
        let rows =
            |seen: &Seen, bar: Option<DataBar>| seen.height - bar.map_or(0, |b| b.rows_px.min(seen.height));
        let field_rows = match label_rows.filter(|rows| *rows < whole.height) {
            Some(left) => {
                let cut = self.seen(&entry.image, Some(left))?;
                rows(&cut, cut.bar)
            }
            None => rows(&whole, bar),
        };
        Ok(Settled { scale, field_rows })
    }

    /// What the gallery shows: by the file's metadata, and by the drawn bar where the pixels were looked at before.
    pub fn shown(&self, manifest: &Manifest, entry: &Entry) -> ShownScale {
        let key = (entry.image.clone(), version(&entry.image), None);
        let known = lock(&self.0).contains_key(&key);
        ShownScale::of(match known {
            true => self.settled(manifest, entry, None).map(|s| s.scale),
            false => entry.scale(manifest),
        })
    }

    fn seen(&self, path: &Path, rows: Option<usize>) -> Result<Seen, ImageError> {
        let key = (path.to_owned(), version(path), rows);
        let kept = lock(&self.0).get(&key).cloned();
        // A sidecar may have come or changed since.
        if let Some(kept) = kept.filter(|k| {
            rows.is_some() || scale::read(path).map_or(k.reading.found.is_none(), |now| now == k.reading)
        }) {
            return Ok(kept);
        }
        let image = Micrograph::read(path)?;
        let seen = match rows {
            None => Seen::of(path, &image),
            Some(rows) => {
                let mut cut = Shot::plain(image);
                cut.cut_to(rows);
                let bar = DataBar::find(&cut.image.to_grey8(), cut.image.width, rows);
                let (width_px, height_px) = (cut.image.width as u32, rows as u32);
                Seen { reading: ScaleReading::silent(width_px, height_px), bar, height: rows }
            }
        };
        self.put(key, seen.clone());
        Ok(seen)
    }

    fn put(&self, key: Key, seen: Seen) {
        lock(&self.0).insert(key, seen);
    }
}

/// The scale and field of an image, or a refusal that the page shows.
///
/// # Errors
/// As [`Scales::settled`].
pub fn settled(
    app: &crate::app::App,
    manifest: &Manifest,
    entry: &Entry,
    label_rows: Option<usize>,
) -> Answer<Settled> {
    Ok(app.scales.settled(manifest, entry, label_rows)?)
}
