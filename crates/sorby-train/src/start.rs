//! Where a network's first weights come from.

use crate::error::TrainError;
use crate::recipe::Recipe;
use crate::run_file::RunFile;
use crate::trainer::file_blake3;
use burn::tensor::Device;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sorby_nn::weights::{LoadedKeys, StateDict, from_safetensors, is_start};
use sorby_nn::weights_file::read_weights;
use sorby_nn::{Arch, Segmentor, Stem};
use std::fmt;
use std::path::{Path, PathBuf};

/// The built-in weights' name: it changes whenever their bytes do.
pub const BUILTIN_NAME: &str = "sorby-steel-1";

/// Encoder, auxiliary head; decode head of each architecture. Made by `reference/pretrain.py` from synthetic pictures alone.
const ENCODER: &[u8] = include_bytes!("../weights/encoder.safetensors");
const DEEPLABV3PLUS: &[u8] = include_bytes!("../weights/deeplabv3plus.safetensors");
const PSPNET: &[u8] = include_bytes!("../weights/pspnet.safetensors");

/// `pretrained` of a recipe.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Pretrained {
    /// The weights that come with the program.
    Builtin,
    /// A file of any library's weights.
    File(PathBuf),
}

impl Pretrained {
    /// The word for [`Pretrained::Builtin`]; a file of such a name is written with its folder, as `./builtin`.
    pub const BUILTIN: &str = "builtin";
    /// The word for a random start.
    pub const NONE: &str = "none";

    /// What a recipe's text means; nothing for a random start.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            Self::NONE => None,
            Self::BUILTIN => Some(Self::Builtin),
            file => Some(Self::File(file.into())),
        }
    }

    /// A relative path as seen from `folder`; the built-in weights lie nowhere.
    pub fn placed(self, folder: &Path) -> Self {
        match self {
            Self::Builtin => Self::Builtin,
            Self::File(file) => {
                let path = folder.join(file);
                Self::File(std::path::absolute(&path).unwrap_or(path))
            }
        }
    }

    /// BLAKE3 of the weights' bytes; `None` when a file cannot be read.
    pub fn blake3(&self) -> Option<String> {
        match self {
            Self::Builtin => {
                let mut hasher = blake3::Hasher::new();
                for part in [ENCODER, DEEPLABV3PLUS, PSPNET] {
                    hasher.update(part);
                }
                Some(hasher.finalize().to_hex().to_string())
            }
            Self::File(path) => file_blake3(path),
        }
    }

    /// What messages call it.
    pub fn described(&self) -> String {
        match self {
            Self::Builtin => format!("the built-in weights {BUILTIN_NAME}"),
            Self::File(_) => "the pretrained file".to_owned(),
        }
    }
}

impl fmt::Display for Pretrained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Builtin => f.write_str(Self::BUILTIN),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

impl Serialize for Pretrained {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Builtin => serializer.serialize_str(Self::BUILTIN),
            Self::File(path) => path.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Pretrained {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let nothing = "must be \"builtin\" or a file of weights";
        optional(deserializer)?.ok_or_else(|| serde::de::Error::custom(nothing))
    }
}

/// For an `Option<Pretrained>`: `none` is no start.
pub(crate) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Pretrained>, D::Error> {
    String::deserialize(deserializer).map(|text| Pretrained::parse(&text))
}

/// Weights of the built-in network of an architecture, without classifiers.
///
/// # Panics
/// If the program holds other bytes than weights, which a test rules out.
fn builtin(arch: Arch) -> StateDict {
    let head = match arch {
        Arch::DeepLabV3Plus => DEEPLABV3PLUS,
        Arch::PspNet => PSPNET,
    };
    let read = |bytes| from_safetensors(bytes).expect("weights that come with the program").0;
    let mut state = read(ENCODER);
    state.extend(read(head));
    state
}

/// Fills the network from where the recipe says, if it says so.
pub(crate) fn load_pretrained(
    recipe: &Recipe,
    network: &mut Segmentor,
) -> Result<Option<LoadedKeys>, TrainError> {
    let Some(start) = &recipe.pretrained else { return Ok(None) };
    let failed = |reason: String| TrainError::Pretrained { start: start.to_string(), reason };
    let state = match start {
        Pretrained::Builtin if recipe.stem != Stem::V1c => {
            return Err(failed(
                "the built-in weights have the stem v1c; set stem = \"v1c\", or pretrained = \"none\"".into(),
            ));
        }
        Pretrained::Builtin => builtin(recipe.arch),
        Pretrained::File(path) => read_weights(path).map_err(|e| failed(e.to_string()))?.0,
    };
    let keys = match recipe.pretrained_heads {
        true => network.load_whole(state),
        false if is_start(&state) => network.load_start(state),
        false => network.load_encoder(state, recipe.pretrained_partial),
    };
    let keys = keys.map_err(|e| failed(e.to_string()))?;
    if keys.loaded.is_empty() {
        return Err(failed("holds no tensor of a ResNet-18".into()));
    }
    Ok(Some(keys))
}

