//! State dicts: named f32 arrays, to and from safetensors files and networks.

use crate::segmentor::Segmentor;
use crate::state::{Role, StateVisitor};
use crate::weights_file::encoder_key;
use burn::tensor::{Device, Tensor, TensorData};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::{BTreeMap, HashMap};

/// A dense f32 array, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Length of each dimension, the slowest first.
    pub shape: Vec<usize>,
    /// As many as the product of `shape`.
    pub values: Vec<f32>,
}

impl Array {
    /// A copy of a tensor's values, of any device.
    pub fn from_tensor<const D: usize>(tensor: &Tensor<D>) -> Self {
        let data = tensor.clone().without_autodiff().into_data();
        let values = data.iter::<f32>().collect();
        Self { shape: tensor.dims().to_vec(), values }
    }

    /// On `device` without autodiff. The rank must be `D`.
    ///
    /// # Panics
    /// If the array has another rank.
    pub fn into_tensor<const D: usize>(self, device: &Device) -> Tensor<D> {
        Tensor::from_data(TensorData::new(self.values, self.shape), &device.clone().inner())
    }
}

/// Arrays by key, in key order.
pub type StateDict = BTreeMap<String, Array>;

/// Why weights cannot be read, written or loaded into a network.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The file cannot be opened or is damaged; says why.
    #[error("not a valid safetensors file: {0}")]
    Format(String),
    /// A tensor does not hold floating-point numbers.
    #[error("tensor `{key}` has type {dtype}; only F32, F16, BF16 and F64 are read")]
    Type {
        /// Name of the tensor.
        key: String,
        /// Type that it has, as its file names it.
        dtype: String,
    },
    /// A tensor has another shape than the network's of that name.
    #[error("tensor `{key}` has shape {found:?}, the network needs {expected:?}")]
    Shape {
        /// Name of the tensor.
        key: String,
        /// Its shape in the file.
        found: Vec<usize>,
        /// Its shape in the network.
        expected: Vec<usize>,
    },
    /// The file's encoder has the other kind of stem.
    #[error("its encoder begins with {has}; set stem = \"{remedy}\" in the recipe")]
    Stem {
        /// What the encoder in the file begins with, in words.
        has: &'static str,
        /// The recipe's `stem` that fits it.
        remedy: &'static str,
    },
    /// The file's heads are for another number of classes.
    #[error(
        "its heads are for {found} classes, the network has {expected}; without `pretrained_heads` only its encoder is taken"
    )]
    Classes {
        /// Classes of the file's heads.
        found: usize,
        /// Classes of the network.
        expected: usize,
    },
    /// The file holds tensors that the network does not have.
    #[error("{count} tensors are no part of the network, first `{first}`")]
    Foreign {
        /// How many.
        count: usize,
        /// Name of the first.
        first: String,
    },
    /// The file lacks tensors that the network needs.
    #[error("{count} tensors of the {part} are missing, first `{first}`")]
    Missing {
        /// Part of the network that needs them: `network` or `encoder`.
        part: &'static str,
        /// How many.
        count: usize,
        /// Name of the first.
        first: String,
    },
}

/// Reads a safetensors file's bytes: arrays and the file's metadata.
///
/// # Errors
/// [`WeightsError::Format`] when the bytes are no safetensors file, [`WeightsError::Type`] when a tensor holds
/// other than floating-point numbers.
pub fn from_safetensors(bytes: &[u8]) -> Result<(StateDict, HashMap<String, String>), WeightsError> {
    let format = |e: safetensors::SafeTensorError| WeightsError::Format(e.to_string());
    let file = SafeTensors::deserialize(bytes).map_err(format)?;
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(format)?;
    let mut state = StateDict::new();
    for (key, view) in file.tensors() {
        // Counters of PyTorch's batch norm are integers and of no use here.
        if key.ends_with("num_batches_tracked") {
            continue;
        }
        let values = floats(view.data(), view.dtype())
            .ok_or_else(|| WeightsError::Type { key: key.clone(), dtype: format!("{:?}", view.dtype()) })?;
        state.insert(key, Array { shape: view.shape().to_vec(), values });
    }
    Ok((state, header.metadata().clone().unwrap_or_default()))
}

