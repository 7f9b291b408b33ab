//! What follows a convolution in inference, done while its output is in cache.

use crate::dispatch::dispatched;

/// `act(y + shift (+ residual))`. The batch norm's scale is in the weights already.
#[derive(Clone, Copy, Default)]
pub(crate) struct Epilogue<'a> {
    /// One value per channel; empty for nothing at all.
    pub shift: &'a [f32],
    /// Of the output's shape; empty for none.
    pub residual: &'a [f32],
    pub relu: bool,
}

impl Epilogue<'_> {
    pub fn is_empty(&self) -> bool {
        self.shift.is_empty()
    }

    /// Applies it to whole or partial pixels: `y` starts at channel `channel` and at float `offset` of the
    /// output, and is a multiple of the shift's channels, or lies within one pixel.
    pub fn apply(&self, y: &mut [f32], channel: usize, offset: usize) {
        if self.is_empty() {
            return;
        }
        let residual = if self.residual.is_empty() { &[][..] } else { &self.residual[offset..][..y.len()] };
        if channel == 0 && y.len() >= self.shift.len() {
            pixels(y, self.shift, residual, self.relu);
        } else {
            pixels(y, &self.shift[channel..channel + y.len()], residual, self.relu);
        }
    }
}

dispatched! {
    fn pixels(y: &mut [f32], shift: &[f32], residual: &[f32], relu: bool) {
        // As in `norm`: a comparison that keeps NaN.
        let floor = if relu { 0.0 } else { f32::NEG_INFINITY };
        let c = shift.len();
        for (k, y) in y.chunks_exact_mut(c).enumerate() {
            if residual.is_empty() {
                for i in 0..c {
                    let v = y[i] + shift[i];
                    y[i] = if v < floor { floor } else { v };
                }
            } else {
                let r = &residual[k * c..][..c];
                for i in 0..c {
                    let v = y[i] + shift[i] + r[i];
                    y[i] = if v < floor { floor } else { v };
                }
            }
        }
    }
}
