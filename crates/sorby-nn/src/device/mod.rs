//! Choosing where to compute.

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

    /// Opens the device, or `None` when this binary was built without its Cargo feature.
    pub fn open(&self) -> Option<Device> {
        match self {
            Backend::Cpu => Some(Device::flex()),
            #[cfg(feature = "vulkan")]
            Backend::Vulkan => Some(Device::vulkan(burn::tensor::DeviceKind::DefaultDevice)),
            #[cfg(feature = "cuda")]
            Backend::Cuda => Some(Device::cuda(0)),
            #[cfg(feature = "metal")]
            Backend::Metal => Some(Device::metal(burn::tensor::DeviceKind::DefaultDevice)),
            #[allow(unreachable_patterns)]
            _ => None,
        }
    }
}
