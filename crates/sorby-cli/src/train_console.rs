//! What is shown of a training, and kept in its log.

use crate::console::Progress;
use sorby::words::duration;
use sorby_train::{Event, Metric, Pretrained, Recipe, RunFile, RunFolder};
use std::fmt::Write as _;

/// Shows a run's events, on screen and in the run's log.
pub struct TrainConsole<'a> {
    recipe: &'a Recipe,
    run: &'a RunFolder,
    classes: Vec<String>,
    progress: Progress,
    /// Smoothed seconds per iteration.
    seconds: Option<f64>,
    loss: Option<f64>,
}

impl<'a> TrainConsole<'a> {
    pub fn new(recipe: &'a Recipe, run: &'a RunFolder, classes: Vec<String>) -> Self {
        let progress = Progress::new(recipe.schedule.iterations as usize, "it");
        Self { recipe, run, classes, progress, seconds: None, loss: None }
    }

    fn say(&self, text: &str) {
        self.progress.line(text);
        let path = self.run.path(RunFile::Log);
        let file = std::fs::File::options().create(true).append(true).open(path);
        // The log repeats what was shown; failing to write it must not stop a run.
        let _ = file.and_then(|mut f| std::io::Write::write_all(&mut f, format!("{text}\n").as_bytes()));
    }

    pub fn show(&mut self, event: Event) {
        match event {
            Event::Started { done, train_images, val_images } => {
                let from =
                    if done > 0 { format!(", continuing after iteration {done}") } else { String::new() };
                self.say(&format!(
                    "{} on {train_images} images, validating on {val_images}, {} iterations{from} -> {}",
                    self.recipe.arch.title(),
                    self.recipe.schedule.iterations,
                    self.run.root().display()
                ));
            }
            Event::Note(note) => self.say(&format!("note: {note}")),
            Event::Pretrained(keys) => {
                let whole = keys.loaded.iter().any(|key| key.starts_with("decode_head."));
                self.say(&format!(
                    "{} from {}: {} tensors loaded, {} not part of it, {} missing (pretrained.json)",
                    if whole { "encoder and heads" } else { "encoder" },
                    self.recipe.pretrained.as_ref().map(Pretrained::described).unwrap_or_default(),
                    keys.loaded.len(),
                    keys.skipped.len(),
                    keys.missing.len()
                ));
            }
            Event::Step(metric) => self.step(metric),
            Event::Validated { iteration, scores } => {
                let percent = |v: Option<f64>| v.map_or("-".into(), |v| format!("{:.2}", 100.0 * v));
                let mut text = format!("iteration {iteration}: mIoU {} %", percent(scores.mean_iou));
                for (name, class) in self.classes.iter().zip(&scores.classes) {
                    let _ = write!(text, ", {name} {}", percent(class.iou));
                }
                self.say(&text);
            }
        }
    }

    fn step(&mut self, m: &Metric) {
        let smooth = |old: Option<f64>, new: f64| old.map_or(new, |old| 0.9 * old + 0.1 * new);
        let (seconds, loss) = (smooth(self.seconds, m.seconds), smooth(self.loss, f64::from(m.loss)));
        (self.seconds, self.loss) = (Some(seconds), Some(loss));
        let left = (self.recipe.schedule.iterations - m.iteration) as f64 * seconds;
        let text = format!("loss {loss:.4}  lr {:.5}  {seconds:.2} s/it  {} left", m.lr, duration(left));
        self.progress.set(m.iteration, text.clone());
        if self.progress.line_is_due() {
            self.say(&format!("iteration {}/{}  {text}", m.iteration, self.recipe.schedule.iterations));
        }
    }

    pub fn finish(&self) {
        self.progress.finish();
    }
}
