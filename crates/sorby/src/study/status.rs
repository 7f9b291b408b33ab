//! How far a study is.

use super::at_work::Whereabouts;
use super::folder::StudyFolder;
use crate::Result;
use crate::cluster::Submitted;
use serde_json::{Value, json};
use sorby_report::{Cell, Table};
use sorby_study::{Part, Protocol, Run, RunScores, Stage};
use std::collections::BTreeMap;

/// How far a study is.
pub struct StudyStatus<'a> {
    folder: &'a StudyFolder,
    scores: RunScores,
    stage: Stage,
    /// Of the trainings that are not finished.
    whereabouts: Vec<Whereabouts>,
}

impl StudyFolder {
    /// Reads how far the study is.
    ///
    /// # Errors
    /// When a recipe or a split of the study cannot be read.
    pub fn status(&self) -> Result<StudyStatus<'_>> {
        let scores = self.tried_scores()?;
        let (stage, submitted) = (self.spec.next(&scores), Submitted::read(&self.root));
        let missing = match &stage {
            Stage::Train(_, runs) => runs.as_slice(),
            Stage::Finished => &[],
        };
        let of = |run: &Run| self.whereabouts(run, submitted.as_ref());
        // Such a stage also names those that are finished.
        let missing = missing.iter().filter(|run| !scores.contains_key(*run));
        let whereabouts = missing.map(of).collect::<Result<_>>()?;
        Ok(StudyStatus { stage, scores, folder: self, whereabouts })
    }
}

impl StudyStatus<'_> {
    /// Everything in one value.
    pub fn json(&self) -> Value {
        let Self { folder, scores, stage, whereabouts } = self;
        let failed: Vec<_> = failures(folder, scores)
            .map(|(run, reason)| json!({"run": folder.spec.run_id(run), "reason": reason}))
            .collect();
        let done: Vec<_> = scores
            .iter()
            .filter(|(_, scored)| scored.is_some())
            .map(|(run, _)| {
                let miou = folder.spec.miou(scores, std::slice::from_ref(run));
                json!({
                    "run": folder.spec.run_id(run),
                    "miou_percent": miou,
                    "seconds": folder.seconds(run),
                    "instructions": folder.instructions(run),
                })
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
            "working": whereabouts,
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
        let Self { folder, scores, whereabouts, .. } = self;
        let mut table = Table::new([
            "training",
            "state",
            "iteration",
            "mIoU_percent",
            "seconds",
            "machine",
            "instructions",
        ]);
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
                Cell::Missing,
                folder.instructions(run).join(" ").into(),
            ]);
        }
        for run in whereabouts {
            table.row(vec![
                run.run.clone().into(),
                run.state.clone().into(),
                Cell::Integer(run.iteration as i64),
                Cell::Missing,
                Cell::Missing,
                run.place().into(),
                Cell::Missing,
            ]);
        }
        Ok(table)
    }

    /// What failed, and what comes next: a line for each.
    pub fn lines(&self) -> Vec<String> {
        let Self { folder, scores, stage, .. } = self;
        let failed = |(run, reason): (&Run, String)| format!("failed: {}: {reason}", folder.spec.run_id(run));
        let mut lines: Vec<String> = failures(folder, scores).map(failed).collect();
        lines.extend(several_sets(folder, scores));
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

/// Which trainings were computed with which instruction set, where that is not one.
fn several_sets(folder: &StudyFolder, scores: &RunScores) -> Option<String> {
    let mut by_set = BTreeMap::<String, Vec<String>>::new();
    for run in scores.iter().filter(|(_, scored)| scored.is_some()).map(|(run, _)| run) {
        by_set.entry(folder.instructions(run).join(" and ")).or_default().push(folder.spec.run_id(run));
    }
    let of = |(set, runs): (&String, &Vec<String>)| format!("{set}: {}", runs.join(", "));
    let listed: Vec<String> = by_set.iter().map(of).collect();
    (listed.len() > 1).then(|| {
        format!(
            "computed with several instruction sets, whose results differ in the last digits ({}); --require-simd holds a \
             study to one",
            listed.join("; ")
        )
    })
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
