//! The trainings of a study's current round as commands that anybody may run: a shell, GNU parallel, a cluster's engine.

use super::folder::StudyFolder;
use super::processes::task_arguments;
use super::runner::{StudyOptions, laid_out};
use crate::cluster::{EXIT_CODE_FOR_MORE, Submitted, Task};
use crate::{Observer, Result};
use serde_json::{Value, json};
use sorby_study::{Run, Stage, StudySpec};
use sorby_train::RunFolder;

/// What can be trained now, without waiting for another training. The next round depends on the results of this one.
pub struct StudyRound {
    /// What the round is for; `None` when the study is finished.
    pub why: Option<&'static str>,
    /// Trainings to start.
    pub tasks: Vec<Task>,
    /// Trainings of the round that a process works on.
    pub working: Vec<String>,
    /// Trainings of the study that are finished, and how many there are at most.
    pub finished: usize,
    /// Trainings of the study at most.
    pub at_most: u64,
}

impl StudyRound {
    /// The round as it is written for other programs.
    pub fn json(&self) -> Value {
        let task = |t: &Task| json!({"id": t.id, "command": t.words(), "line": t.line()});
        json!({
            "round": self.why,
            "tasks": self.tasks.iter().map(task).collect::<Vec<_>>(),
            "working": self.working,
            "finished": self.finished,
            "at_most": self.at_most,
        })
    }
}

/// Lays the study out, or takes it up, and says what is to be trained next. Finished trainings are left out by the hash of
/// their recipe and of their images; one that failed is there again, unless it is to be left.
///
/// # Errors
/// When spec or data cannot be used, another process works on the study, or a path cannot be written on a line.
pub fn round(
    spec: StudySpec,
    options: &StudyOptions,
    leave_failed: bool,
    observer: &dyn Observer,
) -> Result<StudyRound> {
    let folder = laid_out(spec, options, observer)?;
    folder.require_memory(1)?;
    let at_most = folder.spec.trainings_at_most();
    if leave_failed {
        folder.note_what_ended_in_silence()?;
    }
    loop {
        let scores = folder.scores(|run| leave_failed && folder.failure(run).is_some())?;
        // As the runner leaves them.
        scores.iter().filter(|s| s.1.is_some()).try_for_each(|(run, _)| folder.tidy(run))?;
        let mut round =
            StudyRound { why: None, tasks: vec![], working: vec![], finished: scores.len(), at_most };
        let Stage::Train(why, runs) = folder.spec.next(&scores) else { return Ok(round) };
        round.why = Some(why);
        for run in runs.iter().filter(|run| !scores.contains_key(*run)) {
            let id = folder.spec.run_id(run);
            if RunFolder::is_held(&folder.run_path(run)) {
                round.working.push(id);
                continue;
            }
            let on = (&options.device, options.threads_per_job);
            // One that was finished meanwhile, or is taken back, is not to be started.
            if let Some(job) = folder.ready_job(run, on, observer)? {
                let simd = options.require_simd.as_deref();
                round.tasks.push(Task::of(id, &task_arguments(&job, EXIT_CODE_FOR_MORE, simd))?);
            }
        }
        if !(round.tasks.is_empty() && round.working.is_empty()) {
            return Ok(round);
        }
    }
}

impl StudyFolder {
    /// Of the trainings that were handed to an engine, which has ended them all: those that left neither a result nor a
    /// reason count as failed, so that the study goes on without them.
    fn note_what_ended_in_silence(&self) -> Result<()> {
        let Some(submitted) = Submitted::read(&self.root) else { return Ok(()) };
        let scores = self.tried_scores()?;
        let Stage::Train(_, runs) = self.spec.next(&scores) else { return Ok(()) };
        let ended = |run: &&Run| {
            submitted.tasks.contains(&self.spec.run_id(run))
                && !scores.contains_key(*run)
                && !RunFolder::is_held(&self.run_path(run))
        };
        let reason = format!(
            "job {} ended its task without a word of its own; what the engine says of it is in submit/logs",
            submitted.job
        );
        runs.iter().filter(ended).try_for_each(|run| self.record_failure(run, &reason))
    }
}
