//! Segmentation scores: counts summed over the whole set first, ratios afterwards (MMSegmentation's
//! `IoUMetric`).

use serde::Serialize;
use sorby_image::{IGNORE, LabelMap};

/// Pixel counts per class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    /// `matrix[label][prediction]`.
    matrix: Vec<Vec<u64>>,
}

/// Scores of one class; `None` where the ratio is 0/0.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassScores {
    /// Pixels that label and prediction share, by those that either has (Jaccard).
    pub iou: Option<f64>,
    /// Share of the class's pixels that were found; MMSegmentation's `Acc`.
    pub recall: Option<f64>,
    /// Share of the pixels predicted as the class that are of it.
    pub precision: Option<f64>,
    /// Twice the shared pixels, by the sum of both.
    pub dice: Option<f64>,
}

/// Scores of all classes; means are over the classes that have a value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scores {
    /// In index order.
    pub classes: Vec<ClassScores>,
    /// mIoU.
    pub mean_iou: Option<f64>,
    /// Mean of the classes' Dice.
    pub mean_dice: Option<f64>,
    /// Mean of the classes' precision.
    pub mean_precision: Option<f64>,
    /// Mean of the classes' recall; MMSegmentation's `mAcc`.
    pub mean_recall: Option<f64>,
    /// Share of labelled pixels predicted right.
    pub pixel_accuracy: Option<f64>,
}

impl Confusion {
    /// No pixel yet.
    pub fn new(classes: usize) -> Self {
        Self { matrix: vec![vec![0; classes]; classes] }
    }

    /// Counts that were kept: `matrix[label][prediction]`, square.
    pub fn from_matrix(matrix: Vec<Vec<u64>>) -> Option<Self> {
        matrix.iter().all(|row| row.len() == matrix.len()).then_some(Self { matrix })
    }

    /// As [`Confusion::add`], for masks that nobody has checked.
    ///
    /// # Errors
    /// When the two differ in size, or hold an index that is no class; nothing is counted then.
    pub fn try_add(&mut self, prediction: &LabelMap, label: &LabelMap) -> Result<(), String> {
        let size = |map: &LabelMap| (map.height, map.width);
        if size(prediction) != size(label) {
            return Err(format!(
                "the prediction has the shape {:?} but its mask {:?}",
                size(prediction),
                size(label)
            ));
        }
        let labelled = prediction.labels.iter().zip(&label.labels).filter(|(_, l)| **l != IGNORE);
        let highest = labelled.map(|(p, l)| (*p).max(*l)).max().unwrap_or(0);
        if usize::from(highest) >= self.matrix.len() {
            let last = self.matrix.len().saturating_sub(1);
            return Err(format!("there is class {highest} in the masks, but the classes are 0 to {last}"));
        }
        self.add(prediction, label);
        Ok(())
    }

    /// Counts a prediction against its label; pixels labelled 255 are left out.
    ///
    /// # Panics
    /// When the two differ in size, or hold an index that is no class.
    pub fn add(&mut self, prediction: &LabelMap, label: &LabelMap) {
        assert_eq!((prediction.width, prediction.height), (label.width, label.height));
        for (&p, &l) in prediction.labels.iter().zip(&label.labels) {
            if l != IGNORE {
                self.matrix[usize::from(l)][usize::from(p)] += 1;
            }
        }
    }

    /// Adds the counts of another set.
    pub fn merge(&mut self, other: &Confusion) {
        for (a, b) in self.matrix.iter_mut().flatten().zip(other.matrix.iter().flatten()) {
            *a += b;
        }
    }

    /// `matrix()[label][prediction]`.
    pub fn matrix(&self) -> &[Vec<u64>] {
        &self.matrix
    }

    /// The ratios of the counts.
    pub fn scores(&self) -> Scores {
        let k = self.matrix.len();
        let ratio = |a: u64, b: u64| (b > 0).then(|| a as f64 / b as f64);
        let mut right = 0;
        let mut classes = Vec::with_capacity(k);
        for c in 0..k {
            let both = self.matrix[c][c];
            let labelled: u64 = self.matrix[c].iter().sum();
            let predicted: u64 = self.matrix.iter().map(|row| row[c]).sum();
            right += both;
            classes.push(ClassScores {
                iou: ratio(both, labelled + predicted - both),
                recall: ratio(both, labelled),
                precision: ratio(both, predicted),
                dice: ratio(2 * both, labelled + predicted),
            });
        }
        let mean = |f: fn(&ClassScores) -> Option<f64>| {
            let values: Vec<f64> = classes.iter().filter_map(f).collect();
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        };
        Scores {
            mean_iou: mean(|c| c.iou),
            mean_dice: mean(|c| c.dice),
            mean_precision: mean(|c| c.precision),
            mean_recall: mean(|c| c.recall),
            pixel_accuracy: ratio(right, self.matrix.iter().flatten().sum()),
            classes,
        }
    }
}
