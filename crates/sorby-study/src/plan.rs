//! Which trainings are needed next, given what has been scored.

use crate::gain::{Cell, Gain, Paired};
use crate::judge::{Judgement, Verdict, judge};
use crate::paper::{PaperStack, paper_stack};
use crate::spec::{Protocol, StudySpec};
use serde::Serialize;
use sorby_infer::Confusion;
use sorby_train::Arch;
use std::collections::BTreeMap;

/// Names of tricks in the study's order; empty: the baseline.
pub type TrickSet = Vec<String>;

/// What a training learns from and is scored on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Part {
    /// All folds but this one (from 0); scored on it.
    Fold(usize),
    /// All training images; scored on the test split.
    All,
}

/// One training of a study.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Run {
    /// Position in the study's list of architectures.
    pub arch: usize,
    pub tricks: TrickSet,
    pub part: Part,
    pub seed: u64,
}

/// How a finished training did, image by image; `None` when it failed.
pub type Scored = Option<Vec<(String, Confusion)>>;
pub type Scores = BTreeMap<Run, Scored>;

/// Where a study stands.
#[derive(Clone, Debug)]
pub enum Stage {
    /// These trainings are next, and why.
    Train(&'static str, Vec<Run>),
    Finished,
}

/// `base`, or `T+S`.
pub fn set_name(tricks: &[String]) -> String {
    if tricks.is_empty() { "base".into() } else { tricks.join("+") }
}

/// What the sound protocol settled on for one architecture.
#[derive(Clone, Debug, Serialize)]
pub struct Settled {
    pub judgement: Judgement,
    /// The stack, after dropping what hurts in it.
    pub stack: TrickSet,
    /// Tricks dropped from the helpers, as they hurt among the others.
    pub dropped: Vec<String>,
    /// The stack's gain over the baseline.
    pub gain: Gain,
    /// The stack's gain over the stack without each of its tricks, and the verdict; for two tricks or more.
    pub contributions: Vec<(String, Gain, Verdict)>,
}

impl StudySpec {
    /// Folder name of a run.
    pub fn run_id(&self, run: &Run) -> String {
        let part = match run.part {
            Part::Fold(f) => format!("fold{}", f + 1),
            Part::All => "all".into(),
        };
        format!("{}_{}_{part}_s{}", self.archs[run.arch].name(), set_name(&run.tricks), run.seed)
    }

    fn seed_list(&self) -> impl Iterator<Item = u64> + Clone + use<> {
        self.first_seed..self.first_seed + self.seeds
    }

    /// A set of tricks in every fold, with every seed.
    fn repeated(&self, arch: usize, tricks: &TrickSet) -> Vec<Run> {
        let seeds = self.seed_list();
        let run = |part, seed| Run { arch, tricks: tricks.clone(), part, seed };
        (0..self.folds)
            .flat_map(|f| seeds.clone().map(move |s| (Part::Fold(f), s)))
            .map(|(p, s)| run(p, s))
            .collect()
    }

    /// The paper's run of a set of tricks, or the sound protocol's first final one.
    pub fn whole(&self, arch: usize, tricks: &TrickSet) -> Run {
        Run { arch, tricks: tricks.clone(), part: Part::All, seed: self.first_seed }
    }

