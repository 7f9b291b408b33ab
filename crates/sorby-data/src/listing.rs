//! Which images a data set has, with their labels: images without one are part of the list.

use crate::manifest::{DataBar, Manifest};
use crate::problem::DataError;
use sorby_image::{ImageError, KnownScale, Said, ScaleClaim, files, is_image, supersedes};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::path::{Path, PathBuf};

/// An image of a data set, labelled or not yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// File name without ending; unique in the data set.
    pub name: String,
    /// Path of the image file.
    pub image: PathBuf,
    /// The label file there is; `None` for an image without a label.
    pub label: Option<PathBuf>,
    /// Where a label drawn for it goes.
    pub label_to_be: PathBuf,
    /// What `dataset.toml` says of its pixel size; the image's file may say more.
    pub stated_scale: Option<ScaleClaim>,
    /// The split of its folder, or the first that names it.
    pub split: Option<String>,
}

impl Entry {
    /// What is said of the image's scale outside its file.
    pub fn said(&self, manifest: &Manifest) -> Said {
        Said { no_data_bar: manifest.labels.data_bar == DataBar::None, ..Said::of(self.stated_scale.clone()) }
    }

    /// The image's pixel size, without its pixels: what a drawn bar shows is not asked.
    ///
    /// # Errors
    /// When statements contradict each other, or the file cannot be read.
    pub fn scale(&self, manifest: &Manifest) -> Result<Option<KnownScale>, ImageError> {
        sorby_image::scale::agreement::of_file(&self.image, &self.said(manifest))
    }
}

/// The manifest of a data set and all its images, labelled or not.
///
/// # Errors
/// When there is no manifest that can be read.
pub fn entries_of(path: &Path) -> Result<(Manifest, Vec<Entry>), DataError> {
    let (file, root) = crate::dataset::locate(path)?;
    let manifest = Manifest::read(&file)?;
    let list = entries(&manifest, &root);
    Ok((manifest, list))
}

/// All images of a data set in order of name. Folders that cannot be listed are passed over; of images with the same
/// name the first is taken: `Dataset::examine` reports both.
pub fn entries(manifest: &Manifest, root: &Path) -> Vec<Entry> {
    let mut found = BTreeMap::new();
    for folder in &manifest.folders {
        let labels_folder = root.join(&folder.labels);
        let images = first_of_each_name(&root.join(&folder.images));
        let labels = first_of_each_name(&labels_folder);
        for (name, image) in images {
            let label_name = format!("{name}{}", folder.label_suffix);
            let named =
                manifest.splits.iter().find(|(_, names)| names.contains(&name)).map(|(s, _)| s.clone());
            let entry = Entry {
                label: labels.get(&label_name).cloned(),
                label_to_be: labels_folder.join(format!("{label_name}.png")),
                stated_scale: manifest.scale_of(&name),
                split: folder.split.clone().or(named),
                name: name.clone(),
                image,
            };
            found.entry(name).or_insert(entry);
        }
    }
    found.into_values().collect()
}

/// Image files of a folder by name; of two with the same name the first, in order of their endings.
fn first_of_each_name(folder: &Path) -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::<String, PathBuf>::new();
    for path in image_files(folder) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        match found.entry(name) {
            Slot::Vacant(slot) => _ = slot.insert(path),
            Slot::Occupied(mut slot) if supersedes(&path, slot.get()) => _ = slot.insert(path),
            Slot::Occupied(_) => {}
        }
    }
    found
}

/// Image files of a folder in order of their names, hidden ones left out. A link that leads out of a confined folder is
/// one of them: whoever wants to read it gets the reason.
pub(crate) fn image_files(folder: &Path) -> Vec<PathBuf> {
    let mut paths = files::entries(folder).unwrap_or_default();
    let hidden = |p: &Path| p.file_name().unwrap_or_default().to_string_lossy().starts_with('.');
    paths.retain(|p| is_image(p) && !hidden(p) && (files::is_file(p) || files::leads_out(p)));
    paths.sort();
    paths
}
