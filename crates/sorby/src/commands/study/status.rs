//! `sorby study status`.

use super::folder::StudyFolder;
use super::run_state::RunState;
use serde_json::json;
use sorby_report::{Cell, Table};
use sorby_study::{Part, Protocol, Run, Scores, Stage};
use std::path::Path;
use std::process::ExitCode;

pub fn run(root: &Path, as_json: bool) -> anyhow::Result<ExitCode> {
    let folder = StudyFolder::open(root)?;
    if !as_json {
        print(&folder)?;
        return Ok(ExitCode::SUCCESS);
    }
    let scores = folder.tried_scores()?;
    let failed: Vec<_> = failures(&folder, &scores)
        .map(|(run, reason)| json!({"run": folder.spec.run_id(run), "reason": reason}))
        .collect();
    let done: Vec<_> = scores
        .iter()
        .filter(|(_, scored)| scored.is_some())
        .map(|(run, _)| {
            let miou = folder.spec.miou(&scores, std::slice::from_ref(run));
            json!({"run": folder.spec.run_id(run), "miou_percent": miou, "seconds": folder.seconds(run)})
        })
        .collect();
    let (step, missing) = match folder.spec.next(&scores) {
        Stage::Train(why, runs) => (Some(why), runs),
        Stage::Finished => (None, Vec::new()),
    };
    let missing: Vec<_> = missing.iter().map(|r| folder.spec.run_id(r)).collect();
    println!(
        "{}",
        serde_json::to_string_pretty(&json!({
            "done": done,
            "failed": failed,
            "step": step,
            "missing": missing,
            "gains": gains(&folder, &scores),
            "chosen": folder.spec.chosen(&scores).map(|(arch, tricks)| {
                json!({"arch": folder.spec.arch_title(arch), "tricks": tricks})
            }),
        }))?
    );
    Ok(ExitCode::SUCCESS)
}

/// Gain, 95 % interval and verdict of each trick so far, by architecture.
fn gains(folder: &StudyFolder, scores: &Scores) -> Vec<serde_json::Value> {
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
fn failures<'a>(folder: &'a StudyFolder, scores: &'a Scores) -> impl Iterator<Item = (&'a Run, String)> {
    scores
        .iter()
        .filter(|(_, scored)| scored.is_none())
        .filter_map(|(run, _)| Some((run, folder.failure(run)?)))
}

/// A table of all trainings known so far, and what comes next.
pub fn print(folder: &StudyFolder) -> anyhow::Result<()> {
    let scores = folder.tried_scores()?;
    let stage = folder.spec.next(&scores);
    let mut table = Table::new(["training", "state", "iteration", "mIoU_percent", "seconds"]);
    for (run, scored) in &scores {
        let state = if scored.is_some() { "done" } else { "failed" };
        let miou = folder.spec.miou(&scores, std::slice::from_ref(run));
        let iterations = folder.recipe(run)?.schedule.iterations;
        table.row(vec![
            folder.spec.run_id(run).into(),
            state.into(),
            Cell::Integer(iterations as i64),
            Cell::number(miou, 2),
            Cell::number(Some(folder.seconds(run)), 0),
        ]);
    }
    if let Stage::Train(_, runs) = &stage {
        for run in runs {
            let (state, iteration) = match folder.state(run)? {
                RunState::Unfinished(s) => (format!("{:?}", s.state).to_lowercase(), s.iteration as i64),
                RunState::Damaged(what) => (format!("damaged: {what}"), 0),
                RunState::Stale => ("of another recipe or other data".to_owned(), 0),
                _ => ("waiting".to_owned(), 0),
            };
            let id = folder.spec.run_id(run);
            table.row(vec![id.into(), state.into(), Cell::Integer(iteration), Cell::Missing, Cell::Missing]);
        }
    }
    print!("{}", table.to_text());
    for (run, reason) in failures(folder, &scores) {
        println!("failed: {}: {reason}", folder.spec.run_id(run));
    }
    match stage {
        Stage::Train(why, runs) => println!("{} done; next: {why}, {} to train", scores.len(), runs.len()),
        Stage::Finished => {
            println!("finished: {} trainings", scores.len());
            let tested = scores.keys().any(|run| run.part == Part::All);
            if folder.spec.protocol == Protocol::Sound && !tested {
                println!("no model could be chosen: no network was scored on the folds; see what failed");
            }
        }
    }
    Ok(())
}
