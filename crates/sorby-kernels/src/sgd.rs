//! PyTorch's SGD with momentum and coupled weight decay (dampening 0, no Nesterov), in one pass.

use rayon::prelude::*;

/// One step's coefficients.
#[derive(Clone, Copy, Debug)]
pub struct Sgd {
    pub lr: f32,
    pub momentum: f32,
    pub weight_decay: f32,
}

impl Sgd {
    /// `g += weight_decay w; v = momentum v + g; w -= lr v`. The first step's `v` is zero before it.
    pub fn step(&self, w: &mut [f32], v: &mut [f32], g: &[f32]) {
        assert!(w.len() == v.len() && w.len() == g.len(), "one velocity and gradient per weight");
        const BLOCK: usize = 1 << 14;
        w.par_chunks_mut(BLOCK).zip(v.par_chunks_mut(BLOCK)).zip(g.par_chunks(BLOCK)).for_each(
            |((w, v), g)| {
                for ((w, v), g) in w.iter_mut().zip(v).zip(g) {
                    *v = self.momentum * *v + (g + self.weight_decay * *w);
                    *w -= self.lr * *v;
                }
            },
        );
    }
}
