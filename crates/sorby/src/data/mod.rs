//! Data sets: checked, repaired, from and for other programs.

mod check;
mod classes;
mod copy;
mod doubts;
mod export;
mod import;
mod in_memory;

pub use check::{DataCheck, check_data};
pub use classes::{ClassChanges, LabelPlaces, change_classes};
pub use export::{ExportFormat, export_labels};
pub use import::{ImportOptions, ImportedData, import_labels};
pub use in_memory::{NewData, write_data};

use crate::{Observer, Result};
use sorby_data::{Dataset, Item};
use sorby_image::{OutputKind, require_replaceable};
use sorby_train::Recipe;
use std::path::Path;

/// Refuses a page of a check that would replace a file of another kind.
///
/// # Errors
/// Names the file.
pub fn require_page_free(page: &Path) -> Result<()> {
    Ok(require_replaceable(page, OutputKind::Check)?)
}

/// Says what is wrong or strange in the data, before hours go into it; gives what was found.
pub(crate) fn warn_of_problems(dataset: &Dataset, observer: &dyn Observer) -> sorby_data::Summary {
    const SHOWN: usize = 5;
    let summary = sorby_data::check(dataset);
    for problem in summary.problems.iter().take(SHOWN) {
        observer.warn(problem.to_string());
    }
    let (more, strange) = (summary.problems.len().saturating_sub(SHOWN), summary.remarks.len());
    if more + strange > 0 {
        observer.say(format!(
            "{more} more problems and {strange} things to look at in the data: see `sorby data check`"
        ));
    }
    summary
}

/// The images that a recipe learns from.
pub(crate) fn learnt_from<'a>(data: &'a Dataset, recipe: &Recipe) -> Result<Vec<&'a Item>> {
    let mut items = Vec::new();
    for split in &recipe.data.train {
        items.extend(data.split(split)?);
    }
    Ok(items)
}
