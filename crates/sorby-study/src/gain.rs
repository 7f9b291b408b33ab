//! The gain of one set of tricks over another, and other contrasts of networks, with their 95 % intervals.

use sorby_measure::Spread;
use sorby_random::Stream;
use sorby_score::Confusion;
use statrs::distribution::{ContinuousCDF as _, StudentsT};

/// Resamples of each level.
const RESAMPLES: u64 = 2000;

/// Counts of networks trained with the same seed on the images of a fold: `cell[image][network]`.
pub type Cell = Vec<Vec<Confusion>>;

/// Networks compared on the same folds, seeds and images: the sum of their mIoU, each times its coefficient. With -1
/// and +1 that is the gain of the second over the first.
#[derive(Clone, Debug)]
pub struct Contrast {
    /// One for each network; they add up to zero.
    pub coefficients: Vec<f64>,
    /// `folds[fold][seed]`
    pub folds: Vec<Vec<Cell>>,
}

/// A difference of mIoU, in points of percent.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Gain {
    /// mIoU with minus without: counts averaged over seeds and summed over all images, the mean over the classes
    /// that the labels have. NaN where nothing was compared.
    pub points: f64,
    /// `None` where nothing was repeated, so that nothing is known of what repeating would give.
    pub spread: Option<Spread>,
    /// Spread over images.
    pub of_images: Option<Spread>,
    /// Spread over repeated trainings; over folds where no seed was repeated.
    pub of_trainings: Option<Spread>,
    /// No seed was repeated: trainings were compared between folds.
    pub by_folds: bool,
}

impl Gain {
    /// The 95 % interval.
    pub fn interval(&self) -> Option<(f64, f64)> {
        let half = self.spread?.ci95();
        Some((self.points - half, self.points + half))
    }

    /// Chance of a gain at least this far above zero, were there none (one-sided).
    pub fn chance_if_none(&self) -> Option<f64> {
        let spread = self.spread?;
        if spread.standard_error == 0.0 {
            return Some(if self.points > 0.0 { 0.0 } else { 1.0 });
        }
        let t = StudentsT::new(0.0, 1.0, spread.degrees.clamp(1.0, 1e6)).ok()?;
        Some(t.sf(self.points / spread.standard_error))
    }
}

/// How often an element takes part in a resample: `[fold][seed]` or `[fold][image]`.
type Weights = Vec<Vec<f64>>;

impl Contrast {
    fn ones(&self, size: impl Fn(&[Cell]) -> usize) -> Weights {
        self.folds.iter().map(|f| vec![1.0; size(f)]).collect()
    }

    fn seeds(fold: &[Cell]) -> usize {
        fold.len()
    }

    fn images(fold: &[Cell]) -> usize {
        fold.first().map_or(0, Vec::len)
    }

    /// The contrast in points, with seeds and images counted as often as the weights say.
    fn points(&self, seeds: &Weights, images: &Weights) -> f64 {
        let first = self.folds.iter().flatten().flatten().flatten().next();
        let classes = first.map_or(0, |counts| counts.matrix().len());
        // Intersection and union, by network and class. A class without a labelled pixel is left out for all: one pixel
        // falsely given to it would else cost one network tens of points, and the other nothing.
        let mut sums = vec![vec![[0.0f64; 2]; classes]; self.coefficients.len()];
        let mut labelled = vec![0.0f64; classes];
        for ((fold, seeds), images) in self.folds.iter().zip(seeds).zip(images) {
            let all: f64 = seeds.iter().sum();
            for (cell, seed) in fold.iter().zip(seeds).filter(|(_, w)| **w > 0.0) {
                for (networks, image) in cell.iter().zip(images) {
                    let weight = seed * image / all;
                    for (c, sum) in labelled.iter_mut().enumerate() {
                        *sum += networks.first().map_or(0.0, |n| weight * labelled_pixels(n, c));
                    }
                    for (counts, sums) in networks.iter().zip(&mut sums) {
                        for (c, sum) in sums.iter_mut().enumerate() {
                            let (both, union) = overlap(counts, c);
                            sum[0] += weight * both;
                            sum[1] += weight * union;
                        }
                    }
                }
            }
        }
        let mean = |sums: &Vec<[f64; 2]>| {
            let present = sums.iter().zip(&labelled).filter(|(_, labelled)| **labelled > 0.0);
            let ious: Vec<f64> = present.map(|(s, _)| s[0] / s[1]).collect();
            100.0 * ious.iter().sum::<f64>() / ious.len() as f64
        };
        self.coefficients.iter().zip(&sums).map(|(times, sums)| times * mean(sums)).sum()
    }

    /// The contrast in points of everything together, with no interval.
    pub fn points_of_all(&self) -> f64 {
        self.points(&self.ones(Self::seeds), &self.ones(Self::images))
    }

