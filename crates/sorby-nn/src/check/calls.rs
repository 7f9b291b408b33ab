//! Which operations a network asks for, and in which shapes.

use crate::ops::{ConvGeometry, PixelLoss};
use sorby_kernels::Nhwc;
use std::cell::RefCell;
use std::fmt;

/// One call of an operation, as it can be repeated on any device.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Call {
    /// A convolution.
    Conv {
        /// Shape of its input.
        input: Nhwc,
        /// Output channels.
        cout: usize,
        /// Kernel, stride, padding, dilation, groups.
        geometry: ConvGeometry,
    },
    /// A batch norm, in training by the batch's statistics, in inference by running ones.
    Norm {
        /// Shape of its input.
        input: Nhwc,
        /// Whether another map is added.
        residual: bool,
        /// Whether a ReLU follows.
        relu: bool,
    },
    /// 3x3 max pooling.
    MaxPool {
        /// Shape of its input.
        input: Nhwc,
    },
    /// Means over bins.
    AdaptiveAverage {
        /// Shape of its input.
        input: Nhwc,
        /// Bins a side.
        bins: usize,
    },
    /// A bilinear resize.
    Bilinear {
        /// Shape of its input.
        input: Nhwc,
        /// Height and width of its output.
        size: (usize, usize),
    },
    /// The loss of a head.
    Loss {
        /// Shape of the logits.
        input: Nhwc,
        /// Which one.
        loss: PixelLoss,
    },
}

thread_local! {
    /// Calls of this thread, while they are recorded.
    static CALLS: RefCell<Option<Vec<Call>>> = const { RefCell::new(None) };
}

/// Records a call, where calls are recorded.
pub(crate) fn note(input: [usize; 4], call: impl FnOnce(Nhwc) -> Call) {
    CALLS.with_borrow_mut(|calls| {
        if let Some(calls) = calls {
            let [n, h, w, c] = input;
            let call = call(Nhwc::new(n, h, w, c));
            if !calls.contains(&call) {
                calls.push(call);
            }
        }
    });
}

/// The distinct calls of `work` on this thread.
pub(super) fn recorded(work: impl FnOnce()) -> Vec<Call> {
    CALLS.set(Some(Vec::new()));
    work();
    CALLS.take().unwrap_or_default()
}

impl Call {
    /// Shape of the input.
    pub fn input(&self) -> Nhwc {
        let mut copy = *self;
        *copy.input_mut()
    }

    fn input_mut(&mut self) -> &mut Nhwc {
        match self {
            Call::Conv { input, .. }
            | Call::Norm { input, .. }
            | Call::MaxPool { input }
            | Call::AdaptiveAverage { input, .. }
            | Call::Bilinear { input, .. }
            | Call::Loss { input, .. } => input,
        }
    }

    /// The same for `n` images.
    pub(super) fn with_batch(mut self, n: usize) -> Self {
        self.input_mut().n = n;
        self
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Nhwc { n, h, w, c } = self.input();
        match self {
            Call::Conv { cout, geometry: g, .. } => {
                if g.groups > 1 {
                    write!(f, "depthwise ")?;
                }
                write!(f, "convolution {0}x{0}", g.kernel)?;
                if g.stride > 1 {
                    write!(f, ", stride {}", g.stride)?;
                }
                if g.dilation > 1 {
                    write!(f, ", dilation {}", g.dilation)?;
                }
                write!(f, ", {c} to {cout} channels")?;
            }
            Call::Norm { residual, relu, .. } => {
                write!(f, "batch norm")?;
                if *residual {
                    write!(f, ", sum")?;
                }
                if *relu {
                    write!(f, ", ReLU")?;
                }
                write!(f, ", {c} channels")?;
            }
            Call::MaxPool { .. } => write!(f, "max pooling, {c} channels")?,
            Call::AdaptiveAverage { bins, .. } => write!(f, "means of {bins} x {bins} bins, {c} channels")?,
            Call::Bilinear { size: (h, w), .. } => write!(f, "bilinear resize to {h} x {w}, {c} channels")?,
            Call::Loss { .. } => write!(f, "loss, {c} classes")?,
        }
        write!(f, ", on {n} x {h} x {w}")
    }
}