/// What `pretrained.json` of a past run says of the weights that it began with.
#[derive(Debug, Deserialize)]
pub struct BegunWith {
    file: Option<PathBuf>,
    name: Option<String>,
    /// BLAKE3 of their bytes.
    pub blake3: Option<String>,
}

impl BegunWith {
    /// `None` for random weights, and where the file cannot be read.
    pub fn read(root: &Path) -> Option<Self> {
        let text = sorby_image::files::read_to_string(&RunFile::Pretrained.path_in(root)).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// As a sentence, with the hash.
    pub fn sentence(&self) -> Option<String> {
        let file = || self.file.as_deref().and_then(Path::file_name)?.to_str();
        let name = self.name.as_deref().or_else(file)?;
        let hash = self.blake3.as_deref().unwrap_or("not known");
        Some(format!("It began with the weights {name} (BLAKE3 {hash})."))
    }
}

/// Whether the recipe's pretrained weights, if it names some, can be used for so many classes: to know before a long study.
///
/// # Errors
/// [`TrainError::Pretrained`] when a file cannot be read, or weights do not fit the network.
pub fn check_pretrained(recipe: &Recipe, classes: usize, device: &Device) -> Result<(), TrainError> {
    if recipe.pretrained.is_some() {
        load_pretrained(recipe, &mut Segmentor::new(recipe.model_spec(classes), 0, device))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::parse;

    fn recipe(text: &str) -> Recipe {
        parse(text, &[]).unwrap()
    }

    #[test]
    fn words_and_files_are_told_apart() {
        assert_eq!(recipe("pretrained = 'none'").pretrained, None);
        assert_eq!(recipe("pretrained = 'builtin'").pretrained, Some(Pretrained::Builtin));
        let file = Some(Pretrained::File("./builtin".into()));
        assert_eq!(recipe("pretrained = './builtin'").pretrained, file);
        assert_eq!(recipe(&recipe("pretrained = './builtin'").to_toml()).pretrained, file);
        assert!(recipe("pretrained = 'builtin'").to_toml().contains("pretrained = \"builtin\""));
        // A random start is written as it always was, so that hashes of recipes stay.
        assert_eq!(recipe("pretrained = 'none'").hash(), recipe("").hash());
        let placed =
            |text| Pretrained::parse(text).map(|start| start.placed(Path::new("/steel")).to_string());
        let expected = [Some("builtin"), None, Some("/steel/w.pth")].map(|text| text.map(str::to_owned));
        assert_eq!([placed("builtin"), placed("none"), placed("w.pth")], expected);
    }

    /// Other bytes need another name: reports and runs name the weights by it.
    #[test]
    fn the_name_stands_for_these_bytes() {
        assert_eq!(BUILTIN_NAME, "sorby-steel-1");
        assert_eq!(&Pretrained::Builtin.blake3().unwrap()[..16], "a37dbb3c7d4654a9");
    }

    #[test]
    fn the_builtin_weights_fill_all_but_classifiers_of_both_networks() {
        for arch in ["deeplabv3plus", "pspnet"] {
            for (classes, stride) in [(2, 16), (5, 8)] {
                let recipe = recipe(&format!(
                    "arch = '{arch}'\npretrained = 'builtin'\nmodel.output_stride = {stride}"
                ));
                let mut network = Segmentor::new(recipe.model_spec(classes), 0, &Device::flex());
                let keys = load_pretrained(&recipe, &mut network).unwrap().unwrap();
                let classifiers = ["weight", "bias"].map(|part| {
                    ["auxiliary_head", "decode_head"].map(|head| format!("{head}.conv_seg.{part}"))
                });
                let mut missing = keys.missing;
                missing.sort();
                let mut expected = classifiers.concat();
                expected.sort();
                assert_eq!((missing, keys.skipped), (expected, vec![]), "{arch}");
                assert!(network.state().values().all(|a| a.values.iter().all(|v| v.is_finite())));
            }
        }
    }

    #[test]
    fn the_other_stem_is_refused() {
        let recipe = recipe("stem = 'v1'\npretrained = 'builtin'");
        let wrong = check_pretrained(&recipe, 2, &Device::flex()).unwrap_err().to_string();
        assert!(wrong.contains("builtin") && wrong.contains("stem = \"v1c\""), "{wrong}");
    }
}
