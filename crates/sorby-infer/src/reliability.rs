//! How sure a mask is: probabilities that mean what they say, and the IoU to expect without a label. Both are learnt
//! from the validation images.

use crate::ScoreMap;
use serde::{Deserialize, Serialize};
use sorby_image::{IGNORE, LabelMap};
use statrs::distribution::{ContinuousCDF as _, StudentsT};

/// Pixels of an image that take part in the calibration, at most about.
const SAMPLE: usize = 40_000;

/// What the validation images say of a model's probabilities.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reliability {
    /// Probabilities are raised to 1 / temperature and brought back to a sum of one (Guo et al. 2017).
    pub temperature: f64,
    /// By class: how far the IoU of a validation image was from what its probabilities made expect.
    pub classes: Vec<Residual>,
}

/// How far the expected IoU of one class was off on the validation images.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Residual {
    /// Mean of true less expected IoU.
    pub bias: f64,
    /// Standard deviation of the same; none for a single image.
    pub sd: Option<f64>,
    /// Images that have the class or were given it.
    pub images: usize,
}

/// IoU to expect, with the interval that holds it for 95 of 100 images like those of validation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExpectedIou {
    /// 0 to 1.
    pub value: f64,
    /// Lower and upper end, within 0 to 1; `None` where only one validation image has the class.
    pub interval: Option<(f64, f64)>,
}

/// Sample of one labelled image's pixels.
struct Evidence {
    /// Logarithms of probabilities, `[pixels, classes]`.
    logs: Vec<f32>,
    labels: Vec<u8>,
}

/// Collects labelled predictions.
#[derive(Default)]
pub struct Calibrator {
    classes: usize,
    images: Vec<Evidence>,
}

impl Calibrator {
    /// For a model of so many classes.
    pub fn new(classes: usize) -> Self {
        Self { classes, images: Vec::new() }
    }

    /// Takes in the model's own probabilities of an image and its label.
    ///
    /// # Panics
    /// If it was made for no class.
    pub fn add(&mut self, probabilities: &ScoreMap, label: &LabelMap) {
        let step = (label.labels.len() / SAMPLE).max(1);
        let pixels = probabilities.values.chunks_exact(self.classes).zip(&label.labels);
        let mut evidence = Evidence { logs: Vec::new(), labels: Vec::new() };
        for (p, &label) in pixels.step_by(step).filter(|(_, l)| **l != IGNORE) {
            evidence.logs.extend(p.iter().map(|p| p.max(1e-12).ln()));
            evidence.labels.push(label);
        }
        if !evidence.labels.is_empty() {
            self.images.push(evidence);
        }
    }

    /// The temperature of least cross-entropy, and what is left of the errors of expected IoU at it.
    /// `None` without labelled pixels.
    pub fn finish(&self) -> Option<Reliability> {
        if self.images.is_empty() {
            return None;
        }
        // The cross-entropy has one valley; golden section on the logarithm of the temperature.
        let ratio = (5f64.sqrt() - 1.0) / 2.0;
        let (mut low, mut high) = (0.05f64.ln(), 20f64.ln());
        let cost = |t: f64| self.cross_entropy(t.exp());
        let (mut a, mut b) = (high - ratio * (high - low), low + ratio * (high - low));
        let (mut at_a, mut at_b) = (cost(a), cost(b));
        for _ in 0..30 {
            if at_a < at_b {
                (high, b, at_b) = (b, a, at_a);
                a = high - ratio * (high - low);
                at_a = cost(a);
            } else {
                (low, a, at_a) = (a, b, at_b);
                b = low + ratio * (high - low);
                at_b = cost(b);
            }
        }
        // Three digits: more would promise what few images cannot keep.
        let temperature = (((low + high) / 2.0).exp() * 1000.0).round() / 1000.0;
        let classes = (0..self.classes).map(|class| self.residual(class, temperature)).collect();
        Some(Reliability { temperature, classes })
    }

    fn cross_entropy(&self, temperature: f64) -> f64 {
        use rayon::prelude::*;
        let of_image = |image: &Evidence| {
            let mut sum = 0.0;
            for (logs, label) in image.logs.chunks_exact(self.classes).zip(&image.labels) {
                let terms = logs.iter().map(|l| (f64::from(*l) / temperature).exp());
                sum += terms.sum::<f64>().ln() - f64::from(logs[usize::from(*label)]) / temperature;
            }
            sum / image.labels.len() as f64
        };
        // Images weigh alike; collected first, so that the sum has one order.
        self.images.par_iter().map(of_image).collect::<Vec<_>>().iter().sum()
    }

