//! Learning curves, and the scatter of repeated trainings.

use super::Book;
use super::exhibit::Exhibit;
use sorby_report::{Chart, Series};
use sorby_study::{Protocol, TrickSet, set_name};
use sorby_train::{Metric, RunFolder, ValidationRecord};
use std::collections::BTreeMap;

pub fn all(books: &[Book]) -> Vec<Exhibit> {
    let learning = |axis| {
        let of_book = |b| Book::archs(b).map(move |a| learning(b, a, axis));
        books.iter().flat_map(of_book).collect::<Vec<Chart>>()
    };
    let scatter = books.iter().filter(|b| b.folder.spec.protocol == Protocol::Sound);
    let scatter = scatter.flat_map(|b| b.archs().map(|a| scatter_of(b, a)).collect::<Vec<_>>());
    let exhibit = |name: &str, caption: &str, text: &str, charts: Vec<Chart>| Exhibit {
        name: name.into(),
        caption: caption.into(),
        text: text.into(),
        charts,
        ..Exhibit::default()
    };
    let mut out = vec![exhibit(
        "learning",
        "Learning curves",
        "mIoU on the images that each training was scored on, the mean over its repeats.",
        learning(Axis::Iterations),
    )];
    out.push(exhibit(
        "time",
        "Accuracy against time",
        "The same against the wall time of the training steps, on the machine and beside the work it had then.",
        learning(Axis::Minutes),
    ));
    let charts: Vec<Chart> = scatter.collect();
    if !charts.is_empty() {
        let text =
            "One dot for each seed: mIoU over all folds. What tricks add must be seen against this scatter.";
        out.push(exhibit("scatter", "Scatter of repeated trainings", text, charts));
    }
    out
}

fn name(set: &TrickSet) -> String {
    if set.is_empty() { "baseline".into() } else { set_name(set) }
}

/// Along which axis learning is drawn.
#[derive(Clone, Copy)]
enum Axis {
    Iterations,
    /// Wall time of the training steps.
    Minutes,
}

fn learning(book: &Book, arch: usize, axis: Axis) -> Chart {
    let series = book.sets(arch).into_iter().map(|set| {
        // Iteration: sums of time and mIoU, number of both.
        let mut sums: BTreeMap<u64, (f64, f64, f64)> = BTreeMap::new();
        for run in book.runs_of(arch, &set) {
            let folder = book.folder.run_path(&run);
            let records: Vec<ValidationRecord> = RunFolder::read_lines(&folder, "validation.jsonl");
            let metrics: Vec<Metric> = RunFolder::read_lines(&folder, "metrics.jsonl");
            for (iteration, miou) in records.iter().filter_map(|r| Some((r.iteration, r.mean_iou?))) {
                let steps = metrics.iter().filter(|m| m.iteration <= iteration);
                let minutes = steps.map(|m| m.seconds).sum::<f64>() / 60.0;
                let sum = sums.entry(iteration).or_default();
                *sum = (sum.0 + minutes, sum.1 + 100.0 * miou, sum.2 + 1.0);
            }
        }
        let point = |(iteration, (minutes, miou, n)): (u64, (f64, f64, f64))| match axis {
            Axis::Iterations => (iteration as f64, miou / n),
            Axis::Minutes => (minutes / n, miou / n),
        };
        Series::line(&name(&set), sums.into_iter().map(point).collect())
    });
    Chart {
        title: format!("{}, {}", book.title(), book.folder.spec.arch_title(arch)),
        x_label: match axis {
            Axis::Iterations => "iteration".into(),
            Axis::Minutes => "minutes of training steps".into(),
        },
        y_label: "mIoU (%)".into(),
        series: series.collect(),
        ..Chart::default()
    }
}

fn scatter_of(book: &Book, arch: usize) -> Chart {
    let sets = book.sets(arch);
    let dots = sets.iter().enumerate().flat_map(|(i, set)| {
        let seeds = book.folder.spec.by_seed(&book.scores, arch, set);
        seeds.into_iter().map(move |(_, miou)| (i as f64 + 0.5, miou))
    });
    Chart {
        title: format!("{}, {}", book.title(), book.folder.spec.arch_title(arch)),
        y_label: "mIoU (%)".into(),
        series: vec![Series::dots("seeds", dots.collect())],
        x_names: sets.iter().map(name).collect(),
        ..Chart::default()
    }
}
