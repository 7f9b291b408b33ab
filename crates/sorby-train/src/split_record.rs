//! `split.json`: which images a run learns from and is validated on, by content.

use crate::error::TrainError;
use crate::run_file::RunFile;
use crate::run_folder::RunFolder;
use serde::{Deserialize, Serialize};
use sorby_data::Sample;
use sorby_image::files::read_regular;
use sorby_image::{ImagePart, Micrograph};
use std::path::Path;

/// An image of a run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SplitRecord {
    /// Name of the image in its data set.
    pub name: String,
    /// `train` or `val`.
    pub part: String,
    /// BLAKE3 of the image's pixels, see [`ImageHash`].
    pub image_blake3: String,
    /// BLAKE3 of the label's pixels.
    pub label_blake3: String,
    /// Pixel size in nanometres as the data set gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nm_per_px: Option<String>,
    /// What `image_blake3` is the hash of.
    #[serde(default)]
    pub image_hash: ImageHash,
}

/// What `image_blake3` is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageHash {
    /// A grey copy in 8 bits: of older versions. It does not see the lower bits of 16, nor a change of pixel size.
    #[default]
    Grey8,
    /// The stored pixels.
    StoredPixels,
}

impl ImageHash {
    fn of(self, image: &Micrograph) -> String {
        match self {
            Self::Grey8 => blake3::hash(&image.to_grey8()).to_hex().to_string(),
            Self::StoredPixels => image.pixels_blake3(),
        }
    }
}

impl SplitRecord {
    /// The record of a sample that is in `part` (`train` or `val`).
    pub fn of(sample: &Sample, part: &str) -> Self {
        Self::hashed(sample, part, ImageHash::StoredPixels)
    }

    /// The record as a version with this kind of hash wrote it.
    pub fn hashed(sample: &Sample, part: &str, image_hash: ImageHash) -> Self {
        let with_scale = image_hash == ImageHash::StoredPixels;
        Self {
            name: sample.name.clone(),
            part: part.to_owned(),
            image_blake3: image_hash.of(&sample.shot.image),
            label_blake3: blake3::hash(&sample.label.labels).to_hex().to_string(),
            nm_per_px: sample.shot.nm_per_px().filter(|_| with_scale).map(|nm| nm.to_string()),
            image_hash,
        }
    }

    /// Whether this record is of these pixels.
    pub fn is_of(&self, image: &Micrograph) -> bool {
        self.image_blake3 == self.image_hash.of(image)
    }

    /// The records of a run; empty where it has none that can be read.
    pub fn read(run: &Path) -> Vec<Self> {
        Self::read_if_any(run).ok().flatten().unwrap_or_default()
    }

    /// The records of a run; `None` where it has none.
    ///
    /// # Errors
    /// Names a file that cannot be read.
    pub(crate) fn read_if_any(run: &Path) -> Result<Option<Vec<Self>>, String> {
        let path = RunFile::Split.path_in(run);
        let told =
            |what: String| format!("{}: cannot be read ({what}); put it back as it was", path.display());
        match read_regular(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|e| told(e.to_string())),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(told(e.to_string())),
        }
    }

    /// Which images a set of records is of, to compare with another set. Hashes of two kinds cannot be compared:
    /// then names stand for images (`by_name`).
    fn identities(records: &[Self], by_name: bool) -> Vec<(&str, &str)> {
        let mut all: Vec<(&str, &str)> = records
            .iter()
            .map(|r| {
                (if by_name { r.name.as_str() } else { r.image_blake3.as_str() }, r.label_blake3.as_str())
            })
            .collect();
        all.sort_unstable();
        all
    }

    /// Whether two sets of records are of the same images and labels.
    pub fn same_images(one: &[Self], other: &[Self]) -> bool {
        let kinds = |set: &[Self]| set.first().map(|r| r.image_hash);
        let by_name = kinds(one) != kinds(other);
        Self::identities(one, by_name) == Self::identities(other, by_name)
    }
}

/// What part an image had in a run, by the run's records; `None` without records.
pub fn part_in(records: &[SplitRecord], image: &Micrograph) -> Option<ImagePart> {
    if records.is_empty() {
        return None;
    }
    let parts = records.iter().filter(|r| r.is_of(image)).filter_map(|r| ImagePart::from_name(&r.part));
    Some(parts.min().unwrap_or(ImagePart::Unseen))
}

/// BLAKE3 over all that a run learns from and is validated on.
pub(crate) fn hash_of(records: &[SplitRecord]) -> String {
    let mut hasher = blake3::Hasher::new();
    let none = String::new();
    for image in records {
        let scale = image.nm_per_px.as_ref().unwrap_or(&none);
        for field in [&image.name, &image.part, &image.image_blake3, &image.label_blake3, scale] {
            hasher.update(&(field.len() as u64).to_le_bytes()).update(field.as_bytes());
        }
    }
    hasher.finalize().to_hex().to_string()
}

