//! Which algorithm computes a convolution: one table, with the reason for each line.

use crate::ConvGeometry;

/// How a convolution is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// F(4x4, 3x3) Winograd: 4x fewer multiplications than direct.
    Winograd,
    /// The input already is the GEMM's left matrix.
    Pointwise,
    /// One weight per channel and tap: bound by memory, so summed directly.
    Depthwise,
    /// Blocks of unfolded input times the weight matrix.
    Im2col,
}

/// Chooses for `cin` -> `cout` channels.
///
/// # Panics
/// If `g` has more than one group, but not one for each channel.
pub fn choose(g: &ConvGeometry, cin: usize, cout: usize) -> Algorithm {
    if g.groups > 1 {
        assert!(g.groups == cin && cin == cout, "only depthwise grouped convolutions are supported");
        return Algorithm::Depthwise;
    }
    match (g.kernel, g.stride) {
        (1, 1) if g.padding == 0 => Algorithm::Pointwise,
        // Below 8 channels the transforms cost more than the multiplications saved.
        (3, 1) if g.padding == g.dilation && cin >= 8 && cout >= 8 => Algorithm::Winograd,
        _ => Algorithm::Im2col,
    }
}
