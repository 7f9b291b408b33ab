//! How and where a model is applied.

use crate::Result;
use crate::error::{refuse, refused};
use crate::model::open_model;
use sorby_infer::{Backend, Device, InferenceOptions, Model, TTA_RATIOS};
use std::path::{Path, PathBuf};

/// Where to compute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceOptions {
    /// `cpu`, or `vulkan`, `cuda`, `metal` where built in.
    pub name: String,
    /// Compute with Burn's own operations on the CPU too: slow, to compare with.
    pub stock_operations: bool,
}

impl Default for DeviceOptions {
    fn default() -> Self {
        Self { name: "cpu".into(), stock_operations: false }
    }
}

/// What differs from the settings that the model was trained with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InferenceSettings {
    /// Edge of the sliding window in pixels.
    pub window_px: Option<usize>,
    /// Step of the sliding window in pixels.
    pub stride_px: Option<usize>,
    /// Average over six image scales (test-time augmentation).
    pub tta: bool,
    /// Average over mirrored images too.
    pub flip: bool,
    /// Average over networks whose batch norms lean towards the image: for images unlike the training images.
    pub adapt: bool,
    /// Models whose answers are averaged with the first one's.
    pub ensemble: Vec<PathBuf>,
    /// Where to compute.
    pub device: DeviceOptions,
}

impl DeviceOptions {
    /// Opens the device.
    ///
    /// # Errors
    /// When there is no such backend, it is not in this program, or no such device answers.
    pub fn open(&self) -> Result<Device> {
        sorby_nn::ops::use_stock_operations(self.stock_operations);
        Ok(self.backend()?.open()?)
    }

    pub(crate) fn backend(&self) -> Result<Backend> {
        let Some(backend) = Backend::from_name(&self.name) else {
            let names: Vec<_> = Backend::ALL.iter().map(|b| b.name()).collect();
            refuse!("--device {}: unknown; choose one of {}", self.name, names.join(", "));
        };
        Ok(backend)
    }
}

impl InferenceSettings {
    /// Reads the model, with those of its ensemble.
    ///
    /// # Errors
    /// When one cannot be read, or does not answer as the first does.
    pub(crate) fn open_model(&self, path: &Path, device: &Device) -> Result<Model> {
        let mut model = open_model(path, device)?;
        for other in &self.ensemble {
            model.join(open_model(other, device)?).map_err(|what| {
                refused!("--ensemble {}: cannot be averaged with {}: {what}", other.display(), path.display())
            })?;
        }
        Ok(model)
    }

    /// With the model's own for all that is not set.
    ///
    /// # Errors
    /// For a window below 32 pixels, or a step that leaves pixels out.
    pub fn of(&self, model: &Model) -> Result<InferenceOptions> {
        let mut options = InferenceOptions::of(&model.card);
        options.companions = model.companions.iter().map(|m| m.blake3.clone()).collect();
        options.crop_px = self.window_px.unwrap_or(options.crop_px);
        options.stride_px = self.stride_px.unwrap_or(options.stride_px.min(options.crop_px));
        if options.crop_px < 32 {
            refuse!("--window must be at least 32 pixels");
        }
        if options.stride_px == 0 || options.stride_px > options.crop_px {
            refuse!("--stride must be from 1 to the window's {} pixels", options.crop_px);
        }
        options.ratios = if self.tta { TTA_RATIOS.to_vec() } else { Vec::new() };
        options.flip = self.flip;
        options.adapt = self.adapt;
        Ok(options)
    }
}
