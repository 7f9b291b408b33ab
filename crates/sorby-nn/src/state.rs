//! Walking over a network's named tensors: to load, save, count or optimise them.

use burn::tensor::Tensor;

/// What a named tensor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Trained by the optimiser.
    Parameter,
    /// Kept by the layer itself: running statistics.
    Buffer,
}

/// Called with every tensor of a network, in a fixed order, under its MMSegmentation key.
pub trait StateVisitor {
    /// `key` is the full name, such as `backbone.layer1.0.conv1.weight`; the visitor may replace the tensor by one
    /// of the same shape.
    fn visit<const D: usize>(&mut self, key: &str, role: Role, tensor: &mut Tensor<D>);
}

/// Something that has named tensors.
pub(crate) trait Walk {
    /// Visits all tensors; their keys begin with `prefix`.
    fn walk(&mut self, prefix: &str, visitor: &mut impl StateVisitor);
}

/// `prefix.name`.
pub(crate) fn key(prefix: &str, name: impl std::fmt::Display) -> String {
    format!("{prefix}.{name}")
}

/// Counts parameters, buffers and layers.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Numbers in trained tensors.
    pub parameters: usize,
    /// Numbers in running statistics.
    pub buffers: usize,
    /// Four-dimensional weights.
    pub convolutions: usize,
    /// Running-mean buffers, one per batch norm.
    pub batch_norms: usize,
}

impl StateVisitor for Census {
    fn visit<const D: usize>(&mut self, key: &str, role: Role, tensor: &mut Tensor<D>) {
        let count = tensor.dims().iter().product::<usize>();
        match role {
            Role::Parameter => self.parameters += count,
            Role::Buffer => self.buffers += count,
        }
        self.convolutions += usize::from(D == 4);
        self.batch_norms += usize::from(key.ends_with("running_mean"));
    }
}
