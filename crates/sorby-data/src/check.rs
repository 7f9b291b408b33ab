//! Everything that is wrong with a data set, at once.

use crate::dataset::{Dataset, Item};
use crate::doctor::{Fingerprint, Misplaced, alignment, contrast_to_noise, near_duplicates};
use crate::problem::Problem;
use crate::sample::Sample;
use rayon::prelude::*;
use sorby_image::{IGNORE, Pixels};
use std::collections::BTreeMap;

/// Pixels of one class.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassCount {
    /// Name of the class in `dataset.toml`.
    pub name: String,
    /// Number of pixels that have the class, over all images.
    pub pixels: u64,
    /// Share of all labelled pixels.
    pub fraction: f64,
    /// Images that have any.
    pub images: usize,
}

/// What a data set holds and what is wrong with it.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Number of labelled images.
    pub images: usize,
    /// One entry per class, in index order.
    pub classes: Vec<ClassCount>,
    /// Number of images by split or fold.
    pub splits: BTreeMap<String, usize>,
    /// Images of whose pixel size nobody says anything.
    pub without_scale: usize,
    /// The smallest and the largest pixel size in nanometres, by all that is stated.
    pub nm_per_px: Option<(f64, f64)>,
    /// What must be repaired before the data can be used.
    pub problems: Vec<Problem>,
    /// What may be meant so, but should be looked at.
    pub remarks: Vec<Problem>,
    /// Labels that lie wrong on their images, by name, with the move or turn that repairs them.
    pub misplaced: Vec<(String, Misplaced)>,
    /// Near-duplicates: pairs of images that are the same picture or show the same place, by name.
    pub near_duplicates: Vec<(String, String)>,
    /// Classes that no label of a split has: split, class.
    pub absent: Vec<(String, String)>,
}

/// What one image shows without the others.
struct Look {
    histogram: [u64; 256],
    hash: [u8; 32],
    print: Option<Fingerprint>,
    misplaced: Option<Misplaced>,
    /// Share of the 16-bit range that the brightest pixel reaches.
    reach: Option<f64>,
    /// Rows of a data bar, and pixels in them that the label gives another class than the first.
    bar: Option<(usize, usize)>,
    nm_per_px: Option<f64>,
    contrast_to_noise: Option<f64>,
}

/// What the label says of rows that loading took for a data bar.
fn in_the_bar(data: &Dataset, item: &Item, sample: &Sample) -> Option<(usize, usize)> {
    let (field, rows) = (sample.shot.field_rows(), sample.shot.data_bar_px());
    if rows == 0 {
        return None;
    }
    let label = data.load_label(item).ok()?;
    let marked = label.labels[field * label.width..].iter().filter(|l| **l != 0 && **l != IGNORE).count();
    (marked > 0).then_some((rows, marked))
}

fn look(data: &Dataset, item: &Item, sample: &Sample) -> Look {
    let grey = sample.shot.image.to_grey8();
    let brightest = match &sample.shot.image.pixels {
        Pixels::Grey16(p) | Pixels::Rgb16(p) => p.iter().max().copied(),
        _ => None,
    };
    Look {
        histogram: sample.label.histogram(),
        hash: *blake3::hash(&grey).as_bytes(),
        print: Fingerprint::of(&grey, sample.shot.image.width, sample.shot.image.height),
        misplaced: alignment(&grey, &sample.label).and_then(|a| a.misplaced),
        reach: brightest.map(|v| f64::from(v) / 65535.0),
        bar: in_the_bar(data, item, sample),
        nm_per_px: sample.shot.nm_per_px(),
        contrast_to_noise: contrast_to_noise(&sample.shot.image, &sample.label),
    }
}

/// Reads every image and label, and collects what is wrong and what looks strange; uses all cores.
pub fn check(data: &Dataset) -> Summary {
    let looked: Vec<Looked> =
        data.items.par_iter().map(|item| (item, data.load_one(item).map(|s| look(data, item, &s)))).collect();
    let mut found = Found::default();
    for (item, look) in &looked {
        match look {
            Ok(look) => found.label(data, item, look),
            Err(problem) => found.problems.push(problem.clone()),
        }
    }
    let pairs = same_pictures(&looked);
    found.problems.extend(parted_pictures(data, &looked, &pairs));
    let scales: Vec<(&str, Option<f64>)> = looked
        .iter()
        .filter_map(|(item, look)| Some((item.name.as_str(), look.as_ref().ok()?.nm_per_px)))
        .collect();
    found.remarks.extend(far_apart(&scales));
    found.remarks.extend(data.coding().remarks.iter().cloned());
    let (splits, absent) = found.splits(data, &looked);
    let (shared, parted) = overlaps(data);
    found.problems.extend(shared);
    found.remarks.extend(parted);
    Summary {
        images: data.items.len(),
        classes: class_counts(data, &looked),
        splits,
        without_scale: scales.iter().filter(|s| s.1.is_none()).count(),
        nm_per_px: range(&scales),
        problems: found.problems,
        remarks: found.remarks,
        misplaced: found.misplaced,
        absent,
        near_duplicates: pairs
            .iter()
            .map(|&(i, j)| (looked[i].0.name.clone(), looked[j].0.name.clone()))
            .collect(),
    }
}