    /// Standard deviation of the contrast when `redraw` makes new weights.
    fn deviation(&self, what: u64, redraw: impl Fn(&mut Stream) -> (Weights, Weights)) -> f64 {
        let values: Vec<f64> = (0..RESAMPLES)
            .map(|i| {
                let (seeds, images) = redraw(&mut Stream::numbered(0, "gain", &[what, i]));
                self.points(&seeds, &images)
            })
            .collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt()
    }

    /// The contrast and its interval by a bootstrap on two levels: images over all folds, and trainings within each
    /// fold (over folds, where no seed was repeated). The levels' variances are freed of the bootstrap's shrinkage
    /// by n / (n - 1) and joined after Welch and Satterthwaite.
    pub fn gain(&self) -> Gain {
        let (one_seeds, one_images) = (self.ones(Self::seeds), self.ones(Self::images));
        let points = self.points_of_all();
        if points.is_nan() {
            return Gain { points, spread: None, of_images: None, of_trainings: None, by_folds: false };
        }
        let images: usize = self.folds.iter().map(|f| Self::images(f)).sum();
        let of_images = (images > 1).then(|| {
            let places: Vec<(usize, usize)> = self
                .folds
                .iter()
                .enumerate()
                .flat_map(|(f, fold)| (0..Self::images(fold)).map(move |i| (f, i)))
                .collect();
            let deviation = self.deviation(0, |stream| {
                let mut weights: Weights = one_images.iter().map(|f| vec![0.0; f.len()]).collect();
                for _ in 0..images {
                    let (f, i) = places[stream.below(images)];
                    weights[f][i] += 1.0;
                }
                (one_seeds.clone(), weights)
            });
            corrected(deviation, images)
        });
        let repeated = self.folds.iter().any(|f| f.len() > 1);
        let of_trainings = if repeated {
            self.of_repeats(&one_seeds, &one_images)
        } else if self.folds.len() > 1 {
            let count = self.folds.len();
            let deviation = self.deviation(2, |stream| {
                let mut times = vec![0.0; count];
                (0..count).for_each(|_| times[stream.below(count)] += 1.0);
                let images = one_images.iter().zip(&times).map(|(f, t)| vec![*t; f.len()]).collect();
                (one_seeds.clone(), images)
            });
            Some(corrected(deviation, count))
        } else {
            None
        };
        // A resample of nothing but unlabelled images has no mIoU, so nothing is known of that spread.
        let known = |spread: &Spread| spread.standard_error.is_finite();
        let (of_images, of_trainings) = (of_images.filter(known), of_trainings.filter(known));
        let spread = match (of_images, of_trainings) {
            (Some(images), Some(trainings)) if repeated => Some(Spread::join(&[images, trainings])),
            // Folds drawn whole bring their images along.
            (_, trainings) if !repeated => trainings,
            // A single image says nothing of others.
            _ => None,
        };
        Gain { points, spread, of_images, of_trainings, by_folds: !repeated }
    }

    /// Spread over repeated trainings: fold by fold, each freed of the bootstrap's shrinkage by its own number of
    /// seeds. A fold that lost all seeds but one is taken to scatter as the others do.
    fn of_repeats(&self, one_seeds: &Weights, one_images: &Weights) -> Option<Spread> {
        let (mut variance, mut of_one, mut folds, mut degrees) = (0.0, 0.0, 0.0, 0.0);
        for (f, fold) in self.folds.iter().enumerate().filter(|(_, fold)| fold.len() > 1) {
            let n = fold.len();
            let deviation = self.deviation(10 + f as u64, |stream| {
                let mut weights = one_seeds.clone();
                weights[f] = vec![0.0; n];
                (0..n).for_each(|_| weights[f][stream.below(n)] += 1.0);
                (weights, one_images.clone())
            });
            let of_fold = deviation.powi(2) * n as f64 / (n - 1) as f64;
            (variance, of_one) = (variance + of_fold, of_one + of_fold * n as f64);
            (folds, degrees) = (folds + 1.0, degrees + (n - 1) as f64);
        }
        let single = self.folds.iter().filter(|f| f.len() == 1).count() as f64;
        let standard_error = (variance + single * of_one / folds).sqrt();
        (folds > 0.0).then_some(Spread { standard_error, degrees })
    }
}

fn corrected(deviation: f64, n: usize) -> Spread {
    let n = n as f64;
    Spread { standard_error: deviation * (n / (n - 1.0)).sqrt(), degrees: n - 1.0 }
}

fn overlap(counts: &Confusion, class: usize) -> (f64, f64) {
    let m = counts.matrix();
    let both = m[class][class] as f64;
    let predicted: u64 = m.iter().map(|row| row[class]).sum();
    (both, labelled_pixels(counts, class) + predicted as f64 - both)
}

fn labelled_pixels(counts: &Confusion, class: usize) -> f64 {
    counts.matrix()[class].iter().sum::<u64>() as f64
}
