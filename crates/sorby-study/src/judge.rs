//! Verdicts: which tricks help, and whether the stack is what its parts promised.

use crate::gain::Gain;
use serde::Serialize;

/// What a study says of one trick.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The gain is above zero, beyond chance.
    Helps,
    /// The gain is below zero, beyond chance.
    Hurts,
    /// Chance alone can explain the gain.
    Undecided,
}

impl Verdict {
    /// As tables print it.
    pub fn word(&self) -> &'static str {
        match self {
            Verdict::Helps => "helps",
            Verdict::Hurts => "hurts",
            Verdict::Undecided => "undecided",
        }
    }
}

/// One-sided chance below which a gain is believed, when so many `tests` (tricks times architectures) are made: so small
/// that of studies in which no trick does anything, at most 5 % accept one (Bonferroni), and never above the 2.5 % of a
/// 95 % interval.
pub fn accept_level(tests: usize) -> f64 {
    (0.05 / tests.max(1) as f64).min(0.025)
}

/// The verdict on a gain among so many `tests`.
pub fn judge(gain: &Gain, tests: usize) -> Verdict {
    match gain.chance_if_none() {
        Some(p) if p < accept_level(tests) && gain.points > 0.0 => Verdict::Helps,
        Some(p) if 1.0 - p < accept_level(tests) && gain.points < 0.0 => Verdict::Hurts,
        _ => Verdict::Undecided,
    }
}

/// What is known of one architecture's tricks.
#[derive(Clone, Debug, Serialize)]
pub struct Judgement {
    /// Trick, its gain over the baseline, the verdict; in the study's order.
    pub tricks: Vec<(String, Gain, Verdict)>,
    /// Tricks that help, in the study's order. Of those that set the same key only the best is here.
    pub helpers: Vec<String>,
    /// Helpers left out of the stack because a better one sets the same key.
    pub displaced: Vec<String>,
}

impl Judgement {
    /// Judges all tricks of an architecture, among `tests` judgements of the whole study; `exclude(a, b)` says that
    /// two tricks cannot be stacked.
    pub fn of(gains: Vec<(String, Gain)>, tests: usize, exclude: impl Fn(&str, &str) -> bool) -> Self {
        let tricks: Vec<(String, Gain, Verdict)> = gains
            .into_iter()
            .map(|(name, gain)| {
                let verdict = judge(&gain, tests);
                (name, gain, verdict)
            })
            .collect();
        let mut best: Vec<&(String, Gain, Verdict)> =
            tricks.iter().filter(|(_, _, v)| *v == Verdict::Helps).collect();
        best.sort_by(|a, b| b.1.points.total_cmp(&a.1.points));
        let mut kept: Vec<&str> = Vec::new();
        let mut displaced = Vec::new();
        for (name, ..) in best {
            if kept.iter().any(|k| exclude(k, name)) {
                displaced.push(name.clone());
            } else {
                kept.push(name);
            }
        }
        let helpers = tricks.iter().map(|t| &t.0).filter(|n| kept.contains(&n.as_str())).cloned().collect();
        Self { tricks, helpers, displaced }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sorby_measure::Spread;

    fn gain(points: f64, standard_error: f64) -> Gain {
        let spread = Some(Spread { standard_error, degrees: 10.0 });
        Gain { points, spread, of_images: None, of_trainings: None, by_folds: false }
    }

    #[test]
    fn verdicts_by_hand() {
        // t(10): 2.228 at 2.5 %, 2.466 at 1.667 % (SciPy: t.ppf(1 - 0.05 / 3, 10) = 2.46602).
        assert_eq!(judge(&gain(2.23, 1.0), 1), Verdict::Helps);
        assert_eq!(judge(&gain(2.22, 1.0), 1), Verdict::Undecided);
        assert_eq!(judge(&gain(2.23, 1.0), 3), Verdict::Undecided);
        assert_eq!(judge(&gain(2.467, 1.0), 3), Verdict::Helps);
        assert_eq!(judge(&gain(2.465, 1.0), 3), Verdict::Undecided);
        assert_eq!(judge(&gain(-2.467, 1.0), 3), Verdict::Hurts);
        assert_eq!(judge(&Gain { spread: None, ..gain(9.0, 1.0) }, 1), Verdict::Undecided);
        assert_eq!(judge(&gain(0.0, 0.0), 1), Verdict::Undecided);
    }

    #[test]
    fn the_better_of_two_that_exclude_each_other_is_stacked() {
        let gains =
            [("T", gain(3.0, 0.5)), ("M", gain(4.0, 0.5)), ("S", gain(2.0, 0.5)), ("R", gain(0.1, 0.5))];
        let gains = gains.map(|(n, g)| (n.to_owned(), g)).to_vec();
        let j = Judgement::of(gains, 4, |a, b| a != b && "TM".contains(a) && "TM".contains(b));
        assert_eq!(
            (j.helpers.clone(), j.displaced.clone()),
            (vec!["M".into(), "S".into()], vec!["T".to_owned()])
        );
    }
}
