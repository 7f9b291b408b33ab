//! Choosing where to compute.

mod guard;
mod open;

pub use guard::{DeviceFailure, guarded};
pub use open::{DeviceProblem, OpenDevice};

use burn::tensor::Device;

/// A device the user can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// The processor, on Sorby's own kernels. Every binary has it.
    Cpu,
    /// A graphics card through Vulkan (Cargo feature `vulkan`).
    Vulkan,
    /// The first NVIDIA card through CUDA (Cargo feature `cuda`).
    Cuda,
    /// An Apple graphics card through Metal (Cargo feature `metal`).
    Metal,
}

impl Backend {
    /// In the order in which help texts list them.
    pub const ALL: [Backend; 4] = [Backend::Cpu, Backend::Vulkan, Backend::Cuda, Backend::Metal];

    /// As the option `--device` spells it.
    pub fn name(&self) -> &'static str {
        match self {
            Backend::Cpu => "cpu",
            Backend::Vulkan => "vulkan",
            Backend::Cuda => "cuda",
            Backend::Metal => "metal",
        }
    }

    /// The backend that [`Backend::name`] spells so; `None` for any other word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|b| b.name() == name)
    }

    /// Opens the device.
    ///
    /// # Errors
    /// When this binary was built without its Cargo feature, or no such device answers on this machine.
    pub fn open(&self) -> Result<Device, DeviceProblem> {
        self.look().map(|open| open.device)
    }

    /// Opens the device, and says what it is.
    ///
    /// # Errors
    /// As [`Backend::open`].
    pub fn look(&self) -> Result<OpenDevice, DeviceProblem> {
        open::look(*self)
    }
}