    fn residual(&self, class: usize, temperature: f64) -> Residual {
        let mut off = Vec::new();
        for image in &self.images {
            let (mut expected, mut truth) = (IouSum::default(), (0u64, 0u64));
            let mut calibrated = vec![0.0; self.classes];
            for (logs, &label) in image.logs.chunks_exact(self.classes).zip(&image.labels) {
                sharpen(logs.iter().map(|l| l.exp()), temperature, &mut calibrated);
                let given = winner(logs) == class;
                expected.add(given, calibrated[class]);
                let is = usize::from(label) == class;
                truth = (truth.0 + u64::from(given && is), truth.1 + u64::from(given || is));
            }
            if let (Some(expected), true) = (expected.value(), truth.1 > 0) {
                off.push(truth.0 as f64 / truth.1 as f64 - expected);
            }
        }
        let n = off.len() as f64;
        let bias = if off.is_empty() { 0.0 } else { off.iter().sum::<f64>() / n };
        let sd =
            (off.len() > 1).then(|| (off.iter().map(|o| (o - bias).powi(2)).sum::<f64>() / (n - 1.0)).sqrt());
        Residual { bias, sd, images: off.len() }
    }
}

/// Expected intersection and union of a class, pixel by pixel: a pixel given the class is right with its
/// probability p; one not given it is missed with p.
#[derive(Clone, Copy, Debug, Default)]
pub struct IouSum {
    intersection: f64,
    union: f64,
}

impl IouSum {
    /// Counts one pixel: whether the class was `given` to it, and the calibrated probability `p` of the class.
    pub fn add(&mut self, given: bool, p: f64) {
        self.intersection += if given { p } else { 0.0 };
        self.union += if given { 1.0 } else { p };
    }

    /// `None` where nothing was seen.
    pub fn value(&self) -> Option<f64> {
        (self.union > 0.0).then(|| self.intersection / self.union)
    }
}

impl Reliability {
    /// Calibrated probabilities of one pixel.
    pub fn calibrate(&self, probabilities: &[f32], out: &mut [f64]) {
        sharpen(probabilities.iter().copied(), self.temperature, out);
    }

    /// Corrects an expected IoU by what validation showed.
    pub fn expected(&self, class: usize, sum: IouSum) -> Option<ExpectedIou> {
        let residual = self.classes.get(class)?;
        let value = (sum.value()? + residual.bias).clamp(0.0, 1.0);
        let n = residual.images as f64;
        let half = residual.sd.and_then(|sd| {
            let t = StudentsT::new(0.0, 1.0, n - 1.0).ok()?.inverse_cdf(0.975);
            Some(t * sd * (1.0 + 1.0 / n).sqrt())
        });
        let interval = half.map(|h| ((value - h).max(0.0), (value + h).min(1.0)));
        Some(ExpectedIou { value, interval })
    }
}

fn sharpen(probabilities: impl Iterator<Item = f32>, temperature: f64, out: &mut [f64]) {
    let mut sum = 0.0;
    for (o, p) in out.iter_mut().zip(probabilities) {
        *o = f64::from(p).max(1e-12).powf(1.0 / temperature);
        sum += *o;
    }
    out.iter_mut().for_each(|o| *o /= sum);
}

fn winner(scores: &[f32]) -> usize {
    (1..scores.len()).fold(0, |best, c| if scores[c] > scores[best] { c } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sorby_random::Stream;

    /// Pixels whose label is drawn with the probability p^(1/T): the temperature is found again, and the expected IoU
    /// is what it turns out to be.
    #[test]
    fn a_planted_temperature_is_found() {
        let planted = 0.4;
        let mut stream = Stream::new(5, &[b"reliability"]);
        let (width, height) = (200, 200);
        let mut calibrator = Calibrator::new(2);
        for _ in 0..3 {
            let (mut values, mut labels) = (Vec::new(), Vec::new());
            for _ in 0..width * height {
                let p = stream.uniform(0.05, 0.95) as f32;
                let mut sharp = [0.0; 2];
                sharpen([1.0 - p, p].into_iter(), planted, &mut sharp);
                values.extend([1.0 - p, p]);
                labels.push(u8::from(stream.unit() < sharp[1]));
            }
            let label = LabelMap { width, height, labels };
            calibrator.add(&ScoreMap { height, width, classes: 2, values }, &label);
        }
        let found = calibrator.finish().unwrap();
        assert!((found.temperature - planted).abs() < 0.02, "{}", found.temperature);
        for class in found.classes {
            assert!(class.bias.abs() < 0.01 && class.sd.unwrap() < 0.01 && class.images == 3, "{class:?}");
        }
    }

    #[test]
    fn expected_iou_by_hand() {
        let mut sum = IouSum::default();
        sum.add(true, 0.9);
        sum.add(true, 0.6);
        sum.add(false, 0.5);
        assert!((sum.value().unwrap() - 1.5 / 2.5).abs() < 1e-12);
        let residual = Residual { bias: -0.1, sd: Some(0.02), images: 4 };
        let reliability = Reliability { temperature: 1.0, classes: vec![residual] };
        let expected = reliability.expected(0, sum).unwrap();
        // t of 3 degrees of freedom is 3.182; 3.182 * 0.02 * sqrt(1.25) = 0.0712.
        assert!((expected.value - 0.5).abs() < 1e-12);
        let (low, high) = expected.interval.unwrap();
        assert!((low - 0.4288).abs() < 1e-4 && (high - 0.5712).abs() < 1e-4, "{low} {high}");
    }
}
