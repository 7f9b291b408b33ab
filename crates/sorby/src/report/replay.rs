//! A report made again, and compared with what a reader sees.

use super::record::Record;
use super::{compute, page_diff, page_of, places};
use crate::error::{Context as _, refuse};
use crate::{DeviceOptions, Observer, Result};
use sorby_image::parent_of;
use sorby_report::render;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where the files of a report are now, and where to compute.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replay {
    /// The run, if it was moved or renamed.
    pub run: Option<PathBuf>,
    /// The data set, if it was moved or renamed.
    pub data: Option<PathBuf>,
    /// Where to compute.
    pub device: DeviceOptions,
}

/// What came of making a report again.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// The page is the same to the byte, and so many numbers of its record.
    Same {
        /// Numbers compared.
        numbers: usize,
    },
    /// Made on another kind of processor, whose sums are rounded differently.
    SameButRounding {
        /// Processor of the report.
        then: String,
        /// Processor now.
        now: String,
        /// Numbers of the record that are the same within a millionth: all.
        numbers: usize,
        /// Numbers that the page shows.
        shown: usize,
        /// Of those, the ones that are rounded the other way.
        rounded: usize,
    },
    /// The page is not what is computed again.
    Different {
        /// Numbers of the record that are the same.
        same: usize,
        /// Numbers of the record that differ.
        numbers: usize,
        /// A line for each difference, those of the numbers first.
        lines: Vec<String>,
    },
}

/// Computes a report again from the files that its record names.
///
/// # Errors
/// When the page is no report, or a file that it was made from is gone or has changed.
pub fn replay(page: &Path, at: &Replay, observer: &dyn Observer) -> Result<Verdict> {
    let html = fs_err::read_to_string(page)?;
    let old = Record::read(page)?;
    let shown = page.display();
    let Some(processor) = old.processor.clone() else {
        refuse!(
            "{shown}: was made by a version of Sorby whose pages cannot be compared; make it again: sorby report"
        );
    };
    if old.files.is_empty() {
        refuse!(
            "{shown}: the list of the files that it was made from is empty; no report of Sorby is like that"
        );
    }
    let places = places::Places::of(&old, page, at.run.as_deref(), at.data.as_deref())?;
    places.check()?;
    let options = old.options(&places, at.device.clone(), observer);
    let device = options.inference.device.open()?;
    let computed = compute(&options, &device, observer)?;
    let mut new = Record::of(&options, &computed, parent_of(page))?;
    rename(&mut new, &old, &places, page)?;
    let fresh = render(&page_of(&options, &computed, &new)?.0);
    if fresh == html {
        return Ok(Verdict::Same { numbers: old.compare(&new).0 });
    }
    Ok(judge((&old, &html), (&new, &fresh), processor))
}

/// In what a page and its record differ from those made again.
fn judge((old, html): (&Record, &str), (new, fresh): (&Record, &str), then: String) -> Verdict {
    let now = new.processor.clone().unwrap_or_default();
    let (same, mut lines) = old.compare(new);
    let numbers = lines.len();
    if !old.asks_the_same(new) {
        lines.push("what the record says the report was asked for is not what its page was made for".into());
    }
    let found = page_diff::compare(html, fresh, now != then);
    if lines.is_empty() && now != then && found.only_rounding() {
        let (shown, rounded) = (found.numbers, found.rounded);
        return Verdict::SameButRounding { then, now, numbers: same, shown, rounded };
    }
    lines.extend(found.lines);
    if lines.is_empty() && found.rounded > 0 {
        lines.push(format!("{} numbers differ in their last digit", found.rounded));
    }
    if lines.is_empty() {
        lines.push("the page's bytes are not those that are made again, though no number differs".into());
    }
    Verdict::Different { same, numbers, lines }
}

/// Gives the record made anew the names that run, data and files had when the report was made.
///
/// # Errors
/// When the old record lists other files than a report of this run on these images is made from.
fn rename(new: &mut Record, old: &Record, places: &places::Places, page: &Path) -> Result<()> {
    let folder = parent_of(page);
    let real = |path: PathBuf| fs_err::canonicalize(path);
    let mut names: BTreeMap<PathBuf, &String> = BTreeMap::new();
    for (name, (place, _)) in old.files.keys().zip(&places.files) {
        names.insert(real(place.clone())?, name);
    }
    let mut files = BTreeMap::new();
    for (seen, hash) in &new.files {
        let name = names.remove(&real(folder.join(seen))?).with_context(|| {
            format!("{}: `{seen}` is missing in its list of the files that it was made from", page.display())
        })?;
        files.insert(name.clone(), hash.clone());
    }
    if let Some(name) = names.values().next() {
        refuse!("{}: `{name}` is in its list of files, but no report is made from it", page.display());
    }
    new.files = files;
    (new.run, new.data, new.run_name) = (old.run.clone(), old.data.clone(), old.run_name.clone());
    Ok(())
}
