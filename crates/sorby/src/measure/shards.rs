//! Masks measured by several machines: each keeps what it measured, and one joins it to the tables of all.

use super::source::Source;
use super::{MeasureOptions, Measured, Measurement, measure_with};
use crate::error::{Context as _, refuse};
use crate::shard::{self, Shard};
use crate::{MadeBy, Observer, OutFolder, Result, checksum, tables};
use serde::{Deserialize, Serialize};
use sorby_image::ImageError;
use sorby_report::Table;
use std::collections::{BTreeMap, HashMap};
use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

/// A shard that was measured.
pub struct MeasuredShard {
    /// Its folder.
    pub out: PathBuf,
    /// Masks of the shard.
    pub masks: usize,
    /// Masks that are measured, by earlier starts of the same command too.
    pub measured: usize,
    /// Files that could not be measured, and why.
    pub problems: Table,
}

/// A line of `measured.jsonl`.
#[derive(Serialize, Deserialize)]
struct Line {
    mask: String,
    /// Hash of all files that the measures depend on.
    inputs: String,
    measured: Measured,
}

/// What is read of a line first.
#[derive(Deserialize)]
struct Head {
    mask: String,
    inputs: String,
}

const KEPT: &str = "measured.jsonl";

fn of_shard(made_by: MadeBy, shard: Shard) -> MadeBy {
    made_by.with("shard", shard.to_string())
}

/// Measures one shard of `files` into its folder within `out`. What is measured already, and of the same files, stays.
///
/// # Errors
/// As [`measure`](super::measure()); also when the folder is another command's.
pub fn measure_shard(
    files: &[PathBuf],
    options: &MeasureOptions,
    (out, shard): (&Path, Shard),
    made_by: MadeBy,
    observer: &dyn Observer,
) -> Result<MeasuredShard> {
    let own = shard.files(files);
    let mut done = None;
    measure_with(files, options, observer, |source| {
        OutFolder::share(out, &made_by)?;
        let folder = shard.folder(out);
        let mut held = OutFolder::check(&folder, of_shard(made_by, shard), &[])?;
        held.claim()?;
        // What could not be measured before is tried again.
        tables::write_problems(&folder, &tables::problems())?;
        let (measured, problems) = measure_missing(&own, &folder, source, observer)?;
        tables::write_problems(&folder, &problems)?;
        done = Some(MeasuredShard { out: folder, masks: own.len(), measured, problems });
        Ok((Vec::new(), tables::problems()))
    })?;
    done.context("a shard is measured once")
}

/// Measures the masks that have no line, or one of other files; says how many have one then.
fn measure_missing(
    own: &[PathBuf],
    folder: &Path,
    source: &Source,
    observer: &dyn Observer,
) -> Result<(usize, Table)> {
    let path = folder.join(KEPT);
    let mut kept: HashMap<String, String> = HashMap::new();
    each_line(&path, |line| {
        kept.extend(serde_json::from_str::<Head>(line).ok().map(|head| (head.mask, head.inputs)));
        Ok(())
    })?;
    let file = OpenOptions::new().create(true).append(true).open(&path);
    let mut file = file.map_err(|e| ImageError::io(&path, e))?;
    // A line that a kill cut short ends here.
    let whole = std::fs::read(&path).is_ok_and(|b| b.last().is_none_or(|b| *b == b'\n'));
    if !whole {
        file.write_all(b"\n").map_err(|e| ImageError::io(&path, e))?;
    }
    let (mut measured, mut problems) = (0, tables::problems());
    for mask in own {
        let (name, inputs) = (mask.display().to_string(), inputs_of(source, mask));
        if kept.get(&name) == Some(&inputs) {
            measured += 1;
            continue;
        }
        match source.measure(mask) {
            Ok(of_mask) => {
                let line = Line { mask: name, inputs, measured: of_mask };
                let text = serde_json::to_string(&line)? + "\n";
                file.write_all(text.as_bytes()).map_err(|e| ImageError::io(&path, e))?;
                measured += 1;
            }
            Err(error) => tables::problem(&mut problems, mask, &error, observer),
        }
    }
    file.sync_data().map_err(|e| ImageError::io(&path, e))?;
    Ok((measured, problems))
}

fn inputs_of(source: &Source, mask: &Path) -> String {
    let hash = |file: PathBuf| checksum::sha256(&file).unwrap_or_default();
    checksum::sha256_of(source.files_of(mask).into_iter().map(hash).collect::<Vec<_>>().join(" ").as_bytes())
}

/// The whole lines of a file, if it is there.
fn each_line(path: &Path, mut line: impl FnMut(&str) -> Result<()>) -> Result<()> {
    let Ok(file) = std::fs::File::open(path) else { return Ok(()) };
    let mut file = BufReader::new(file);
    let mut text = String::new();
    while file.read_line(&mut text).map_err(|e| ImageError::io(path, e))? > 0 {
        if text.ends_with('\n') {
            line(&text)?;
        }
        text.clear();
    }
    Ok(())
}

/// The measurement of all `files` from the folders of their shards: the same as of one process.
///
/// # Errors
/// When a shard is missing, is not finished or is another command's; all such shards are named.
pub fn merge_shards(
    files: &[PathBuf],
    options: &MeasureOptions,
    (out, count): (&Path, Option<usize>),
    made_by: &MadeBy,
    observer: &dyn Observer,
) -> Result<Measurement> {
    let count = shard::found(out, count)?;
    let owners = shard::owners(files, count);
    let (mut measured, mut problems, mut missing) = (HashMap::new(), BTreeMap::new(), Vec::new());
    for (index, shard) in Shard::all(count).enumerate() {
        let folder = shard.folder(out);
        let checked = OutFolder::check(&folder, of_shard(made_by.clone(), shard), &[])?;
        problems.extend(tables::read_problems(&folder)?);
        each_line(&folder.join(KEPT), |line| {
            // The last line of a mask counts: it is of the files as they are now.
            measured.extend(serde_json::from_str::<Line>(line).ok().map(|l| (l.mask, l.measured)));
            Ok(())
        })?;
        let own = files.iter().zip(&owners).filter(|(_, owner)| **owner == index);
        let names: Vec<String> = own.map(|(file, _)| file.display().to_string()).collect();
        let done = names.iter().filter(|n| measured.contains_key(*n) || problems.contains_key(*n)).count();
        if !checked.again || done < names.len() {
            missing.push(format!("{shard} ({done} of {} masks are done)", names.len()));
        }
    }
    if !missing.is_empty() {
        refuse!(
            "{}: these shards are not finished: {}; start each again with --shard, which does only what is missing",
            out.display(),
            missing.join(", ")
        );
    }
    measure_with(files, options, observer, |_| {
        let (mut fields, mut table) = (Vec::new(), tables::problems());
        for file in files.iter().map(|f| f.display().to_string()) {
            match (problems.remove(&file), measured.remove(&file)) {
                (Some(what), _) => table.row(vec![file.into(), what.into()]),
                (None, Some(field)) => fields.push(field),
                (None, None) => {}
            }
        }
        Ok((fields, table))
    })
}
