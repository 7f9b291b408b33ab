//! What must hold before a study trains anything.

use super::folder::{DATASET, StudyFolder, manifest_with_folds};
use crate::Result;
use crate::error::refuse;
use sorby_data::{Dataset, Manifest, Sample};
use std::path::Path;

impl StudyFolder {
    /// Refuses what would end with the system killing one of `jobs` trainings at once.
    ///
    /// # Errors
    /// When the trainings would not fit; both numbers are named.
    pub fn require_memory(&self, jobs: usize) -> Result<()> {
        let Some(available) = sorby_train::available_bytes() else { return Ok(()) };
        let mut needed = 0;
        for trick in self.spec.singles() {
            let (_, recipe) = self.spec.recipe_with(&trick)?;
            needed = needed.max(sorby_train::estimated_bytes(&recipe, self.contents.values));
        }
        let (needed_mb, available_mb) = (needed >> 20, available >> 20);
        if needed.saturating_mul(jobs as u64) > available {
            refuse!(
                "{jobs} trainings at once need about {jobs} x {needed_mb} MB of memory and {available_mb} MB are free; \
                 take fewer --jobs or a smaller data.batch or data.crop"
            );
        }
        Ok(())
    }
}

/// A folder that holds the study of other data is not taken over. Data that moved are the same.
pub fn require_same_data(root: &Path, manifest: &Manifest, data_path: &Path) -> Result<()> {
    let Ok(before) = Manifest::read(&root.join(DATASET)) else { return Ok(()) };
    let real = |folder: &str| std::fs::canonicalize(folder).ok();
    let now = manifest_with_folds(manifest, data_path, &[])?;
    let now: Vec<_> = now.folders.iter().filter_map(|f| real(&f.images)).collect();
    let mut then = before.folders.iter().filter_map(|f| real(&f.images));
    match then.find(|folder| !now.contains(folder)) {
        Some(other) => {
            refuse!("{}: holds a study of {}; give this one another --out", root.display(), other.display())
        }
        None => Ok(()),
    }
}

/// Every class must be learnable without any one fold.
pub fn require_classes(data: &Dataset, samples: &[Sample], folds: &[Vec<String>]) -> Result<()> {
    for (c, class) in data.manifest.classes.iter().enumerate() {
        let with: Vec<&String> =
            samples.iter().filter(|s| s.label.histogram()[c] > 0).map(|s| &s.name).collect();
        for (f, fold) in folds.iter().enumerate() {
            let elsewhere = folds.iter().enumerate().filter(|(g, _)| *g != f).flat_map(|(_, names)| names);
            if !elsewhere.into_iter().any(|name| with.contains(&name)) {
                refuse!(
                    "class `{}` is only in images of fold {} ({}), so that nothing is left to learn it from; use more \
                     folds, label it in other images, or give up [specimens]",
                    class.name,
                    f + 1,
                    fold.join(", ")
                );
            }
        }
    }
    Ok(())
}
