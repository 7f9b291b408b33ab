//! Memory that a run needs, known before it starts.

use crate::Recipe;
use crate::error::TrainError;
use crate::recipe::OptimizerKind;
use sorby_data::Sample;

/// Peak memory of a training run in bytes: weights with gradients, the optimiser's state and transforms, what each
/// pixel of a batch keeps for the backward pass, and `values` numbers of training images, kept as they are and as the
/// network takes them. Measured on Linux with the CPU backend at output stride 8 (coarser ones take less): within 10 %
/// for batches of 2 to 16.
pub fn estimated_bytes(recipe: &Recipe, values: u64) -> u64 {
    const FIXED: u64 = 530 << 20;
    const PER_PIXEL: u64 = 1780;
    // AdamW keeps two numbers a weight where SGD keeps one.
    let more = if recipe.optimizer.kind == OptimizerKind::AdamW { 200 << 20 } else { 0 };
    let average = if recipe.optimizer.ema_decay > 0.0 { 100 << 20 } else { 0 };
    let pixels = (recipe.data.batch as u64).saturating_mul((recipe.data.crop as u64).pow(2));
    let images = values.saturating_mul(2 + size_of::<f32>() as u64);
    PER_PIXEL.saturating_mul(pixels).saturating_add(FIXED + more + average).saturating_add(images)
}

/// Numbers that the images of `samples` hold together.
pub fn values_of(samples: &[Sample]) -> u64 {
    samples.iter().map(|s| (s.shot.image.width * s.shot.image.height * s.shot.image.channels()) as u64).sum()
}

/// Refuses a training of `samples` for which memory does not suffice.
pub(crate) fn require_memory(recipe: &Recipe, samples: &[Sample]) -> Result<(), TrainError> {
    let (needed, available) = (estimated_bytes(recipe, values_of(samples)), available_bytes());
    match available.filter(|available| needed > *available) {
        Some(available) => Err(TrainError::Memory { needed_mb: needed >> 20, available_mb: available >> 20 }),
        None => Ok(()),
    }
}

/// Memory that can still be used, where the system says it (Linux): what is free, and what the limits of a container
/// and of the process leave.
pub fn available_bytes() -> Option<u64> {
    let free = field("/proc/meminfo", "MemAvailable:");
    let number = |file: &str| std::fs::read_to_string(file).ok()?.trim().parse::<u64>().ok();
    // What was read from disk and can be read again counts as used there, but is given back on demand.
    let cached = std::fs::read_to_string("/sys/fs/cgroup/memory.stat").ok().and_then(|t| inactive_file(&t));
    let used = number("/sys/fs/cgroup/memory.current").unwrap_or(0).saturating_sub(cached.unwrap_or(0));
    let left = number("/sys/fs/cgroup/memory.max").map(|limit| limit.saturating_sub(used));
    [free, left, address_space()].into_iter().flatten().min()
}

/// What a limit of this process's addresses (`ulimit -v`) leaves.
fn address_space() -> Option<u64> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|l| l.strip_prefix("Max address space"))?;
    let limit: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(limit.saturating_sub(field("/proc/self/status", "VmSize:")?))
}

/// The most memory this process has held at once, where the system says it (Linux).
pub fn peak_bytes() -> Option<u64> {
    field("/proc/self/status", "VmHWM:")
}

/// A line such as `MemAvailable:  1234 kB`.
fn field(file: &str, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find(|l| l.starts_with(name))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib << 10)
}

/// Bytes of the line `inactive_file 1234` of a cgroup's `memory.stat`.
fn inactive_file(stat: &str) -> Option<u64> {
    stat.lines().find_map(|l| l.strip_prefix("inactive_file "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cache_that_can_be_given_back_is_found() {
        let stat = "anon 5\nfile 700\nactive_file 300\ninactive_file 400\n";
        assert_eq!((inactive_file(stat), inactive_file("anon 5\n")), (Some(400), None));
    }
}
