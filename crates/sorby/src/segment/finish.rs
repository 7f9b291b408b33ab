//! What is said of all images once their masks are there.

use super::SegmentedFolder;
use super::journal::{Journal, Line};
use crate::trust_table::{TRUST_FILE, TrustRow};
use crate::{Result, listing, tables};
use sorby_image::write::atomically;
use sorby_report::Table;
use std::path::{Path, PathBuf};

/// Writes what is said of all images, and says how many have a mask.
pub fn finish(
    (out, files): (&Path, &[PathBuf]),
    journal: &Journal,
    problems: Table,
    classes: &[String],
) -> Result<SegmentedFolder> {
    journal.write()?;
    tables::write_problems(out, &problems)?;
    write_trust(out, journal)?;
    let own: Vec<&Line> = files.iter().filter_map(|f| journal.lines.get(&listing::stem(f))).collect();
    Ok(SegmentedFolder {
        out: out.to_owned(),
        segmented: own.len(),
        images: files.len(),
        problems,
        nothing_found: nothing_found(&own, classes),
        all_have_scale: own.iter().all(|l| l.has_scale),
        stopped: false,
    })
}

/// The table over all images that have a mask, those of earlier starts too.
fn write_trust(out: &Path, journal: &Journal) -> Result<()> {
    if !journal.lines.is_empty() {
        let mut table = TrustRow::table(&[]).to_csv();
        for row in journal.lines.values().flat_map(|l| &l.trust) {
            table += row;
            table.push('\n');
        }
        atomically(&out.join(TRUST_FILE), table.as_bytes())?;
    }
    Ok(())
}

/// A line for each class that the model found in none of some images; whether it is there, nobody knows yet.
fn nothing_found(done: &[&Line], classes: &[String]) -> Vec<String> {
    let line = |(class, name): (usize, &String)| {
        let without = done.iter().filter(|l| l.found_px.get(class) == Some(&0)).count();
        let all = done.len();
        (without > 0).then(|| format!("the model found no {name} in {without} of {all} images"))
    };
    classes.iter().enumerate().skip(1).filter_map(line).collect()
}
