//! What was found of devices so far, in the user's cache folder.

use serde::{Deserialize, Serialize};
use sorby_infer::Backend;
use sorby_nn::Stem;
use sorby_nn::check::CheckedNetwork;
use sorby_nn::device::OpenDevice;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// All that a verdict holds for.
pub(super) fn key(network: &CheckedNetwork, backend: Backend, open: &OpenDevice) -> String {
    let CheckedNetwork { spec, loss, batch, crop_px } = network;
    let stem = match spec.stem {
        Stem::V1c => "v1c",
        Stem::V1 => "v1",
    };
    format!(
        "sorby {} | {} | {} | {} | {} {stem} stride {} classes {} | {loss:?} | {batch} x {crop_px}",
        env!("CARGO_PKG_VERSION"),
        backend.name(),
        open.name,
        open.driver,
        spec.arch.name(),
        spec.output_stride,
        spec.classes
    )
}

/// By key nothing, or what is wrong.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Verdicts(pub BTreeMap<String, Option<String>>);

impl Verdicts {
    /// Where they are kept; `None` for who has no home.
    pub fn file() -> Option<PathBuf> {
        use etcetera::BaseStrategy as _;
        Some(etcetera::choose_base_strategy().ok()?.cache_dir().join("sorby").join("devices.json"))
    }

    /// None of them where the file is absent or damaged: then devices are checked again.
    pub fn read(file: &Path) -> Self {
        let bytes = std::fs::read(file).ok();
        bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    /// Without a folder for it the check is made again next time.
    pub fn remember(file: &Path, key: String, wrong: Option<String>) {
        let mut verdicts = Self::read(file);
        verdicts.0.insert(key, wrong);
        if let Ok(text) = serde_json::to_vec_pretty(&verdicts) {
            let _ = sorby_image::write::atomically(file, &text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device_check::checked;
    use sorby_train::Recipe;

    #[test]
    fn verdicts_are_remembered_for_one_driver_and_one_network() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cache/devices.json");
        let open = |driver: &str| OpenDevice {
            device: sorby_infer::Device::flex(),
            name: "card".into(),
            driver: driver.into(),
        };
        let network = checked(&Recipe::default(), 2);
        let key_of =
            |driver, batch| key(&CheckedNetwork { batch, ..network }, Backend::Vulkan, &open(driver));
        let wrong = Some("max pooling: its output is off".to_owned());
        Verdicts::remember(&file, key_of("550", 8), None);
        Verdicts::remember(&file, key_of("551", 8), wrong.clone());
        let mut found = Verdicts::read(&file).0;
        assert_eq!(found.remove(&key_of("550", 8)), Some(None));
        assert_eq!(found.remove(&key_of("551", 8)), Some(wrong));
        assert!(found.is_empty() && !Verdicts::read(&file).0.contains_key(&key_of("550", 4)));
        std::fs::write(&file, "cut").unwrap();
        assert!(Verdicts::read(&file).0.is_empty(), "a damaged file is as none");
    }
}
