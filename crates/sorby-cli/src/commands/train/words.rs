//! What `sorby train` says of a training that came to its end, good or bad.

use crate::answer::{Answer, say};
use serde_json::json;
use sorby::{NamedRecipe, study};
use sorby_train::{Outcome, TrainError};
use std::path::{Path, PathBuf};

pub fn show_outcome(answer: &mut Answer, outcome: &Outcome, root: &Path) {
    let root = root.display();
    answer.set("iterations", outcome.iterations);
    answer.set("last_mean_iou", outcome.last.as_ref().and_then(|s| s.mean_iou));
    answer.set(
        "best",
        outcome.best.map(|(iteration, mean_iou)| json!({"iteration": iteration, "mean_iou": mean_iou})),
    );
    say!(answer, "trained {} iterations; model: {root}/{}", outcome.iterations, sorby_train::RunFile::Model);
    if let Some(miou) = outcome.last.as_ref().and_then(|s| s.mean_iou) {
        say!(answer, "validation mIoU of the last iteration: {:.2} %", 100.0 * miou);
    }
    if let Some((iteration, miou)) = outcome.best {
        say!(answer, "best: {:.2} % at iteration {iteration} ({root}/best.safetensors)", 100.0 * miou);
    }
}

/// Of a training that had come to its end before.
pub fn finished(run: Option<PathBuf>) -> Answer {
    let (mut answer, run) = (Answer::new(), run.unwrap_or_default());
    say!(answer, "{}: is finished already", run.display());
    answer.set_path("run", run);
    answer.set("stopped", false);
    answer
}

/// Notes why the training of a recipe failed, for those who look at the study that it belongs to.
pub fn note(error: &anyhow::Error, file: &Path, recipe: &Path) {
    // Then another process works on the run, and will say what becomes of it.
    let held = |e: &TrainError| matches!(e, TrainError::Held { .. });
    let of_jobs = |e: &sorby::Error| matches!(e, sorby::Error::Train(e) if held(e));
    if error.downcast_ref().is_some_and(held) || error.downcast_ref().is_some_and(of_jobs) {
        return;
    }
    // What cannot be noted stands in the log of the task all the same.
    if let Ok(named) = NamedRecipe::read(recipe, &[]) {
        let _ = study::note_failure(file, &named.recipe, &format!("{error:#}"));
    }
}
