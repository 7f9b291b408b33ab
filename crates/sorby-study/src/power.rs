//! What a study of a given size can find, and which size a budget buys.

use crate::gain::Gain;
use crate::judge::accept_level;
use serde::{Deserialize, Serialize};
use sorby_measure::Spread;
use statrs::distribution::{ContinuousCDF as _, StudentsT};

/// How much gains scatter, in points of mIoU.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Noise {
    /// Standard deviation of a trick's gain between images.
    pub images: f64,
    /// Standard deviation of a gain between repeated pairs of trainings.
    pub trainings: f64,
}

impl Noise {
    /// Scatter seen in the gains of a study of `images` images and `cells` trainings of each set (folds times seeds);
    /// `None` where nothing was repeated.
    pub fn seen<'a>(gains: impl Iterator<Item = &'a Gain>, images: usize, cells: usize) -> Option<Self> {
        let (mut sums, mut n) = ((0.0, 0.0), 0.0);
        for gain in gains {
            let of_trainings = gain.of_trainings?;
            // With one seed the scatter between folds has that between images in it.
            let of_images = if gain.by_folds { 0.0 } else { gain.of_images?.standard_error };
            sums = (sums.0 + of_images.powi(2), sums.1 + of_trainings.standard_error.powi(2));
            n += 1.0;
        }
        let of = |sum: f64, count: usize| (sum / n * count as f64).sqrt();
        (n > 0.0).then(|| Self { images: of(sums.0, images), trainings: of(sums.1, cells) })
    }
}

/// Size of a study.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Design {
    /// Folds of the training images.
    pub folds: usize,
    /// Trainings of each set of tricks in each fold.
    pub seeds: u64,
    /// Iterations of each training.
    pub iterations: u64,
}

impl Design {
    /// Trainings of a study at most: baseline and `tricks` single ones, the stack of all and the stacks less one trick,
    /// for each architecture; then the final models.
    pub fn trainings(&self, archs: usize, tricks: usize) -> u64 {
        // Where tricks hurt in company, smaller stacks are taken apart too; pairs fall apart into single tricks.
        let apart: usize = (3..=tricks).sum();
        let sets = (1 + tricks + usize::from(tricks > 1) + apart) as u64;
        archs as u64 * sets * self.folds as u64 * self.seeds + 2 * self.seeds
    }

    /// The spread that a gain over `images` training images would have.
    pub fn spread(&self, noise: Noise, images: usize) -> Spread {
        let (cells, n) = (self.folds as f64 * self.seeds as f64, images as f64);
        let of_images = Spread { standard_error: noise.images / n.sqrt(), degrees: n - 1.0 };
        let of_trainings = |degrees| Spread { standard_error: noise.trainings / cells.sqrt(), degrees };
        if self.seeds > 1 {
            return Spread::join(&[of_images, of_trainings(self.folds as f64 * (self.seeds - 1) as f64)]);
        }
        // Folds are drawn whole and bring their images along.
        let both = Spread::join(&[of_images, of_trainings(1.0)]);
        Spread { degrees: self.folds as f64 - 1.0, ..both }
    }

    /// The smallest gain in points that is found in `power` of studies that make so many `tests`.
    ///
    /// # Panics
    /// If `noise` is not finite, or `power` is not from 0 to 1.
    pub fn smallest_gain(&self, noise: Noise, images: usize, tests: usize, power: f64) -> f64 {
        let spread = self.spread(noise, images);
        let t = StudentsT::new(0.0, 1.0, spread.degrees.clamp(1.0, 1e6)).expect("positive degrees");
        (t.inverse_cdf(1.0 - accept_level(tests)) + t.inverse_cdf(power)) * spread.standard_error
    }
}

/// The design that finds the smallest gain within `budget_s`, where one training of `iterations` takes
/// `seconds(folds, iterations)`. Iterations are cut, to no less than a quarter, only where two folds and two seeds
/// would not fit otherwise.
///
/// # Panics
/// If `noise` is not finite.
pub fn best_design(
    budget_s: f64,
    (archs, tricks): (usize, usize),
    (images, most_folds): (usize, usize),
    iterations: u64,
    noise: Noise,
    seconds: impl Fn(usize, u64) -> f64,
) -> Option<Design> {
    for share in [1.0, 0.75, 0.5, 0.25] {
        let iterations = ((iterations as f64 * share) as u64).max(1);
        let fits =
            |d: &Design| d.trainings(archs, tricks) as f64 * seconds(d.folds, d.iterations) <= budget_s;
        let designs = (2..=most_folds.min(5))
            .flat_map(|folds| (2..=10).map(move |seeds| Design { folds, seeds, iterations }))
            .filter(fits);
        let gain = |d: &Design| d.smallest_gain(noise, images, archs * tricks, 0.8);
        if let Some(best) = designs.min_by(|a, b| gain(a).total_cmp(&gain(b))) {
            return Some(best);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOISE: Noise = Noise { images: 2.0, trainings: 1.0 };

    #[test]
    fn smallest_gain_by_hand() {
        // 16 images: 2 / 4 = 0.5, 15 degrees. 2 x 2 trainings: 1 / 2 = 0.5, 2 degrees. Together 0.7071,
        // 0.25 / (0.0625 / 15 + 0.0625 / 2) = 7.0588 degrees.
        let design = Design { folds: 2, seeds: 2, iterations: 1 };
        let spread = design.spread(NOISE, 16);
        assert!((spread.standard_error - 0.5f64.sqrt()).abs() < 1e-12);
        assert!((spread.degrees - 7.058_823_5).abs() < 1e-6);
        // SciPy: t.ppf(0.975, 7.0588) + t.ppf(0.8, 7.0588) = 2.3603 + 0.8956.
        let gain = design.smallest_gain(NOISE, 16, 1, 0.8);
        assert!((gain - 0.5f64.sqrt() * (2.3603 + 0.8956)).abs() < 1e-3, "{gain}");
    }

    #[test]
    fn a_larger_budget_never_finds_less() {
        let cost = |folds: usize, iterations: u64| iterations as f64 * 0.7 + folds as f64;
        let mut last = f64::INFINITY;
        for hours in [1, 2, 4, 8, 16] {
            let design = best_design(3600.0 * f64::from(hours), (1, 3), (15, 15), 150, NOISE, cost).unwrap();
            assert!(
                design.trainings(1, 3) as f64 * cost(design.folds, design.iterations)
                    <= 3600.0 * f64::from(hours)
            );
            let gain = design.smallest_gain(NOISE, 15, 3, 0.8);
            assert!(gain <= last);
            last = if design.iterations == 150 { gain } else { f64::INFINITY };
        }
        // Three specimens cannot be shared among more folds.
        let few = best_design(1e5, (1, 3), (15, 3), 150, NOISE, cost).unwrap();
        assert!(few.folds <= 3);
        assert_eq!(best_design(10.0, (1, 3), (15, 15), 150, NOISE, cost), None);
    }
}
