//! Trainings next to each other, and what more time bought.

use crate::charts::{self, Axis, Point};
use crate::error::{Context as _, refuse};
use crate::out_folder::{MadeBy, OutFolder};
use crate::publish::{self, Exhibit};
use crate::{Observer, Result};
use sorby_image::files;
use sorby_report::{Cell, Series, Table};
use sorby_score::Confusion;
use sorby_study::Contrast;
use sorby_train::{PastRun, Recipe, RunFile, SplitRecord, ValidationRecord};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a run folder tells.
struct Training {
    name: String,
    recipe: Recipe,
    classes: Vec<String>,
    points: Vec<Point>,
    threads: Option<i64>,
    last: ValidationRecord,
    /// Counts of the last validation by image.
    counts: BTreeMap<String, Confusion>,
    /// Content of the images it was validated on.
    validated_on: Vec<SplitRecord>,
}

/// Trainings next to each other.
pub struct Comparison {
    /// Tables and charts.
    pub exhibits: Vec<Exhibit>,
}

/// Reads run folders that were validated on the same images; differences are to the first.
///
/// # Errors
/// When a run cannot be read, its results were changed since, or it was validated on something else.
pub fn compare(runs: &[PathBuf], observer: &dyn Observer) -> Result<Comparison> {
    let names = shortest_distinct(runs);
    let mut trainings: Vec<Training> = Vec::new();
    for (path, name) in runs.iter().zip(names) {
        let training = Training::read(path, name, observer)?;
        if let Some(first) = trainings.first()
            && (!SplitRecord::same_images(&first.validated_on, &training.validated_on)
                || first.classes != training.classes)
        {
            refuse!(
                "{}: was validated on other images, labels or classes than {}; their scores cannot be compared",
                path.display(),
                runs[0].display()
            );
        }
        trainings.push(training);
    }
    let mut exhibits = vec![run_table(&trainings)];
    exhibits.extend((trainings.len() > 1).then(|| recipes(&trainings)));
    exhibits.push(curves(&trainings));
    Ok(Comparison { exhibits })
}

impl Comparison {
    /// Writes tables, charts and a page into a folder; gives the page's place.
    ///
    /// # Errors
    /// When the folder is another job's, or cannot be written.
    pub fn publish(&self, out: &Path, made_by: MadeBy) -> Result<PathBuf> {
        // Held to the end.
        let mut folder = OutFolder::check(out, made_by, &[])?;
        folder.claim()?;
        publish::publish("comparison", "Trainings compared", "", &self.exhibits, out)
    }
}

impl Training {
    fn read(path: &Path, name: String, observer: &dyn Observer) -> Result<Self> {
        let lost = |what: &str| format!("{}: {what}; is it the folder of a run?", path.display());
        let past = PastRun::open(path, None)?;
        charts::tell(&past, observer);
        let text = past.recipe.with_context(|| lost("has no readable recipe.toml"))?;
        let recipe = sorby_train::parse(&text, &[])
            .with_context(|| RunFile::Recipe.path_in(path).display().to_string())?;
        let classes = past.card.with_context(|| lost("has no model yet"))?.classes;
        let last = past.validations.last().cloned().with_context(|| lost("was never validated"))?;
        if past.split.is_empty() {
            refuse!("{}", lost("has no readable split.json"));
        }
        let validated_on = past.split.into_iter().filter(|r| r.part == "val").collect();
        Ok(Self {
            name,
            recipe,
            classes,
            points: charts::points(&past.metrics, &past.validations),
            threads: threads(path)?,
            last,
            // A training that was stopped may have none of its last validation.
            counts: past.counts.into_iter().flatten().collect(),
            validated_on,
        })
    }

    /// Keys in which the recipe differs from another, with their values.
    fn differences(&self, other: &Recipe) -> String {
        let told = |(key, here, _): (String, Option<String>, Option<String>)| match here {
            Some(value) => format!("{key} = {value}"),
            None => format!("no {key}"),
        };
        self.recipe.differences(other).into_iter().map(told).collect::<Vec<_>>().join(", ")
    }

    /// Difference of mIoU to another training on the same images, with the 95 % interval that the images leave.
    fn over(&self, other: &Training) -> Option<(f64, Option<f64>)> {
        let pairs =
            |(name, ours): (&String, &Confusion)| Some(vec![other.counts.get(name)?.clone(), ours.clone()]);
        let cell: Vec<Vec<Confusion>> = self.counts.iter().filter_map(pairs).collect();
        let gain = Contrast { coefficients: vec![-1.0, 1.0], folds: vec![vec![cell]] }.gain();
        if gain.points.is_finite() {
            return Some((gain.points, gain.of_images.map(|s| s.ci95())));
        }
        Some((100.0 * (self.last.mean_iou? - other.last.mean_iou?), None))
    }
}

