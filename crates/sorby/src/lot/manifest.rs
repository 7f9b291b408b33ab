//! What belongs to a lot, by hash: `manifest.json` for everything that the report is made from, and `seal.json` for the
//! manifest and the report, which names the manifest's hash itself.

use crate::error::{Context as _, refuse};
use crate::{Result, checksum};
use serde::{Deserialize, Serialize};
use sorby_image::write::atomically;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub const MANIFEST: &str = "manifest.json";
pub const SEAL: &str = "seal.json";
/// Of folders that a process writes into: without content, and with a few lines on the process.
const LOCKS: [(&str, u64); 2] = [(".lock", 0), (".lock-holder.txt", 1000)];

/// A file outside of the lot that it was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputFile {
    /// `image`, `model`, `job`, `calibration`.
    pub what: String,
    /// Where it is, as seen from the lot.
    pub file: String,
    pub sha256: String,
}

/// What several machines left of their work, which says nothing of the lot.
const WORK: [&str; 2] = ["submit", "segmentation/shards"];

/// Files of a lot with their SHA-256, by their places in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub schema: String,
    pub schema_version: u32,
    pub files: BTreeMap<String, String>,
    #[serde(default)]
    pub inputs: Vec<InputFile>,
}

/// Whether a folder holds a finished lot.
pub fn is_finished(lot: &Path) -> bool {
    lot.join(SEAL).is_file()
}

/// Every file of a folder by its place in it, with `/`; links are not followed.
pub fn files_of(root: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![(String::new(), root.to_owned())];
    while let Some((above, folder)) = folders.pop() {
        for entry in fs_err::read_dir(&folder)? {
            let entry = entry?;
            let name = format!("{above}{}", entry.file_name().to_string_lossy());
            let kind = entry.file_type()?;
            if kind.is_dir() && WORK.contains(&name.as_str()) {
                continue;
            }
            if kind.is_dir() {
                folders.push((format!("{name}/"), entry.path()));
                continue;
            }
            let bytes = entry.metadata()?.len();
            if !LOCKS.iter().any(|(lock, most)| entry.file_name() == *lock && bytes <= *most) {
                found.insert(name, entry.path());
            }
        }
    }
    Ok(found)
}

impl Manifest {
    /// Of all files that are in the lot now, but for the report.
    pub fn of(lot: &Path, inputs: Vec<InputFile>) -> Result<Self> {
        let mut files = BTreeMap::new();
        for (name, path) in files_of(lot)?.into_iter().filter(|(name, _)| !is_report(name)) {
            files.insert(name, checksum::sha256(&path)?);
        }
        Ok(Self { schema: "sorby-lot-manifest".into(), schema_version: 1, files, inputs })
    }

    /// Of the manifest and the report.
    pub fn seal(lot: &Path) -> Result<Self> {
        let mut files = BTreeMap::new();
        for (name, path) in
            files_of(lot)?.into_iter().filter(|(n, _)| n == MANIFEST || (is_report(n) && n != SEAL))
        {
            files.insert(name, checksum::sha256(&path)?);
        }
        Ok(Self { schema: "sorby-lot-seal".into(), schema_version: 1, files, inputs: Vec::new() })
    }

    /// Writes it; gives its own SHA-256.
    pub fn write(&self, path: &Path) -> Result<String> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        atomically(path, text.as_bytes())?;
        Ok(checksum::sha256_of(text.as_bytes()))
    }

    pub fn read(path: &Path) -> Result<Self> {
        let text = fs_err::read(path)?;
        let read: Self =
            serde_json::from_slice(&text).with_context(|| format!("{}: cannot be read", path.display()))?;
        if read.schema_version != 1 {
            refuse!("{}: has schema version {}; this program reads 1", path.display(), read.schema_version);
        }
        Ok(read)
    }
}

/// Removes what an interrupted start left of a report: it would be taken for this one's.
pub fn remove_reports(lot: &Path) -> Result<()> {
    for (name, path) in files_of(lot)? {
        if is_report(&name) {
            fs_err::remove_file(&path)?;
        }
    }
    Ok(())
}

/// What the manifest does not hold, for it comes after it.
pub fn is_report(name: &str) -> bool {
    name == MANIFEST
        || name == SEAL
        || (name.starts_with("report") && (name.ends_with(".html") || name.ends_with(".pdf")))
}
