//! `dataset.toml`: what the folders of a data set mean.

use crate::toml_words::one_line;
use crate::{Colour, DataError, default_colour};
use serde::{Deserialize, Serialize};
use sorby_image::ScaleClaim;
use sorby_image::scale::CREDIBLE_NM;
use sorby_image::write::safe_name;
use std::collections::BTreeMap;
use std::path::Path;

/// The contents of a `dataset.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Classes in index order; the first is the background or matrix.
    pub classes: Vec<Class>,
    /// Pairs of image and label folders. Default: `images` and `labels`.
    #[serde(default = "default_folders")]
    pub folders: Vec<Folder>,
    /// How label files are read.
    #[serde(default)]
    pub labels: Labels,
    /// Pixel sizes that the user states.
    #[serde(default)]
    pub scale: Scale,
    /// Named lists of image names (without ending).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub splits: BTreeMap<String, Vec<String>>,
    /// Named lists for cross-validation; usable wherever a split is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub folds: BTreeMap<String, Vec<String>>,
    /// Images by the piece of steel they show; a study never parts them between folds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub specimens: BTreeMap<String, Vec<String>>,
}

/// A class of pixels, such as a phase of the steel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// Name in reports and masks; no two classes share one.
    pub name: String,
    /// Colour in pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<Colour>,
    /// Colour that stands for the class in painted labels (`labels.kind = "painted"`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_color: Option<Colour>,
    /// Names that labels drawn before a change of the classes have for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub was: Vec<String>,
}

impl Class {
    /// A class of this name and all else by default.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), color: None, label_color: None, was: Vec::new() }
    }
}

/// A folder of images and the folder of their labels, relative to `dataset.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Folder {
    /// Folder of the images.
    pub images: String,
    /// Folder of the label files.
    pub labels: String,
    /// What label names have after the image's name: `_mask` for `a.tif` and `a_mask.tif`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub label_suffix: String,
    /// Puts every image of this folder into a split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
}

pub(crate) fn default_folders() -> Vec<Folder> {
    vec![Folder {
        images: "images".into(),
        labels: "labels".into(),
        label_suffix: String::new(),
        split: None,
    }]
}

/// The `[labels]` table: how label files are read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Labels {
    /// How stored values stand for classes.
    pub kind: LabelKind,
    /// The stored value of each class, first class first, where `kind` does not say it; 255 is ignored unless listed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<u32>,
    /// What to do when an image has more rows than its label.
    pub data_bar: DataBar,
    /// What an image without a label means.
    pub missing: Missing,
}

/// How label values stand for classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LabelKind {
    /// What all label files agree with: indices, greys, indices from 1, black and white with soft edges; refused when
    /// none fits or two do.
    #[default]
    Auto,
    /// 0..k-1, and 255 for pixels to ignore.
    Index,
    /// Evenly spaced grey levels 0..255: 0/255 for two classes, 0/85/170/255 for four.
    Grey,
    /// Pixels of exactly a class's `label_color` belong to it, all others to the first class.
    Painted,
}

/// What an image without a label means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Missing {
    /// A mistake.
    #[default]
    Refuse,
    /// Work to come: the image is left out until it has one.
    Skip,
}

/// What to do when an image has more rows than its label.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DataBar {
    /// Report it as a problem.
    #[default]
    Refuse,
    /// Cut the image's extra rows, a data bar, off its bottom.
    Crop,
    /// Labels are as large as images, and no rows are taken for a data bar, whatever they look like.
    None,
}

/// The `[scale]` table: pixel sizes in nanometres.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scale {
    /// Nanometres per pixel of every image without an entry of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nm_per_px: Option<f64>,
    /// Nanometres per pixel by image name (without ending).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub images: BTreeMap<String, f64>,
}

/// What is wrong with the text of a `dataset.toml`, in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestError(String);

impl ManifestError {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

impl std::fmt::Display for ManifestError {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ManifestError {}

impl Manifest {
    /// What the manifest says of the pixel size of an image.
    pub(crate) fn scale_of(&self, name: &str) -> Option<ScaleClaim> {
        match self.scale.images.get(name) {
            Some(nm) => Some(ScaleClaim::new(*nm, "dataset.toml, [scale.images]")),
            None => self.scale.nm_per_px.map(|nm| ScaleClaim::new(nm, "dataset.toml, [scale] nm_per_px")),
        }
    }

    /// A manifest with these classes and all else by default.
    pub fn of_classes(classes: Vec<Class>) -> Self {
        Self {
            classes,
            folders: default_folders(),
            labels: Labels::default(),
            scale: Scale::default(),
            splits: BTreeMap::new(),
            folds: BTreeMap::new(),
            specimens: BTreeMap::new(),
        }
    }

