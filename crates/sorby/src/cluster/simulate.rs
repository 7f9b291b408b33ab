//! A simulated engine: how long work takes on so many nodes, before anybody waits for it.
//!
//! Tasks wait in one queue and take free slots in order. A task begins after its start latency, takes its time with some
//! spread, may be a straggler, and may be interrupted: by a preemption, which costs the wait and nothing else, or by a
//! failure, which costs the work since its last checkpoint too.

use sorby_random::Stream;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A cluster as the simulation knows it. Times in seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterModel {
    /// Nodes.
    pub nodes: usize,
    /// Tasks on a node at the same time.
    pub tasks_per_node: usize,
    /// From a free slot to the first useful work: the engine, the program's start, reading the model.
    pub start_s: f64,
    /// Starts of tasks that the engine makes in a minute; `None`: any number.
    pub starts_per_min: Option<f64>,
    /// Standard deviation of the time of an image or a training over its mean.
    pub spread: f64,
    /// Share of the tasks that take so many times as long.
    pub stragglers: (f64, f64),
    /// Failures in an hour of a task's work.
    pub failures_per_h: f64,
    /// Preemptions in an hour of a task's work.
    pub preemptions_per_h: f64,
    /// Wait of an interrupted task before it may start again.
    pub requeue_s: f64,
    /// Work between two checkpoints.
    pub checkpoint_s: f64,
}

/// Tasks that do not wait for each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Round {
    /// How many.
    pub tasks: usize,
    /// Images of a task; 1 for a training.
    pub pieces: f64,
    /// Time of an image or a training.
    pub piece_s: f64,
}

/// What came of a simulated run. Times in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Simulated {
    /// From the submission to the last result.
    pub makespan_s: f64,
    /// Useful work over the time of all slots.
    pub efficiency: f64,
    /// Hours of nodes that are paid for.
    pub node_h: f64,
    /// Starts of tasks beyond the first of each.
    pub restarts: f64,
}

/// A time that can be ordered; times here are finite.
#[derive(Clone, Copy, PartialEq)]
struct Time(f64);

impl Eq for Time {}