/// What is wrong or strange, as it is found.
#[derive(Default)]
struct Found {
    problems: Vec<Problem>,
    remarks: Vec<Problem>,
    misplaced: Vec<(String, Misplaced)>,
}

impl Found {
    /// What one label and its image show.
    fn label(&mut self, data: &Dataset, item: &Item, look: &Look) {
        let of_class = &look.histogram[..data.manifest.classes.len()];
        match of_class.iter().filter(|n| **n > 0).count() {
            0 => {
                self.problems.push(Problem::new(&item.label, "has no labelled pixel (all are 255, ignore)"));
            }
            1 => {
                let only = of_class.iter().position(|n| *n > 0).unwrap_or(0);
                let what = format!("has one class only, `{}`", data.manifest.classes[only].name);
                self.remarks.push(Problem::new(&item.label, what));
            }
            _ => {}
        }
        if let Some(found) = look.misplaced {
            self.problems.push(Problem::new(&item.label, words(found)));
            self.misplaced.push((item.name.clone(), found));
        }
        if let Some((rows, marked)) = look.bar {
            let what = format!(
                "marks {marked} pixels inside the image's data bar (its last {rows} rows); they do not count"
            );
            self.remarks.push(Problem::new(&item.label, what));
        }
        if let Some(ratio) = look.contrast_to_noise.filter(|ratio| *ratio < 1.0) {
            let what = format!(
                "its classes differ by less than its noise (mean grey values {ratio:.1} standard deviations apart); take it \
                 with more contrast or a longer dwell time, or expect little of it"
            );
            self.remarks.push(Problem::new(&item.image, what));
        }
        if let Some(reach) = look.reach.filter(|r| *r < 0.1) {
            let what = format!(
                "uses {:.1} % of its 16 bits and will look black; set data.grey_range = \"percentile\" in the recipe",
                100.0 * reach
            );
            self.problems.push(Problem::new(&item.image, what));
        }
    }

    /// Sizes of the splits, and the classes that are missing in one: (split, class).
    fn splits(
        &mut self,
        data: &Dataset,
        looked: &[Looked],
    ) -> (BTreeMap<String, usize>, Vec<(String, String)>) {
        let (mut splits, mut absent) = (BTreeMap::new(), Vec::new());
        let names = data.manifest.class_names();
        let known: BTreeMap<&str, &Look> = looked
            .iter()
            .filter_map(|(item, look)| Some((item.name.as_str(), look.as_ref().ok()?)))
            .collect();
        for split in data.split_names() {
            let items = match data.split(split) {
                Ok(items) => items,
                Err(error) => {
                    self.problems.extend(error.0);
                    continue;
                }
            };
            splits.insert(split.to_owned(), items.len());
            for (c, name) in names.iter().enumerate() {
                // What cannot be read may hold any class.
                let has = |item: &&Item| known.get(item.name.as_str()).is_none_or(|l| l.histogram[c] > 0);
                if !items.iter().any(has) {
                    let what = format!("class `{name}` does not occur in split `{split}`");
                    self.problems.push(Problem::new("dataset.toml", what));
                    absent.push((split.to_owned(), name.clone()));
                }
            }
        }
        (splits, absent)
    }
}

/// Pixels of each class in all labels, and the images that have any.
fn class_counts(data: &Dataset, looked: &[Looked]) -> Vec<ClassCount> {
    let labels: Vec<&Look> = looked.iter().filter_map(|(_, look)| look.as_ref().ok()).collect();
    let pixels = |c: usize| labels.iter().map(|l| l.histogram[c]).sum::<u64>();
    let names = data.manifest.class_names();
    let total: u64 = (0..names.len()).map(pixels).sum();
    let count = |(c, name)| ClassCount {
        name,
        pixels: pixels(c),
        fraction: pixels(c) as f64 / total.max(1) as f64,
        images: labels.iter().filter(|l| l.histogram[c] > 0).count(),
    };
    names.into_iter().enumerate().map(count).collect()
}

fn words(misplaced: Misplaced) -> String {
    let how = match misplaced {
        Misplaced::Turned(turn) => format!("lies on its image only when {}", turn.words()),
        Misplaced::Shifted { dx, dy } => {
            let part = |n: i32, unit: &str, positive: &str, negative: &str| match n {
                0 => None,
                n => {
                    let plural = if n.abs() == 1 { "" } else { "s" };
                    Some(format!("{} {unit}{plural} {}", n.abs(), if n > 0 { positive } else { negative }))
                }
            };
            let parts = [part(dy, "row", "down", "up"), part(dx, "column", "right", "left")];
            format!(
                "lies on its image only when moved {}",
                parts.into_iter().flatten().collect::<Vec<_>>().join(" and ")
            )
        }
    };
    format!("{how}; `sorby data check --fix DIR` writes a copy that does")
}

