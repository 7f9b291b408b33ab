//! The trainings of a study's current round as commands that anybody may run: a shell, GNU parallel, a cluster's engine.

use super::processes::task_arguments;
use super::runner::{StudyOptions, laid_out};
use crate::error::{Context as _, refuse};
use crate::words::quoted;
use crate::{Observer, Program, Result};
use serde_json::{Value, json};
use sorby_study::{Stage, StudySpec};
use sorby_train::RunFolder;

/// What a process answers that was stopped before its end and is to be started again: `EX_TEMPFAIL` of sysexits.h.
const EXIT_CODE_FOR_MORE: u8 = 75;

/// One training as a command.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// Name of the training, and of its run folder.
    pub id: String,
    /// The program's file and its arguments.
    pub words: Vec<String>,
}

impl Task {
    /// One line for a shell.
    pub fn line(&self) -> String {
        self.words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
    }
}

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
        let task = |t: &Task| json!({"id": t.id, "command": t.words, "line": t.line()});
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
/// their recipe and of their images; one that failed is there again.
///
/// # Errors
/// When spec or data cannot be used, another process works on the study, or a path cannot be written on a line.
pub fn round(spec: StudySpec, options: &StudyOptions, observer: &dyn Observer) -> Result<StudyRound> {
    let folder = laid_out(spec, options, observer)?;
    folder.require_memory(1)?;
    let at_most = folder.spec.trainings_at_most();
    loop {
        let scores = folder.scores(|_| false)?;
        // As the runner leaves them.
        scores.keys().try_for_each(|run| folder.tidy(run))?;
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
                round.tasks.push(Task { id, words: words(&task_arguments(&job, EXIT_CODE_FOR_MORE))? });
            }
        }
        if !(round.tasks.is_empty() && round.working.is_empty()) {
            return Ok(round);
        }
    }
}

fn words(arguments: &[std::ffi::OsString]) -> Result<Vec<String>> {
    let mut command = Program::own()?.command();
    command.args(arguments);
    let all = std::iter::once(command.get_program()).chain(command.get_args());
    let text = |word: &std::ffi::OsStr| {
        let word = word.to_str().with_context(|| format!("{}: is no Unicode", word.display()))?;
        if word.contains(['\n', '\r']) {
            refuse!("{word:?}: has a line break, and a command is one line");
        }
        Ok(word.to_owned())
    };
    all.map(text).collect()
}
