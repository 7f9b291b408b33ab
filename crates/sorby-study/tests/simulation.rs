//! Studies of which the truth is known. Slow:
//! `cargo test --release -p sorby-study --test simulation -- --ignored --nocapture`

use sorby_infer::Confusion;
use sorby_random::Stream;
use sorby_study::{Design, Judgement, Noise, Paired, Verdict};

/// How a made-up network errs: recall and false alarms, on the logit scale.
struct World {
    /// Scatter of a trick's effect between images, between trainings, and of single results.
    images: f64,
    trainings: f64,
    rest: f64,
}

const WORLD: World = World { images: 0.10, trainings: 0.08, rest: 0.05 };

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Counts on an image of 100 000 pixels, `share` of them carbide, by a network of `skill`.
fn counts(share: f64, skill: f64) -> Confusion {
    let carbide = 1e5 * share;
    let found = carbide * logistic(1.5 + skill);
    let wrong = (1e5 - carbide) * logistic(-3.2 - skill);
    let n = |v: f64| v.round() as u64;
    Confusion::from_matrix(vec![vec![n(1e5 - carbide - wrong), n(wrong)], vec![n(carbide - found), n(found)]])
        .unwrap()
}

impl World {
    /// Baseline against `effects.len()` tricks, all against the same baseline trainings.
    fn study(&self, seed: u64, images: usize, design: Design, effects: &[f64]) -> Vec<Paired> {
        let mut s = Stream::numbered(seed, "simulated study", &[]);
        let shares: Vec<f64> = (0..images).map(|_| 0.08 + 0.14 * s.unit()).collect();
        let hard: Vec<f64> = (0..images).map(|_| 0.3 * s.normal()).collect();
        let response: Vec<Vec<f64>> =
            (0..images).map(|_| effects.iter().map(|_| self.images * s.normal()).collect()).collect();
        let mut out: Vec<Paired> = effects.iter().map(|_| Paired::default()).collect();
        for f in 0..design.folds {
            let of_fold: Vec<usize> = (0..images).filter(|i| i % design.folds == f).collect();
            let mut cells: Vec<Vec<Vec<(Confusion, Confusion)>>> = vec![Vec::new(); effects.len()];
            for _ in 0..design.seeds {
                let mut train = |effect: &dyn Fn(usize) -> f64| -> Vec<Confusion> {
                    let run = self.trainings / 2f64.sqrt() * s.normal();
                    let mut of = |&i: &usize| {
                        let rest = self.rest / 2f64.sqrt() * s.normal();
                        counts(shares[i], hard[i] + run + rest + effect(i))
                    };
                    of_fold.iter().map(&mut of).collect()
                };
                let base = train(&|_| 0.0);
                for (t, effect) in effects.iter().enumerate() {
                    let with = train(&|i| effect + if *effect == 0.0 { 0.0 } else { response[i][t] });
                    cells[t].push(base.iter().cloned().zip(with).collect());
                }
            }
            out.iter_mut().zip(cells).for_each(|(p, cells)| p.folds.push(cells));
        }
        out
    }

    /// The gain in points that an effect has over endlessly many images and trainings.
    fn truth(&self, effect: f64) -> f64 {
        let one = Design { folds: 1, seeds: 1, iterations: 0 };
        let sizes = (0..400).map(|i| self.study(1_000_000 + i, 500, one, &[effect])[0].clone());
        let folds: Vec<_> = sizes.flat_map(|p| p.folds).collect();
        // Trainings pooled one by one: the mean of many small studies' gains would carry their bias.
        let pooled = Paired { folds };
        pooled.points_of_all()
    }
}

const STUDIES: u64 = 1000;