/// Little-endian floating-point values of any width; `None` for other types.
pub(crate) fn floats(data: &[u8], dtype: Dtype) -> Option<Vec<f32>> {
    let half = |c: &[u8]| u16::from_le_bytes([c[0], c[1]]);
    Some(match dtype {
        Dtype::F32 => data.chunks_exact(4).map(|c| f32::from_le_bytes([c[0], c[1], c[2], c[3]])).collect(),
        Dtype::F64 => data
            .chunks_exact(8)
            .map(|c| f64::from_le_bytes([c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]]) as f32)
            .collect(),
        Dtype::BF16 => data.chunks_exact(2).map(|c| f32::from_bits(u32::from(half(c)) << 16)).collect(),
        Dtype::F16 => data.chunks_exact(2).map(|c| burn::tensor::f16::from_bits(half(c)).to_f32()).collect(),
        _ => return None,
    })
}

/// Bytes of a safetensors file. The same state gives the same bytes.
///
/// # Errors
/// [`WeightsError::Format`] when an array's shape does not fit its number of values.
///
/// # Panics
/// If `metadata` has more than one entry: their order, and so the bytes, would differ between runs.
pub fn to_safetensors(state: &StateDict, metadata: HashMap<String, String>) -> Result<Vec<u8>, WeightsError> {
    let bytes: Vec<(&String, Vec<u8>, &[usize])> = state
        .iter()
        .map(|(key, a)| (key, a.values.iter().flat_map(|v| v.to_le_bytes()).collect(), a.shape.as_slice()))
        .collect();
    let mut views = Vec::with_capacity(bytes.len());
    for (key, data, shape) in &bytes {
        let view = TensorView::new(Dtype::F32, shape.to_vec(), data)
            .map_err(|e| WeightsError::Format(e.to_string()))?;
        views.push((key.as_str(), view));
    }
    // At most one entry: the order of a map with more would differ between runs.
    assert!(metadata.len() <= 1, "metadata goes into one entry");
    safetensors::serialize(views, Some(metadata)).map_err(|e| WeightsError::Format(e.to_string()))
}

impl Segmentor {
    /// All tensors, running statistics included.
    pub fn state(&mut self) -> StateDict {
        let mut save = Save(StateDict::new());
        self.walk_all(&mut save);
        save.0
    }

    /// Replaces all tensors. A state without auxiliary head is accepted: inference does not need it.
    ///
    /// # Errors
    /// [`WeightsError::Shape`] when a tensor has another shape than the network's, [`WeightsError::Missing`] when
    /// one is not there.
    pub fn load(&mut self, mut state: StateDict) -> Result<(), WeightsError> {
        let mut load = Load { state: &mut state, missing: Vec::new(), wrong: None };
        self.walk_all(&mut load);
        let Load { missing, wrong, .. } = load;
        if let Some(wrong) = wrong {
            return Err(wrong);
        }
        require("network", missing.iter().filter(|key| !key.starts_with("auxiliary_head.")))
    }

    /// Loads encoder and heads, by MMSegmentation's names; reports what became of every key. An auxiliary head that
    /// is missing or of another shape keeps its random start: only training uses it.
    ///
    /// # Errors
    /// When the heads are for another number of classes, a tensor has another shape or is missing, or belongs to no
    /// part of this network.
    pub fn load_whole(&mut self, mut state: StateDict) -> Result<LoadedKeys, WeightsError> {
        let classes = self.spec().classes;
        match state.get(CLASSIFIER).and_then(|a| a.shape.first()) {
            Some(&found) if found != classes => {
                return Err(WeightsError::Classes { found, expected: classes });
            }
            _ => {}
        }
        let own = self.state();
        let auxiliary = |key: &String| key.starts_with("auxiliary_head.");
        let fits = |key: &String| state.get(key).is_some_and(|a| a.shape == own[key].shape);
        let mut skipped = Vec::new();
        if !own.keys().filter(|k| auxiliary(k)).all(fits) {
            skipped = state.keys().filter(|k| auxiliary(k)).cloned().collect();
            state.retain(|key, _| !auxiliary(key));
        }
        let mut foreign = state.keys().filter(|key| !own.contains_key(*key) && !auxiliary(key));
        if let Some(first) = foreign.next().cloned() {
            // What the network lacks says more than what is too much.
            self.load(state.clone())?;
            return Err(WeightsError::Foreign { count: foreign.count() + 1, first });
        }
        let loaded = state.keys().cloned().collect();
        let missing = own.into_keys().filter(|key| !state.contains_key(key)).collect();
        self.load(state)?;
        Ok(LoadedKeys { loaded, skipped, missing })
    }