/// A run of an older version goes on with the data it began with, or not at all. `now` gives the records by kind of
/// hash: it is compared by its own.
pub(crate) fn require_same_data(
    run: &RunFolder,
    now: impl Fn(ImageHash) -> Vec<SplitRecord>,
) -> Result<(), TrainError> {
    let path = run.path(RunFile::Split);
    let bytes = read_regular(&path).map_err(TrainError::io(&path))?;
    let then: Vec<SplitRecord> = serde_json::from_slice(&bytes).map_err(|e| TrainError::run(&path, e))?;
    let now = now(then.first().map_or(ImageHash::StoredPixels, |r| r.image_hash));
    match changes(&then, &now).first() {
        None => Ok(()),
        Some(what) => Err(TrainError::run(
            run.root(),
            format!(
                "this run cannot go on: {what} changed since this run began; put it back, or start a new run"
            ),
        )),
    }
}

/// What is another now, in words.
pub(crate) fn changes(then: &[SplitRecord], now: &[SplitRecord]) -> Vec<String> {
    let lost = then.iter().filter(|t| !now.contains(t)).map(|t| &t.name);
    let new = now.iter().filter(|n| !then.contains(n)).map(|n| &n.name);
    let names: std::collections::BTreeSet<_> = lost.chain(new).collect();
    names.into_iter().map(|name| what_changed(name, then, now)).collect()
}

fn what_changed(name: &str, then: &[SplitRecord], now: &[SplitRecord]) -> String {
    let of = |set: &[SplitRecord]| set.iter().find(|r| r.name == name).cloned();
    let (Some(then), Some(now)) = (of(then), of(now)) else {
        return format!("the list of images (`{name}`)");
    };
    let size = |r: &SplitRecord| r.nm_per_px.as_ref().map_or("none".to_owned(), |nm| format!("{nm} nm"));
    match () {
        () if then.image_blake3 != now.image_blake3 => format!("image `{name}`"),
        () if then.label_blake3 != now.label_blake3 => format!("label of `{name}`"),
        () if then.part != now.part => format!("the split of `{name}` ({} to {})", then.part, now.part),
        () => format!("pixel size of `{name}` ({} to {})", size(&then), size(&now)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sorby_image::{KnownScale, LabelMap, Pixels, Shot};

    fn sample(values: Vec<u16>) -> Sample {
        let image = Micrograph { width: 2, height: 1, pixels: Pixels::Grey16(values) };
        let label = LabelMap { width: 2, height: 1, labels: vec![0, 1] };
        let mut shot = Shot::plain(image);
        shot.scale = Some(KnownScale { nm_per_px: 12.5, source: "dataset.toml".into() });
        Sample { name: "a".into(), shot, label }
    }

    #[test]
    fn records_see_the_low_bits_and_the_pixel_size() {
        let one = SplitRecord::of(&sample(vec![512, 1024]), "train");
        assert_ne!(one, SplitRecord::of(&sample(vec![513, 1024]), "train"));
        let mut other_scale = sample(vec![512, 1024]);
        other_scale.shot.scale.as_mut().unwrap().nm_per_px = 12.6;
        assert_ne!(one, SplitRecord::of(&other_scale, "train"));
        let old = |values| SplitRecord::hashed(&sample(values), "train", ImageHash::Grey8);
        assert_eq!(old(vec![512, 1024]), old(vec![513, 1024]), "what the old hash could not see");
    }

    #[test]
    fn an_old_record_is_read_and_known_again() {
        let now = sample(vec![512, 1024]);
        let text = format!(
            r#"{{"name": "a", "part": "train", "image_blake3": "{}", "label_blake3": "{}"}}"#,
            blake3::hash(&now.shot.image.to_grey8()).to_hex(),
            blake3::hash(&now.label.labels).to_hex()
        );
        let old: SplitRecord = serde_json::from_str(&text).unwrap();
        assert_eq!(old, SplitRecord::hashed(&now, "train", ImageHash::Grey8));
        assert_eq!(part_in(std::slice::from_ref(&old), &now.shot.image), Some(ImagePart::Train));
        assert_eq!(
            part_in(std::slice::from_ref(&old), &sample(vec![9000, 1]).shot.image),
            Some(ImagePart::Unseen)
        );
        assert_eq!(part_in(&[], &now.shot.image), None);
        // Sets of two kinds of hash are compared by name.
        assert!(SplitRecord::same_images(&[old], &[SplitRecord::of(&now, "train")]));
    }
}
