//! Decode heads: from backbone features to class logits.

mod aspp_plus;
mod fcn;
mod psp;

pub(crate) use aspp_plus::AsppPlusHead;
pub(crate) use fcn::FcnHead;
pub(crate) use psp::PspHead;

/// Channels of both decode heads for ResNet-18.
const CHANNELS: usize = 128;
