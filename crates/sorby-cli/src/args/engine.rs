//! Arguments of work that is handed to a cluster's engine.

use super::SimulateArgs;
use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use sorby::cluster::{EngineOptions, Executor};
use std::ffi::OsString;
use std::path::PathBuf;

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExecutorArg {
    /// A shell on this machine.
    Local,
    /// Slurm.
    Slurm,
    /// HyperQueue.
    Hq,
    /// Kubernetes.
    K8s,
}

#[derive(ClapArgs)]
pub struct EngineArgs {
    /// Who starts the tasks: scripts for it are written into OUT/submit, and the commands that submit, watch and collect
    /// are printed.
    #[arg(long, value_enum, value_name = "ENGINE")]
    pub executor: Option<ExecutorArg>,
    /// Submit now: calls sbatch, hq (or Python's module hyperqueue), kubectl, or a shell.
    #[arg(long, requires = "executor")]
    pub run: bool,
    /// Print the scripts and write none.
    #[arg(long, requires = "executor", conflicts_with = "run")]
    pub dry_run: bool,
    /// Tasks at the same time; default: as many as the engine starts, and one with local.
    #[arg(long, value_name = "N", requires = "executor", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub at_once: Option<u32>,
    /// Processors of each task; default: the engine's.
    #[arg(long, value_name = "N", requires = "executor", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub cpus_per_task: Option<u16>,
    /// Words for the engine: of sbatch (--partition=long --time=2:00:00), of hq; with k8s: image=, claim=, mount=.
    #[arg(last = true, value_name = "ENGINE ARGS", requires = "executor")]
    pub engine_arguments: Vec<String>,
}

#[derive(ClapArgs)]
pub struct ShardedEngineArgs {
    #[command(flatten)]
    pub engine: EngineArgs,
    /// With --executor: into how many parts the images are divided. A part should take five minutes or more.
    #[arg(long, value_name = "N", requires = "executor", conflicts_with_all = ["shard", "merge"], value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub shards: Option<u32>,
}

#[derive(ClapArgs)]
pub struct SimdArg {
    /// Refuse to compute on a machine with another instruction set: avx512, avx2, sse2, neon. Results of different sets differ
    /// in their last digits.
    #[arg(long, value_name = "SET", value_parser = ["avx512", "avx2", "sse2", "neon"])]
    pub require_simd: Option<String>,
}

impl SimdArg {
    pub fn check(&self) -> anyhow::Result<()> {
        let here = sorby_nn::simd_level().word();
        match self.require_simd.as_deref() {
            Some(wanted) if wanted != here => anyhow::bail!(
                "--require-simd {wanted}: this machine computes with {here}; give the engine a constraint, such as \
                 --constraint={wanted} of sbatch"
            ),
            _ => Ok(()),
        }
    }
}

#[derive(Subcommand)]
pub enum ClusterCommand {
    /// Start one task of tasks.json, which --executor writes: the one that the engine says this process is.
    Task {
        /// tasks.json.
        file: PathBuf,
        /// Number of the task, counted from 0.
        #[arg(long, value_name = "N")]
        number: Option<usize>,
    },
    /// Say how long images or a study would take on more and more nodes, by simulation.
    Simulate(Box<SimulateArgs>),
}

impl EngineArgs {
    pub fn options(&self) -> Option<EngineOptions> {
        let executor = match self.executor? {
            ExecutorArg::Local => Executor::Local,
            ExecutorArg::Slurm => Executor::Slurm,
            ExecutorArg::Hq => Executor::HyperQueue,
            ExecutorArg::K8s => Executor::Kubernetes,
        };
        Some(EngineOptions {
            executor,
            dry_run: self.dry_run,
            run: self.run,
            at_once: self.at_once.map(|n| n as usize),
            cpus: self.cpus_per_task.map(usize::from),
            engine_arguments: self.engine_arguments.clone(),
        })
    }
}

/// Options of [`ShardedEngineArgs`], and whether a value follows.
const OPTIONS: [(&str, bool); 6] = [
    ("--executor", true),
    ("--shards", true),
    ("--at-once", true),
    ("--cpus-per-task", true),
    ("--run", false),
    ("--dry-run", false),
];

/// A command as it was typed, without its first word and without what is said of an engine.
pub fn without_engine(typed: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let (mut words, mut skip) = (Vec::new(), false);
    for word in typed.skip(1).take_while(|word| word != "--") {
        if std::mem::take(&mut skip) {
            continue;
        }
        let text = word.to_string_lossy();
        let named = |name: &str, value: bool| {
            text == name || value && text.strip_prefix(name).is_some_and(|rest| rest.starts_with('='))
        };
        match OPTIONS.iter().find(|(name, value)| named(name, *value)) {
            Some((name, value)) => skip = *value && text == *name,
            None => words.push(word),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::without_engine;

    #[test]
    fn what_is_said_of_an_engine_is_left_out() {
        let typed =
            "sorby segment m lot --executor slurm --out o --shards=4 --run --tiff --at-once 3 -- --time=5";
        let words = without_engine(typed.split(' ').map(Into::into));
        assert_eq!(words, ["segment", "m", "lot", "--out", "o", "--tiff"]);
    }
}
