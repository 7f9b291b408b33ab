//! The model file: weights in safetensors under MMSegmentation's names, with a card that says all
//! that inference needs.

use crate::{Domain, Reliability, self_test};
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use sorby_data::{Normalisation, default_colour};
use sorby_image::{GreyRange, ImagePart};
use sorby_nn::device::{DeviceFailure, guarded};
use sorby_nn::weights::{WeightsError, from_safetensors, to_safetensors};
use sorby_nn::weights_file::is_pytorch;
use sorby_nn::{Arch, ModelSpec, Segmentor, Stem};
use std::collections::HashMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Key of the card in the file's metadata.
const CARD_KEY: &str = "sorby";

/// What a model is and how to use it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelCard {
    /// Version of this card's format.
    pub format: u32,
    /// Architecture of the network.
    pub arch: Arch,
    /// First layers of its backbone.
    pub stem: Stem,
    /// Pixels of the image per pixel of the last features: 8, 16 or 32. Older files do not say it: theirs is 8.
    #[serde(default = "paper_stride")]
    pub output_stride: usize,
    /// Class names in index order.
    pub classes: Vec<String>,
    /// Colour of each class in pictures.
    pub colours: Vec<[u8; 3]>,
    /// Images are resized by this factor before the network.
    pub input_scale: f64,
    /// Sliding window that the model was validated with.
    pub window_px: usize,
    /// Step of that window.
    pub stride_px: usize,
    /// Mean and standard deviation of each colour channel, by which pixel values are normalised.
    pub normalisation: Normalisation,
    /// How images' values are brought to the network's; older files took the full range.
    #[serde(default)]
    pub grey_range: GreyRange,
    /// Smallest and largest pixel size among training images, where known.
    pub nm_per_px: Option<(f64, f64)>,
    /// Resolved recipe the model was trained with.
    pub recipe: String,
    /// Iterations that it was trained for.
    pub iteration: u64,
    /// Logits of a fixed picture when the model was saved; empty in older files.
    #[serde(default)]
    pub golden: Vec<f32>,
    /// BLAKE3 over the training images and labels.
    #[serde(default)]
    pub data_hash: String,
    /// The images it learnt from and was validated on; empty in older files.
    #[serde(default)]
    pub seen: Vec<SeenImage>,
    /// Whether this iteration was chosen because it scored best on the validation images.
    #[serde(default)]
    pub chosen_by_validation: bool,
    /// What the training images look like; `None` with fewer than four, and in older files.
    #[serde(default)]
    pub domain: Option<Domain>,
    /// How sure its masks are; `None` without validation images, and in older files.
    #[serde(default)]
    pub reliability: Option<Reliability>,
    /// Version of Sorby that wrote the file.
    pub sorby_version: String,
}

/// An image that had a part in a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenImage {
    /// Name in its data set.
    pub name: String,
    /// Whether the model learnt from it or was validated on it.
    pub part: ImagePart,
    /// See [`sorby_image::Micrograph::pixels_blake3`]: the image is known again under any name.
    pub image_blake3: String,
    /// Width and height as the model saw it: rows of a data bar may have been cut off.
    pub size_px: (usize, usize),
}

fn paper_stride() -> usize {
    8
}

/// Current card format.
pub const CARD_FORMAT: u32 = 1;

/// Why a file is no usable model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The file cannot be read.
    #[error("{}: {cause}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// Its weights cannot be read, or are not those that its card describes.
    #[error("{}: {cause}", path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// What is wrong with its weights.
        cause: WeightsError,
    },
    /// Its card is missing, damaged or of a newer version, or the network does not answer as it did when it was
    /// saved.
    #[error("{}: {reason}", path.display())]
    Card {
        /// The file.
        path: PathBuf,
        /// What is wrong and what can be done, in words.
        reason: String,
    },
    /// The device failed while the network was tried.
    #[error("{}: {cause}", path.display())]
    Device {
        /// The file.
        path: PathBuf,
        /// What the device says.
        cause: DeviceFailure,
    },
}

/// File name of a run folder's model.
pub const MODEL_FILE: &str = "model.safetensors";

/// The file that is meant by a model file or a run folder.
pub fn model_file(path: &Path) -> PathBuf {
    if path.is_dir() { path.join(MODEL_FILE) } else { path.to_owned() }
}

/// A network with its card.
pub struct Model {
    /// What inference needs to know of it.
    pub card: ModelCard,
    /// The network with its weights.
    pub network: Segmentor,
    /// BLAKE3 of the file it was read from; empty for a model that was not read from one.
    pub blake3: String,
    /// Models whose answers are averaged with this one's: an ensemble. Their windows are this one's.
    pub companions: Vec<Model>,
}

