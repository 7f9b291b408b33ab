//! What `sorby train` says of a training that came to its end.

use crate::answer::{Answer, say};
use serde_json::json;
use sorby_train::Outcome;
use std::path::Path;

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
