//! A new data set folder of images copied and labels written as indices.

use super::super::out_folder::OutFolder;
use anyhow::Context as _;
use sorby_data::{Folder, LabelKind, Manifest};
use sorby_image::LabelMap;
use sorby_image::write::atomically;
use std::path::{Path, PathBuf};

/// A folder under way; without its `dataset.toml`, which [`Copy::finish`] writes last, it is no data set.
pub struct Copy {
    root: PathBuf,
    colours: Vec<[u8; 3]>,
    pub images: usize,
}

impl Copy {
    /// # Errors
    /// When the folder holds anything: nothing is overwritten.
    pub fn begin(root: &Path, manifest: &Manifest) -> anyhow::Result<Self> {
        OutFolder::require_new(root)?;
        Ok(Self { root: root.to_owned(), colours: manifest.colours(), images: 0 })
    }

    /// Copies an image to `images`, with its own ending, and writes its label to `labels`.
    pub fn add(&mut self, name: &str, image: &Path, label: &LabelMap) -> anyhow::Result<()> {
        let folder = self.root.join("images");
        fs_err::create_dir_all(&folder)?;
        let ending = image.extension().context("an image has no ending")?.to_string_lossy();
        fs_err::copy(image, folder.join(format!("{name}.{ending}")))?;
        label.write_png(&self.root.join("labels").join(format!("{name}.png")), &self.colours)?;
        self.images += 1;
        Ok(())
    }

    /// Writes `dataset.toml` with the folders and coding of the copy and all else from `manifest`.
    pub fn finish(&self, mut manifest: Manifest) -> anyhow::Result<()> {
        manifest.folders = vec![Folder {
            images: "images".into(),
            labels: "labels".into(),
            label_suffix: String::new(),
            split: None,
        }];
        manifest.labels.kind = LabelKind::Index;
        manifest.labels.values.clear();
        Ok(atomically(&self.root.join("dataset.toml"), toml::to_string(&manifest)?.as_bytes())?)
    }
}
