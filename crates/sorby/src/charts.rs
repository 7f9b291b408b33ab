//! Charts that several verbs draw.

use crate::Observer;
use sorby_measure::{Summary, Sweep};
use sorby_report::{Chart, Series};
use sorby_train::{Metric, PastRun, ValidationRecord};

/// Count and mean radius against the threshold.
pub fn sweep(
    curve: &Sweep,
    truth: Option<&Summary>,
    model: Option<&Summary>,
    marks: &[(f64, String)],
) -> (Chart, Chart) {
    let chart = |title: &str,
                 y_label: &str,
                 points: Vec<(f64, f64)>,
                 level: &dyn Fn(&Summary) -> Option<f64>| Chart {
        title: title.to_owned(),
        x_label: "threshold (grey level)".into(),
        y_label: y_label.to_owned(),
        series: vec![Series::line(title, points)],
        levels: [(truth, "truth"), (model, "model")]
            .into_iter()
            .filter_map(|(s, name)| Some((level(s?)?, name.to_owned())))
            .collect(),
        marks: marks.to_vec(),
        from_zero: true,
        x_names: Vec::new(),
    };
    let points = |f: &dyn Fn(usize) -> f64| (0..256).map(|t| (t as f64, f(t))).collect();
    (
        chart("Particle count", "count", points(&|t| f64::from(curve.counts[t])), &|s| Some(s.count as f64)),
        chart(
            "Mean equivalent radius",
            "mean radius (px)",
            points(&|t| curve.mean_radii_px[t].unwrap_or(f64::NAN)),
            &|s| s.mean_radius_px,
        ),
    )
}

/// Loss by iteration, smoothed and raw.
pub fn loss(metrics: &[Metric]) -> Chart {
    let raw: Vec<(f64, f64)> = metrics.iter().map(|m| (m.iteration as f64, f64::from(m.loss))).collect();
    // An exponential mean without the pull of the first value.
    let (mut sum, mut weight) = (0.0, 0.0);
    let smooth = raw.iter().map(|&(x, y)| {
        (sum, weight) = (0.9 * sum + y, 0.9 * weight + 1.0);
        (x, sum / weight)
    });
    let smooth = smooth.collect();
    Chart {
        title: "Training loss".into(),
        x_label: "iteration".into(),
        y_label: "loss".into(),
        series: vec![Series::line("each iteration", raw), Series::line("smoothed", smooth)],
        from_zero: true,
        ..Chart::default()
    }
}

/// IoU by iteration on the validation split.
pub fn validation(records: &[ValidationRecord], classes: &[String]) -> Chart {
    let percent = |v: Option<f64>| 100.0 * v.unwrap_or(f64::NAN);
    let line = |name: &str, f: &dyn Fn(&ValidationRecord) -> Option<f64>| {
        Series::line(name, records.iter().map(|r| (r.iteration as f64, percent(f(r)))).collect())
    };
    let mut series = vec![line("mean", &|r| r.mean_iou)];
    series
        .extend(classes.iter().enumerate().map(|(c, name)| line(name, &|r| r.iou.get(c).copied().flatten())));
    Chart {
        title: "Validation IoU".into(),
        x_label: "iteration".into(),
        y_label: "IoU (%)".into(),
        series,
        from_zero: true,
        ..Chart::default()
    }
}

/// Says what is missing in a run, or cannot be checked.
pub(crate) fn tell(run: &PastRun, observer: &dyn Observer) {
    run.notes.iter().chain(&run.unchecked).for_each(|note| observer.note(note.clone()));
}

/// A validation of a training.
#[derive(Clone, Copy, Debug, Default)]
pub struct Point {
    pub iteration: u64,
    /// Wall time of the training steps.
    pub minutes: f64,
    /// The same without other work on the machine, estimated: iterations times what the fastest tenth of the steps
    /// takes at most.
    pub undisturbed_minutes: f64,
    /// In percent.
    pub miou: f64,
}

/// Validations of a training, in order.
pub fn points(metrics: &[Metric], records: &[ValidationRecord]) -> Vec<Point> {
    let mut seconds: Vec<f64> = metrics.iter().map(|m| m.seconds).collect();
    seconds.sort_by(f64::total_cmp);
    let fast = seconds.get(seconds.len() / 10).copied().unwrap_or(f64::NAN);
    let of = |r: &ValidationRecord| {
        let steps = metrics.iter().filter(|m| m.iteration <= r.iteration);
        Some(Point {
            iteration: r.iteration,
            minutes: steps.map(|m| m.seconds).sum::<f64>() / 60.0,
            undisturbed_minutes: fast * r.iteration as f64 / 60.0,
            miou: 100.0 * r.mean_iou?,
        })
    };
    records.iter().filter_map(of).collect()
}

/// Along which axis learning is drawn.
#[derive(Clone, Copy)]
pub enum Axis {
    Iterations,
    Minutes,
    UndisturbedMinutes,
}

impl Axis {
    pub fn of(self, point: &Point) -> f64 {
        match self {
            Axis::Iterations => point.iteration as f64,
            Axis::Minutes => point.minutes,
            Axis::UndisturbedMinutes => point.undisturbed_minutes,
        }
    }

    fn label(self) -> &'static str {
        match self {
            Axis::Iterations => "iteration",
            Axis::Minutes => "minutes of training steps",
            Axis::UndisturbedMinutes => "minutes of training steps without other work",
        }
    }
}

/// mIoU along an axis.
pub fn accuracy(title: &str, axis: Axis, series: Vec<Series>) -> Chart {
    Chart {
        title: title.to_owned(),
        x_label: axis.label().into(),
        y_label: "mIoU (%)".into(),
        series,
        ..Chart::default()
    }
}
