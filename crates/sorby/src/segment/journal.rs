//! `done.jsonl`: the images that are finished, so that an interrupted command goes on with the others and `trust.csv`
//! covers all.

use crate::Result;
use serde::{Deserialize, Serialize};
use sorby_image::ImageError;
use sorby_image::write::atomically;
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// What a mask depends on besides the command: where it changes, the image is segmented anew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// SHA-256 of the image's file.
    pub sha256: String,
    /// What a data set says of its pixel size and data bar.
    pub said: String,
}

/// One finished image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    pub image: String,
    pub source: Source,
    pub has_scale: bool,
    /// Pixels of each class.
    #[serde(default)]
    pub found_px: Vec<u64>,
    /// Its lines of `trust.csv`.
    pub trust: Vec<String>,
}

pub struct Journal {
    path: PathBuf,
    pub lines: BTreeMap<String, Line>,
}

const NAME: &str = "done.jsonl";

impl Journal {
    /// What an earlier start of the same command left in `out`. A line that a kill cut short does not count.
    pub fn read(out: &Path) -> Self {
        let path = out.join(NAME);
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let lines = whole.lines().filter_map(|l| serde_json::from_str::<Line>(l).ok());
        Self { path, lines: lines.map(|l| (l.image.clone(), l)).collect() }
    }

    /// The journal of a folder that was joined.
    pub fn of(out: &Path, lines: BTreeMap<String, Line>) -> Self {
        Self { path: out.join(NAME), lines }
    }

    /// Whether the image is finished: it is the same file, and its mask is there.
    pub fn has(&self, name: &str, source: &Source, mask: &Path) -> bool {
        self.lines.get(name).is_some_and(|l| l.source == *source) && mask.is_file()
    }

    /// Writes the lines there are, in order: what was cut short is gone.
    pub fn write(&self) -> Result<()> {
        let text: Result<Vec<String>, serde_json::Error> =
            self.lines.values().map(serde_json::to_string).collect();
        let text: String = text?.into_iter().map(|l| l + "\n").collect();
        Ok(atomically(&self.path, text.as_bytes())?)
    }

    /// Adds a line. It is on the disk when this returns.
    pub fn add(&mut self, line: Line) -> Result<()> {
        let text = serde_json::to_string(&line)? + "\n";
        let file = OpenOptions::new().create(true).append(true).open(&self.path);
        file.and_then(|mut f| f.write_all(text.as_bytes()).and_then(|()| f.sync_data()))
            .map_err(|e| ImageError::io(&self.path, e))?;
        self.lines.insert(line.image.clone(), line);
        Ok(())
    }
}