type Looked<'a> = (&'a Item, Result<Look, Problem>);

fn hash_of(looked: &[Looked], i: usize) -> Option<[u8; 32]> {
    looked[i].1.as_ref().ok().map(|l| l.hash)
}

/// Pairs of images that are the same picture, or show the same place.
fn same_pictures(looked: &[Looked]) -> Vec<(usize, usize)> {
    let prints: Vec<Option<Fingerprint>> =
        looked.iter().map(|(_, look)| look.as_ref().ok().and_then(|l| l.print.clone())).collect();
    // Flat pictures have no fingerprint but may still be the same to the byte.
    let mut pairs: Vec<(usize, usize)> =
        near_duplicates(&prints).into_iter().map(|(i, j, _)| (i, j)).collect();
    let mut seen: BTreeMap<[u8; 32], usize> = BTreeMap::new();
    for i in 0..looked.len() {
        let Some(hash) = hash_of(looked, i) else { continue };
        match seen.get(&hash) {
            Some(&first) if !pairs.contains(&(first, i)) => pairs.push((first, i)),
            Some(_) => {}
            None => {
                seen.insert(hash, i);
            }
        }
    }
    pairs
}

/// Pairs that lie on two sides of a split.
fn parted_pictures(data: &Dataset, looked: &[Looked], pairs: &[(usize, usize)]) -> Vec<Problem> {
    let told = |&(i, j): &(usize, usize)| {
        let (first, second) = (looked[i].0, looked[j].0);
        let (here, there) = (splits_of(data, &second.name), splits_of(data, &first.name));
        // An image that takes part in nothing was left out on purpose.
        if here == there || here.is_empty() || there.is_empty() {
            return None;
        }
        let how = if hash_of(looked, i) == hash_of(looked, j) {
            "is the same picture as"
        } else {
            "shows the same place as"
        };
        let what = format!("{how} `{}`, which is in another split; leave one out", first.name);
        Some(Problem::new(&second.image, what))
    };
    pairs.iter().filter_map(told).collect()
}

fn range(scales: &[(&str, Option<f64>)]) -> Option<(f64, f64)> {
    let known = || scales.iter().filter_map(|s| s.1);
    Some((known().min_by(f64::total_cmp)?, known().max_by(f64::total_cmp)?))
}

/// Pixel sizes that differ more than training can be expected to bridge.
fn far_apart(scales: &[(&str, Option<f64>)]) -> Option<Problem> {
    let known = scales.iter().filter_map(|(name, nm)| Some(((*nm)?, name)));
    let low = known.clone().min_by(|a, b| a.0.total_cmp(&b.0))?;
    let high = known.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (high.0 > 2.0 * low.0).then(|| {
        let what = format!(
            "pixel sizes differ from {} nm (`{}`) to {} nm (`{}`): the same object is {:.1} times as large",
            low.0,
            low.1,
            high.0,
            high.1,
            high.0 / low.0
        );
        Problem::new("dataset.toml", what)
    })
}

/// Splits and folds that an image is in.
fn splits_of<'a>(data: &'a Dataset, name: &str) -> Vec<&'a str> {
    let holds = |split: &&str| data.split(split).is_ok_and(|items| items.iter().any(|i| i.name == name));
    data.split_names().filter(holds).collect()
}

/// Images in two of the splits that must not share any, and specimens on both sides.
fn overlaps(data: &Dataset) -> (Vec<Problem>, Vec<Problem>) {
    let held_out = ["val", "valid", "validate", "validation", "test"];
    let names =
        |split: &str| data.split(split).map(|items| items.iter().map(|i| &i.name).collect::<Vec<_>>());
    let Ok(train) = names("train") else { return (Vec::new(), Vec::new()) };
    let (mut shared, mut parted) = (Vec::new(), Vec::new());
    for split in held_out {
        let held = names(split).unwrap_or_default();
        for name in held.iter().filter(|n| train.contains(n)) {
            shared.push(Problem::new("dataset.toml", format!("`{name}` is in both `train` and `{split}`")));
        }
        for (specimen, images) in &data.manifest.specimens {
            let in_any = |split: &[&String]| split.iter().any(|n| images.contains(n));
            if in_any(&train) && in_any(&held) {
                let what = format!(
                    "specimen `{specimen}` is on both sides of `train` and `{split}`: scores on `{split}` tell of this \
                     specimen, not of another"
                );
                parted.push(Problem::new("dataset.toml", what));
            }
        }
    }
    (shared, parted)
}