impl ModelCard {
    /// A card that says what the network is and no more: the rest is for its maker to fill in.
    pub fn new(spec: ModelSpec) -> Self {
        Self {
            format: CARD_FORMAT,
            arch: spec.arch,
            stem: spec.stem,
            output_stride: spec.output_stride,
            classes: (0..spec.classes).map(|c| format!("class {c}")).collect(),
            colours: (0..spec.classes).map(|c| default_colour(c).0).collect(),
            input_scale: 1.0,
            window_px: 256,
            stride_px: 128,
            normalisation: Normalisation::default(),
            grey_range: GreyRange::default(),
            nm_per_px: None,
            recipe: String::new(),
            iteration: 0,
            golden: Vec::new(),
            data_hash: String::new(),
            seen: Vec::new(),
            chosen_by_validation: false,
            domain: None,
            reliability: None,
            sorby_version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// The card in a file's metadata; `None` for files of other programs, or of a newer Sorby.
    pub fn of(metadata: &HashMap<String, String>) -> Option<Self> {
        serde_json::from_str::<Self>(metadata.get(CARD_KEY)?).ok().filter(|card| card.format <= CARD_FORMAT)
    }

    /// The card of a model file, its weights left unread; `None` for files of other kinds.
    pub fn read(path: &Path) -> Option<Self> {
        #[derive(Deserialize)]
        struct Header {
            __metadata__: HashMap<String, String>,
        }
        let mut file = sorby_image::files::open_regular(path).ok()?;
        let mut length = [0u8; 8];
        file.read_exact(&mut length).ok()?;
        let mut header = Vec::new();
        file.take(u64::from_le_bytes(length)).read_to_end(&mut header).ok()?;
        Self::of(&serde_json::from_slice::<Header>(&header).ok()?.__metadata__)
    }

    /// The network that the card describes.
    pub fn spec(&self) -> ModelSpec {
        ModelSpec {
            arch: self.arch,
            stem: self.stem,
            classes: self.classes.len(),
            output_stride: self.output_stride,
        }
    }
}

impl Model {
    /// A network in memory.
    pub fn new(card: ModelCard, network: Segmentor) -> Self {
        Self { card, network, blake3: String::new(), companions: Vec::new() }
    }

    /// Averages the answers of `other` with this one's from now on.
    ///
    /// # Errors
    /// In words, without a name, when the two do not answer alike: other classes, or images of another size.
    pub fn join(&mut self, other: Model) -> Result<(), String> {
        let (own, its) = (&self.card, &other.card);
        if own.classes != its.classes {
            return Err(format!(
                "its classes are {}, not {}",
                its.classes.join(", "),
                own.classes.join(", ")
            ));
        }
        if own.input_scale != its.input_scale {
            return Err(format!(
                "it takes images at {} of their size, the first model at {}: they cannot share windows",
                its.input_scale, own.input_scale
            ));
        }
        if its.seen.is_empty() != own.seen.is_empty() {
            return Err(
                "only one of the two says which images it learnt from; train the older one again".into()
            );
        }
        if self.blake3 == other.blake3 || self.companions.iter().any(|c| c.blake3 == other.blake3) {
            return Err("is the same model once more".into());
        }
        self.companions.push(other);
        Ok(())
    }

    /// Reads a model file, or a run folder's `model.safetensors`.
    ///
    /// # Errors
    /// [`ModelError::Io`] when the file cannot be read; [`ModelError::Weights`] when it holds no weights or other
    /// ones than its card says; [`ModelError::Card`] when it is no model of Sorby, its card is damaged, it was
    /// written by a newer Sorby, or its network answers a known picture otherwise than when it was saved;
    /// [`ModelError::Device`] when the device fails.
    pub fn read(path: &Path, device: &Device) -> Result<Self, ModelError> {
        let path = model_file(path);
        let weights = |cause| ModelError::Weights { path: path.clone(), cause };
        let card = |reason: String| ModelError::Card { path: path.clone(), reason };
        const MAKE: &str = "`sorby model convert FILE --classes NAMES --out model.safetensors` makes a model of a whole \
                            PSPNet or DeepLabV3+ on ResNet-18; other weights can only be a recipe's `pretrained`";
        if is_pytorch(&path) {
            return Err(card(format!("is a file of PyTorch, not a model of Sorby; {MAKE}")));
        }
        let bytes = std::fs::read(&path).map_err(|cause| ModelError::Io { path: path.clone(), cause })?;
        let (state, metadata) = from_safetensors(&bytes).map_err(weights)?;
        let text = metadata
            .get(CARD_KEY)
            .ok_or_else(|| card(format!("is a bare weight file without a model card of Sorby; {MAKE}")))?;
        let parsed: ModelCard =
            serde_json::from_str(text).map_err(|e| card(format!("its model card is damaged ({e})")))?;
        if parsed.format > CARD_FORMAT {
            return Err(card(format!(
                "was written by a newer Sorby ({}); update Sorby",
                parsed.sorby_version
            )));
        }
        if ![8, 16, 32].contains(&parsed.output_stride) {
            return Err(card(format!("its output stride is {}, not 8, 16 or 32", parsed.output_stride)));
        }
        let mut network = Segmentor::new(parsed.spec(), 0, device);
        network.load(state).map_err(weights)?;
        let answers = |network: &mut Segmentor| {
            self_test::logits(network, device)
                .map_err(|cause| ModelError::Device { path: path.clone(), cause })
        };
        if !parsed.golden.is_empty() && !self_test::agree(&parsed.golden, &answers(&mut network)?) {
            return Err(card(
                "is not what it was when it was saved: its network answers a known picture otherwise; take a copy that \
                 was not changed, and tell us if this one was not"
                    .into(),
            ));
        }
        Ok(Self {
            card: parsed,
            network,
            blake3: blake3::hash(&bytes).to_hex().to_string(),
            companions: Vec::new(),
        })
    }

    /// Bytes of the model file; the same model gives the same bytes.
    ///
    /// # Errors
    /// [`WeightsError::Format`] when the card cannot be written as JSON, or the weights as safetensors, or the device
    /// fails.
    pub fn to_bytes(&mut self, device: &Device) -> Result<Vec<u8>, WeightsError> {
        let failed = |e: DeviceFailure| WeightsError::Format(e.to_string());
        self.card.golden = self_test::logits(&mut self.network, device).map_err(failed)?;
        let card = serde_json::to_string(&self.card).map_err(|e| WeightsError::Format(e.to_string()))?;
        let state = guarded(device, || self.network.state()).map_err(failed)?;
        to_safetensors(&state, HashMap::from([(CARD_KEY.to_owned(), card)]))
    }
}
