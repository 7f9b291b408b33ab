//! Between Burn's CPU tensors and kernel slices.

use burn::backend::{Flex, tensor::FloatTensor};
use burn::tensor::{DType, Shape};
use burn_backend::TensorMetadata;
use burn_flex::{FlexTensor, Layout};
use sorby_kernels::{Nhwc, norm};

pub(super) type Cpu = FloatTensor<Flex>;

/// A contiguous view of a tensor's values.
pub(super) struct Values(FlexTensor);

impl Values {
    pub fn new(t: &Cpu) -> Self {
        assert_eq!(t.dtype(), DType::F32, "the CPU kernels compute in f32");
        Self(t.to_contiguous())
    }

    pub fn slice(&self) -> &[f32] {
        let start = self.0.layout().start_offset();
        &self.0.storage::<f32>()[start..start + self.0.layout().num_elements()]
    }
}

pub(super) fn shape(t: &Cpu) -> Nhwc {
    match t.shape().as_slice() {
        &[n, h, w, c] => Nhwc::new(n, h, w, c),
        other => panic!("expected an [n, h, w, c] tensor, got {other:?}"),
    }
}

pub(super) fn tensor(values: Vec<f32>, dims: &[usize]) -> Cpu {
    let shape = Shape::from(dims.to_vec());
    assert_eq!(values.len(), shape.num_elements());
    FlexTensor::new(super::recycled::bytes(values), Layout::contiguous(shape), DType::F32)
}

pub(super) fn image(values: Vec<f32>, s: Nhwc) -> Cpu {
    tensor(values, &[s.n, s.h, s.w, s.c])
}

/// Moments of `count` values per channel from a `[2, c]` tensor.
pub(super) fn moments_of(t: &Cpu, count: usize) -> norm::Moments {
    let values = Values::new(t);
    let (mean, var) = values.slice().split_at(values.slice().len() / 2);
    norm::Moments { mean: mean.to_vec(), var: var.to_vec(), count }
}

/// The tensor with its values in order. It gives up its own hold on them, so that a sole owner stays one.
pub(super) fn contiguous(t: Cpu) -> Cpu {
    t.to_contiguous()
}
