//! Earlier versions of a label that is being drawn. A version is a copy of the label's file with a record of what made it;
//! none is ever removed or written over.

use crate::problem::Problem;
use serde::{Deserialize, Serialize};
use sorby_image::write::{atomically, atomically_for};
use sorby_image::{IGNORE, LabelMap, files};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// A pause in drawing after which the label that there was is kept as a version.
const PAUSE_S: u64 = 300;

/// What changed a label.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangedBy {
    /// Tools that the user draws with.
    #[default]
    Strokes,
    /// A draft that the user accepted.
    Draft,
    /// A model's mask that the user accepted.
    Prediction,
    /// An earlier version that the user took back.
    Version,
    /// A conversion to other classes.
    Classes,
    /// Another program, or a version of Sorby that kept no record.
    Unknown,
}

/// What is known of a label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelRecord {
    /// What made it what it is.
    pub by: ChangedBy,
    /// Whether somebody drew part of it, as far as is known: what is unknown counts as drawn.
    pub drawn_by_hand: bool,
    /// When it was saved, in seconds since 1970.
    pub time_s: u64,
}

/// An earlier version of a label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelVersion {
    /// Its number; later versions have higher ones.
    pub id: u32,
    /// What is known of it.
    #[serde(flatten)]
    pub record: LabelRecord,
    /// Share of the image's pixels that have a class.
    pub labelled_percent: f64,
    /// Name of the copy, next to this record.
    file: String,
}

/// The record of the label as it is, which it names by its bytes.
#[derive(Serialize, Deserialize)]
struct Current {
    blake3: String,
    #[serde(flatten)]
    record: LabelRecord,
}

/// The versions of one image's label, in a folder of their own.
pub struct LabelVersions {
    folder: PathBuf,
}

