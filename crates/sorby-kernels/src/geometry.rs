//! Shapes: channels-last tensors and convolution geometry.

/// Shape of a channels-last tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Nhwc {
    /// Images in the batch.
    pub n: usize,
    /// Rows.
    pub h: usize,
    /// Columns.
    pub w: usize,
    /// Channels: the values of one pixel, next to each other in memory.
    pub c: usize,
}

impl Nhwc {
    /// `[n, h, w, c]`.
    pub fn new(n: usize, h: usize, w: usize, c: usize) -> Self {
        Self { n, h, w, c }
    }

    /// `n * h * w`.
    pub fn pixels(&self) -> usize {
        self.n * self.h * self.w
    }

    /// Number of values: `n * h * w * c`.
    pub fn len(&self) -> usize {
        self.pixels() * self.c
    }

    /// Whether a dimension is 0, so that there is no value.
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
    /// Taps along each axis: `k` of a `k` x `k` kernel.
    pub kernel: usize,
    /// Input pixels from one output pixel to the next.
    pub stride: usize,
    /// Zeros added on each of the four sides, in pixels.
    pub padding: usize,
    /// Input pixels from one tap to the next; 1 for a dense kernel.
    pub dilation: usize,
    /// Groups of channels: 1 for an ordinary convolution, the number of channels for a depthwise one.
    pub groups: usize,
}

impl ConvGeometry {
    /// An ordinary convolution (one group).
    pub fn new(kernel: usize, stride: usize, padding: usize, dilation: usize) -> Self {
        Self { kernel, stride, padding, dilation, groups: 1 }
    }

    /// The same with another number of groups.
    pub fn grouped(self, groups: usize) -> Self {
        Self { groups, ..self }
    }

    /// Output length along one axis: `floor((n + 2p - d(k-1) - 1)/s) + 1`.
    ///
    /// # Panics
    /// If the kernel is larger than the padded input.
    pub fn out_len(&self, n: usize) -> usize {
        let span = self.dilation * (self.kernel - 1) + 1;
        assert!(n + 2 * self.padding >= span, "convolution window larger than its padded input");
        (n + 2 * self.padding - span) / self.stride + 1
    }

    /// Output shape for input `x` and `out` channels.
    ///
    /// # Panics
    /// As [`ConvGeometry::out_len`].
    pub fn out_shape(&self, x: Nhwc, out: usize) -> Nhwc {
        Nhwc::new(x.n, self.out_len(x.h), self.out_len(x.w), out)
    }

    /// Input coordinate read by output coordinate `o` at kernel tap `k`, if inside `0..n`.
    pub fn tap(&self, o: usize, k: usize, n: usize) -> Option<usize> {
        let i = o * self.stride + k * self.dilation;
        (i >= self.padding && i - self.padding < n).then(|| i - self.padding)
    }
}