/// Threads that a run says it was trained with, if it does.
fn threads(run: &Path) -> Result<Option<i64>> {
    let path = RunFile::Environment.path_in(run);
    let environment: Option<serde_json::Value> =
        files::read_regular(&path).ok().and_then(|t| serde_json::from_slice(&t).ok());
    let threads = environment.and_then(|e| e["threads"].as_i64());
    if let Some(threads) = threads.filter(|n| !(1..=i64::from(u16::MAX)).contains(n)) {
        refuse!("{}: threads is {threads}, which no training has; put it back as it was", path.display());
    }
    Ok(threads)
}

/// Names of folders; with as many parents as it takes to tell them apart.
fn shortest_distinct(paths: &[PathBuf]) -> Vec<String> {
    let absolute: Vec<PathBuf> =
        paths.iter().map(|p| std::path::absolute(p).unwrap_or_else(|_| p.clone())).collect();
    let longest = absolute.iter().map(|p| p.components().count()).max().unwrap_or(1);
    let of = |depth: usize| -> Vec<String> {
        let name = |p: &PathBuf| {
            let parts: Vec<_> = p.components().map(|c| c.as_os_str().to_string_lossy()).collect();
            parts[parts.len().saturating_sub(depth)..].join("/")
        };
        absolute.iter().map(name).collect()
    };
    let distinct = |names: &Vec<String>| {
        let mut sorted = names.clone();
        sorted.sort();
        sorted.windows(2).all(|w| w[0] != w[1])
    };
    (1..=longest).map(of).find(distinct).unwrap_or_else(|| of(longest))
}

fn run_table(trainings: &[Training]) -> Exhibit {
    let heads =
        ["run", "iterations", "threads", "minutes", "undisturbed minutes"].map(str::to_owned).into_iter();
    let classes = trainings[0].classes.iter().map(|c| format!("IoU {c} (%)"));
    let tail = ["mIoU (%)", "best mIoU (%)", "at", "over the first (points)", "95 % from", "to"];
    let mut table = Table::new(heads.chain(classes).chain(tail.map(str::to_owned)));
    for training in trainings {
        let last = training.points.last();
        let best = training
            .points
            .iter()
            .max_by(|a, b| a.miou.total_cmp(&b.miou).then(b.iteration.cmp(&a.iteration)));
        let mut row: Vec<Cell> = vec![
            training.name.clone().into(),
            Cell::Integer(training.last.iteration as i64),
            training.threads.map_or(Cell::Missing, Cell::Integer),
            Cell::number(last.map(|p| p.minutes), 1),
            Cell::number(last.map(|p| p.undisturbed_minutes), 1),
        ];
        row.extend(training.last.iou.iter().map(|iou| Cell::percent(*iou)));
        row.push(Cell::percent(training.last.mean_iou));
        row.push(Cell::number(best.map(|p| p.miou), 2));
        row.push(best.map_or(Cell::Missing, |p| Cell::Integer(p.iteration as i64)));
        let first = std::ptr::eq(training, &trainings[0]);
        let over = if first { None } else { training.over(&trainings[0]) };
        let bound = |sign: f64| over.and_then(|(points, half)| Some(points + sign * half?));
        row.extend([over.map(|o| o.0), bound(-1.0), bound(1.0)].map(Cell::signed));
        table.row(row);
    }
    let text = format!(
        "Scored on {} images, at the last iteration. Minutes are those of the training steps; undisturbed: iterations \
         times the time that the fastest tenth of the steps took at most, so about without other work on the machine. The interval is over \
         images only: a training repeated with another seed scatters too, which a study tells.",
        trainings[0].validated_on.len()
    );
    Exhibit::table("runs", "Runs", text, table)
}

/// In what recipes differ.
fn recipes(trainings: &[Training]) -> Exhibit {
    let mut table = Table::new(["run", "its recipe, where it differs from the first"]);
    for training in &trainings[1..] {
        let differences = training.differences(&trainings[0].recipe);
        let text = if differences.is_empty() { "the same".into() } else { differences };
        table.row(vec![training.name.clone().into(), text.into()]);
    }
    Exhibit::table("recipes", "Recipes", "", table)
}

fn curves(trainings: &[Training]) -> Exhibit {
    let chart = |title: &str, axis: Axis| {
        let line =
            |t: &Training| Series::line(&t.name, t.points.iter().map(|p| (axis.of(p), p.miou)).collect());
        charts::accuracy(title, axis, trainings.iter().map(line).collect())
    };
    Exhibit {
        name: "time".into(),
        caption: "Accuracy against time".into(),
        text: "mIoU on the validation images. The learning rate falls over a whole schedule, so a point on the way is \
               lower than a schedule that ends there would reach."
            .into(),
        charts: vec![
            chart("Validation mIoU by time", Axis::UndisturbedMinutes),
            chart("Validation mIoU by iterations", Axis::Iterations),
        ],
        ..Exhibit::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_runs_apart() {
        let of = |paths: &[&str]| shortest_distinct(&paths.iter().map(PathBuf::from).collect::<Vec<_>>());
        assert_eq!(of(&["/a/runs/x", "/a/runs/y"]), ["x", "y"]);
        assert_eq!(of(&["/a/b/x", "/a/c/x"]), ["b/x", "c/x"]);
    }
}
