//! Which trainings are needed next, given what has been scored.

use crate::gain::{Cell, Contrast, Gain};
use crate::judge::{Judgement, Verdict, judge};
use crate::paper::{PaperStack, paper_stack};
use crate::spec::{Protocol, StudySpec};
use serde::Serialize;
use sorby_score::Confusion;
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
    /// The tricks on top of the base recipe.
    pub tricks: TrickSet,
    /// What it learns from.
    pub part: Part,
    /// Seed of the training.
    pub seed: u64,
}

/// How a finished training did, image by image; `None` when it failed.
pub type Scored = Option<Vec<(String, Confusion)>>;
/// What is known of each training that was tried.
pub type RunScores = BTreeMap<Run, Scored>;

/// Where a study stands.
#[derive(Clone, Debug)]
pub enum Stage {
    /// These trainings are next, and why.
    Train(&'static str, Vec<Run>),
    /// Every training that the protocol asks for was tried.
    Finished,
}

/// `base`, or `T+S`.
pub fn set_name(tricks: &[String]) -> String {
    if tricks.is_empty() { "base".into() } else { tricks.join("+") }
}

/// What the sound protocol settled on for one architecture.
#[derive(Clone, Debug, Serialize)]
pub struct Settled {
    /// The verdicts on its single tricks.
    pub judgement: Judgement,
    /// The stack, after dropping what hurts in it.
    pub stack: TrickSet,
    /// Tricks dropped from the helpers, as they hurt among the others.
    pub dropped: Vec<String>,
    /// The stack's gain over the baseline.
    pub gain: Gain,
    /// The stack's gain over the stack without each of its tricks, and the verdict; for two tricks or more.
    pub contributions: Vec<(String, Gain, Verdict)>,
    /// For two tricks or more.
    pub interaction: Option<Interaction>,
}

/// What the tricks of a stack do to one another.
#[derive(Clone, Debug, Serialize)]
pub struct Interaction {
    /// The sum of their single gains: what the stack would gain if each did the same in company as alone.
    pub promised: Gain,
    /// What the stack gains beyond that sum.
    pub beyond: Gain,
}

impl StudySpec {
    /// Folder name of a run.
    ///
    /// # Panics
    /// If `run.arch` is no position in the study's list of architectures.
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
    pub fn next(&self, scores: &RunScores) -> Stage {
        let due = match self.protocol {
            Protocol::Paper => self.due_of_paper(scores),
            Protocol::Sound => self.due_of_sound(scores),
        };
        due.map_or(Stage::Finished, |(why, runs)| Stage::Train(why, runs))
    }

    fn due_of_paper(&self, scores: &RunScores) -> Option<Due> {
        let singles = self.each_arch(|a| self.singles().iter().map(|t| self.whole(a, t)).collect());
        due("baseline and single tricks", singles, scores).or_else(|| {
            let rows = |a| self.paper_rows(a, scores).rows;
            due("stacks", self.each_arch(|a| rows(a).iter().map(|t| self.whole(a, t)).collect()), scores)
        })
    }

    fn due_of_sound(&self, scores: &RunScores) -> Option<Due> {
        let mut singles =
            self.each_arch(|a| self.singles().iter().flat_map(|t| self.repeated(a, t)).collect());
        // Repeat by repeat, so that an early look sees all tricks.
        singles.sort_by_key(|r| (r.seed, r.part));
        let stacks = || {
            let stacks = self.each_arch(|a| self.stacks_to_train(a, scores));
            due("stacks, and stacks less one trick", stacks, scores)
        };
        let finals = || {
            let (arch, tricks) = self.chosen(scores)?;
            let sets = if tricks.is_empty() { vec![tricks] } else { vec![tricks, Vec::new()] };
            let all_seeds = |t: &TrickSet| {
                let whole = self.whole(arch, t);
                self.seed_list().map(move |seed| Run { seed, ..whole.clone() }).collect::<Vec<_>>()
            };
            due("final models, tested once", sets.iter().flat_map(all_seeds).collect(), scores)
        };
        due("baseline and single tricks", singles, scores).or_else(stacks).or_else(finals)
    }

    /// The baseline, and each trick alone.
    pub fn singles(&self) -> Vec<TrickSet> {
        std::iter::once(Vec::new()).chain(self.tricks.iter().map(|t| vec![t.clone()])).collect()
    }

