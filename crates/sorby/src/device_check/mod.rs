//! A device is believed once it has computed every layer of a network as the CPU does: asked once for each driver, and
//! remembered.

mod verdicts;

use crate::error::refuse;
use crate::{DeviceOptions, Observer, Result};
use serde::Serialize;
use sorby_infer::Backend;
use sorby_nn::Arch;
use sorby_nn::check::{CheckedNetwork, Deviation, LayerCheck, Tolerance, check_network};
use sorby_nn::device::OpenDevice;
use sorby_train::Recipe;
use verdicts::{Verdicts, key};

/// What is checked, and on which device.
#[derive(Clone, Debug)]
pub struct DeviceCheckOptions {
    /// The device.
    pub device: DeviceOptions,
    /// The networks.
    pub networks: Vec<Arch>,
    /// Crops at once.
    pub batch: usize,
    /// Edge of a crop in pixels.
    pub crop_px: usize,
}

/// What a device made of the layers of the networks.
#[derive(Debug, Serialize)]
pub struct DeviceReport {
    /// As `--device` spells it.
    pub device: &'static str,
    /// As the device names itself.
    pub name: String,
    /// Name and version of its driver.
    pub driver: String,
    /// Every layer shape, in order of use.
    pub layers: Vec<LayerReport>,
}

/// One layer shape on a device.
#[derive(Debug, Serialize)]
pub struct LayerReport {
    /// The network.
    pub network: &'static str,
    /// The layer and its shape.
    pub layer: String,
    /// Largest root mean square deviation of its results from the CPU's, as a share of their size; `None` where the device
    /// gave up.
    pub deviation: Option<f64>,
    /// Forward and backward pass on the device.
    pub device_s: f64,
    /// The same on the CPU.
    pub cpu_s: f64,
    /// What is wrong, in one line.
    pub wrong: Option<String>,
}

/// Checks a device, whatever was found before, and remembers what it finds.
///
/// # Errors
/// When there is no such device.
pub fn check_device(options: &DeviceCheckOptions, observer: &dyn Observer) -> Result<DeviceReport> {
    let (backend, open) = opened(&options.device)?;
    let mut layers = Vec::new();
    for &arch in &options.networks {
        let recipe = Recipe { arch, ..Recipe::default() };
        let mut network = checked(&recipe, CLASSES);
        (network.batch, network.crop_px) = (options.batch, options.crop_px);
        let found = check(&network, backend, &open, true, observer);
        layers.extend(found.iter().map(|layer| LayerReport::of(arch, layer, backend.tolerance())));
    }
    Ok(DeviceReport { device: backend.name(), name: open.name, driver: open.driver, layers })
}

/// Classes of what `check_device` checks.
const CLASSES: usize = 2;

/// Refuses a device that computes a layer of the recipe's network otherwise than the CPU. What was found once is taken
/// for granted until driver or program change.
///
/// # Errors
/// Names the layer.
pub(crate) fn require_right(
    device: &DeviceOptions,
    recipe: &Recipe,
    classes: usize,
    observer: &dyn Observer,
) -> Result<()> {
    let (backend, open) = opened(device)?;
    if backend == Backend::Cpu {
        return Ok(());
    }
    let network = checked(recipe, classes);
    let known =
        Verdicts::file().and_then(|file| Verdicts::read(&file).0.remove(&key(&network, backend, &open)));
    let wrong = match known {
        Some(verdict) => verdict,
        None => {
            observer.note(format!(
                "checking every layer on {} ({}) against the CPU: once for each network and driver",
                open.name, open.driver
            ));
            let found = check(&network, backend, &open, false, observer);
            found.iter().find_map(|layer| layer.wrong(backend.tolerance()))
        }
    };
    if let Some(wrong) = wrong {
        refuse!(
            "--device {0}: {1} ({2}) is not used, for it is wrong: {wrong}; update its driver and ask `sorby system --device \
             {0}`, or leave --device out",
            backend.name(),
            open.name,
            open.driver
        );
    }
    Ok(())
}

fn opened(device: &DeviceOptions) -> Result<(Backend, OpenDevice)> {
    device.open()?;
    let backend = device.backend()?;
    Ok((backend, backend.look()?))
}

fn checked(recipe: &Recipe, classes: usize) -> CheckedNetwork {
    CheckedNetwork {
        spec: recipe.model_spec(classes),
        loss: recipe.loss.pixel_loss(),
        batch: recipe.data.batch,
        crop_px: recipe.data.crop,
    }
}

/// Checks and remembers.
fn check(
    network: &CheckedNetwork,
    backend: Backend,
    open: &OpenDevice,
    timed: bool,
    observer: &dyn Observer,
) -> Vec<LayerCheck> {
    let tolerance = backend.tolerance();
    let found = check_network(network, &open.device, timed, &mut |layer| {
        if let Some(wrong) = layer.wrong(tolerance) {
            observer.warn(wrong);
        }
    });
    let wrong = found.iter().find_map(|layer| layer.wrong(tolerance));
    if backend != Backend::Cpu
        && let Some(file) = Verdicts::file()
    {
        Verdicts::remember(&file, key(network, backend, open), wrong);
    }
    found
}

impl LayerReport {
    fn of(arch: Arch, check: &LayerCheck, tolerance: Tolerance) -> Self {
        let largest = |parts: &Vec<(&str, Deviation)>| parts.iter().map(|(_, d)| d.rms).fold(0.0, f64::max);
        Self {
            network: arch.title(),
            layer: check.layer.clone(),
            deviation: check.results.as_ref().ok().map(largest),
            device_s: check.device_time.as_secs_f64(),
            cpu_s: check.cpu_time.as_secs_f64(),
            wrong: check.wrong(tolerance),
        }
    }
}

impl DeviceReport {
    /// What is wrong, layer by layer.
    pub fn wrong(&self) -> impl Iterator<Item = &str> {
        self.layers.iter().filter_map(|layer| layer.wrong.as_deref())
    }

    /// One line for each layer.
    pub fn text(&self) -> String {
        let line = |layer: &LayerReport| {
            let off = layer.deviation.map_or("failed".to_owned(), |d| format!("{d:.1e}"));
            format!(
                "{:<11} {:<66} {off:>8} {:>9.2} ms {:>9.2} ms\n",
                layer.network,
                layer.layer,
                1e3 * layer.device_s,
                1e3 * layer.cpu_s
            )
        };
        let head =
            format!("{:<11} {:<66} {:>8} {:>12} {:>12}\n", "network", "layer", "off by", self.device, "CPU");
        head + &self.layers.iter().map(line).collect::<String>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_is_right_by_definition() {
        let options = DeviceCheckOptions {
            device: DeviceOptions::default(),
            networks: vec![Arch::PspNet],
            batch: 1,
            crop_px: 32,
        };
        let report = check_device(&options, &()).unwrap();
        assert_eq!(report.wrong().count(), 0);
        assert!(report.layers.len() > 40 && report.layers.iter().all(|l| l.deviation == Some(0.0)));
        assert!(report.text().contains("convolution 3x3, dilation 4, 512 to 512 channels, on 1 x 4 x 4"));
    }
}
