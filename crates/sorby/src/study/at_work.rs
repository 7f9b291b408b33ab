//! Where the trainings of a study are: in whose queue, on which machine, computed with what.

use super::folder::StudyFolder;
use super::run_state::RunState;
use crate::Result;
use crate::cluster::Submitted;
use serde::Serialize;
use serde_json::{Value, json};
use sorby_study::Run;
use sorby_train::{RunFile, RunFolder, State};

/// Where a training that is not finished is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Whereabouts {
    /// Its name.
    pub run: String,
    /// `waiting`, `queued`, `running`, `stopped`, `stalled`, `failed`, or what is wrong with its folder.
    pub state: String,
    /// Iterations done.
    pub iteration: u64,
    /// Machine, process, and seconds since it gave its last sign; also of one that is stalled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub machine: Option<Value>,
    /// The engine's number of the job that it waits in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
}

impl StudyFolder {
    /// Where a training is that is not finished.
    pub(super) fn whereabouts(&self, run: &Run, submitted: Option<&Submitted>) -> Result<Whereabouts> {
        let (id, path) = (self.spec.run_id(run), self.run_path(run));
        let is_held = RunFolder::is_held(&path);
        let (state, iteration) = match self.state(run)? {
            _ if is_held => ("running".to_owned(), iteration(&path)),
            RunState::Unfinished(s) => (said(s.state).to_owned(), s.iteration),
            RunState::Damaged(what) => (format!("damaged: {what}"), 0),
            RunState::Stale => ("of another recipe or other data".to_owned(), 0),
            _ => ("waiting".to_owned(), 0),
        };
        let submitted = submitted.filter(|s| s.tasks.contains(&id));
        let waits = ["waiting", "stopped", "stalled"].contains(&state.as_str());
        let job = submitted.filter(|_| waits).map(|s| s.job.clone());
        let state = if state == "waiting" && job.is_some() { "queued".to_owned() } else { state };
        let holder = RunFolder::holder(&path).map(|(by, age)| {
            let instructions = by.instructions;
            json!({"host": by.host, "pid": by.pid, "instructions": instructions, "last_sign_s": age.as_secs()})
        });
        Ok(Whereabouts { run: id, state, iteration, machine: holder, job })
    }

    /// The instruction sets that a training was computed with, of all its starts.
    pub(super) fn instructions(&self, run: &Run) -> Vec<String> {
        let file = RunFile::Environment.path_in(&self.run_path(run));
        let text = std::fs::read(file).unwrap_or_default();
        let Ok(now) = serde_json::from_slice::<Value>(&text) else { return Vec::new() };
        let starts = now["earlier_starts"].as_array().into_iter().flatten().chain([&now]);
        let mut sets: Vec<String> =
            starts.filter_map(|start| Some(start["simd"].as_str()?.to_lowercase())).collect();
        sets.sort();
        sets.dedup();
        sets
    }
}

impl Whereabouts {
    /// `node7, process 4711, 3 s ago`; `job 17`.
    pub fn place(&self) -> String {
        let machine = self.machine.as_ref().map(|m| {
            let host = m["host"].as_str().unwrap_or_default();
            format!("{host}, process {}, {} s ago", m["pid"], m["last_sign_s"])
        });
        machine.or_else(|| Some(format!("job {}", self.job.as_ref()?))).unwrap_or_default()
    }
}

/// Of a run that nobody works on.
fn said(state: State) -> &'static str {
    match state {
        // Its process ended without a word, or its machine did.
        State::Running => "stalled",
        State::Stopped => "stopped",
        State::Failed => "failed",
        State::Done => "done",
    }
}

fn iteration(run: &std::path::Path) -> u64 {
    let metrics: Vec<sorby_train::Metric> = RunFolder::read_lines(run);
    metrics.last().map_or(0, |m| m.iteration)
}
