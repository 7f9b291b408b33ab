//! Entries of zip archives, read in memory one at a time; nothing of them is ever written under its own name.

use super::source_files::bytes;
use crate::problem::Problem;
use std::io::{Cursor, Read as _};
use std::path::Path;

/// Most entries that are read from an archive, and most bytes of one and of all.
const MAX_ENTRIES: usize = 200_000;
const MAX_ENTRY_BYTES: u64 = 1 << 29;
const MAX_TOTAL_BYTES: u64 = 1 << 30;

/// Whether a file is an archive with an entry of one of these endings.
pub(super) fn holds(file: &Path, endings: &[&str]) -> bool {
    let Ok(opened) = std::fs::File::open(file) else { return false };
    let Ok(archive) = zip::ZipArchive::new(std::io::BufReader::new(opened)) else { return false };
    archive.file_names().filter_map(Result::ok).any(|name| wanted(&name, endings))
}

/// Gives each entry of one of these endings with its name to `each`, and says how many there were.
///
/// # Errors
/// When the archive is damaged or asks for more than any should.
pub(super) fn each_entry(
    file: &Path,
    endings: &[&str],
    each: &mut dyn FnMut(&str, &[u8]),
) -> Result<usize, Problem> {
    let damaged =
        |e: &dyn std::fmt::Display| Problem::new(file, format!("is no archive that can be read ({e})"));
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes(file)?)).map_err(|e| damaged(&e))?;
    if archive.len() > MAX_ENTRIES {
        return Err(damaged(&format!("{} entries", archive.len())));
    }
    let (mut total, mut count) = (0, 0);
    for i in 0..archive.len() {
        let entry = archive.by_index(i).map_err(|e| damaged(&e))?;
        let name = entry.name().map_err(|e| damaged(&e))?.into_owned();
        if !wanted(&name, endings) {
            continue;
        }
        let mut content = Vec::new();
        entry.take(MAX_ENTRY_BYTES + 1).read_to_end(&mut content).map_err(|e| damaged(&e))?;
        total += content.len() as u64;
        if content.len() as u64 > MAX_ENTRY_BYTES || total > MAX_TOTAL_BYTES {
            return Err(damaged(&"its parts are larger than any should be"));
        }
        each(&name, &content);
        count += 1;
    }
    Ok(count)
}

/// Of this ending, and not what macOS adds to archives.
fn wanted(name: &str, endings: &[&str]) -> bool {
    let file = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let ending = file.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    endings.contains(&&*ending) && !file.starts_with("._") && !name.starts_with("__MACOSX/")
}