    /// Reads and validates a `dataset.toml`.
    ///
    /// # Errors
    /// When the file cannot be read, or as [`Manifest::parse`], with the path.
    pub fn read(path: &Path) -> Result<Self, DataError> {
        let text = sorby_image::files::read_to_string(path).map_err(|e| DataError::one(path, e))?;
        Self::parse(&text).map_err(|what| DataError::one(path, what))
    }

    /// Validates the text of a `dataset.toml`.
    ///
    /// # Errors
    /// When it is no TOML, has unknown or missing entries, or entries contradict each other.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let manifest: Self = toml::from_str(text).map_err(|e| ManifestError(one_line(&e.to_string())))?;
        manifest.validate().map_err(ManifestError)?;
        Ok(manifest)
    }

    fn validate(&self) -> Result<(), String> {
        if !(2..=255).contains(&self.classes.len()) {
            return Err(format!("needs 2 to 255 [[classes]], has {}", self.classes.len()));
        }
        for (i, class) in self.classes.iter().enumerate() {
            if self.classes[..i].iter().any(|c| c.name == class.name) {
                return Err(format!("class name `{}` is used twice", class.name));
            }
            // Files of results have a class's name in theirs, on systems too that know no capital letters.
            let in_files = |name: &str| safe_name(name).to_lowercase();
            if let Some(other) = self.classes[..i].iter().find(|c| in_files(&c.name) == in_files(&class.name))
            {
                return Err(format!(
                    "results of the classes `{}` and `{}` would have the same file names: give one of them a name that \
                     differs in letters or digits",
                    other.name, class.name
                ));
            }
        }
        let mut earlier: Vec<&String> = self.classes.iter().flat_map(|c| &c.was).collect();
        earlier.extend(self.classes.iter().map(|c| &c.name));
        earlier.sort();
        if let Some(twice) = earlier.windows(2).find(|w| w[0] == w[1]) {
            return Err(format!("`{}` is or was the name of two classes; choose another name", twice[0]));
        }
        if let Some(bad) = self.folders.iter().find(|f| f.label_suffix.contains(['/', '\\', '\0'])) {
            let suffix = &bad.label_suffix;
            return Err(format!("label_suffix `{suffix}` must be part of a file's name, without folders"));
        }
        let scales = self.scale.nm_per_px.iter().chain(self.scale.images.values());
        if let Some(bad) = scales.copied().find(|s| !CREDIBLE_NM.contains(s)) {
            let (low, high) = (CREDIBLE_NM.start(), CREDIBLE_NM.end());
            return Err(format!("nm_per_px must be a number of nanometres from {low} to {high}, not {bad}"));
        }
        if self.labels.kind == LabelKind::Painted
            && self.classes.iter().skip(1).any(|c| c.label_color.is_none())
        {
            return Err("labels.kind = \"painted\" needs a label_color for every class but the first".into());
        }
        let values = &self.labels.values;
        if !values.is_empty() && values.len() != self.classes.len() {
            return Err(format!(
                "labels.values has {} values for {} classes",
                values.len(),
                self.classes.len()
            ));
        }
        if let Some(twice) = repeated_value(values) {
            return Err(format!("labels.values names {twice} twice"));
        }
        if !values.is_empty() && self.labels.kind != LabelKind::Auto {
            return Err("labels.values says what the values are; leave labels.kind out".into());
        }
        for (i, (specimen, names)) in self.specimens.iter().enumerate() {
            let others = self.specimens.iter().take(i);
            for name in names {
                if let Some((other, _)) = others.clone().find(|(_, others)| others.contains(name)) {
                    return Err(format!("`{name}` is listed under the specimens `{other}` and `{specimen}`"));
                }
            }
        }
        if let Some(name) = self.splits.keys().find(|name| self.folds.contains_key(*name)) {
            return Err(format!("`{name}` is both a split and a fold; rename one"));
        }
        Ok(())
    }

    /// Colours of all classes in index order (red, green, blue), default ones where none are given.
    pub fn colours(&self) -> Vec<[u8; 3]> {
        self.classes.iter().enumerate().map(|(i, c)| c.color.unwrap_or(default_colour(i)).0).collect()
    }

    /// The class that has or had this name.
    pub fn class_of(&self, name: &str) -> Option<u8> {
        let index = self.classes.iter().position(|c| c.name == name || c.was.iter().any(|w| w == name));
        index.and_then(|i| u8::try_from(i).ok())
    }

    /// Names of all classes, in index order.
    pub fn class_names(&self) -> Vec<String> {
        self.classes.iter().map(|c| c.name.clone()).collect()
    }
}

/// A stored value that would stand for two classes.
pub fn repeated_value(values: &[u32]) -> Option<u32> {
    values.iter().enumerate().find(|(i, v)| values[..*i].contains(v)).map(|(_, v)| *v)
}