impl PartialOrd for Time {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Time {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// Runs the rounds one after the other; `after_s` is the work after each that one process does (the merge).
pub fn simulate(rounds: &[Round], after_s: f64, model: &ClusterModel, seed: u64) -> Simulated {
    let (mut now, mut useful, mut restarts) = (0.0, 0.0, 0);
    for (index, round) in rounds.iter().enumerate() {
        let (end, again) = one_round(round, model, seed, index as u64);
        useful += round.tasks as f64 * round.pieces * round.piece_s;
        restarts += again;
        now += end + after_s;
    }
    let slots = (model.nodes * model.tasks_per_node) as f64;
    Simulated {
        makespan_s: now,
        efficiency: if now > 0.0 { useful / (slots * now) } else { 0.0 },
        node_h: model.nodes as f64 * now / 3600.0,
        restarts: restarts as f64,
    }
}

/// The mean of several seeds.
pub fn simulate_mean(rounds: &[Round], after_s: f64, model: &ClusterModel, seeds: u64) -> Simulated {
    let mut sum = Simulated::default();
    for seed in 0..seeds {
        let one = simulate(rounds, after_s, model, seed);
        sum.makespan_s += one.makespan_s / seeds as f64;
        sum.efficiency += one.efficiency / seeds as f64;
        sum.node_h += one.node_h / seeds as f64;
        sum.restarts += one.restarts / seeds as f64;
    }
    sum
}

/// When the round's last task ends, and how many starts were repeats.
fn one_round(round: &Round, model: &ClusterModel, seed: u64, index: u64) -> (f64, usize) {
    let slots = model.nodes * model.tasks_per_node;
    let mut free: BinaryHeap<Reverse<Time>> =
        (0..slots.min(round.tasks)).map(|_| Reverse(Time(0.0))).collect();
    // When a task may start, its number, the starts so far.
    let mut ready: BinaryHeap<Reverse<(Time, usize, u64)>> =
        (0..round.tasks).map(|task| Reverse((Time(0.0), task, 0))).collect();
    let mut left: Vec<f64> = (0..round.tasks).map(|t| work_s(round, model, (seed, index), t)).collect();
    let between = model.starts_per_min.map_or(0.0, |n| 60.0 / n);
    let (mut next_start, mut end, mut restarts) = (0.0_f64, 0.0_f64, 0);
    while let Some(Reverse((Time(from), task, starts))) = ready.pop() {
        let Some(Reverse(Time(slot))) = free.pop() else { break };
        let begin = slot.max(from).max(next_start);
        next_start = begin + between;
        restarts += usize::from(starts > 0);
        let work_begins = begin + model.start_s;
        let mut random = Stream::numbered(seed, "interruption", &[index, task as u64, starts]);
        match interruption(&mut random, left[task], model) {
            Some((after, kept)) => {
                left[task] -= kept;
                free.push(Reverse(Time(work_begins + after)));
                ready.push(Reverse((Time(work_begins + after + model.requeue_s), task, starts + 1)));
            }
            None => {
                let done = work_begins + left[task];
                free.push(Reverse(Time(done)));
                end = end.max(done);
            }
        }
    }
    (end, restarts)
}

/// The time of a task without interruptions.
fn work_s(round: &Round, model: &ClusterModel, (seed, index): (u64, u64), task: usize) -> f64 {
    let mut random = Stream::numbered(seed, "work", &[index, task as u64]);
    // The sum of independent pieces; a time is never negative.
    let relative = 1.0 + random.normal() * model.spread / round.pieces.max(1.0).sqrt();
    let (share, factor) = model.stragglers;
    let slow = if random.chance(share) { factor } else { 1.0 };
    round.pieces * round.piece_s * relative.max(0.1) * slow
}

/// After how much work a task is interrupted, and how much of it is kept; `None` where it comes to its end.
fn interruption(random: &mut Stream, work_s: f64, model: &ClusterModel) -> Option<(f64, f64)> {
    let rate = (model.failures_per_h + model.preemptions_per_h) / 3600.0;
    if rate <= 0.0 {
        return None;
    }
    let after = -(1.0 - random.unit()).ln() / rate;
    if after >= work_s {
        return None;
    }
    let failed = random.chance(model.failures_per_h / (model.failures_per_h + model.preemptions_per_h));
    let kept = if failed { (after / model.checkpoint_s).floor() * model.checkpoint_s } else { after };
    Some((after, kept))
}

/// The number of shards of so many images that is ready first, in the mean; no more than `most`.
pub fn best_shards(
    images: f64,
    piece_s: f64,
    most: usize,
    after_s: f64,
    model: &ClusterModel,
) -> (usize, Simulated) {
    const ROUNDS_OF_TASKS: [usize; 8] = [1, 2, 3, 4, 6, 8, 12, 16];
    const SEEDS: u64 = 5;
    let slots = model.nodes * model.tasks_per_node;
    let most = most.min(images as usize).max(1);
    let mut best: Option<(usize, Simulated)> = None;
    for shards in ROUNDS_OF_TASKS.map(|n| (n * slots).min(most)) {
        let round = Round { tasks: shards, pieces: images / shards as f64, piece_s };
        let of = simulate_mean(&[round], after_s, model, SEEDS);
        // Fewer shards where more gain next to nothing.
        if best.is_none_or(|(_, so_far)| of.makespan_s < 0.99 * so_far.makespan_s) {
            best = Some((shards, of));
        }
    }
    best.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calm(nodes: usize) -> ClusterModel {
        ClusterModel {
            nodes,
            tasks_per_node: 2,
            start_s: 10.0,
            starts_per_min: None,
            spread: 0.0,
            stragglers: (0.0, 1.0),
            failures_per_h: 0.0,
            preemptions_per_h: 0.0,
            requeue_s: 120.0,
            checkpoint_s: 60.0,
        }
    }

    const SIX: Round = Round { tasks: 6, pieces: 10.0, piece_s: 9.0 };

    #[test]
    fn without_chance_it_is_arithmetic() {
        // Two slots, three tasks each of 10 + 90 seconds.
        let one = simulate(&[SIX], 5.0, &calm(1), 1);
        assert_eq!((one.makespan_s, one.restarts), (305.0, 0.0));
        assert!((one.efficiency - 540.0 / 610.0).abs() < 1e-12);
        // More slots than tasks: one after the other is not faster than one.
        assert_eq!(simulate(&[SIX, SIX], 0.0, &calm(50), 1).makespan_s, 200.0);
        // An engine that starts two tasks a minute.
        let slow = ClusterModel { starts_per_min: Some(2.0), ..calm(50) };
        assert_eq!(simulate(&[SIX], 0.0, &slow, 1).makespan_s, 5.0 * 30.0 + 100.0);
    }

    #[test]
    fn interruptions_cost_what_they_lose() {
        let long = Round { tasks: 400, pieces: 1.0, piece_s: 3600.0 };
        let rate = 0.5;
        let preempted = ClusterModel { preemptions_per_h: rate, requeue_s: 0.0, start_s: 0.0, ..calm(200) };
        let failing = ClusterModel { failures_per_h: rate, preemptions_per_h: 0.0, ..preempted.clone() };
        let of = |model: &ClusterModel| simulate_mean(&[long], 0.0, model, 20);
        let (kept, lost) = (of(&preempted), of(&failing));
        // Half an interruption each, in the mean; a preempted task loses nothing.
        assert!((kept.restarts / 400.0 - rate).abs() < 0.05, "{kept:?}");
        assert!((kept.makespan_s - 3600.0).abs() < 1e-6);
        assert!(lost.makespan_s > 3600.0 + 30.0);
    }

    #[test]
    fn shards_are_as_many_as_stragglers_want_and_no_more() {
        let model = ClusterModel { stragglers: (0.05, 3.0), spread: 0.1, ..calm(8) };
        let (many, with_stragglers) = best_shards(1e5, 1.0, 1000, 0.0, &model);
        let (few, calm) = best_shards(1e5, 1.0, 1000, 0.0, &calm(8));
        assert!(few <= 32 && many > few, "{few} {many}");
        assert!(with_stragglers.efficiency < calm.efficiency);
        assert_eq!(best_shards(3.0, 1.0, 1000, 0.0, &model).0, 3, "no more shards than images");
    }
}
