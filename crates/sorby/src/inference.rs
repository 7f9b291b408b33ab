//! How and where a model is applied.

use crate::Result;
use crate::error::refuse;
use sorby_infer::{Backend, Device, InferenceOptions, ModelCard, TTA_RATIOS};

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
    /// With the model's own for all that is not set.
    ///
    /// # Errors
    /// For a window below 32 pixels, or a step that leaves pixels out.
    pub fn of(&self, card: &ModelCard) -> Result<InferenceOptions> {
        let mut options = InferenceOptions::of(card);
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