    /// Loads a starting network ([`is_start`]): encoder, and whatever it holds of this architecture's heads. What it holds of
    /// the other architecture is skipped; classifiers keep their random start.
    ///
    /// # Errors
    /// When a tensor has another shape than the network's, or anything but classifiers is missing.
    pub fn load_start(&mut self, mut state: StateDict) -> Result<LoadedKeys, WeightsError> {
        let all: Vec<String> = state.keys().cloned().collect();
        let mut load = Load { state: &mut state, missing: Vec::new(), wrong: None };
        self.walk_all(&mut load);
        let Load { missing, wrong, .. } = load;
        if let Some(wrong) = wrong {
            return Err(wrong);
        }
        require("network", missing.iter().filter(|key| !key.contains(".conv_seg.")))?;
        Ok(LoadedKeys::of(all, state, missing))
    }

    /// Loads the encoder only, by the names of any library ([`encoder_key`]); reports what became of every key.
    ///
    /// # Errors
    /// When a tensor has another shape than the encoder needs, or, unless `partial`, when one is missing.
    pub fn load_encoder(&mut self, state: StateDict, partial: bool) -> Result<LoadedKeys, WeightsError> {
        use crate::state::Walk as _;
        let mut state: StateDict = state.into_iter().map(|(key, a)| (encoder_key(&key), a)).collect();
        let all: Vec<String> = state.keys().cloned().collect();
        let mut load = Load { state: &mut state, missing: Vec::new(), wrong: None };
        self.backbone.walk("backbone", &mut load);
        let Load { missing, wrong, .. } = load;
        if let Some(wrong) = wrong {
            return Err(wrong);
        }
        if !partial {
            // The commonest mistake has a remedy of one word.
            let has = |key: &str| all.iter().any(|k| k == key);
            let stem = |key: &str| missing.iter().any(|k| k.starts_with(key));
            if stem("backbone.stem.") && has("backbone.conv1.weight") {
                return Err(WeightsError::Stem { has: "one 7x7 convolution (torchvision)", remedy: "v1" });
            }
            if stem("backbone.conv1.") && has("backbone.stem.0.weight") {
                return Err(WeightsError::Stem { has: "three 3x3 convolutions (v1c)", remedy: "v1c" });
            }
            require("encoder", missing.iter())?;
        }
        Ok(LoadedKeys::of(all, state, missing))
    }
}

/// Whether these are weights to start from: encoder and heads by MMSegmentation's names, without classifiers, so that they
/// fit any number of classes.
pub fn is_start(state: &StateDict) -> bool {
    !state.contains_key(CLASSIFIER) && state.keys().any(|key| key.starts_with("decode_head."))
}

/// The weights whose first size is the number of classes.
pub const CLASSIFIER: &str = "decode_head.conv_seg.weight";

/// What became of the tensors of a file, by MMSegmentation's names.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadedKeys {
    /// Taken into the network.
    pub loaded: Vec<String>,
    /// In the file, but no part of what was filled.
    pub skipped: Vec<String>,
    /// Parts that the file does not hold: they keep their random start.
    pub missing: Vec<String>,
}

impl LoadedKeys {
    /// Of `all` keys of a file, those that are `left` were not taken.
    fn of(all: Vec<String>, left: StateDict, missing: Vec<String>) -> Self {
        let loaded = all.into_iter().filter(|key| !left.contains_key(key)).collect();
        Self { loaded, skipped: left.into_keys().collect(), missing }
    }
}

fn require<'a>(part: &'static str, missing: impl Iterator<Item = &'a String>) -> Result<(), WeightsError> {
    let missing: Vec<_> = missing.collect();
    match missing.first() {
        None => Ok(()),
        Some(first) => Err(WeightsError::Missing { part, count: missing.len(), first: (*first).clone() }),
    }
}

struct Save(StateDict);

impl StateVisitor for Save {
    fn visit<const D: usize>(&mut self, key: &str, _: Role, tensor: &mut Tensor<D>) {
        self.0.insert(key.to_owned(), Array::from_tensor(tensor));
    }
}

struct Load<'a> {
    state: &'a mut StateDict,
    missing: Vec<String>,
    wrong: Option<WeightsError>,
}

impl StateVisitor for Load<'_> {
    fn visit<const D: usize>(&mut self, key: &str, role: Role, tensor: &mut Tensor<D>) {
        let Some(array) = self.state.remove(key) else {
            self.missing.push(key.to_owned());
            return;
        };
        let expected = tensor.dims().to_vec();
        if array.shape != expected {
            let found = array.shape;
            self.wrong.get_or_insert(WeightsError::Shape { key: key.to_owned(), found, expected });
            return;
        }
        let loaded = array.into_tensor(&tensor.device());
        *tensor = match role {
            Role::Parameter => loaded.autodiff().require_grad(),
            Role::Buffer => loaded,
        };
    }
}
