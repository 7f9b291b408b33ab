//! Labels for other programs.

mod coco;
mod nnunet;

use super::copy::{Copy, with_all_splits};
use crate::Result;
use crate::error::{Context as _, refuse};
use serde::Deserialize;
use sorby_data::import::BACKGROUND;
use sorby_data::{DataBar, Dataset, Item};
use sorby_image::{LabelMap, Micrograph, NewFolder, write};
use std::path::Path;

/// Whose labels are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExportFormat {
    /// One JSON file, an annotation for each connected object.
    Coco,
    /// PNG labels of class indices with a dataset.toml.
    Png,
    /// nnU-Net's raw folder.
    NnUnet,
}

impl ExportFormat {
    /// The word that stands for it on the command line and in requests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Coco => "coco",
            Self::Png => "png",
            Self::NnUnet => "nnunet",
        }
    }
}

/// Writes a data set for another program into the new folder `out`; gives what that program's format has no place for.
///
/// # Errors
/// When an image or label cannot be read, a class has a name that means something else there, or the folder holds anything.
pub fn export_labels(data: &Dataset, format: ExportFormat, out: &Path) -> Result<Vec<String>> {
    let of_another_program = |write: fn(&Dataset, &Path) -> Result<()>| -> Result<()> {
        let folder = NewFolder::begin(out)?;
        write(data, folder.path())?;
        Ok(folder.finish()?)
    };
    match format {
        ExportFormat::Png => indexed(data, out)?,
        ExportFormat::Coco => of_another_program(coco::coco)?,
        ExportFormat::NnUnet => of_another_program(nnunet::nnunet)?,
    }
    Ok(left_behind(data, format))
}

/// What the format has no place for, though labels and pictures come through whole.
fn left_behind(data: &Dataset, format: ExportFormat) -> Vec<String> {
    let title = match format {
        ExportFormat::Png => return Vec::new(),
        ExportFormat::Coco => "COCO",
        ExportFormat::NnUnet => "nnU-Net",
    };
    let mut left = Vec::new();
    let first = data.manifest.classes.first().map_or(BACKGROUND, |c| &c.name);
    if first != BACKGROUND {
        left.push(format!(
            "class `{first}`: {title} has no name for what is no object; it comes back as `{BACKGROUND}`"
        ));
    }
    if data.items.iter().any(|item| item.stated_scale.is_some()) {
        left.push(format!("pixel sizes of dataset.toml: {title} has no place for them"));
    }
    if data.split_names().next().is_some() {
        left.push(format!("splits: {title} has no place for them"));
    }
    left
}

/// Refuses class names that stand for something else in the other program: their pixels would come back wrong.
fn require_free_names(data: &Dataset, taken: &[&str]) -> Result<()> {
    match data.manifest.classes.iter().skip(1).find(|c| taken.contains(&c.name.as_str())) {
        Some(class) => refuse!(
            "class `{}` cannot be exported: that name stands for what has no class there; rename it in dataset.toml",
            class.name
        ),
        None => Ok(()),
    }
}

/// Reads the picture, for a copy of a damaged file would look like a good one; and the label, as large as its image: where
/// it lacks the rows of a data bar, they are to be ignored.
fn label(data: &Dataset, item: &Item) -> Result<LabelMap> {
    let mut label = data.load_label(item)?;
    let Micrograph { width, height, .. } = Micrograph::read(&item.image)?;
    if width == label.width && height > label.height && data.manifest.labels.data_bar == DataBar::Crop {
        label.pad_rows(height);
    }
    if (width, height) != (label.width, label.height) {
        refuse!(
            "{}: label is {}x{} but its image is {width}x{height}",
            item.label.display(),
            label.width,
            label.height
        );
    }
    Ok(label)
}

/// A data set of ours, with labels as indices whatever they were.
fn indexed(data: &Dataset, out: &Path) -> Result<()> {
    let mut copy = Copy::begin(out, &data.manifest)?;
    for item in &data.items {
        copy.add(&item.name, &item.image, &label(data, item)?)?;
    }
    copy.finish(with_all_splits(data))
}

/// Copies an image, and gives its file's name.
fn copy_image(item: &Item, folder: &Path) -> Result<String> {
    let ending = item.image.extension().context("an image has no ending")?.to_string_lossy();
    let name = format!("{}.{ending}", item.name);
    write::copy(&item.image, &folder.join(&name))?;
    Ok(name)
}
