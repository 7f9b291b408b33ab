//! A new data set folder of images copied and labels written as indices.

use anyhow::Context as _;
use sorby_data::{Folder, LabelKind, Manifest};
use sorby_image::write::{atomically, copy};
use sorby_image::{LabelMap, NewFolder};
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
    pub fn begin(root: &Path, manifest: &Manifest) -> anyhow::Result<Self> {
        Ok(Self { folder: NewFolder::begin(root)?, colours: manifest.colours(), images: 0 })
    }

    /// Copies an image to `images`, with its own ending, and writes its label to `labels`.
    pub fn add(&mut self, name: &str, image: &Path, label: &LabelMap) -> anyhow::Result<()> {
        let ending = image.extension().context("an image has no ending")?.to_string_lossy();
        let root = self.folder.path();
        copy(image, &root.join("images").join(format!("{name}.{ending}")))?;
        label.write_png(&root.join("labels").join(format!("{name}.png")), &self.colours)?;
        self.images += 1;
        Ok(())
    }

    /// Writes `dataset.toml` with the folders and coding of the copy and all else from `manifest`.
    pub fn finish(self, mut manifest: Manifest) -> anyhow::Result<()> {
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
