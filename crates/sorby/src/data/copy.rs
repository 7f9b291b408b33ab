//! A new data set folder of images copied and labels written as indices.

use crate::Result;
use crate::error::Context as _;
use sorby_data::{Dataset, Folder, LabelKind, Manifest};
use sorby_image::scale::agreement;
use sorby_image::write::{atomically, copy};
use sorby_image::{LabelMap, NewFolder, Said};
use std::path::Path;

/// A data set under way; it has no name before [`Copy::finish`].
pub struct Copy {
    folder: NewFolder,
    colours: Vec<[u8; 3]>,
    pub images: usize,
}

impl Copy {
    /// # Errors
    /// When the folder holds anything: nothing is overwritten.
    pub fn begin(root: &Path, manifest: &Manifest) -> Result<Self> {
        Ok(Self { folder: NewFolder::begin(root)?, colours: manifest.colours(), images: 0 })
    }

    /// Copies an image to `images`, with its own ending, and writes its label to `labels`.
    pub fn add(&mut self, name: &str, image: &Path, label: &LabelMap) -> Result<()> {
        let ending = image.extension().context("an image has no ending")?.to_string_lossy();
        let root = self.folder.path();
        copy(image, &root.join("images").join(format!("{name}.{ending}")))?;
        label.write_png(&root.join("labels").join(format!("{name}.png")), &self.colours)?;
        self.images += 1;
        Ok(())
    }

    /// Writes `dataset.toml` with the folders and coding of the copy and all else from `manifest`.
    pub fn finish(self, mut manifest: Manifest) -> Result<()> {
        manifest.folders = vec![Folder {
            images: "images".into(),
            labels: "labels".into(),
            label_suffix: String::new(),
            split: None,
        }];
        manifest.labels.kind = LabelKind::Index;
        manifest.labels.values.clear();
        atomically(&self.folder.path().join("dataset.toml"), toml::to_string(&manifest)?.as_bytes())?;
        Ok(self.folder.finish()?)
    }
}

/// The manifest of a copy: with the splits that stand for whole folders, and the pixel sizes that the files next to the
/// images state, for those are not copied.
pub fn with_all_splits(data: &Dataset) -> Manifest {
    let mut manifest = data.manifest.clone();
    for split in data.split_names().filter(|s| !data.manifest.folds.contains_key(*s)) {
        let names = data.split(split).map(|items| items.iter().map(|i| i.name.clone()).collect());
        manifest.splits.insert(split.to_owned(), names.unwrap_or_default());
    }
    for item in data.items.iter().filter(|i| i.stated_scale.is_none()) {
        if let Ok(Some(known)) = agreement::of_file(&item.image, &Said::default()) {
            manifest.scale.images.insert(item.name.clone(), known.nm_per_px);
        }
    }
    manifest
}
