//! Memory told before a run starts.

use crate::Recipe;

/// Peak memory of a training run in bytes: weights with gradients, velocities and transforms, plus
/// what each pixel of a batch keeps for the backward pass. Coefficients measured on Linux with the CPU
/// backend, see BENCHMARKS.md.
pub fn estimated_bytes(recipe: &Recipe) -> u64 {
    const FIXED: u64 = 300 << 20;
    const PER_PIXEL: u64 = 1700;
    let pixels = (recipe.data.batch as u64).saturating_mul((recipe.data.crop as u64).pow(2));
    PER_PIXEL.saturating_mul(pixels).saturating_add(FIXED)
}

/// Memory that can still be used, where the system tells (Linux).
pub fn available_bytes() -> Option<u64> {
    field("/proc/meminfo", "MemAvailable:")
}

/// The most memory this process has held at once, where the system tells (Linux).
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
