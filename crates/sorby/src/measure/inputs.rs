//! The files that the measures of a mask are made of.

use super::source::Source;
use crate::listing;
use sorby_image::write::safe_name;
use std::path::{Path, PathBuf};

impl Source<'_> {
    /// The files that the measures of a mask depend on: its own, and those that say something of it. Where one of them
    /// changes, the mask is measured anew.
    pub fn files_of(&self, file: &Path) -> Vec<PathBuf> {
        let stem = listing::stem(file);
        let item = self.data.and_then(|data| data.item_of(file));
        let names = [Some(stem.clone()), item.map(|i| i.name.clone())];
        let folders = [&self.options.truth, &self.options.images];
        let named = folders.into_iter().flatten().flat_map(|folder| {
            names.iter().flatten().filter_map(|name| listing::find_by_stem(folder, name).ok().flatten())
        });
        let probability = format!("{stem}-{}", safe_name(&self.class_name));
        let sure = self.options.probabilities.as_ref();
        let sure = sure.and_then(|folder| listing::find_by_stem(folder, &probability).ok().flatten());
        let of_data = item.into_iter().flat_map(|i| [i.image.clone(), i.label.clone()]);
        let manifest = self.options.data.as_ref();
        let manifest = manifest.map(|d| if d.is_dir() { d.join("dataset.toml") } else { d.clone() });
        let trust = self.trust.table_of(file);
        let own = std::iter::once(file.to_owned());
        own.chain(named).chain(sure).chain(of_data).chain(manifest).chain(trust).collect()
    }
}
