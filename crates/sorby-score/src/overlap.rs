//! How one class of a mask lies on that of its true mask.

use serde::{Deserialize, Serialize};
use sorby_image::IGNORE;

/// Pixels that both know, and how many of them are of the class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Overlap {
    pixels: u64,
    in_mask: u64,
    in_truth: u64,
    in_both: u64,
}

impl Overlap {
    /// Of a mask and its truth; pixels that are 255 in either are left out.
    pub fn of(mask: &[u8], truth: &[u8], class: u8) -> Self {
        let mut sum = Self::default();
        for (m, t) in mask.iter().zip(truth).filter(|(m, t)| **m != IGNORE && **t != IGNORE) {
            sum.pixels += 1;
            sum.in_mask += u64::from(*m == class);
            sum.in_truth += u64::from(*t == class);
            sum.in_both += u64::from(*m == class && *t == class);
        }
        sum
    }

    /// Shared pixels by those that either has; `None` where neither has any.
    pub fn iou(&self) -> Option<f64> {
        let either = self.in_mask + self.in_truth - self.in_both;
        (either > 0).then(|| self.in_both as f64 / either as f64)
    }

    /// Whether the mask is the true mask, pixel by pixel, and holds something.
    pub fn is_whole(&self) -> bool {
        self.in_mask > 0 && self.in_both == self.in_mask && self.in_both == self.in_truth
    }

    /// Several fields taken together.
    pub fn sum(all: impl Iterator<Item = Self>) -> Self {
        all.fold(Self::default(), |a, b| Self {
            pixels: a.pixels + b.pixels,
            in_mask: a.in_mask + b.in_mask,
            in_truth: a.in_truth + b.in_truth,
            in_both: a.in_both + b.in_both,
        })
    }

    /// Whether fewer pixels agree than if the class had been strewn over the field: a true mask that is inside out, or of
    /// another place.
    pub fn is_below_chance(&self) -> bool {
        self.in_mask > 0
            && self.in_truth > 0
            && self.in_both as f64 * (self.pixels as f64) < self.in_mask as f64 * self.in_truth as f64
    }
}

/// IoU of "brighter than t" with the class, for every t; `None` where both are empty.
pub fn threshold_ious(grey: &[u8], labels: &[u8], class: u8) -> Vec<Option<f64>> {
    let (mut inside, mut outside) = ([0u64; 256], [0u64; 256]);
    for (value, label) in grey.iter().zip(labels) {
        match *label {
            l if l == class => inside[usize::from(*value)] += 1,
            IGNORE => {}
            _ => outside[usize::from(*value)] += 1,
        }
    }
    let total: u64 = inside.iter().sum();
    let (mut hit, mut wrong) = (0, 0);
    let mut ious = vec![None; 256];
    for t in (0..256).rev() {
        // Brighter than t: the values from t + 1 on, which the steps before have added.
        let union = total + wrong;
        ious[t] = (union > 0).then(|| hit as f64 / union as f64);
        hit += inside[t];
        wrong += outside[t];
    }
    ious
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inside_out_is_below_chance_and_itself_is_whole() {
        let mask = [0, 0, 0, 1, 1, 0, 0, 255];
        let of = |truth: &[u8]| Overlap::of(&mask, truth, 1);
        assert!(of(&[0, 0, 0, 1, 1, 0, 0, 0]).is_whole());
        assert!(!of(&[0, 0, 0, 1, 0, 0, 0, 0]).is_whole());
        assert!(of(&[1, 1, 1, 0, 0, 1, 1, 1]).is_below_chance());
        assert!(!of(&[0, 0, 0, 1, 0, 0, 0, 0]).is_below_chance());
        let both = [of(&[1, 1, 1, 0, 0, 1, 1, 1]), of(&[0, 0, 0, 1, 1, 0, 0, 0])];
        let sum = Overlap::sum(both.into_iter());
        assert_eq!((sum.pixels, sum.in_mask, sum.in_truth, sum.in_both), (14, 4, 7, 2));
        assert!(!sum.is_below_chance(), "2 of 14, and chance is 2");
    }

    #[test]
    fn ious_of_all_thresholds_in_one_pass() {
        let (grey, labels) = ([10, 20, 30, 40, 50], [0, 1, 0, 1, 255]);
        let all = threshold_ious(&grey, &labels, 1);
        for t in 0..=255u8 {
            let mask: Vec<u8> = grey.iter().map(|v| u8::from(*v > t)).collect();
            assert_eq!(all[usize::from(t)], Overlap::of(&mask, &labels, 1).iou(), "{t}");
        }
        assert_eq!(all[35], Some(0.5));
        assert_eq!(all[15], Some(2.0 / 3.0));
    }
}
