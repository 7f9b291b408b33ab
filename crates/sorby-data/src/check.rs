//! Everything that is wrong with a data set, at once.

use crate::dataset::Dataset;
use crate::problem::Problem;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Pixels of one class.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassCount {
    pub name: String,
    pub pixels: u64,
    /// Share of all labelled pixels.
    pub fraction: f64,
    /// Images that have any.
    pub images: usize,
}

/// What a data set holds and what is wrong with it.
#[derive(Clone, Debug)]
pub struct Summary {
    pub images: usize,
    pub classes: Vec<ClassCount>,
    pub splits: BTreeMap<String, usize>,
    pub without_scale: usize,
    pub problems: Vec<Problem>,
}

/// Reads every image and label.
pub fn check(data: &Dataset) -> Summary {
    let loaded: Vec<_> = data.items.par_iter().map(|item| (item, data.load_one(item))).collect();
    let classes = data.manifest.classes.len();
    let mut problems = Vec::new();
    let mut pixels = vec![0u64; classes];
    let mut images = vec![0usize; classes];
    let mut present: BTreeMap<&str, Vec<bool>> = BTreeMap::new();
    let mut content: BTreeMap<[u8; 32], &str> = BTreeMap::new();
    for (item, sample) in &loaded {
        let sample = match sample {
            Ok(sample) => sample,
            Err(problem) => {
                problems.push(problem.clone());
                continue;
            }
        };
        let histogram = sample.label.histogram();
        for c in 0..classes {
            pixels[c] += histogram[c];
            images[c] += usize::from(histogram[c] > 0);
        }
        present.insert(&item.name, (0..classes).map(|c| histogram[c] > 0).collect());
        if histogram[..classes].iter().all(|&n| n == 0) {
            problems.push(Problem::new(&item.label, "has no labelled pixel (all are 255, ignore)"));
        }
        let hash = *blake3::hash(&sample.image.to_grey8()).as_bytes();
        if let Some(other) = content.insert(hash, &item.name) {
            let (here, there) = (splits_of(data, &item.name), splits_of(data, other));
            // An image that takes part in nothing was left out on purpose.
            if here != there && !here.is_empty() && !there.is_empty() {
                let what =
                    format!("is the same picture as `{other}`, which is in another split; leave one out");
                problems.push(Problem::new(&item.image, what));
            }
        }
    }
    let names = data.manifest.class_names();
    let mut splits = BTreeMap::new();
    for split in data.split_names() {
        let items = match data.split(split) {
            Ok(items) => items,
            Err(error) => {
                problems.extend(error.0);
                continue;
            }
        };
        splits.insert(split.to_owned(), items.len());
        for (c, name) in names.iter().enumerate() {
            let absent = !items.iter().any(|i| present.get(i.name.as_str()).is_none_or(|p| p[c]));
            if absent {
                problems.push(Problem::new(
                    "dataset.toml",
                    format!("class `{name}` does not occur in split `{split}`"),
                ));
            }
        }
    }
    problems.extend(overlaps(data));
    let total: u64 = pixels.iter().sum();
    Summary {
        images: data.items.len(),
        classes: names
            .into_iter()
            .enumerate()
            .map(|(c, name)| ClassCount {
                name,
                pixels: pixels[c],
                fraction: pixels[c] as f64 / total.max(1) as f64,
                images: images[c],
            })
            .collect(),
        splits,
        without_scale: data.items.iter().filter(|i| i.nm_per_px.is_none()).count(),
        problems,
    }
}

/// Splits and folds that an image is in.
fn splits_of<'a>(data: &'a Dataset, name: &str) -> Vec<&'a str> {
    let holds = |split: &&str| data.split(split).is_ok_and(|items| items.iter().any(|i| i.name == name));
    data.split_names().filter(holds).collect()
}

/// Images in two of the splits that must not share any.
fn overlaps(data: &Dataset) -> Vec<Problem> {
    let held_out = ["val", "valid", "validate", "validation", "test"];
    let names =
        |split: &str| data.split(split).map(|items| items.iter().map(|i| &i.name).collect::<Vec<_>>());
    let Ok(train) = names("train") else { return Vec::new() };
    let mut problems = Vec::new();
    for split in held_out {
        for name in names(split).unwrap_or_default() {
            if train.contains(&name) {
                let what = format!("`{name}` is in both `train` and `{split}`");
                problems.push(Problem::new("dataset.toml", what));
            }
        }
    }
    problems
}