    fn each_arch(&self, runs: impl Fn(usize) -> Vec<Run>) -> Vec<Run> {
        (0..self.archs.len()).flat_map(runs).collect()
    }

    /// The paper's rows of an architecture, as far as scores are known.
    pub fn paper_rows(&self, arch: usize, scores: &RunScores) -> PaperStack {
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

    /// Counts of several runs, summed over their images.
    pub fn counts(&self, scores: &RunScores, runs: &[Run]) -> Option<Confusion> {
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
    pub fn miou(&self, scores: &RunScores, runs: &[Run]) -> Option<f64> {
        Some(100.0 * self.counts(scores, runs)?.scores().mean_iou?)
    }

    /// mIoU in percent of a set of tricks over all folds and seeds.
    pub fn validated(&self, scores: &RunScores, arch: usize, tricks: &TrickSet) -> Option<f64> {
        self.miou(scores, &self.repeated(arch, tricks))
    }

    /// mIoU in percent of every seed of a set of tricks, over all folds; for the scatter.
    pub fn by_seed(&self, scores: &RunScores, arch: usize, tricks: &TrickSet) -> Vec<(u64, f64)> {
        let of = |seed| {
            let runs: Vec<Run> = self.repeated(arch, tricks).into_iter().filter(|r| r.seed == seed).collect();
            Some((seed, self.miou(scores, &runs)?))
        };
        self.seed_list().filter_map(of).collect()
    }

    /// Sets of tricks with their coefficients, where all were scored, matched by fold, seed and image.
    pub fn contrast(&self, scores: &RunScores, arch: usize, sets: &[(f64, TrickSet)]) -> Contrast {
        self.contrast_in((0..self.folds).map(Part::Fold), scores, arch, sets)
    }

    /// The paired comparison on the test images: the final models against the baseline.
    pub fn tested(&self, scores: &RunScores, arch: usize, tricks: &TrickSet) -> Gain {
        let sets = [(-1.0, Vec::new()), (1.0, tricks.clone())];
        self.contrast_in([Part::All].into_iter(), scores, arch, &sets).gain()
    }

    fn contrast_in(
        &self,
        parts: impl Iterator<Item = Part>,
        scores: &RunScores,
        arch: usize,
        sets: &[(f64, TrickSet)],
    ) -> Contrast {
        let cell = |part, seed| {
            let counts = |(_, tricks): &(f64, TrickSet)| {
                scores.get(&Run { arch, tricks: tricks.clone(), part, seed })?.as_deref()
            };
            Some(matched(&sets.iter().map(counts).collect::<Option<Vec<_>>>()?))
        };
        let cells = |part| self.seed_list().filter_map(|seed| cell(part, seed)).collect::<Vec<_>>();
        Contrast {
            coefficients: sets.iter().map(|s| s.0).collect(),
            folds: parts.map(cells).filter(|cells| !cells.is_empty()).collect(),
        }
    }

    /// Gain of one set of tricks over another.
    pub fn gain(&self, scores: &RunScores, arch: usize, without: &TrickSet, with: &TrickSet) -> Gain {
        self.contrast(scores, arch, &[(-1.0, without.clone()), (1.0, with.clone())]).gain()
    }

    /// What the tricks of a stack do to one another; `None` for fewer than two. Single gains share a baseline, so
    /// their sum is resampled as a whole.
    fn interaction(&self, scores: &RunScores, arch: usize, stack: &TrickSet) -> Option<Interaction> {
        let n = stack.len() as f64;
        if n < 2.0 || !self.complete(scores, arch, stack) {
            return None;
        }
        let sum = |baseline: f64, of_each: f64| {
            let mut sets = vec![(baseline, Vec::new())];
            sets.extend(stack.iter().map(|t| (of_each, vec![t.clone()])));
            sets
        };
        let mut beyond = sum(n - 1.0, -1.0);
        beyond.push((1.0, stack.clone()));
        let of = |sets: Vec<(f64, TrickSet)>| self.contrast(scores, arch, &sets).gain();
        Some(Interaction { promised: of(sum(-n, 1.0)), beyond: of(beyond) })
    }

    /// Judgements that the study makes: tricks times architectures.
    pub fn tests(&self) -> usize {
        self.archs.len() * self.tricks.len()
    }

    /// Whether every training of a set of tricks, in all folds with all seeds, was tried.
    pub fn complete(&self, scores: &RunScores, arch: usize, tricks: &TrickSet) -> bool {
        self.repeated(arch, tricks).iter().all(|r| scores.contains_key(r))
    }

    /// Verdicts on the tricks of an architecture, from its single tricks next to the baseline.
    pub fn judgement(&self, scores: &RunScores, arch: usize) -> Judgement {
        let gain = |t: &String| (t.clone(), self.gain(scores, arch, &Vec::new(), &vec![t.clone()]));
        let tests = self.tests();
        Judgement::of(self.tricks.iter().map(gain).collect(), tests, |a, b| self.exclude(a, b))
    }

    /// What the stack of an architecture is, as far as scores are known.
    pub fn settled(&self, scores: &RunScores, arch: usize) -> Settled {
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
                    let interaction = self.interaction(scores, arch, &stack);
                    return Settled { judgement, stack, dropped, gain, contributions, interaction };
                }
            }
        }
    }

