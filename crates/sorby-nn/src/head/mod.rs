//! Decode heads: from backbone features to class logits.

mod aspp_plus;
mod fcn;
mod psp;

pub use aspp_plus::AsppPlusHead;
pub use fcn::FcnHead;
pub use psp::PspHead;

/// Channels of both decode heads for ResNet-18.
const CHANNELS: usize = 128;
