//! `sorby replay`: a report made again, and compared with what a reader sees.

use super::{compute, page_diff, page_of, places, record};
use crate::args::ReplayArgs;
use crate::commands::inputs;
use anyhow::{Context as _, bail};
use record::Record;
use sorby_image::parent_of;
use sorby_report::render;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

/// Differences shown.
const SHOWN: usize = 10;

pub fn run(args: ReplayArgs) -> anyhow::Result<ExitCode> {
    let html = fs_err::read_to_string(&args.report)?;
    let old = Record::read(&args.report)?;
    let page = args.report.display();
    let Some(processor) = old.processor.clone() else {
        bail!(
            "{page}: was made by a version of Sorby whose pages cannot be compared; make it again: sorby report"
        );
    };
    if old.files.is_empty() {
        bail!(
            "{page}: the list of the files that it was made from is empty; no report of Sorby is like that"
        );
    }
    let places = places::Places::of(&old, &args.report, args.run.as_deref(), args.data.as_deref())?;
    places.check()?;
    let report = old.arguments(&places, args.device)?;
    let device = inputs::device(&report.inference.device)?;
    let computed = compute(&report, &device)?;
    let mut new = Record::of(&report, &computed, parent_of(&args.report))?;
    let same_processor = new.processor.as_ref() == Some(&processor);
    rename(&mut new, &old, &places, &args.report)?;
    let fresh = render(&page_of(&report, &computed, &new)?.0);
    if fresh == html {
        let numbers = old.compare(&new).0;
        println!("{page}: all {numbers} numbers are the same again, and the page to the byte");
        return Ok(ExitCode::SUCCESS);
    }
    let (same, mut lines) = old.compare(&new);
    let numbers_differ = lines.len();
    if !old.asks_the_same(&new) {
        lines.push("what the record says the report was asked for is not what its page was made for".into());
    }
    let found = page_diff::compare(&html, &fresh, !same_processor);
    if lines.is_empty() && !same_processor && found.only_rounding() {
        println!(
            "{page}: made on another kind of processor ({processor}; this is {}): all {same} numbers are the same again \
             within a millionth; of {} that are shown, {} are rounded the other way",
            new.processor.unwrap_or_default(),
            found.numbers,
            found.rounded
        );
        return Ok(ExitCode::SUCCESS);
    }
    lines.extend(found.lines);
    if lines.is_empty() && found.rounded > 0 {
        lines.push(format!("{} numbers differ in their last digit", found.rounded));
    }
    if lines.is_empty() {
        lines.push("the page's bytes are not those that are made again, though no number differs".into());
    }
    lines.iter().take(SHOWN).for_each(|line| println!("{line}"));
    if lines.len() > SHOWN {
        println!("and {} more", lines.len() - SHOWN);
    }
    println!(
        "{page}: is not what is computed again: {numbers_differ} of {} numbers of its record and {} places of the page \
         differ",
        same + numbers_differ,
        lines.len() - numbers_differ
    );
    Ok(ExitCode::from(1))
}

/// Gives the record made anew the names that run, data and files had when the report was made.
///
/// # Errors
/// When the old record lists other files than a report of this run on these images is made from.
fn rename(
    new: &mut Record,
    old: &Record,
    places: &places::Places,
    page: &std::path::Path,
) -> anyhow::Result<()> {
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
        bail!("{}: `{name}` is in its list of files, but no report is made from it", page.display());
    }
    new.files = files;
    (new.run, new.data, new.run_name) = (old.run.clone(), old.data.clone(), old.run_name.clone());
    Ok(())
}
