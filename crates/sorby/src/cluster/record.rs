//! `submitted.json`: what was handed to an engine last.

use super::{FOLDER, Work};
use crate::Result;
use serde::{Deserialize, Serialize};
use sorby_image::write::atomically;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// What was submitted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Submitted {
    /// `slurm`, `hq`.
    pub executor: String,
    /// The engine's number of the job.
    pub job: String,
    /// Seconds since 1970.
    pub time: u64,
    /// Names of the tasks.
    pub tasks: Vec<String>,
}

const NAME: &str = "submitted.json";

impl Submitted {
    /// What was submitted last for the results in a folder.
    pub fn read(out: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(out.join(FOLDER).join(NAME)).ok()?).ok()
    }

    pub(super) fn note(work: &Work, executor: &str, job: &str) -> Result<()> {
        let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
        let tasks = work.tasks.iter().map(|t| t.id.clone()).collect();
        let record = Self { executor: executor.to_owned(), job: job.to_owned(), time, tasks };
        let text = serde_json::to_string_pretty(&record)? + "\n";
        Ok(atomically(&work.scripts().join(NAME), text.as_bytes())?)
    }
}
