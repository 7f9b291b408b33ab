//! Convolution for inference: the batch norm folded in, the weights laid out for their algorithm once.

use crate::epilogue::Epilogue;
use crate::trace::{ConvCall, timed_conv};
use crate::{Algorithm, ConvGeometry, Nhwc, choose, depthwise, im2col, pointwise, winograd};

/// A convolution, then `+ shift`, and on request `+ residual` and a ReLU.
pub struct FoldedConv {
    weights: Weights,
    shift: Vec<f32>,
    cin: usize,
    cout: usize,
    geometry: ConvGeometry,
}

enum Weights {
    Winograd(winograd::Weights),
    Pointwise(Vec<f32>),
    Depthwise(Vec<f32>),
    Im2col(Vec<f32>),
}

impl FoldedConv {
    /// From `[cout, cin / groups, k, k]` weights and what follows the convolution: `y * scale + shift` per
    /// output channel.
    ///
    /// # Panics
    /// If the lengths of `w`, `scale` and `shift` do not fit each other, or if `g` has groups that are not one for
    /// each channel.
    pub fn new(w: &[f32], cin: usize, g: ConvGeometry, scale: &[f32], shift: Vec<f32>) -> Self {
        let cout = scale.len();
        let per_output = cin / g.groups * g.kernel * g.kernel;
        assert!(w.len() == cout * per_output && shift.len() == cout, "weights, scale and shift do not match");
        let scaled: Vec<f32> =
            w.chunks_exact(per_output).zip(scale).flat_map(|(w, s)| w.iter().map(move |w| w * s)).collect();
        let weights = match choose(&g, cin, cout) {
            Algorithm::Winograd => Weights::Winograd(winograd::Weights::new(&scaled, cout, cin, true)),
            Algorithm::Pointwise => Weights::Pointwise(pointwise::weights(&scaled, cout, cin)),
            Algorithm::Depthwise => Weights::Depthwise(depthwise::weights(&scaled, &g)),
            Algorithm::Im2col => Weights::Im2col(im2col::weights(&scaled, cout, cin, &g)),
        };
        Self { weights, shift, cin, cout, geometry: g }
    }

    /// Shape of the output for an input of shape `xs`.
    pub fn out_shape(&self, xs: Nhwc) -> Nhwc {
        self.geometry.out_shape(xs, self.cout)
    }

    /// `[n, oh, ow, cout]`; `residual` has that shape too.
    ///
    /// # Panics
    /// If `x` has another length than its shape, `xs.c` is not the layer's number of input channels, or `residual`
    /// has another length than the output.
    pub fn forward(&self, x: &[f32], xs: Nhwc, residual: Option<&[f32]>, relu: bool) -> Vec<f32> {
        let (g, cout) = (&self.geometry, self.cout);
        assert!(x.len() == xs.len() && xs.c == self.cin, "input does not match its shape or the layer");
        let residual = residual.unwrap_or_default();
        assert!(residual.is_empty() || residual.len() == self.out_shape(xs).len(), "residual length");
        let epilogue = Epilogue { shift: &self.shift, residual, relu };
        let call = ConvCall { input: xs, cout, geometry: *g };
        timed_conv("convolution", call, || match &self.weights {
            Weights::Winograd(w) => winograd::forward(x, xs, w, g.dilation, &epilogue),
            Weights::Pointwise(w) => pointwise::forward(x, xs.c, w, cout, &epilogue),
            Weights::Depthwise(w) => depthwise::forward(x, xs, w, g, &epilogue),
            Weights::Im2col(w) => im2col::forward(x, xs, w, cout, g, &epilogue),
        })
    }
}

impl std::fmt::Debug for FoldedConv {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let Self { cin, cout, geometry, .. } = self;
        write!(f, "FoldedConv({cin} -> {cout}, {geometry:?})")
    }
}
