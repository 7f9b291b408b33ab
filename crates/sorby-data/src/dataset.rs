//! A data set on disk: the manifest, and the image-label pairs it stands for.

use crate::coding::{Expected, LabelCoding};
use crate::label_file::read_label;
use crate::manifest::{DataBar, Manifest, Missing};
use crate::problem::{DataError, Problem};
use crate::sample::Sample;
use rayon::prelude::*;
use sorby_image::scale::agreement;
use sorby_image::{ImageError, LabelMap, Micrograph, Said, ScaleClaim, Shot, files, supersedes};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// File name of the manifest.
pub(crate) const MANIFEST: &str = "dataset.toml";

/// One labelled image.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// File name without ending; unique in the data set.
    pub name: String,
    /// Path of the image file.
    pub image: PathBuf,
    /// Path of the label file.
    pub label: PathBuf,
    /// What `dataset.toml` says of its pixel size; the image's file may say more.
    pub stated_scale: Option<ScaleClaim>,
}

/// An opened data set: its manifest, its labelled images, and how its labels code classes.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// What `dataset.toml` says.
    pub manifest: Manifest,
    /// In order of name.
    pub items: Vec<Item>,
    splits: BTreeMap<String, Vec<String>>,
    coding: LabelCoding,
}

impl Dataset {
    /// Opens a folder with a `dataset.toml`, or a manifest file itself (its folders may then be
    /// anywhere). Every label's values are read once, to find how they code classes.
    ///
    /// # Errors
    /// Every problem: a manifest that is missing or wrong, images without a label, labels without an image, names that
    /// do not exist, labels whose values cannot be read as classes.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        let (data, problems) = Self::examine(path)?;
        if problems.is_empty() { Ok(data) } else { Err(DataError(problems)) }
    }

    /// Opens for work that takes one file at a time: a label that cannot be read is a problem of its own image, reported
    /// when it is loaded.
    ///
    /// # Errors
    /// As [`Dataset::open`] apart from that.
    pub fn open_to_measure(path: &Path) -> Result<Self, DataError> {
        let (data, problems) = Self::begin(path)?;
        if problems.is_empty() { Ok(data) } else { Err(DataError(problems)) }
    }

    /// Opens as far as possible: what can be used, and every problem on the way.
    ///
    /// # Errors
    /// When there is no usable manifest or no labelled image at all.
    pub fn examine(path: &Path) -> Result<(Self, Vec<Problem>), DataError> {
        let (data, mut problems) = Self::begin(path)?;
        problems.extend(data.coding.refused());
        Ok((data, problems))
    }

    /// The data set and its problems, those of single labels apart.
    fn begin(path: &Path) -> Result<(Self, Vec<Problem>), DataError> {
        let (file, root) = locate(path)?;
        let manifest = Manifest::read(&file)?;
        let (items, mut splits, unlabelled, mut problems) = pair_up(&manifest, &root);
        if items.is_empty() {
            problems.push(Problem::new(&root, "no labelled images found"));
            return Err(DataError(problems));
        }
        let labels: Vec<PathBuf> = items.iter().map(|i| i.label.clone()).collect();
        let coding = LabelCoding::decide(&Expected::of_manifest(&manifest), &labels);
        // With undecidable labels the rest is still checked, as indices.
        let coding = coding.unwrap_or_else(|problem| {
            problems.push(problem);
            LabelCoding::index(manifest.classes.len())
        });
        add_splits(&mut splits, &manifest, &items, &unlabelled, |what| {
            problems.push(Problem::new(&file, what))
        });
        Ok((Self { manifest, items, splits, coding }, problems))
    }

    /// Names of splits and folds.
    pub fn split_names(&self) -> impl Iterator<Item = &str> {
        self.splits.keys().map(String::as_str)
    }

    /// Items of a split or fold, in order of name. `all` is every item.
    ///
    /// # Errors
    /// When `dataset.toml` has no such split or fold, or it is empty.
    pub fn split(&self, name: &str) -> Result<Vec<&Item>, DataError> {
        let items: Vec<&Item> = match self.splits.get(name) {
            Some(names) => self.items.iter().filter(|i| names.contains(&i.name)).collect(),
            None if name == "all" => self.items.iter().collect(),
            None => {
                let known: Vec<_> = self.split_names().collect();
                let what = format!("no split `{name}`; dataset.toml has: {}", known.join(", "));
                return Err(DataError::one(MANIFEST, what));
            }
        };
        if items.is_empty() {
            return Err(DataError::one(MANIFEST, format!("split `{name}` is empty")));
        }
        Ok(items)
    }

    /// Whether the pixel sizes of `items` contradict each other, by their files' metadata and without their pixels: before
    /// anything is made of the data.
    ///
    /// # Errors
    /// Every image of which statements contradict each other.
    pub fn require_scales(&self, items: &[&Item]) -> Result<(), DataError> {
        let ask = |item: &&Item| match agreement::of_file(&item.image, &Said::of(item.stated_scale.clone())) {
            Err(error @ ImageError::Scale { .. }) => Some(Problem::from(error)),
            // What cannot be read is found when it is read.
            _ => None,
        };
        let problems: Vec<Problem> = items.par_iter().filter_map(ask).collect();
        if problems.is_empty() { Ok(()) } else { Err(DataError(problems)) }
    }

    /// Reads the images and labels of `items`; every problem is reported, not only the first.
    ///
    /// # Errors
    /// One problem for each image that [`Dataset::load_one`] cannot read.
    pub fn load(&self, items: &[&Item]) -> Result<Vec<Sample>, DataError> {
        let results: Vec<Result<Sample, Problem>> =
            items.par_iter().map(|item| self.load_one(item)).collect();
        let (mut samples, mut problems) = (Vec::new(), Vec::new());
        for result in results {
            match result {
                Ok(sample) => samples.push(sample),
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() { Ok(samples) } else { Err(DataError(problems)) }
    }

    /// Reads one image with its label.
    ///
    /// # Errors
    /// When a file cannot be read, the sizes do not match, or statements of the pixel size contradict each other.
    pub fn load_one(&self, item: &Item) -> Result<Sample, Problem> {
        self.load_said(item, Vec::new())
    }

    /// The same where others than the data set state a pixel size too; their word comes first.
    ///
    /// # Errors
    /// As [`Dataset::load_one`].
    pub fn load_said(&self, item: &Item, mut claims: Vec<ScaleClaim>) -> Result<Sample, Problem> {
        let image = Micrograph::read(&item.image)?;
        let mut label = self.load_label(item)?;
        let (image_size, label_size) = ((image.width, image.height), (label.width, label.height));
        let policy = self.manifest.labels.data_bar;
        let taller = image.width == label.width && image.height > label.height;
        if image_size != label_size && !(policy == DataBar::Crop && taller) {
            return Err(Problem::new(&item.label, size_mismatch(image_size, label_size, taller)));
        }
        claims.extend(item.stated_scale.clone());
        let said = Said { no_data_bar: policy == DataBar::None, ..Said::of(claims) };
        let mut shot = Shot::of(&item.image, image, &said)?;
        if image_size != label_size {
            shot.cut_to(label.height);
        }
        // Text is no steel, whatever its label says.
        label.ignore_bottom(shot.data_bar_px());
        shot.end_field_at(label.field_rows());
        Ok(Sample { name: item.name.clone(), shot, label })
    }

    /// The image that a mask or label is of: the one whose label it is, or whose name it has, with or without the
    /// `label_suffix` of a folder.
    pub fn item_of(&self, mask: &Path) -> Option<&Item> {
        let named = |name: &str| self.items.iter().find(|i| i.name == name);
        let real = std::fs::canonicalize(mask).ok();
        let own = |i: &&Item| real.is_some() && std::fs::canonicalize(&i.label).ok() == real;
        let stem = mask.file_stem()?.to_string_lossy();
        // Most masks that are asked for are somewhere else, so the cheap questions come first.
        if let Some(item) = self.items.iter().filter(|i| i.label.file_name() == mask.file_name()).find(own) {
            return Some(item);
        }
        named(&stem).or_else(|| {
            let suffixes = self.manifest.folders.iter().map(|f| f.label_suffix.as_str());
            suffixes.filter(|s| !s.is_empty()).find_map(|suffix| named(stem.strip_suffix(suffix)?))
        })
    }

    /// How the label files code classes; those that Sorby wrote say so themselves.
    pub fn coding(&self) -> &LabelCoding {
        &self.coding
    }

    /// Reads one label.
    ///
    /// # Errors
    /// When the file cannot be read, has values that stand for no class, or was drawn for other classes.
    pub fn load_label(&self, item: &Item) -> Result<LabelMap, Problem> {
        read_label(&self.manifest, &self.coding, &item.label)
    }
}

fn size_mismatch(image: (usize, usize), label: (usize, usize), taller: bool) -> String {
    let ((iw, ih), (lw, lh)) = (image, label);
    let advice = if taller {
        format!(
            "if the image's last {} rows are a data bar, set labels.data_bar = \"crop\" in dataset.toml",
            ih - lh
        )
    } else if iw * lh == ih * lw {
        format!(
            "it was resized by {:.3}; export it again at the image's own size, or give the image that it was drawn on",
            lw as f64 / iw as f64
        )
    } else if (lw, lh) == (ih, iw) {
        "it is turned by a quarter or transposed; export it again from this image".into()
    } else {
        "they must have the same size; export the label again from this image".into()
    };
    format!("label is {lw}x{lh} but its image is {iw}x{ih}; {advice}")
}

/// The manifest file of a data set, and the folder its paths start from.
///
/// # Errors
/// When there is no such folder or file, or no manifest in the folder.
pub fn locate(path: &Path) -> Result<(PathBuf, PathBuf), DataError> {
    if files::is_folder(path) {
        let file = path.join(MANIFEST);
        if !files::is_file(&file) {
            let what =
                format!("no {MANIFEST} here; `sorby data init {}` prints a proposal for one", path.display());
            return Err(DataError::one(path, what));
        }
        return Ok((file, path.to_owned()));
    }
    if !files::is_file(path) {
        return Err(DataError::one(path, "no such folder or manifest"));
    }
    let root = path.parent().map(Path::to_owned).unwrap_or_default();
    Ok((path.to_owned(), root))
}

/// Image files of a folder by name.
pub(crate) fn images_in(folder: &Path) -> Result<BTreeMap<String, PathBuf>, Problem> {
    let mut images = BTreeMap::new();
    for path in files::entries(folder).map_err(|e| Problem::new(folder, e))? {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with('.') || !files::is_file(&path) || !sorby_image::is_image(&path) {
            continue;
        }
        if let Some(other) = images.insert(name.clone(), path.clone()) {
            // Of a label that got another ending one counts, also where a kill has left both.
            if supersedes(&path, &other) {
                continue;
            }
            if supersedes(&other, &path) {
                images.insert(name, other);
                continue;
            }
            return Err(Problem::new(path, format!("has the same name `{name}` as {}", other.display())));
        }
    }
    Ok(images)
}

type Splits = BTreeMap<String, Vec<String>>;

fn pair_up(manifest: &Manifest, root: &Path) -> (Vec<Item>, Splits, BTreeSet<String>, Vec<Problem>) {
    let (mut items, mut splits, mut problems) = (BTreeMap::<String, Item>::new(), Splits::new(), Vec::new());
    let mut unlabelled = BTreeSet::new();
    for folder in &manifest.folders {
        let (image_folder, label_folder) = (root.join(&folder.images), root.join(&folder.labels));
        let (images, labels) = match (images_in(&image_folder), images_in(&label_folder)) {
            (Ok(images), Ok(labels)) => (images, labels),
            (images, labels) => {
                problems.extend([images.err(), labels.err()].into_iter().flatten());
                continue;
            }
        };
        let mut unused: BTreeSet<&String> = labels.keys().collect();
        for (name, image) in &images {
            let label_name = format!("{name}{}", folder.label_suffix);
            let Some(label) = labels.get(&label_name) else {
                if manifest.labels.missing == Missing::Skip {
                    unlabelled.insert(name.clone());
                    continue;
                }
                let what = format!("has no label `{label_name}` in {}", label_folder.display());
                problems.push(Problem::new(image, what));
                continue;
            };
            unused.remove(&label_name);
            let stated_scale = manifest.scale_of(name);
            let item = Item { name: name.clone(), image: image.clone(), label: label.clone(), stated_scale };
            if let Some(other) = items.insert(name.clone(), item) {
                problems.push(Problem::new(image, format!("has the same name as {}", other.image.display())));
            }
            if let Some(split) = &folder.split {
                splits.entry(split.clone()).or_default().push(name.clone());
            }
        }
        let orphans =
            unused.into_iter().map(|name| Problem::new(&labels[name], "is a label without an image"));
        problems.extend(orphans);
    }
    let scales = manifest.scale.images.keys().map(|name| ("scale.images", name));
    let specimens = manifest.specimens.values().flatten().map(|name| ("specimens", name));
    let unknown = |name: &String| !items.contains_key(name) && !unlabelled.contains(name);
    for (table, name) in scales.chain(specimens).filter(|(_, name)| unknown(name)) {
        problems
            .push(Problem::new(MANIFEST, format!("{table} names `{name}`, which is not in the data set")));
    }
    (items.into_values().collect(), splits, unlabelled, problems)
}

/// Adds the manifest's splits and folds to those of folders; names that do not exist are reported.
fn add_splits(
    splits: &mut Splits,
    manifest: &Manifest,
    items: &[Item],
    unlabelled: &BTreeSet<String>,
    mut tell: impl FnMut(String),
) {
    for (split, names) in manifest.splits.iter().chain(&manifest.folds) {
        for name in names {
            if !unlabelled.contains(name) && !items.iter().any(|i| i.name == *name) {
                tell(format!("split `{split}` names `{name}`, which is not in the data set"));
            }
        }
        splits.entry(split.clone()).or_default().extend(names.iter().cloned());
    }
}
