//! Learning curves, and the scatter of repeated trainings.

use super::Exhibit;
use super::ReportedStudy;
use crate::charts::{self, Axis};
use sorby_report::{Chart, Series};
use sorby_study::{Protocol, TrickSet, set_name};
use sorby_train::RunFolder;
use std::collections::BTreeMap;

pub fn all(books: &[ReportedStudy]) -> Vec<Exhibit> {
    let learning = |axis| {
        let of_book = |b| ReportedStudy::archs(b).map(move |a| learning(b, a, axis));
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
        "The same against the wall time of the training steps, on the machine and with the other work it had then.",
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

fn learning(book: &ReportedStudy, arch: usize, axis: Axis) -> Chart {
    let series = book.sets(arch).into_iter().map(|set| {
        // Iteration: sums of the place on the axis and of mIoU, number of both.
        let mut sums: BTreeMap<u64, (f64, f64, f64)> = BTreeMap::new();
        for run in book.runs_of(arch, &set) {
            let path = book.folder.run_path(&run);
            for point in charts::points(&RunFolder::read_lines(&path), &RunFolder::read_lines(&path)) {
                let sum = sums.entry(point.iteration).or_default();
                *sum = (sum.0 + axis.of(&point), sum.1 + point.miou, sum.2 + 1.0);
            }
        }
        let means = sums.into_values().map(|(at, miou, n)| (at / n, miou / n));
        Series::line(&name(&set), means.collect())
    });
    let title = format!("{}, {}", book.title(), book.folder.spec.arch_title(arch));
    charts::accuracy(&title, axis, series.collect())
}

fn scatter_of(book: &ReportedStudy, arch: usize) -> Chart {
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
