//! Arguments of work that several machines share.

use clap::Args as ClapArgs;
use sorby::Shard;

#[derive(ClapArgs)]
pub struct PartArgs {
    /// Do one of N parts of about equal pixels, into OUT/shards: 1/N is the first. In a task of Slurm, HyperQueue or
    /// Kubernetes: auto, or auto/N where tasks are numbered from 0.
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,
    /// Join the finished parts of OUT/shards into OUT: the same files as one process writes. With parts of several N:
    /// --merge=N.
    #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true, default_missing_value = "0", conflicts_with = "shard")]
    pub merge: Option<usize>,
}
