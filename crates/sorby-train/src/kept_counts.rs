//! `validation_images.json`: counts by image that are believed only if they fit what else is known of the run.

use crate::identity::Identity;
use crate::log::Log;
use crate::run_folder::{IMAGE_COUNTS, ImageCounts, ValidationRecord};
use sorby_infer::Confusion;
use std::collections::BTreeMap;
use std::path::Path;

/// Labelled pixels of images by class.
pub type LabelPixels = BTreeMap<String, Vec<u64>>;

/// Counts of the last validation by image; `None` when the run has none yet. `labels` gives the images' labelled
/// pixels by class, where the caller knows them; else those that the run kept of its beginning are compared.
///
/// # Errors
/// Names the file and what in it cannot be: counts that are not those of an image's label, or that give other scores
/// than `validation.jsonl` tells.
pub fn kept_counts(
    run: &Path,
    classes: usize,
    labels: Option<&LabelPixels>,
) -> Result<Option<Vec<(String, Confusion)>>, String> {
    let path = run.join(IMAGE_COUNTS);
    let Ok(bytes) = std::fs::read(&path) else { return Ok(None) };
    let told = |what: String| format!("{}: {what}; put it back as it was, or train again", path.display());
    let images: Vec<ImageCounts> =
        serde_json::from_slice(&bytes).map_err(|e| told(format!("cannot be read ({e})")))?;
    let kept = if labels.is_none() { Identity::of_folder(run).map(|i| i.label_px) } else { None };
    let labels = labels.or(kept.as_ref());
    let mut total = Confusion::new(classes);
    let mut out = Vec::new();
    for ImageCounts { name, matrix } in images {
        let sums: Option<Vec<u64>> =
            matrix.iter().map(|row| row.iter().try_fold(0u64, |sum, n| sum.checked_add(*n))).collect();
        let Some(sums) = sums.filter(|s| s.len() == classes && s.iter().all(|n| *n < 1 << 40)) else {
            return Err(told(format!("the counts of `{name}` are not those of {classes} classes")));
        };
        if let Some(px) = labels.and_then(|l| l.get(&name)).filter(|px| **px != sums) {
            return Err(told(format!(
                "the counts of `{name}` sum to {sums:?} pixels and its label has {px:?}"
            )));
        }
        let counts = Confusion::from_matrix(matrix)
            .ok_or_else(|| told(format!("the counts of `{name}` are not square")))?;
        total.merge(&counts);
        out.push((name, counts));
    }
    let last = Log::<ValidationRecord>::read(run).possible()?.pop();
    let Some(last) = last.filter(|_| !out.is_empty()) else {
        return Err(told("belongs to no validation in validation.jsonl".into()));
    };
    let now = ValidationRecord::new(last.iteration, &total.scores());
    if !agree(&now, &last) {
        let percent = |v: Option<f64>| v.map_or("-".into(), |v| format!("{:.2} %", 100.0 * v));
        return Err(told(format!(
            "its counts give a mIoU of {} and validation.jsonl tells {}",
            percent(now.mean_iou),
            percent(last.mean_iou)
        )));
    }
    Ok(Some(out))
}

/// Whether two records tell the same scores.
fn agree(a: &ValidationRecord, b: &ValidationRecord) -> bool {
    let near = |a: Option<f64>, b: Option<f64>| match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() < 1e-9,
        (a, b) => a == b,
    };
    near(a.mean_iou, b.mean_iou)
        && near(a.pixel_accuracy, b.pixel_accuracy)
        && a.iou.len() == b.iou.len()
        && a.iou.iter().zip(&b.iou).all(|(a, b)| near(*a, *b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_count_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path();
        assert!(kept_counts(run, 2, None).unwrap().is_none());
        let mut total = Confusion::new(2);
        let matrices = [vec![vec![90, 10], vec![5, 95]], vec![vec![150, 0], vec![20, 30]]];
        for matrix in &matrices {
            total.merge(&Confusion::from_matrix(matrix.clone()).unwrap());
        }
        let record = serde_json::to_string(&ValidationRecord::new(6, &total.scores())).unwrap() + "\n";
        let log = run.join("validation.jsonl");
        std::fs::write(&log, &record).unwrap();
        let write = |m: &[Vec<Vec<u64>>]| {
            let of =
                |(i, m): (usize, &Vec<Vec<u64>>)| ImageCounts { name: format!("i{i}"), matrix: m.clone() };
            let images: Vec<_> = m.iter().enumerate().map(of).collect();
            std::fs::write(run.join(IMAGE_COUNTS), serde_json::to_vec(&images).unwrap()).unwrap();
        };
        write(&matrices);
        let labels = LabelPixels::from([("i0".into(), vec![100, 100]), ("i1".into(), vec![150, 50])]);
        let read = |labels| kept_counts(run, 2, labels);
        assert_eq!(read(Some(&labels)).unwrap().unwrap().len(), 2);
        assert_eq!(read(None).unwrap().unwrap()[1].1.matrix(), matrices[1]);
        let refused = |what: &str| {
            for labels in [Some(&labels), None] {
                let error = read(labels).unwrap_err();
                assert!(error.contains("validation_images.json") && !error.contains('\n'), "{error}");
                assert!(labels.is_none() || error.contains(what), "{error}");
            }
        };
        type Matrix = Vec<Vec<u64>>;
        let change = |f: &dyn Fn(&mut [Matrix])| {
            let mut m = matrices.to_vec();
            f(&mut m);
            write(&m);
        };
        change(&|m| m[0][1][1] = 9995);
        refused("its label has [100, 100]");
        change(&|m| (m[0][1][1], m[0][1][0]) = (96, 4));
        refused("validation.jsonl tells");
        change(&|m| m[1][0].push(0));
        refused("not square");
        change(&|m| m[1].push(vec![0, 0]));
        refused("classes");
        change(&|m| m[1][0][0] = u64::MAX);
        refused("classes");
        std::fs::write(run.join(IMAGE_COUNTS), "[]").unwrap();
        refused("belongs to no validation");
        std::fs::write(run.join(IMAGE_COUNTS), "[{").unwrap();
        refused("cannot be read");
        write(&matrices);
        std::fs::write(&log, record.replace("\"iteration\":6", "\"iteration\":7").replace("0.", "0.1"))
            .unwrap();
        refused("validation.jsonl tells");
        std::fs::write(&log, "").unwrap();
        refused("belongs to no validation");
    }
}
