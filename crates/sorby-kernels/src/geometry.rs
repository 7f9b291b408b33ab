//! Shapes: channels-last tensors and convolution geometry.

/// Shape of a channels-last tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Nhwc {
    pub n: usize,
    pub h: usize,
    pub w: usize,
    pub c: usize,
}

impl Nhwc {
    pub fn new(n: usize, h: usize, w: usize, c: usize) -> Self {
        Self { n, h, w, c }
    }

    pub fn pixels(&self) -> usize {
        self.n * self.h * self.w
    }

    pub fn len(&self) -> usize {
        self.pixels() * self.c
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Start of pixel (`n`, `y`, `x`).
    pub fn offset(&self, n: usize, y: usize, x: usize) -> usize {
        ((n * self.h + y) * self.w + x) * self.c
    }
}

/// Square-kernel convolution with zero padding, as PyTorch's `Conv2d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConvGeometry {
    pub kernel: usize,
    pub stride: usize,
    pub padding: usize,
    pub dilation: usize,
    pub groups: usize,
}

impl ConvGeometry {
    pub fn new(kernel: usize, stride: usize, padding: usize, dilation: usize) -> Self {
        Self { kernel, stride, padding, dilation, groups: 1 }
    }

    pub fn grouped(self, groups: usize) -> Self {
        Self { groups, ..self }
    }

    /// Output length along one axis: `floor((n + 2p - d(k-1) - 1)/s) + 1`.
    pub fn out_len(&self, n: usize) -> usize {
        let span = self.dilation * (self.kernel - 1) + 1;
        assert!(n + 2 * self.padding >= span, "convolution window larger than its padded input");
        (n + 2 * self.padding - span) / self.stride + 1
    }

    /// Output shape for input `x` and `out` channels.
    pub fn out_shape(&self, x: Nhwc, out: usize) -> Nhwc {
        Nhwc::new(x.n, self.out_len(x.h), self.out_len(x.w), out)
    }

    /// Input coordinate read by output coordinate `o` at kernel tap `k`, if inside `0..n`.
    pub fn tap(&self, o: usize, k: usize, n: usize) -> Option<usize> {
        let i = o * self.stride + k * self.dilation;
        (i >= self.padding && i - self.padding < n).then(|| i - self.padding)
    }
}