#[test]
#[ignore = "a minute; see the top of this file"]
fn identical_arms_are_accepted_in_at_most_5_percent_of_studies() {
    for (images, folds, seeds, tricks) in
        [(15, 3, 3, 3), (15, 3, 3, 1), (10, 2, 2, 3), (24, 4, 1, 3), (16, 2, 3, 4)]
    {
        let design = Design { folds, seeds, iterations: 0 };
        let accepted = (0..STUDIES).filter(|&i| {
            let gains = WORLD.study(i, images, design, &vec![0.0; tricks]);
            let gains = gains.iter().enumerate().map(|(t, p)| (t.to_string(), p.gain())).collect();
            !Judgement::of(gains, tricks, |_, _| false).helpers.is_empty()
        });
        let share = 100.0 * accepted.count() as f64 / STUDIES as f64;
        println!(
            "{images} images, {folds} folds, {seeds} seeds, {tricks} idle tricks: accepted one in {share:.1} %"
        );
        assert!(share <= 5.0 + 1.4, "{share}");
    }
}

#[test]
#[ignore = "a minute; see the top of this file"]
fn intervals_cover_and_power_is_as_told() {
    for (images, folds, seeds, effect) in [(15, 3, 3, 0.1), (15, 3, 3, 0.2), (10, 2, 2, 0.2), (24, 4, 2, 0.1)]
    {
        let design = Design { folds, seeds, iterations: 0 };
        let truth = WORLD.truth(effect);
        let (mut covered, mut found, mut images_sd, mut trainings_sd) = (0, 0, 0.0, 0.0);
        for i in 0..STUDIES {
            let gain = WORLD.study(i, images, design, &[effect])[0].gain();
            let (low, high) = gain.interval().unwrap();
            covered += u32::from(low <= truth && truth <= high);
            found += u32::from(sorby_study::judge(&gain, 1) == Verdict::Helps);
            images_sd += (gain.of_images.unwrap().standard_error.powi(2) * images as f64) / STUDIES as f64;
            let cells = folds as f64 * seeds as f64;
            trainings_sd += (gain.of_trainings.unwrap().standard_error.powi(2) * cells) / STUDIES as f64;
        }
        let percent = |n: u32| 100.0 * f64::from(n) / STUDIES as f64;
        let noise = Noise { images: images_sd.sqrt(), trainings: trainings_sd.sqrt() };
        let smallest = design.smallest_gain(noise, images, 1, 0.8);
        println!(
            "{images} images, {folds} folds, {seeds} seeds, gain {truth:.2}: covered {:.1} %, found {:.1} %; \
             80 % power at {smallest:.2}",
            percent(covered),
            percent(found)
        );
        assert!((93.0..=97.5).contains(&percent(covered)), "{}", percent(covered));
    }
}

#[test]
#[ignore = "a minute; see the top of this file"]
fn a_gain_of_the_stated_size_is_found_with_the_stated_power() {
    // The noise is estimated from one large study, the gain then planted that should be found in 80 %.
    let large = WORLD.study(77, 60, Design { folds: 20, seeds: 3, iterations: 0 }, &[0.2])[0].gain();
    let noise = Noise {
        images: large.of_images.unwrap().standard_error * 60f64.sqrt(),
        trainings: large.of_trainings.unwrap().standard_error * 60f64.sqrt(),
    };
    for (images, folds, seeds, tricks) in [(15, 3, 3, 3), (20, 2, 3, 1)] {
        let design = Design { folds, seeds, iterations: 0 };
        let wanted = design.smallest_gain(noise, images, tricks, 0.8);
        // Effects near zero are straight in points.
        let effect = 0.2 * wanted / WORLD.truth(0.2);
        let found = (0..STUDIES).filter(|&i| {
            let gain = WORLD.study(i, images, design, &[effect])[0].gain();
            sorby_study::judge(&gain, tricks) == Verdict::Helps
        });
        let share = 100.0 * found.count() as f64 / STUDIES as f64;
        println!(
            "{images} images, {folds} folds, {seeds} seeds, {tricks} tricks: {wanted:.2} points found in {share:.1} %"
        );
        assert!((70.0..=90.0).contains(&share), "{share}");
    }
}
