//! The shards of a lot of images as one folder of masks: the same files as of one process.

use super::finish::finish;
use super::journal::Journal;
use super::{SegmentedFolder, of_shard};
use crate::error::refuse;
use crate::shard::{self, Shard};
use crate::{MadeBy, OutFolder, Result, listing, tables};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Folders of one file or more for each image.
const FOLDERS: [&str; 5] = ["confidence", "probabilities", "overlays", "masks-tiff", "masks"];

/// Joins the shards into `out`; their files stay where they are, and have two names on disks that can do that.
pub fn merge(
    files: &[PathBuf],
    (out, count): (&Path, Option<usize>),
    made_by: MadeBy,
    classes: &[String],
) -> Result<SegmentedFolder> {
    let count = shard::found(out, count)?;
    let owners = shard::owners(files, count);
    let (mut lines, mut problems, mut missing) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    // Held until all is joined, so that nobody writes there meanwhile.
    let mut held = Vec::new();
    for (index, shard) in Shard::all(count).enumerate() {
        let folder = shard.folder(out);
        let checked = OutFolder::check(&folder, of_shard(made_by.clone(), shard), &[])?;
        let (journal, failed) = (Journal::read(&folder), tables::read_problems(&folder)?);
        problems.extend(failed);
        let own = files.iter().zip(&owners).filter(|(_, owner)| **owner == index).map(|(file, _)| file);
        let finished = |file: &&PathBuf| {
            let name = listing::stem(file);
            let masked =
                journal.lines.contains_key(&name) && folder.join(format!("masks/{name}.png")).is_file();
            masked || problems.contains_key(&file.display().to_string())
        };
        let (all, done) = (own.clone().count(), own.filter(finished).count());
        if !checked.again || done < all {
            missing.push(format!("{shard} ({done} of {all} images are done)"));
        }
        lines.extend(journal.lines);
        held.push((folder, checked));
    }
    if !missing.is_empty() {
        refuse!(
            "{}: these shards are not finished: {}; start each again with --shard, which does only what is missing",
            out.display(),
            missing.join(", ")
        );
    }
    let mut root = OutFolder::check(out, made_by, &[])?;
    root.claim()?;
    held.iter().try_for_each(|(folder, _)| join_files(folder, out))?;
    let mut table = tables::problems();
    for file in files.iter().map(|f| f.display().to_string()) {
        if let Some(what) = problems.remove(&file) {
            table.row(vec![file.into(), what.into()]);
        }
    }
    finish((out, files), &Journal::of(out, lines), table, classes)
}

/// Gives every file of a shard its name in the folder of all.
fn join_files(shard: &Path, out: &Path) -> Result<()> {
    for name in FOLDERS {
        let from = shard.join(name);
        if !from.is_dir() {
            continue;
        }
        fs_err::create_dir_all(out.join(name))?;
        for entry in fs_err::read_dir(&from)? {
            let entry = entry?;
            // What a killed process was writing.
            if !entry.file_name().to_string_lossy().starts_with('.') {
                shared_or_copied(&entry.path(), &out.join(name).join(entry.file_name()))?;
            }
        }
    }
    Ok(())
}

fn shared_or_copied(from: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        fs_err::remove_file(to)?;
    }
    if std::fs::hard_link(from, to).is_err() {
        let bytes = fs_err::read(from)?;
        sorby_image::write::atomically(to, &bytes)?;
    }
    Ok(())
}
