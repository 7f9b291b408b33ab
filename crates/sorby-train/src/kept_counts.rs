//! `validation_images.json`: counts by image that are believed only if they fit what else is known of the run.

use crate::run_file::RunFile;
use crate::run_folder::{ImageCounts, ValidationRecord};
use sorby_image::files::read_regular;
use sorby_score::Confusion;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

/// Labelled pixels of images by class.
pub type LabelPixels = BTreeMap<String, Vec<u64>>;

/// What is known of a run besides its counts.
pub(crate) struct Known<'a> {
    pub classes: usize,
    /// Labelled pixels of the images, where they are known.
    pub labels: Option<&'a LabelPixels>,
    /// Names of the images it was validated on, where they are known.
    pub images: Option<Vec<&'a str>>,
    /// `validation.jsonl`.
    pub validations: &'a [ValidationRecord],
    /// A finished run has counts if it was ever validated.
    pub finished: bool,
}

/// Counts of the last validation by image; `None` when the run has none yet.
///
/// # Errors
/// Names the file and what in it cannot be: counts that are not those of an image's label, or that give other scores
/// than `validation.jsonl` has; a finished run without counts.
pub(crate) fn kept_counts(run: &Path, known: &Known) -> Result<Option<Vec<(String, Confusion)>>, String> {
    let path = RunFile::ImageCounts.path_in(run);
    let told = |what: String| format!("{}: {what}; put it back as it was, or train again", path.display());
    let bytes = match read_regular(&path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == ErrorKind::NotFound && known.finished && !known.validations.is_empty() => {
            return Err(told("is missing, and this run is finished".into()));
        }
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(told(e.to_string())),
    };
    let images: Vec<ImageCounts> =
        serde_json::from_slice(&bytes).map_err(|e| told(format!("cannot be read ({e})")))?;
    if let Some(mut names) = known.images.clone() {
        let mut counted: Vec<&str> = images.iter().map(|i| i.name.as_str()).collect();
        names.sort_unstable();
        counted.sort_unstable();
        if names != counted {
            return Err(told("its images are not those that this run was validated on".into()));
        }
    }
    let (classes, labels) = (known.classes, known.labels);
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
    let Some(last) = known.validations.last().filter(|_| !out.is_empty()) else {
        return Err(told("belongs to no validation in validation.jsonl".into()));
    };
    let now = ValidationRecord::new(last.iteration, &total.scores());
    if !agree(&now, last) {
        let percent = |v: Option<f64>| v.map_or("-".into(), |v| format!("{:.2} %", 100.0 * v));
        return Err(told(format!(
            "its counts give a mIoU of {} and validation.jsonl says {}",
            percent(now.mean_iou),
            percent(last.mean_iou)
        )));
    }
    Ok(Some(out))
}

/// Whether two records hold the same scores.
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
    use crate::log::Log;

    fn read_with(
        run: &Path,
        labels: Option<&LabelPixels>,
        finished: bool,
    ) -> Result<Option<Vec<(String, Confusion)>>, String> {
        let validations = Log::<ValidationRecord>::read(run).possible()?;
        kept_counts(run, &Known { classes: 2, labels, images: None, validations: &validations, finished })
    }

    #[test]
    fn a_changed_count_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path();
        assert!(read_with(run, None, false).unwrap().is_none());
        let mut total = Confusion::new(2);
        let matrices = [vec![vec![90, 10], vec![5, 95]], vec![vec![150, 0], vec![20, 30]]];
        for matrix in &matrices {
            total.merge(&Confusion::from_matrix(matrix.clone()).unwrap());
        }
        let record = serde_json::to_string(&ValidationRecord::new(6, &total.scores())).unwrap() + "\n";
        let log = RunFile::Validation.path_in(run);
        std::fs::write(&log, &record).unwrap();
        let write = |m: &[Vec<Vec<u64>>]| {
            let of =
                |(i, m): (usize, &Vec<Vec<u64>>)| ImageCounts { name: format!("i{i}"), matrix: m.clone() };
            let images: Vec<_> = m.iter().enumerate().map(of).collect();
            std::fs::write(RunFile::ImageCounts.path_in(run), serde_json::to_vec(&images).unwrap()).unwrap();
        };
        assert!(read_with(run, None, false).unwrap().is_none(), "a stopped run may have none");
        let error = read_with(run, None, true).unwrap_err();
        assert!(error.contains("validation_images.json: is missing"), "{error}");
        write(&matrices);
        let labels = LabelPixels::from([("i0".into(), vec![100, 100]), ("i1".into(), vec![150, 50])]);
        let read = |labels| read_with(run, labels, true);
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
        refused("validation.jsonl says");
        change(&|m| m[1][0].push(0));
        refused("not square");
        change(&|m| m[1].push(vec![0, 0]));
        refused("classes");
        change(&|m| m[1][0][0] = u64::MAX);
        refused("classes");
        std::fs::write(RunFile::ImageCounts.path_in(run), "[]").unwrap();
        refused("belongs to no validation");
        std::fs::write(RunFile::ImageCounts.path_in(run), "[{").unwrap();
        refused("cannot be read");
        write(&matrices);
        let other = Confusion::from_matrix(matrices[0].clone()).unwrap().scores();
        let other = serde_json::to_string(&ValidationRecord::new(7, &other)).unwrap() + "\n";
        std::fs::write(&log, other).unwrap();
        refused("validation.jsonl says");
        std::fs::write(&log, "").unwrap();
        refused("belongs to no validation");
    }
}
