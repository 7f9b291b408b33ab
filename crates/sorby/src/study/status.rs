//! How far a study is.

use super::folder::StudyFolder;
use super::run_state::RunState;
use crate::Result;
use serde_json::{Value, json};
use sorby_report::{Cell, Table};
use sorby_study::{Part, Protocol, Run, RunScores, Stage};

/// How far a study is.
pub struct StudyStatus<'a> {
    folder: &'a StudyFolder,
    scores: RunScores,
    stage: Stage,
}

impl StudyFolder {
    /// Reads how far the study is.
    ///
    /// # Errors
    /// When a recipe or a split of the study cannot be read.
    pub fn status(&self) -> Result<StudyStatus<'_>> {
        let scores = self.tried_scores()?;
        Ok(StudyStatus { stage: self.spec.next(&scores), scores, folder: self })
    }
}

impl StudyStatus<'_> {
    /// Everything in one value.
    pub fn json(&self) -> Value {
        let Self { folder, scores, stage } = self;
        let failed: Vec<_> = failures(folder, scores)
            .map(|(run, reason)| json!({"run": folder.spec.run_id(run), "reason": reason}))
            .collect();
        let done: Vec<_> = scores
            .iter()
            .filter(|(_, scored)| scored.is_some())
            .map(|(run, _)| {
                let miou = folder.spec.miou(scores, std::slice::from_ref(run));
                json!({"run": folder.spec.run_id(run), "miou_percent": miou, "seconds": folder.seconds(run)})
            })
            .collect();
        let (step, missing) = match stage {
            Stage::Train(why, runs) => (Some(why), runs.as_slice()),
            Stage::Finished => (None, [].as_slice()),
        };
        let missing: Vec<_> = missing.iter().map(|r| folder.spec.run_id(r)).collect();
        json!({
            "done": done,
            "failed": failed,
            "step": step,
            "missing": missing,
            "gains": gains(folder, scores),
            "chosen": folder.spec.chosen(scores).map(|(arch, tricks)| {
                json!({"arch": folder.spec.arch_title(arch), "tricks": tricks})
            }),
        })
    }

    /// All trainings known so far.
    ///
    /// # Errors
    /// When a recipe of the study cannot be read.
    pub fn table(&self) -> Result<Table> {
        let Self { folder, scores, stage } = self;
        let mut table = Table::new(["training", "state", "iteration", "mIoU_percent", "seconds"]);
        for (run, scored) in scores {
            let state = if scored.is_some() { "done" } else { "failed" };
            let miou = folder.spec.miou(scores, std::slice::from_ref(run));
            let iterations = folder.recipe(run)?.schedule.iterations;
            table.row(vec![
                folder.spec.run_id(run).into(),
                state.into(),
                Cell::Integer(iterations as i64),
                Cell::number(miou, 2),
                Cell::number(Some(folder.seconds(run)), 0),
            ]);
        }
        if let Stage::Train(_, runs) = stage {
            for run in runs {
                let (state, iteration) = match folder.state(run)? {
                    RunState::Unfinished(s) => (format!("{:?}", s.state).to_lowercase(), s.iteration as i64),
                    RunState::Damaged(what) => (format!("damaged: {what}"), 0),
                    RunState::Stale => ("of another recipe or other data".to_owned(), 0),
                    _ => ("waiting".to_owned(), 0),
                };
                let id = folder.spec.run_id(run);
                table.row(vec![
                    id.into(),
                    state.into(),
                    Cell::Integer(iteration),
                    Cell::Missing,
                    Cell::Missing,
                ]);
            }
        }
        Ok(table)
    }

    /// What failed, and what comes next: a line for each.
    pub fn lines(&self) -> Vec<String> {
        let Self { folder, scores, stage } = self;
        let failed = |(run, reason): (&Run, String)| format!("failed: {}: {reason}", folder.spec.run_id(run));
        let mut lines: Vec<String> = failures(folder, scores).map(failed).collect();
        match stage {
            Stage::Train(why, runs) => {
                lines.push(format!("{} done; next: {why}, {} to train", scores.len(), runs.len()));
            }
            Stage::Finished => {
                lines.push(format!("finished: {} trainings", scores.len()));
                let tested = scores.keys().any(|run| run.part == Part::All);
                if folder.spec.protocol == Protocol::Sound && !tested {
                    lines.push(
                        "no model could be chosen: no network was scored on the folds; see what failed"
                            .into(),
                    );
                }
            }
        }
        lines
    }
}

/// Gain, 95 % interval and verdict of each trick so far, by architecture.
fn gains(folder: &StudyFolder, scores: &RunScores) -> Vec<serde_json::Value> {
    let mut rows = Vec::new();
    for arch in 0..folder.spec.archs.len() {
        for (trick, gain, verdict) in folder.spec.judgement(scores, arch).tricks {
            rows.push(json!({
                "arch": folder.spec.arch_title(arch),
                "trick": trick,
                "points": gain.points,
                "interval": gain.interval(),
                "verdict": verdict.word(),
            }));
        }
    }
    rows
}

/// Trainings that failed and were not made up for since, with the reason.
fn failures<'a>(folder: &'a StudyFolder, scores: &'a RunScores) -> impl Iterator<Item = (&'a Run, String)> {
    scores
        .iter()
        .filter(|(_, scored)| scored.is_none())
        .filter_map(|(run, _)| Some((run, folder.failure(run)?)))
}