    fn contributions(
        &self,
        scores: &RunScores,
        arch: usize,
        stack: &TrickSet,
    ) -> Vec<(String, Gain, Verdict)> {
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
    fn stacks_to_train(&self, arch: usize, scores: &RunScores) -> Vec<Run> {
        let stack = self.settled(scores, arch).stack;
        if stack.len() < 2 {
            return Vec::new();
        }
        let sets = std::iter::once(stack.clone()).chain(stack.iter().map(|t| less(&stack, t)));
        sets.flat_map(|t| self.repeated(arch, &t)).collect()
    }

    /// Architecture and tricks that go to the user: of the architectures' stacks the one with the highest mIoU on
    /// the validation folds.
    pub fn chosen(&self, scores: &RunScores) -> Option<(usize, TrickSet)> {
        let candidates: Vec<(usize, TrickSet)> = (0..self.archs.len())
            .map(|arch| {
                let stack = self.settled(scores, arch).stack;
                // A stack none of whose trainings succeeded is no candidate; its baseline is.
                let trained = self.validated(scores, arch, &stack).is_some();
                (arch, if trained { stack } else { Vec::new() })
            })
            .collect();
        // Compared where all of them were scored: a lost training of a hard fold must not make a network look better.
        let scored = |run: &Run| scores.get(run).is_some_and(Option::is_some);
        let paired = |(arch, stack): &(usize, TrickSet), run: &Run| Run {
            arch: *arch,
            tricks: stack.clone(),
            ..run.clone()
        };
        // A network all of whose trainings failed stands in nobody's way.
        let rivals: Vec<_> =
            candidates.iter().filter(|c| self.validated(scores, c.0, &c.1).is_some()).collect();
        let shared = |run: &Run| rivals.iter().all(|c| scored(&paired(c, run)));
        let any_shared = rivals.first().is_some_and(|c| self.repeated(c.0, &c.1).iter().any(shared));
        let of = |(arch, stack): &(usize, TrickSet)| {
            let mut runs = self.repeated(*arch, stack);
            runs.retain(|run| !any_shared || shared(run));
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

/// Trainings that are next, and why.
type Due = (&'static str, Vec<Run>);

/// Of `runs` those that were never tried, each once; `None` when there are none.
fn due(why: &'static str, runs: Vec<Run>, scores: &RunScores) -> Option<Due> {
    let mut missing: Vec<Run> = Vec::new();
    for run in runs {
        if !scores.contains_key(&run) && !missing.contains(&run) {
            missing.push(run);
        }
    }
    (!missing.is_empty()).then_some((why, missing))
}

/// Counts of the images that all networks have, by name; those with nothing labelled say nothing.
fn matched(networks: &[&[(String, Confusion)]]) -> Cell {
    let Some(first) = networks.first() else { return Cell::new() };
    let of = |name: &String, network: &&[(String, Confusion)]| {
        network.iter().find(|(n, _)| n == name).map(|(_, counts)| counts.clone())
    };
    let labelled = first.iter().filter(|(_, counts)| counts.matrix().iter().flatten().any(|n| *n > 0));
    labelled.filter_map(|(name, _)| networks.iter().map(|n| of(name, n)).collect()).collect()
}

fn less(stack: &TrickSet, trick: &str) -> TrickSet {
    stack.iter().filter(|t| *t != trick).cloned().collect()
}
