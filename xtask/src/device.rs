//! Training and segmentation on a software graphics device next to the CPU: Debian's package `mesa-vulkan-drivers`.

use crate::execute;
use std::process::Command;

/// Where Debian and Ubuntu keep the description of Mesa's software driver.
const SOFTWARE_DRIVER: &str = "/usr/share/vulkan/icd.d/lvp_icd.x86_64.json";

/// The tests of `sorby-train` that need a device, in a profile of their own: what is built for them is built fast. With
/// `VK_DRIVER_FILES` set they run on the device of that driver.
pub fn test() -> anyhow::Result<()> {
    let mut tests = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    tests.args(["test", "--locked", "--profile", "device", "-p", "sorby-train", "--features", "wgsl"]);
    tests.args(["--test", "device", "--", "--nocapture", "--test-threads", "1"]);
    if std::env::var_os("VK_DRIVER_FILES").is_none() && std::path::Path::new(SOFTWARE_DRIVER).exists() {
        // The second name is that of older loaders.
        tests.env("VK_DRIVER_FILES", SOFTWARE_DRIVER).env("VK_ICD_FILENAMES", SOFTWARE_DRIVER);
        tests.env("CUBECL_WGPU_DEFAULT_DEVICE", "Cpu");
        // A choice between kernels that are all slow takes longer than the tests.
        tests.env("CUBECL_AUTOTUNE_LEVEL", "minimal");
    }
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        tests.env("XDG_RUNTIME_DIR", std::env::temp_dir());
    }
    execute(&mut tests)
}
