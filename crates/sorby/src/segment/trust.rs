//! How far a mask can be trusted.

use sorby_infer::{ExpectedIou, InferenceOptions, IouSum, ModelCard, Reliability};

/// What is known of a mask without a label.
pub struct Trust {
    /// Mean calibrated probability of the class given.
    confidence: Option<f64>,
    /// By class; `None` where the model was never validated, or the class has no part in the image.
    expected: Vec<Option<ExpectedIou>>,
    /// Distance from the training images; above 1 the image is unlike them.
    distance: Option<f64>,
}

impl Trust {
    /// Mean calibrated probability of the class given, over the field.
    pub fn confidence(&self) -> Option<f64> {
        self.confidence
    }

    /// The IoU to expect of each class; `None` where the model was never validated, or the class has no part in the
    /// image.
    pub fn expected(&self) -> &[Option<ExpectedIou>] {
        &self.expected
    }

    /// Distance from the training images, if the model knows them.
    pub fn distance(&self) -> Option<f64> {
        self.distance
    }

    /// Whether the image is unlike the training images, so that the model may be far off.
    pub fn is_unlike(&self) -> bool {
        self.distance.is_some_and(|d| d > 1.0)
    }
}

/// Sums over the pixels of an image.
pub struct TrustSums {
    reliability: Option<Reliability>,
    /// Whether the image is segmented as the validation images were: only then do their errors tell of its.
    as_validated: bool,
    sums: Vec<IouSum>,
    confidence: f64,
    pixels: u64,
    calibrated: Vec<f64>,
}

impl TrustSums {
    pub fn new(card: &ModelCard, options: &InferenceOptions) -> Self {
        let classes = card.classes.len();
        Self {
            reliability: card.reliability.clone(),
            as_validated: *options == InferenceOptions::of(card),
            sums: vec![IouSum::default(); classes],
            confidence: 0.0,
            pixels: 0,
            calibrated: vec![0.0; classes],
        }
    }

    /// Takes in a pixel if it is of the field; gives the calibrated probability of its class, or the network's own
    /// where the model was never validated.
    pub fn pixel(&mut self, label: u8, scores: &[f32], of_field: bool) -> f64 {
        match &self.reliability {
            Some(reliability) => reliability.calibrate(scores, &mut self.calibrated),
            None => self.calibrated.iter_mut().zip(scores).for_each(|(c, s)| *c = f64::from(*s)),
        }
        let sure = self.calibrated[usize::from(label)];
        if of_field {
            self.confidence += sure;
            self.pixels += 1;
            for (c, (sum, p)) in self.sums.iter_mut().zip(&self.calibrated).enumerate() {
                sum.add(c == usize::from(label), *p);
            }
        }
        sure
    }

    /// `in_range`: whether the image's pixel size is one of those that the model learnt from.
    pub fn finish(self, distance: Option<f64>, in_range: bool) -> Trust {
        // The interval is what the validation images taught; it holds for images like them, seen in the same way.
        let holds = self.as_validated && in_range && distance.is_none_or(|d| d <= 1.0);
        let without = |e: ExpectedIou| ExpectedIou { interval: e.interval.filter(|_| holds), ..e };
        let expected = match &self.reliability {
            Some(r) => {
                let of = |(class, sum): (usize, &IouSum)| r.expected(class, *sum).map(without);
                self.sums.iter().enumerate().map(of).collect()
            }
            None => vec![None; self.sums.len()],
        };
        let confidence = (self.pixels > 0).then(|| self.confidence / self.pixels as f64);
        Trust { confidence, expected, distance }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scale::in_range;
    use sorby_infer::Residual;
    use sorby_nn::{Arch, ModelSpec, Stem};

    fn expected(distance: Option<f64>, in_range: bool, flip: bool) -> Option<ExpectedIou> {
        let spec = ModelSpec { arch: Arch::DeepLabV3Plus, stem: Stem::V1c, classes: 2, output_stride: 16 };
        let residual = Residual { bias: 0.0, sd: Some(0.02), images: 5 };
        let reliability = Some(Reliability { temperature: 1.0, classes: vec![residual; 2] });
        let card = ModelCard { reliability, ..ModelCard::new(spec) };
        let options = InferenceOptions { flip, ..InferenceOptions::of(&card) };
        let mut sums = TrustSums::new(&card, &options);
        for _ in 0..100 {
            sums.pixel(1, &[0.2, 0.8], true);
        }
        sums.finish(distance, in_range).expected[1]
    }

    /// What validation images taught holds for images like them, seen in the same way; for others there is no interval,
    /// rather than a narrow one that is wrong.
    #[test]
    fn outside_the_training_range_there_is_no_interval() {
        let interval = |distance, in_range, flip| expected(distance, in_range, flip).unwrap().interval;
        assert!(interval(Some(0.99), true, false).is_some());
        assert_eq!(interval(Some(1.01), true, false), None);
        assert_eq!(interval(Some(0.5), false, false), None);
        assert_eq!(interval(Some(0.5), true, true), None);
        // A model of too few images to know what is usual says nothing against an image.
        assert!(interval(None, true, false).is_some());
        assert!((expected(Some(3.0), true, false).unwrap().value - 0.8).abs() < 1e-6);
    }

    #[test]
    fn pixel_sizes_of_the_training_range() {
        let trained = Some((10.0, 20.0));
        for (nm, inside) in [(9.9, true), (9.5, false), (20.3, true), (21.0, false), (15.0, true)] {
            assert_eq!(in_range(Some(nm), trained), inside, "{nm}");
        }
        assert!(in_range(None, trained) && in_range(Some(99.0), None));
    }
}
