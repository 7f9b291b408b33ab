//! Files for other programs, read and run by engines that are not ours.

mod for_python;
mod onnx;
mod package;
mod support;
mod torch;
