//! `sorby study status`.

use super::folder::{RunState, StudyFolder};
use serde_json::json;
use sorby_report::{Cell, Table};
use sorby_study::Stage;
use std::path::Path;
use std::process::ExitCode;

pub fn run(root: &Path, as_json: bool) -> anyhow::Result<ExitCode> {
    let folder = StudyFolder::open(root)?;
    if !as_json {
        print(&folder)?;
        return Ok(ExitCode::SUCCESS);
    }
    let scores = folder.scores(&[])?;
    let done: Vec<_> = scores
        .iter()
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
    println!("{}", serde_json::to_string_pretty(&json!({"done": done, "step": step, "missing": missing}))?);
    Ok(ExitCode::SUCCESS)
}

/// A table of all trainings known so far, and what comes next.
pub fn print(folder: &StudyFolder) -> anyhow::Result<()> {
    let scores = folder.scores(&[])?;
    let stage = folder.spec.next(&scores);
    let mut table = Table::new(["training", "state", "iteration", "mIoU_percent", "seconds"]);
    for run in scores.keys() {
        let miou = folder.spec.miou(&scores, std::slice::from_ref(run));
        let iterations = folder.recipe(run)?.schedule.iterations;
        table.row(vec![
            folder.spec.run_id(run).into(),
            "done".into(),
            Cell::Integer(iterations as i64),
            Cell::number(miou, 2),
            Cell::number(Some(folder.seconds(run)), 0),
        ]);
    }
    if let Stage::Train(_, runs) = &stage {
        for run in runs {
            let (state, iteration) = match folder.state(run)? {
                RunState::Unfinished(s) => (format!("{:?}", s.state).to_lowercase(), s.iteration as i64),
                RunState::Stale => ("of another recipe or other data".to_owned(), 0),
                _ => ("waiting".to_owned(), 0),
            };
            let id = folder.spec.run_id(run);
            table.row(vec![id.into(), state.into(), Cell::Integer(iteration), Cell::Missing, Cell::Missing]);
        }
    }
    print!("{}", table.to_text());
    match stage {
        Stage::Train(why, runs) => println!("{} done; next: {why}, {} to train", scores.len(), runs.len()),
        Stage::Finished => println!("finished: {} trainings", scores.len()),
    }
    Ok(())
}
