//! Paths in a report are as seen from the report, so that a folder that is moved as a whole can be computed again.

use super::record::Record;
use crate::Result;
use crate::error::{Context as _, refuse};
use sorby_image::parent_of;
use std::path::{Component, Path, PathBuf};

/// A path as seen from a folder, with `/` between its parts; absolute where there is no way (another drive).
pub fn seen_from(folder: &Path, path: &Path) -> Result<String> {
    let (folder, path) = (fs_err::canonicalize(folder)?, fs_err::canonicalize(path)?);
    let Some(way) = pathdiff::diff_paths(&path, &folder) else { return Ok(path.display().to_string()) };
    let parts = way.components().map(|c| match c {
        Component::ParentDir => "..".into(),
        other => other.as_os_str().to_string_lossy(),
    });
    let shown = parts.collect::<Vec<_>>().join("/");
    Ok(if shown.is_empty() { ".".into() } else { shown })
}

/// Where the files of a record are now.
pub struct Places {
    pub run: PathBuf,
    pub data: PathBuf,
    /// Each file, and its hash when the report was made.
    pub files: Vec<(PathBuf, String)>,
}

impl Places {
    /// As seen from the page, unless the user says where run or data are now.
    ///
    /// # Errors
    /// When the run or the data set is not there, with what to do.
    pub fn of(record: &Record, page: &Path, run: Option<&Path>, data: Option<&Path>) -> Result<Self> {
        let folder = parent_of(page);
        let now = |then: &str, given: Option<&Path>, what: &str, option: &str| {
            let place = given.map_or_else(|| folder.join(then), Path::to_owned);
            if !place.exists() {
                refuse!(
                    "{}: {what} `{}` is not there; if it was moved or renamed, say where it is now: {option} PLACE",
                    page.display(),
                    place.display()
                );
            }
            Ok(place)
        };
        let run_now = now(&record.run, run, "its run", "--run")?;
        let data_now = now(&record.data, data, "its data set", "--data")?;
        // The data first: its folder may lie in the run's.
        let moves = [(root_then(record), data.map(root)), (Path::new(&record.run), run.map(root))];
        let place = |file: &String| {
            let file = Path::new(file);
            let moved = moves.iter().find_map(|(then, now)| {
                let rest = match then.to_str() {
                    Some(".") => Some(file).filter(|f| f.is_relative() && !f.starts_with("..")),
                    _ => file.strip_prefix(then).ok(),
                }?;
                let now = now.as_ref()?;
                // A run that is a single file is that file.
                Some(if rest.as_os_str().is_empty() { run?.to_owned() } else { now.join(rest) })
            });
            moved.unwrap_or_else(|| folder.join(file))
        };
        let files = record.files.iter().map(|(file, hash)| (place(file), hash.clone())).collect();
        Ok(Self { run: run_now, data: data_now, files })
    }

    /// # Errors
    /// Names the first file that is gone or is not what it was.
    pub fn check(&self) -> Result<()> {
        let mut changed = Vec::new();
        for (file, hash) in &self.files {
            match crate::checksum::sha256(file) {
                Ok(now) if now == *hash => {}
                Ok(_) => changed.push(format!("{} has changed since the report was made", file.display())),
                Err(error) => changed.push(error.to_string()),
            }
        }
        match changed.len() {
            0 => Ok(()),
            1 => refuse!("{}", changed[0]),
            n => refuse!("{n} files are not what the report was made from; the first: {}", changed[0]),
        }
    }
}

/// The folder of a data set that may be named by its manifest, or of a run that may be named by its model.
fn root(path: &Path) -> PathBuf {
    if path.is_dir() { path.to_owned() } else { parent_of(path).to_owned() }
}

/// The data set's folder in the record: a manifest that is named itself is among the files.
fn root_then(record: &Record) -> &Path {
    let data = Path::new(&record.data);
    if record.files.contains_key(&record.data) { data.parent().unwrap_or(Path::new("")) } else { data }
}

/// The folder of a page, made if it is not there.
pub fn made(page: &Path) -> Result<&Path> {
    let folder = parent_of(page);
    fs_err::create_dir_all(folder).context("the report's folder")?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_from_a_report() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        for name in ["runs/a", "data/images"] {
            std::fs::create_dir_all(at.join(name)).unwrap();
        }
        std::fs::write(at.join("data/images/x.png"), b"x").unwrap();
        let way = |to: &str| seen_from(&at.join("runs/a"), &at.join(to)).unwrap();
        assert_eq!(way("runs/a"), ".");
        assert_eq!(way("data/images/x.png"), "../../data/images/x.png");
        assert!(seen_from(at, &at.join("nowhere")).is_err());
    }
}
