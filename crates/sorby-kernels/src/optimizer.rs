//! Parameter updates in one pass over memory, as PyTorch's `SGD` and `AdamW` define them.

use rayon::prelude::*;

/// One step's coefficients.
#[derive(Clone, Copy, Debug)]
pub enum Rule {
    /// Momentum with coupled weight decay (dampening 0, no Nesterov).
    Sgd {
        /// Learning rate.
        lr: f32,
        /// Share of the velocity that is kept from one step to the next, 0 to 1.
        momentum: f32,
        /// Share of the weight that is added to its gradient.
        weight_decay: f32,
    },
    /// Decoupled weight decay (Loshchilov & Hutter 2019), `eps` 1e-8.
    AdamW {
        /// Learning rate.
        lr: f32,
        /// Shares of the running mean and of the running mean square that are kept from one step to the next.
        betas: (f32, f32),
        /// Each step takes `lr * weight_decay` of the weight away.
        weight_decay: f32,
        /// Number of this step, from 1: corrects the bias of the first means.
        step: i32,
    },
}

const BLOCK: usize = 1 << 14;

impl Rule {
    /// Values of optimiser state per weight.
    pub fn state_per_weight(&self) -> usize {
        match self {
            Rule::Sgd { .. } => 1,
            Rule::AdamW { .. } => 2,
        }
    }

    /// Updates weights and state by gradients. The state is zero before the first step; AdamW's holds first all
    /// means, then all mean squares.
    ///
    /// # Panics
    /// If there is not one gradient for each weight, or if `state` is not [`Rule::state_per_weight`] times as long
    /// as `w`.
    pub fn step(&self, w: &mut [f32], state: &mut [f32], g: &[f32]) {
        assert!(
            w.len() == g.len() && state.len() == w.len() * self.state_per_weight(),
            "state for every weight"
        );
        match *self {
            // `g += weight_decay w; v = momentum v + g; w -= lr v`
            Rule::Sgd { lr, momentum, weight_decay } => {
                let blocks =
                    w.par_chunks_mut(BLOCK).zip(state.par_chunks_mut(BLOCK)).zip(g.par_chunks(BLOCK));
                blocks.for_each(|((w, v), g)| {
                    for ((w, v), g) in w.iter_mut().zip(v).zip(g) {
                        *v = momentum * *v + (g + weight_decay * *w);
                        *w -= lr * *v;
                    }
                });
            }
            Rule::AdamW { lr, betas: (b1, b2), weight_decay, step } => {
                let correction = |b: f32| 1.0 - f64::from(b).powi(step);
                let rate = (f64::from(lr) / correction(b1)) as f32;
                let root = (1.0 / correction(b2).sqrt()) as f32;
                let keep = 1.0 - lr * weight_decay;
                let (m, v) = state.split_at_mut(w.len());
                let blocks =
                    w.par_chunks_mut(BLOCK).zip(m.par_chunks_mut(BLOCK)).zip(v.par_chunks_mut(BLOCK));
                blocks.zip(g.par_chunks(BLOCK)).for_each(|(((w, m), v), g)| {
                    for (((w, m), v), g) in w.iter_mut().zip(m).zip(v).zip(g) {
                        *m = b1 * *m + (1.0 - b1) * g;
                        *v = b2 * *v + (1.0 - b2) * g * g;
                        *w = keep * *w - rate * *m / (v.sqrt() * root + 1e-8);
                    }
                });
            }
        }
    }
}