    /// What is to be trained now.
    pub fn next(&self, scores: &Scores) -> Stage {
        let singles = || {
            let one = self.tricks.iter().map(|t| vec![t.clone()]);
            std::iter::once(Vec::new()).chain(one).collect::<Vec<TrickSet>>()
        };
        let all = 0..self.archs.len();
        let missing = |runs: Vec<Run>| -> Vec<Run> {
            let mut out: Vec<Run> = Vec::new();
            for run in runs {
                if !scores.contains_key(&run) && !out.contains(&run) {
                    out.push(run);
                }
            }
            out
        };
        let mut steps: Vec<(&'static str, Vec<Run>)> = Vec::new();
        match self.protocol {
            Protocol::Paper => {
                let tried = all.clone().flat_map(|a| singles().into_iter().map(move |t| (a, t)));
                steps.push(("baseline and single tricks", tried.map(|(a, t)| self.whole(a, &t)).collect()));
                if missing(steps[0].1.clone()).is_empty() {
                    let stacks =
                        all.flat_map(|a| self.paper_rows(a, scores).rows.into_iter().map(move |t| (a, t)));
                    steps.push(("stacks", stacks.map(|(a, t)| self.whole(a, &t)).collect()));
                }
            }
            Protocol::Sound => {
                // Repeat by repeat, so that an early look sees all tricks.
                let mut tried: Vec<Run> = all
                    .clone()
                    .flat_map(|a| singles().into_iter().flat_map(move |t| self.repeated(a, &t)))
                    .collect();
                tried.sort_by_key(|r| (r.seed, r.part));
                steps.push(("baseline and single tricks", tried));
                if missing(steps[0].1.clone()).is_empty() {
                    let stacks: Vec<Run> =
                        all.clone().flat_map(|a| self.stacks_to_train(a, scores)).collect();
                    let more = missing(stacks.clone());
                    steps.push(("stacks, and stacks less one trick", stacks));
                    if more.is_empty()
                        && let Some((arch, tricks)) = self.chosen(scores)
                    {
                        let sets = if tricks.is_empty() { vec![tricks] } else { vec![tricks, Vec::new()] };
                        let finals = sets
                            .iter()
                            .flat_map(|t| self.seed_list().map(|seed| Run { seed, ..self.whole(arch, t) }));
                        steps.push(("final models, tested once", finals.collect()));
                    }
                }
            }
        }
        for (why, runs) in steps {
            let runs = missing(runs);
            if !runs.is_empty() {
                return Stage::Train(why, runs);
            }
        }
        Stage::Finished
    }

    /// The paper's rows of an architecture, as far as scores are known.
    pub fn paper_rows(&self, arch: usize, scores: &Scores) -> PaperStack {
        let base = self.miou(scores, &[self.whole(arch, &Vec::new())]);
        let gain =
            |t: &String| Some((t.clone(), self.miou(scores, &[self.whole(arch, &vec![t.clone()])])? - base?));
        let gains: Vec<(String, f64)> = self.tricks.iter().filter_map(gain).collect();
        // Of tricks that set the same key only the better can be in one recipe.
        let beaten = |(name, gain): &(String, f64)| {
            gains.iter().any(|(other, better)| better > gain && self.exclude(name, other))
        };
        paper_stack(&gains.iter().filter(|g| !beaten(g)).cloned().collect::<Vec<_>>())
    }

    /// Counts of several runs, summed over images and averaged over nothing: a run counts as often as it is named.
    pub fn counts(&self, scores: &Scores, runs: &[Run]) -> Option<Confusion> {
        let mut total: Option<Confusion> = None;
        for (_, counts) in runs.iter().filter_map(|r| scores.get(r)?.as_ref()).flatten() {
            match &mut total {
                Some(total) => total.merge(counts),
                None => total = Some(counts.clone()),
            }
        }
        total
    }

    /// mIoU of several runs in percent, from summed counts.
    pub fn miou(&self, scores: &Scores, runs: &[Run]) -> Option<f64> {
        Some(100.0 * self.counts(scores, runs)?.scores().mean_iou?)
    }

    /// mIoU in percent of a set of tricks over all folds and seeds.
    pub fn validated(&self, scores: &Scores, arch: usize, tricks: &TrickSet) -> Option<f64> {
        self.miou(scores, &self.repeated(arch, tricks))
    }

    /// mIoU in percent of every seed of a set of tricks, over all folds; for the scatter.
    pub fn by_seed(&self, scores: &Scores, arch: usize, tricks: &TrickSet) -> Vec<(u64, f64)> {
        let of = |seed| {
            let runs: Vec<Run> = self.repeated(arch, tricks).into_iter().filter(|r| r.seed == seed).collect();
            Some((seed, self.miou(scores, &runs)?))
        };
        self.seed_list().filter_map(of).collect()
    }

    /// Two sets of tricks where both were scored, paired by fold, seed and image.
    pub fn paired(&self, scores: &Scores, arch: usize, without: &TrickSet, with: &TrickSet) -> Paired {
        let counts = |tricks: &TrickSet, part, seed| {
            scores.get(&Run { arch, tricks: tricks.clone(), part, seed })?.as_ref()
        };
        let fold = |f| {
            let cell = |seed| {
                let (a, b) = (counts(without, Part::Fold(f), seed)?, counts(with, Part::Fold(f), seed)?);
                Some(pairs(a, b))
            };
            self.seed_list().filter_map(cell).collect::<Vec<_>>()
        };
        Paired { folds: (0..self.folds).map(fold).filter(|f| !f.is_empty()).collect() }
    }

    /// The paired comparison on the test images: the final models against the baseline.
    pub fn tested(&self, scores: &Scores, arch: usize, tricks: &TrickSet) -> Gain {
        let counts = |tricks: &TrickSet, seed| {
            scores.get(&Run { arch, tricks: tricks.clone(), part: Part::All, seed })?.as_ref()
        };
        let cell = |seed| {
            let (a, b) = (counts(&Vec::new(), seed)?, counts(tricks, seed)?);
            Some(pairs(a, b))
        };
        Paired { folds: vec![self.seed_list().filter_map(cell).collect()] }.gain()
    }

    /// Gain of one set of tricks over another.
    pub fn gain(&self, scores: &Scores, arch: usize, without: &TrickSet, with: &TrickSet) -> Gain {
        self.paired(scores, arch, without, with).gain()
    }

    /// Judgements that the study makes: tricks times architectures.
    pub fn tests(&self) -> usize {
        self.archs.len() * self.tricks.len()
    }

    /// Whether every training of a set of tricks, in all folds with all seeds, was tried.
    pub fn complete(&self, scores: &Scores, arch: usize, tricks: &TrickSet) -> bool {
        self.repeated(arch, tricks).iter().all(|r| scores.contains_key(r))
    }

    pub fn judgement(&self, scores: &Scores, arch: usize) -> Judgement {
        let gain = |t: &String| (t.clone(), self.gain(scores, arch, &Vec::new(), &vec![t.clone()]));
        let tests = self.tests();
        Judgement::of(self.tricks.iter().map(gain).collect(), tests, |a, b| self.exclude(a, b))
    }

    /// What the stack of an architecture is, as far as scores tell.
    pub fn settled(&self, scores: &Scores, arch: usize) -> Settled {
        let judgement = self.judgement(scores, arch);
        let (mut stack, mut dropped) = (judgement.helpers.clone(), Vec::new());
        loop {
            let contributions = self.contributions(scores, arch, &stack);
            let hurts = contributions.iter().filter(|(_, _, v)| *v == Verdict::Hurts);
            match hurts.min_by(|a, b| a.1.points.total_cmp(&b.1.points)) {
                Some((worst, ..)) => {
                    dropped.push(worst.clone());
                    stack = less(&stack, worst);
                }
                None => {
                    let gain = self.gain(scores, arch, &Vec::new(), &stack);
                    return Settled { judgement, stack, dropped, gain, contributions };
                }
            }
        }
    }

    fn contributions(&self, scores: &Scores, arch: usize, stack: &TrickSet) -> Vec<(String, Gain, Verdict)> {
        if stack.len() < 2 {
            return Vec::new();
        }
        // From half of the trainings nothing is concluded.
        let tried =
            |t: &&String| self.complete(scores, arch, stack) && self.complete(scores, arch, &less(stack, t));
        let of = |t: &String| {
            let gain = self.gain(scores, arch, &less(stack, t), stack);
            let verdict = judge(&gain, stack.len());
            (t.clone(), gain, verdict)
        };
        stack.iter().filter(tried).map(of).collect()
    }

    /// The stack of an architecture and its leave-one-outs.
    fn stacks_to_train(&self, arch: usize, scores: &Scores) -> Vec<Run> {
        let stack = self.settled(scores, arch).stack;
        if stack.len() < 2 {
            return Vec::new();
        }
        let sets = std::iter::once(stack.clone()).chain(stack.iter().map(|t| less(&stack, t)));
        sets.flat_map(|t| self.repeated(arch, &t)).collect()
    }

    /// Architecture and tricks that go to the user: of the architectures' stacks the one with the highest mIoU on
    /// the validation folds.
    pub fn chosen(&self, scores: &Scores) -> Option<(usize, TrickSet)> {
        let candidates: Vec<(usize, TrickSet)> = (0..self.archs.len())
            .map(|arch| {
                let stack = self.settled(scores, arch).stack;
                // A stack none of whose trainings succeeded is no candidate; its baseline is.
                let trained = self.validated(scores, arch, &stack).is_some();
                (arch, if trained { stack } else { Vec::new() })
            })
            .collect();
        // Compared where all of them were scored: a lost training of a hard fold must not make a network look better.
        let shared = |run: &Run| {
            candidates.iter().all(|(arch, stack)| {
                let twin = Run { arch: *arch, tricks: stack.clone(), ..run.clone() };
                scores.get(&twin).is_some_and(Option::is_some)
            })
        };
        let of = |(arch, stack): &(usize, TrickSet)| {
            let runs: Vec<Run> = self.repeated(*arch, stack).into_iter().filter(shared).collect();
            Some((self.miou(scores, &runs)?, *arch, stack.clone()))
        };
        let best = candidates.iter().filter_map(of).max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
        best.map(|(_, arch, stack)| (arch, stack))
    }

    /// Title of an architecture by position.
    pub fn arch_title(&self, arch: usize) -> &'static str {
        self.archs.get(arch).map_or("", Arch::title)
    }
}

/// Counts of the images that both have, by name.
fn pairs(a: &[(String, Confusion)], b: &[(String, Confusion)]) -> Cell {
    let pair = |(name, a): &(String, Confusion)| {
        let (_, b) = b.iter().find(|(n, _)| n == name)?;
        Some((a.clone(), b.clone()))
    };
    a.iter().filter_map(pair).collect()
}

fn less(stack: &TrickSet, trick: &str) -> TrickSet {
    stack.iter().filter(|t| *t != trick).cloned().collect()
}
