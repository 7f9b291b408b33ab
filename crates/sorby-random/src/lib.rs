//! Random numbers as pure functions of a seed and a name.
//!
//! Nothing in Sorby keeps a generator between two uses: whoever needs randomness opens the stream of
//! (seed, what for), so results depend neither on the order of work nor on the number of threads,
//! and an interrupted run needs no generator state to continue.

#![warn(missing_docs, clippy::missing_errors_doc, clippy::missing_panics_doc)]

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

/// A stream of random numbers (ChaCha8), stable across versions and machines.
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// The stream of `seed` for the purpose named by `parts`.
    pub fn new(seed: u64, parts: &[&[u8]]) -> Self {
        let mut hash = blake3::Hasher::new();
        hash.update(&seed.to_le_bytes());
        for part in parts {
            hash.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
        Self(ChaCha8Rng::from_seed(*hash.finalize().as_bytes()))
    }

    /// The stream of `seed` for a purpose counted by `numbers`.
    pub fn numbered(seed: u64, purpose: &str, numbers: &[u64]) -> Self {
        let bytes: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
        Self::new(seed, &[purpose.as_bytes(), &bytes])
    }

    /// Uniform in `0..1`, 53 bits.
    pub fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform in `low..high`.
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// True with probability `p`, a share of 0..1.
    pub fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// A whole number, uniform in `0..n`.
    ///
    /// # Panics
    /// When `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        assert!(n > 0, "nothing to draw from");
        // The bias of a 64-bit product is below 2^-40 for any n that fits in memory.
        ((u128::from(self.0.next_u64()) * n as u128) >> 64) as usize
    }

    /// Standard normal (Box-Muller).
    pub fn normal(&mut self) -> f64 {
        // 1 - u keeps the logarithm finite.
        (-2.0 * (1.0 - self.unit()).ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Shuffles in place (Fisher-Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_stable_and_distinct() {
        let draw = |mut s: Stream| (0..4).map(|_| s.below(1000)).collect::<Vec<_>>();
        // Frozen: a change of these numbers changes every trained model.
        assert_eq!(draw(Stream::new(0, &[b"a"])), [617, 56, 219, 243]);
        assert_ne!(draw(Stream::new(0, &[b"a"])), draw(Stream::new(1, &[b"a"])));
        // Parts are delimited: ("ab", "c") is not ("a", "bc").
        assert_ne!(draw(Stream::new(0, &[b"ab", b"c"])), draw(Stream::new(0, &[b"a", b"bc"])));
    }

    #[test]
    fn moments_are_right() {
        let mut s = Stream::new(3, &[]);
        let n = 40_000;
        let (mut mean, mut square) = (0.0, 0.0);
        for _ in 0..n {
            let v = s.normal();
            mean += v / f64::from(n);
            square += v * v / f64::from(n);
        }
        assert!(mean.abs() < 0.02 && (square - 1.0).abs() < 0.03, "{mean} {square}");
        let mut order: Vec<usize> = (0..50).collect();
        s.shuffle(&mut order);
        assert_ne!(order, (0..50).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..50).collect::<Vec<_>>());
    }
}
