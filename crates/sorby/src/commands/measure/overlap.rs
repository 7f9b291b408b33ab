//! How a mask lies on its true mask.

use sorby_image::{IGNORE, LabelMap};

/// Pixels that both know, and how many of them are of the class.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Overlap {
    pixels: f64,
    in_mask: f64,
    in_truth: f64,
    in_both: f64,
}

impl Overlap {
    /// Two masks of one size.
    pub fn of(mask: &LabelMap, truth: &LabelMap, class: u8) -> Self {
        let mut sum = Self::default();
        for (m, t) in mask.labels.iter().zip(&truth.labels).filter(|(m, t)| **m != IGNORE && **t != IGNORE) {
            sum.pixels += 1.0;
            sum.in_mask += f64::from(u8::from(*m == class));
            sum.in_truth += f64::from(u8::from(*t == class));
            sum.in_both += f64::from(u8::from(*m == class && *t == class));
        }
        sum
    }

    /// Whether the mask is the true mask, pixel by pixel, and holds something.
    pub fn is_whole(&self) -> bool {
        self.in_mask > 0.0 && self.in_both == self.in_mask && self.in_both == self.in_truth
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
        self.in_mask > 0.0 && self.in_truth > 0.0 && self.in_both * self.pixels < self.in_mask * self.in_truth
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(labels: &[u8]) -> LabelMap {
        LabelMap { width: labels.len(), height: 1, labels: labels.to_vec() }
    }

    #[test]
    fn inside_out_is_below_chance_and_itself_is_whole() {
        let mask = row(&[0, 0, 0, 1, 1, 0, 0, 255]);
        let of = |truth: &[u8]| Overlap::of(&mask, &row(truth), 1);
        assert!(of(&[0, 0, 0, 1, 1, 0, 0, 0]).is_whole());
        assert!(!of(&[0, 0, 0, 1, 0, 0, 0, 0]).is_whole());
        assert!(of(&[1, 1, 1, 0, 0, 1, 1, 1]).is_below_chance());
        assert!(!of(&[0, 0, 0, 1, 0, 0, 0, 0]).is_below_chance());
        let both = [of(&[1, 1, 1, 0, 0, 1, 1, 1]), of(&[0, 0, 0, 1, 1, 0, 0, 0])];
        let sum = Overlap::sum(both.into_iter());
        assert_eq!((sum.pixels, sum.in_mask, sum.in_truth, sum.in_both), (14.0, 4.0, 7.0, 2.0));
        assert!(!sum.is_below_chance(), "2 of 14, and chance is 2");
    }
}
