//! `sorby clean`.

use crate::answer::{Answer, say};
use serde_json::json;
use std::path::PathBuf;

pub fn run(runs: &[PathBuf]) -> anyhow::Result<Answer> {
    let (mut answer, mut cleaned) = (Answer::new(), Vec::new());
    for run in runs {
        let shown = run.display().to_string();
        match sorby::clean(run) {
            Ok(bytes) => {
                say!(answer, "{shown}: {:.1} MB freed", bytes as f64 / 1e6);
                cleaned.push(json!({"run": shown, "freed_bytes": bytes}));
            }
            Err(error) => {
                eprintln!("error: {error}");
                cleaned.push(json!({"run": shown, "error": error.to_string()}));
            }
        }
    }
    let refused = cleaned.iter().any(|run| run.get("error").is_some());
    answer.set("runs", cleaned);
    Ok(answer.exit(if refused { 2 } else { 0 }))
}
