//! What the images and labels of a study hold, by hash: read from the pixels once, and kept as long as no file of the data
//! set changes. So a study is looked at without decoding an image.

use super::folder::DATASET;
use super::preconditions::require_classes;
use crate::Result;
use crate::error::refuse;
use serde::{Deserialize, Serialize};
use sorby_data::{Dataset, Manifest, Sample};
use sorby_image::{files, write::atomically};
use sorby_study::StudySpec;
use sorby_train::{ImageHash, LabelPixels, SplitRecord};
use std::collections::BTreeMap;
use std::path::Path;

/// File of the study's folder.
const FILE: &str = "contents.json";

/// What the images and labels of a study hold.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Contents {
    /// Numbers that all images hold together.
    pub values: u64,
    /// Content of every image that takes part, by each kind of hash.
    pub records: BTreeMap<String, Vec<SplitRecord>>,
    /// Pixels of each class in each label.
    pub label_px: LabelPixels,
    /// Names of the images that are learnt from.
    pub pool: Vec<String>,
    /// Names of the test images.
    pub test: Vec<String>,
}

/// [`Contents`] with the state of the files that they were read from.
#[derive(Serialize, Deserialize)]
struct Kept {
    files: String,
    contents: Contents,
}

impl Contents {
    /// As they were kept, if the data set's [`fingerprint`] is still `now`.
    pub fn kept(root: &Path, now: &str) -> Option<Self> {
        let kept: Kept = serde_json::from_slice(&files::read_regular(&root.join(FILE)).ok()?).ok()?;
        (kept.files == now).then_some(kept.contents)
    }

    /// Reads all pixels.
    pub fn read(data: &Dataset, spec: &StudySpec, folds: &[Vec<String>]) -> Result<Self> {
        let (pool, test) = (pool(spec, data)?, names(data, &spec.test)?);
        let mut items: Vec<_> =
            data.items.iter().filter(|i| pool.contains(&i.name) || test.contains(&i.name)).collect();
        items.sort_by(|a, b| a.name.cmp(&b.name));
        let samples = data.load(&items)?;
        require_classes(data, &samples, folds)?;
        let kinds = [ImageHash::StoredPixels, ImageHash::Grey8];
        let record = |s: &Sample| (s.name.clone(), kinds.map(|k| SplitRecord::hashed(s, "", k)).to_vec());
        let classes = data.manifest.classes.len();
        let label_px = |s: &Sample| (s.name.clone(), s.label.histogram()[..classes].to_vec());
        Ok(Self {
            values: sorby_train::values_of(&samples),
            records: samples.iter().map(record).collect(),
            label_px: samples.iter().map(label_px).collect(),
            pool,
            test,
        })
    }

    /// Keeps them for the next look. `before` is the [`fingerprint`] from before the pixels were read.
    pub fn keep(self, root: &Path, manifest: &Manifest, before: Option<String>) -> Result<Self> {
        let Some(files) = before.filter(|b| Some(b) == fingerprint(root, manifest).as_ref()) else {
            return Ok(self);
        };
        let kept = Kept { files, contents: self };
        atomically(&root.join(FILE), serde_json::to_string(&kept)?.as_bytes())?;
        Ok(kept.contents)
    }
}

/// Names of the images that are learnt from.
pub fn pool(spec: &StudySpec, data: &Dataset) -> Result<Vec<String>> {
    let mut pool = Vec::new();
    for split in &spec.train {
        pool.extend(names(data, split)?);
    }
    pool.sort();
    pool.dedup();
    if let Some(both) = names(data, &spec.test)?.iter().find(|name| pool.contains(name)) {
        refuse!("`{both}` is both a test image and learnt from");
    }
    Ok(pool)
}

fn names(data: &Dataset, split: &str) -> Result<Vec<String>> {
    Ok(data.split(split)?.iter().map(|i| i.name.clone()).collect())
}

/// State of all files in the folders of a data set, and of its manifest; `None` where one was changed so short ago that
/// another change might not show. Sidecars lie in these folders too.
pub fn fingerprint(root: &Path, manifest: &Manifest) -> Option<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&files::read(&root.join(DATASET)).ok()?);
    for folder in &manifest.folders {
        for place in [&folder.images, &folder.labels] {
            let mut entries = files::entries(&root.join(place)).ok()?;
            entries.sort();
            for file in entries.iter().filter(|f| files::is_file(f)) {
                let state = files::state(file).ok()?;
                if !state.is_settled() {
                    return None;
                }
                hasher.update(file.as_os_str().as_encoded_bytes());
                hasher.update(format!("{state:?}").as_bytes());
            }
        }
    }
    Some(hasher.finalize().to_hex().to_string())
}