impl LabelVersions {
    /// Those in `folder`, which need not be there yet.
    pub fn of(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// What is known of the label in `file`. A label that something else has written since is unknown.
    ///
    /// # Errors
    /// When the label cannot be read.
    pub fn record(&self, file: &Path) -> Result<LabelRecord, Problem> {
        let hash = hash_of(&files::read(file).map_err(|e| Problem::new(file, e))?);
        let known = files::read(&self.folder.join(CURRENT)).ok();
        let known = known.and_then(|bytes| serde_json::from_slice::<Current>(&bytes).ok());
        match known.filter(|current| current.blake3 == hash) {
            Some(current) => Ok(current.record),
            None => Ok(LabelRecord { by: ChangedBy::Unknown, drawn_by_hand: true, time_s: changed_s(file) }),
        }
    }

    /// Keeps the label in `file`, which `label` is the content of and `record` what is known of, before a change by `by` to
    /// `next`, unless it is one of many states of the same drawing: strokes after strokes, without a long pause, that leave
    /// something.
    ///
    /// # Errors
    /// When the copy cannot be written; the label must then stay as it is.
    pub fn keep_before(
        &self,
        (file, label, record): (&Path, &LabelMap, LabelRecord),
        by: ChangedBy,
        next: &LabelMap,
    ) -> Result<(), Problem> {
        let same_drawing = by == ChangedBy::Strokes
            && record.by == ChangedBy::Strokes
            && now_s().saturating_sub(record.time_s) < PAUSE_S
            && labelled_percent(next) > 0.0;
        if same_drawing || labelled_percent(label) == 0.0 {
            return Ok(());
        }
        let bytes = files::read(file).map_err(|e| Problem::new(file, e))?;
        let last = self.list().into_iter().next();
        let copy = |v: &LabelVersion| files::read(&self.folder.join(&v.file)).ok();
        if last.as_ref().is_some_and(|v| copy(v).is_some_and(|there| there == bytes)) {
            return Ok(());
        }
        // A number is taken as soon as its copy is there, whether or not its record was written.
        let taken = files::entries(&self.folder).unwrap_or_default();
        let number = |p: &PathBuf| p.file_stem().and_then(|s| s.to_str()).and_then(|s| s.parse::<u32>().ok());
        let id = taken.iter().filter_map(number).max().map_or(1, |n| n.saturating_add(1));
        let ending = file.extension().unwrap_or_default().to_string_lossy();
        let version = LabelVersion {
            id,
            record,
            labelled_percent: labelled_percent(label),
            file: format!("{id:05}.{ending}"),
        };
        atomically_for(&self.folder.join(&version.file), file, &bytes)?;
        Ok(atomically(&self.folder.join(format!("{id:05}.json")), &json(&version))?)
    }

    /// Records what made the label in `file` what it now is. What is drawn into something made by hand stays made by hand.
    ///
    /// # Errors
    /// When the record cannot be written; the label then counts as of unknown origin.
    pub fn note(&self, file: &Path, by: ChangedBy, before_by_hand: bool) -> Result<(), Problem> {
        let drawn_by_hand = match by {
            ChangedBy::Strokes | ChangedBy::Version | ChangedBy::Unknown => true,
            ChangedBy::Draft | ChangedBy::Prediction => false,
            ChangedBy::Classes => before_by_hand,
        };
        let blake3 = hash_of(&files::read(file).map_err(|e| Problem::new(file, e))?);
        let record = LabelRecord { by, drawn_by_hand, time_s: now_s() };
        Ok(atomically(&self.folder.join(CURRENT), &json(&Current { blake3, record }))?)
    }

    /// All versions, newest first. A record that cannot be read hides no other.
    pub fn list(&self) -> Vec<LabelVersion> {
        let paths = files::entries(&self.folder).unwrap_or_default();
        let records = paths.iter().filter(|p| p.extension().is_some_and(|e| e == "json"));
        let mut all: Vec<LabelVersion> = records
            .filter_map(|p| serde_json::from_slice::<LabelVersion>(&files::read(p).ok()?).ok())
            .filter(|v| Path::new(&v.file).components().count() == 1)
            .collect();
        all.sort_by_key(|v| std::cmp::Reverse(v.id));
        all
    }

    /// The copy of a version.
    pub fn file(&self, id: u32) -> Option<PathBuf> {
        self.list().into_iter().find(|v| v.id == id).map(|v| self.folder.join(v.file))
    }
}

/// File of the record of the label as it is.
const CURRENT: &str = "current.json";

fn labelled_percent(label: &LabelMap) -> f64 {
    let with_class = label.labels.iter().filter(|l| **l != IGNORE).count();
    100.0 * with_class as f64 / label.labels.len().max(1) as f64
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec_pretty(value).unwrap_or_default()
}

fn hash_of(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn now_s() -> u64 {
    seconds(SystemTime::now())
}

fn changed_s(file: &Path) -> u64 {
    let changed = files::open(file).and_then(|f| f.metadata()).and_then(|m| m.modified());
    changed.map_or(0, seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sorby_image::write::{PngKind, png};

    /// A folder with a label of 2 x 2 pixels, and its versions.
    struct Drawing {
        folder: tempfile::TempDir,
        versions: LabelVersions,
    }

    impl Drawing {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let versions = LabelVersions::of(folder.path().join("versions"));
            Self { folder, versions }
        }

        fn file(&self) -> PathBuf {
            self.folder.path().join("a.png")
        }

        fn write(&self, labels: [u8; 4]) -> LabelMap {
            png(&self.file(), 2, 2, PngKind::Grey, &labels).unwrap();
            LabelMap { width: 2, height: 2, labels: labels.to_vec() }
        }

        fn change(&self, old: &LabelMap, by: ChangedBy, labels: [u8; 4]) -> LabelMap {
            let next = LabelMap { width: 2, height: 2, labels: labels.to_vec() };
            let record = self.versions.record(&self.file()).unwrap();
            let by_hand = record.drawn_by_hand;
            self.versions.keep_before((&self.file(), old, record), by, &next).unwrap();
            self.write(labels);
            self.versions.note(&self.file(), by, by_hand).unwrap();
            next
        }

        fn made_by(&self) -> Vec<ChangedBy> {
            self.versions.list().iter().map(|v| v.record.by).collect()
        }
    }

    #[test]
    fn strokes_of_one_drawing_are_one_version_and_all_else_is_kept() {
        use ChangedBy::{Draft, Prediction, Strokes, Unknown};
        let d = Drawing::new();
        let mut label = d.write([255, 0, 0, 1]);
        assert!(d.versions.record(&d.file()).unwrap().drawn_by_hand, "of another program: as if by hand");
        for labels in [[0, 0, 0, 1], [0, 0, 1, 1], [0, 1, 1, 1]] {
            label = d.change(&label, Strokes, labels);
        }
        assert_eq!(d.made_by(), [Unknown], "strokes follow strokes");
        label = d.change(&label, Prediction, [0; 4]);
        assert!(!d.versions.record(&d.file()).unwrap().drawn_by_hand);
        label = d.change(&label, Draft, [1; 4]);
        assert_eq!(d.made_by(), [Prediction, Strokes, Unknown]);
        let kept = d.versions.list();
        assert_eq!(kept.iter().map(|v| v.labelled_percent).collect::<Vec<_>>(), [100.0, 100.0, 75.0]);
        let bytes = |id| std::fs::read(d.versions.file(id).unwrap()).unwrap();
        let drawn = sorby_image::RawLabels::read(&d.versions.file(2).unwrap()).unwrap();
        let sorby_image::RawLabels::Values(drawn) = drawn else { panic!("no values") };
        assert_eq!(drawn.labels, [0, 1, 1, 1], "the drawing as the prediction found it");
        d.change(&label, Strokes, [0, 0, 0, 1]);
        assert_ne!(bytes(4), bytes(3));
    }

    #[test]
    fn a_drawing_wiped_by_a_stroke_is_kept() {
        let d = Drawing::new();
        let label = d.write([255; 4]);
        let label = d.change(&label, ChangedBy::Strokes, [255, 1, 1, 255]);
        assert!(d.versions.list().is_empty(), "nothing there is no version");
        d.change(&label, ChangedBy::Strokes, [255; 4]);
        assert_eq!(d.versions.list()[0].labelled_percent, 50.0);
    }

    #[test]
    fn a_file_changed_by_another_program_is_of_unknown_origin() {
        let d = Drawing::new();
        let label = d.write([0; 4]);
        d.change(&label, ChangedBy::Prediction, [1; 4]);
        d.write([0, 0, 1, 1]);
        let record = d.versions.record(&d.file()).unwrap();
        assert_eq!((record.by, record.drawn_by_hand), (ChangedBy::Unknown, true));
    }

    #[test]
    fn a_copy_without_its_record_is_not_written_over() {
        let d = Drawing::new();
        let label = d.write([0, 0, 0, 1]);
        std::fs::create_dir_all(d.folder.path().join("versions")).unwrap();
        std::fs::write(d.folder.path().join("versions/00001.png"), "killed before its record").unwrap();
        d.change(&label, ChangedBy::Draft, [0; 4]);
        assert_eq!(d.versions.list()[0].id, 2);
        let left = std::fs::read_to_string(d.folder.path().join("versions/00001.png")).unwrap();
        assert_eq!(left, "killed before its record");
    }
}
