//! Opening a device once in a process, with an answer instead of a panic where there is none.

use super::Backend;
use burn::tensor::Device;
use std::sync::Mutex;

/// A device that answers, and what it is.
#[derive(Clone, Debug)]
pub struct OpenDevice {
    /// To compute on.
    pub device: Device,
    /// As it names itself.
    pub name: String,
    /// Name and version of its driver; empty for the CPU.
    pub driver: String,
}

/// Why a device cannot be opened: one line that says what to do.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DeviceProblem {
    /// The program has no such backend.
    #[error("--device {0}: not in this program; build it with `cargo build --release --features {0}`")]
    NotBuiltIn(&'static str),
    /// No device answers.
    #[error("--device {name}: no such device answers on this machine ({reason}); {remedy}")]
    NotThere {
        /// As `--device` spells it.
        name: &'static str,
        /// What the driver says.
        reason: String,
        /// What to do.
        remedy: &'static str,
    },
}

type Looked = Result<OpenDevice, DeviceProblem>;

/// What was found so far: a runtime can be set up once in a process.
static FOUND: Mutex<Vec<(&str, Looked)>> = Mutex::new(Vec::new());

pub(super) fn look(backend: Backend) -> Looked {
    let mut found = FOUND.lock().unwrap_or_else(|e| e.into_inner());
    if let Some((_, looked)) = found.iter().find(|(name, _)| *name == backend.name()) {
        return looked.clone();
    }
    let looked = look_first(backend);
    found.push((backend.name(), looked.clone()));
    looked
}

fn look_first(backend: Backend) -> Looked {
    match backend {
        Backend::Cpu => Ok(OpenDevice {
            device: Device::flex(),
            name: "this processor, on Sorby's own kernels".into(),
            driver: String::new(),
        }),
        #[cfg(any(feature = "vulkan", feature = "wgsl"))]
        Backend::Vulkan => graphics(backend, burn::tensor::wgpu::WgpuBackend::Vulkan),
        #[cfg(feature = "metal")]
        Backend::Metal => graphics(backend, burn::tensor::wgpu::WgpuBackend::Metal),
        #[cfg(feature = "cuda")]
        Backend::Cuda => cuda(),
        #[allow(unreachable_patterns)]
        _ => Err(DeviceProblem::NotBuiltIn(backend.name())),
    }
}

#[cfg(any(feature = "vulkan", feature = "wgsl", feature = "metal"))]
fn graphics(backend: Backend, api: burn::tensor::wgpu::WgpuBackend) -> Looked {
    let started = super::guard::caught(|| Device::wgpu_options().graphics_api(api).init_with_setup());
    let (device, setup) = match started {
        Ok(Ok(started)) => started,
        Ok(Err(error)) => return Err(not_there(backend, &error.to_string())),
        Err(panic) => return Err(not_there(backend, &panic)),
    };
    let info = setup.adapter.get_info();
    // Their drivers crash, and the process with them: cubecl-spirv 0.11.3 declares shared memory wrongly where
    // VK_KHR_workgroup_memory_explicit_layout is missing. Kernels in WGSL (feature `wgsl`) run there.
    let software = info.device_type == burn::tensor::wgpu::wgpu::DeviceType::Cpu;
    if cfg!(feature = "vulkan") && software && backend == Backend::Vulkan {
        let reason =
            format!("only {}, a software device, whose driver crashes at this program's kernels", info.name);
        return Err(not_there(backend, &reason));
    }
    let driver = format!("{} {}", info.driver, info.driver_info);
    Ok(OpenDevice { device, name: info.name, driver: driver.trim().to_owned() })
}

#[cfg(feature = "cuda")]
fn cuda() -> Looked {
    let started = super::guard::caught(|| {
        let device = Device::cuda(0);
        let identity = device.identity();
        (device, identity)
    });
    match started {
        Ok((device, Some(identity))) => {
            Ok(OpenDevice { device, name: identity.name, driver: identity.fingerprint })
        }
        Ok((_, None)) => Err(not_there(Backend::Cuda, "it does not say what it is")),
        Err(panic) => Err(not_there(Backend::Cuda, &panic)),
    }
}

#[cfg(any(feature = "vulkan", feature = "wgsl", feature = "metal", feature = "cuda"))]
fn not_there(backend: Backend, reason: &str) -> DeviceProblem {
    let remedy = match backend {
        Backend::Cpu => "",
        Backend::Vulkan => {
            "install the driver of the graphics card and a Vulkan loader (Debian and Ubuntu: libvulkan1, and \
             mesa-vulkan-drivers or NVIDIA's driver), or leave --device out"
        }
        Backend::Cuda => "install NVIDIA's driver, or leave --device out",
        Backend::Metal => "leave --device out",
    };
    DeviceProblem::NotThere { name: backend.name(), reason: super::guard::one_line(reason), remedy }
}
