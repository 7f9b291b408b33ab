//! The recipe of a training run. Every key has the paper's value as its default, so an empty file is
//! the paper's baseline with DeepLabV3+.

use crate::grey_choice::GreyRangeSetting;
use crate::log::{MOST_ITERATIONS, MOST_LR};
use crate::schedule::{one_cycle_lr, poly_lr};
use crate::start::Pretrained;
use serde::{Deserialize, Serialize};
use sorby_data::Augment;
use sorby_image::GreyRange;
use sorby_nn::ops::PixelLoss;
use sorby_nn::optimizer::Rule;
use sorby_nn::{Arch, ModelSpec, Stem};
use std::collections::BTreeMap;

/// A recipe with every key resolved; [`parse`] makes one of a file's text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recipe {
    /// Architecture of the network.
    pub arch: Arch,
    /// First layers of its backbone.
    pub stem: Stem,
    /// First weights (trick T): a file, or `builtin`, those that come with the program; `none`: random start.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "crate::start::optional")]
    pub pretrained: Option<Pretrained>,
    /// Takes what the file has, though it does not fill the whole encoder.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub pretrained_partial: bool,
    /// Fills the heads too, from a network of the same architecture and number of classes.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub pretrained_heads: bool,
    /// All chance (initial weights, crops, augmentation, dropout) follows from it.
    pub seed: u64,
    /// `strong` is trick S.
    pub augment: Augment,
    /// What is learnt from, and in which pieces.
    pub data: Data,
    /// Details of the network.
    pub model: Model,
    /// What is minimised.
    pub loss: Loss,
    /// How the weights are changed.
    pub optimizer: Optimizer,
    /// How long, and at which learning rate.
    pub schedule: Schedule,
    /// How whole images are segmented, in validation and later.
    pub inference: Inference,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            arch: Arch::DeepLabV3Plus,
            stem: Stem::V1c,
            pretrained: None,
            pretrained_partial: false,
            pretrained_heads: false,
            seed: 0,
            augment: Augment::Weak,
            data: Data::default(),
            model: Model::default(),
            loss: Loss::default(),
            optimizer: Optimizer::default(),
            schedule: Schedule::default(),
            inference: Inference::default(),
        }
    }
}

/// `[data]`: which images, and how crops are drawn from them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Data {
    /// Crops per iteration.
    pub batch: usize,
    /// Edge of a crop in pixels.
    pub crop: usize,
    /// Images are resized by this first, in training and later; 0.5 is trick R.
    pub input_scale: f64,
    /// Which stored values are black and white: `full`, `percentile`, `[black, white]`, or `auto`: the training images'
    /// contrast decides.
    #[serde(skip_serializing_if = "is_full")]
    pub grey_range: GreyRangeSetting,
    /// A crop is redrawn (at most ten times) when a class covers this share of it.
    pub max_class_share: f64,
    /// Splits or folds of `dataset.toml` that train, joined.
    pub train: Vec<String>,
    /// Split that validates; an empty name trains without validation.
    pub val: String,
}

/// Written only where it is not the default, so that recipes from before it keep their hash.
fn is_full(range: &GreyRangeSetting) -> bool {
    *range == GreyRangeSetting::Given(GreyRange::Full)
}

impl Default for Data {
    fn default() -> Self {
        Self {
            batch: 8,
            crop: 256,
            input_scale: 1.0,
            grey_range: GreyRangeSetting::default(),
            max_class_share: 0.75,
            train: vec!["train".into()],
            val: "val".into(),
        }
    }
}

/// `[model]`: details of the network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Model {
    /// Share of channels dropped before each classifier in training.
    pub dropout: f64,
    /// 8 is the paper's; 16 takes half the time of a step, 32 less still, and each blurs small objects more.
    pub output_stride: usize,
}

impl Default for Model {
    fn default() -> Self {
        Self { dropout: 0.1, output_stride: 8 }
    }
}

/// `loss.kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossKind {
    /// Sigmoid focal loss (Lin et al. 2017), as in the paper.
    Focal,
    /// Softmax cross-entropy.
    CrossEntropy,
    /// Cross-entropy plus soft Dice.
    CrossEntropyDice,
}

/// `[loss]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Loss {
    /// Which loss of a pixel.
    pub kind: LossKind,
    /// Weight of positives in the focal loss; negatives weigh 1 - alpha.
    pub alpha: f64,
    /// Focusing exponent of the focal loss.
    pub gamma: f64,
}

impl Default for Loss {
    fn default() -> Self {
        Self { kind: LossKind::Focal, alpha: 0.25, gamma: 2.0 }
    }
}

impl Loss {
    /// The loss of one pixel, as the networks take it.
    pub fn pixel_loss(&self) -> PixelLoss {
        match self.kind {
            LossKind::Focal => PixelLoss::Focal { alpha: self.alpha, gamma: self.gamma },
            LossKind::CrossEntropy => PixelLoss::CrossEntropy,
            LossKind::CrossEntropyDice => PixelLoss::CrossEntropyDice,
        }
    }
}

/// `optimizer.kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptimizerKind {
    /// Stochastic gradient descent with momentum.
    Sgd,
    /// Adam with decoupled weight decay (Loshchilov & Hutter 2019).
    AdamW,
}

/// `[optimizer]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Optimizer {
    /// Which rule changes the weights.
    pub kind: OptimizerKind,
    /// Learning rate: the first of a poly decay, the highest of a one-cycle schedule.
    pub lr: f64,
    /// SGD's momentum; AdamW's betas are 0.9 and 0.999.
    pub momentum: f64,
    /// How strongly weights are drawn to 0: coupled to the gradient in SGD, decoupled in AdamW.
    pub weight_decay: f64,
    /// Above 0: models are the moving average of the weights, which keeps this share of itself from one iteration
    /// to the next. Not written at 0, so that recipes from before it keep their hash.
    #[serde(skip_serializing_if = "is_zero")]
    pub ema_decay: f64,
}

fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

impl Default for Optimizer {
    fn default() -> Self {
        Self { kind: OptimizerKind::Sgd, lr: 0.01, momentum: 0.9, weight_decay: 5e-4, ema_decay: 0.0 }
    }
}

impl Optimizer {
    /// The update of iteration `t` (from 0) at rate `lr`.
    pub fn rule(&self, lr: f64, t: u64) -> Rule {
        let (lr, weight_decay) = (lr as f32, self.weight_decay as f32);
        match self.kind {
            OptimizerKind::Sgd => Rule::Sgd { lr, momentum: self.momentum as f32, weight_decay },
            OptimizerKind::AdamW => {
                let step = i32::try_from(t + 1).unwrap_or(i32::MAX);
                Rule::AdamW { lr, betas: (0.9, 0.999), weight_decay, step }
            }
        }
    }
}

/// `schedule.policy`: how the learning rate changes over the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Polynomial decay from the first iteration.
    Poly,
    /// Up along a cosine, then down along one to nothing.
    OneCycle,
}

/// `[schedule]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Schedule {
    /// Batches that the network learns from.
    pub iterations: u64,
    /// How the learning rate changes over the run.
    pub policy: Policy,
    /// Share of a one-cycle schedule in which the rate rises.
    pub warmup: f64,
    /// Exponent of the poly decay.
    pub power: f64,
    /// Learning rate at the end of a poly decay.
    pub eta_min: f64,
    /// Iterations between validations; 0: a tenth of the run. The last iteration always validates.
    pub validate_every: u64,
    /// Iterations between checkpoints.
    pub checkpoint_every: u64,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            iterations: 8000,
            policy: Policy::Poly,
            warmup: 0.3,
            power: 0.9,
            eta_min: 0.0,
            validate_every: 0,
            checkpoint_every: 100,
        }
    }
}

impl Schedule {
    /// Learning rate of iteration `t` (from 0), where `lr` is the optimiser's.
    pub fn rate(&self, t: u64, lr: f64) -> f64 {
        match self.policy {
            Policy::Poly => poly_lr(t, self.iterations, lr, self.eta_min, self.power),
            Policy::OneCycle => one_cycle_lr(t, self.iterations, lr, self.warmup),
        }
    }

    /// Validations of a whole run.
    pub fn validations(&self) -> u64 {
        self.iterations.div_ceil(self.validation_interval())
    }

    /// Iterations from one validation to the next, at least 1.
    pub fn validation_interval(&self) -> u64 {
        if self.validate_every > 0 { self.validate_every } else { (self.iterations / 10).max(1) }
    }
}

/// `[inference]`: the sliding window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Inference {
    /// Edge of the sliding window in pixels.
    pub window: usize,
    /// Step of the sliding window in pixels, at most `window`.
    pub stride: usize,
}

impl Default for Inference {
    fn default() -> Self {
        Self { window: 256, stride: 128 }
    }
}

/// What is wrong with a recipe, in one line that names the key.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RecipeError(pub String);

/// Parses a recipe's text and applies `a.b=c` overrides, then validates.
///
/// # Errors
/// When the text or an override is not TOML, a key is not known, or a value is not in its range.
pub fn parse(text: &str, overrides: &[String]) -> Result<Recipe, RecipeError> {
    let mut table: toml::Table = toml::from_str(text).map_err(toml_error)?;
    for assignment in overrides {
        apply_override(&mut table, assignment)?;
    }
    parse_table(table)
}

/// Parses and validates a recipe's table.
///
/// # Errors
/// When a key is not known, or a value has another type or is not in its range.
pub fn parse_table(table: toml::Table) -> Result<Recipe, RecipeError> {
    let recipe: Recipe = table.try_into().map_err(toml_error)?;
    recipe.validate()?;
    Ok(recipe)
}

fn toml_error(e: toml::de::Error) -> RecipeError {
    RecipeError(sorby_data::one_line(&e.to_string()))
}

/// Sets `a.b.c` to the TOML value after `=`; a value that is not TOML is taken as a string.
///
/// # Errors
/// When `assignment` is not of the form `key=value`, or a part of the key before the last dot is a value, not a
/// table.
pub fn apply_override(table: &mut toml::Table, assignment: &str) -> Result<(), RecipeError> {
    let wrong =
        || RecipeError(format!("`--set {assignment}`: write it as key=value, for example optimizer.lr=0.02"));
    let (path, value) = assignment.split_once('=').ok_or_else(wrong)?;
    let value = match toml::from_str::<toml::Table>(&format!("v = {value}")) {
        Ok(mut parsed) => parsed.remove("v").ok_or_else(wrong)?,
        Err(_) => toml::Value::String(value.to_owned()),
    };
    let (parents, key) = path.trim().rsplit_once('.').map_or(("", path.trim()), |(p, k)| (p, k));
    if key.is_empty() {
        return Err(wrong());
    }
    let mut place = table;
    for parent in parents.split('.').filter(|p| !p.is_empty()) {
        let entry = place.entry(parent).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        place = entry.as_table_mut().ok_or_else(wrong)?;
    }
    place.insert(key.to_owned(), value);
    Ok(())
}

impl Recipe {
    /// The recipe with every key written out.
    ///
    /// # Panics
    /// If a number is above 2^63 - 1 or the path of the pretrained weights is not UTF-8: TOML holds neither, so no
    /// recipe that was parsed has them.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a recipe has no value that TOML cannot hold")
    }

    /// The network to build for so many classes.
    pub fn model_spec(&self, classes: usize) -> ModelSpec {
        ModelSpec { arch: self.arch, stem: self.stem, classes, output_stride: self.model.output_stride }
    }

    /// Identifies what would be trained: the resolved recipe's hash.
    ///
    /// # Panics
    /// As [`Recipe::to_toml`].
    pub fn hash(&self) -> String {
        blake3::hash(self.to_toml().as_bytes()).to_hex()[..16].to_owned()
    }

    /// Keys whose values differ from `other`'s: key, value here, value there; no value where a key is not set.
    ///
    /// # Panics
    /// As [`Recipe::to_toml`].
    pub fn differences(&self, other: &Recipe) -> Vec<(String, Option<String>, Option<String>)> {
        let (ours, theirs) = (self.flat(), other.flat());
        let keys: std::collections::BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
        keys.into_iter()
            .map(|key| (key.clone(), ours.get(key).cloned(), theirs.get(key).cloned()))
            .filter(|(_, here, there)| here != there)
            .collect()
    }

    /// Values by `a.b.c`.
    fn flat(&self) -> BTreeMap<String, String> {
        fn walk(prefix: &str, table: &toml::Table, out: &mut BTreeMap<String, String>) {
            for (key, value) in table {
                let key = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                match value {
                    toml::Value::Table(inner) => walk(&key, inner, out),
                    value => _ = out.insert(key, value.to_string()),
                }
            }
        }
        let mut out = BTreeMap::new();
        walk("", &self.to_toml().parse().unwrap_or_default(), &mut out);
        out
    }

    pub(crate) fn validate(&self) -> Result<(), RecipeError> {
        let check = |ok: bool, what: &str| if ok { Ok(()) } else { Err(RecipeError(what.to_owned())) };
        let (d, o, s) = (&self.data, &self.optimizer, &self.schedule);
        check(
            (2..=1_000_000).contains(&d.batch),
            "data.batch must be from 2 to 1000000: batch norm needs more than one crop",
        )?;
        check((32..=4096).contains(&d.crop), "data.crop must be from 32 to 4096 pixels")?;
        check((0.01..=4.0).contains(&d.input_scale), "data.input_scale must be from 0.01 to 4")?;
        check((1e-6..=1.0).contains(&d.max_class_share), "data.max_class_share must be from 0.000001 to 1")?;
        check(
            self.pretrained.is_some() || !self.pretrained_heads,
            "pretrained_heads needs `pretrained`, the file that has them",
        )?;
        check(
            !(self.pretrained_heads && self.pretrained_partial),
            "pretrained_heads takes the whole network, pretrained_partial a part; set one of them",
        )?;
        if let GreyRangeSetting::Given(range) = d.grey_range {
            range.check().map_err(|what| RecipeError(what.to_owned()))?;
        }
        check(!d.train.is_empty(), "data.train must name at least one split")?;
        check((0.0..1.0).contains(&self.model.dropout), "model.dropout must be from 0 up to, but not, 1")?;
        check([8, 16, 32].contains(&self.model.output_stride), "model.output_stride must be 8, 16 or 32")?;
        check((0.0..1.0).contains(&s.warmup), "schedule.warmup must be from 0 up to, but not, 1")?;
        check((0.0..=1.0).contains(&self.loss.alpha), "loss.alpha must be from 0 to 1")?;
        check((0.0..=100.0).contains(&self.loss.gamma), "loss.gamma must be from 0 to 100")?;
        check((1e-12..=MOST_LR).contains(&o.lr), "optimizer.lr must be from 1e-12 to 1e30")?;
        check((0.0..1.0).contains(&o.momentum), "optimizer.momentum must be from 0 up to, but not, 1")?;
        check((0.0..=100.0).contains(&o.weight_decay), "optimizer.weight_decay must be from 0 to 100")?;
        check((0.0..1.0).contains(&o.ema_decay), "optimizer.ema_decay must be from 0 up to, but not, 1")?;
        check(
            (1..=MOST_ITERATIONS).contains(&s.iterations),
            "schedule.iterations must be from 1 to 1000000000",
        )?;
        check(
            s.validate_every <= MOST_ITERATIONS,
            "schedule.validate_every must be from 0 (a tenth of the run) to 1000000000",
        )?;
        check(
            (1..=MOST_ITERATIONS).contains(&s.checkpoint_every),
            "schedule.checkpoint_every must be from 1 to 1000000000",
        )?;
        check((1e-6..=100.0).contains(&s.power), "schedule.power must be from 0.000001 to 100")?;
        check((0.0..=o.lr).contains(&s.eta_min), "schedule.eta_min must be from 0 to optimizer.lr")?;
        check(
            (32..=16384).contains(&self.inference.window),
            "inference.window must be from 32 to 16384 pixels",
        )?;
        let stride = self.inference.stride;
        check(
            stride > 0 && stride <= self.inference.window,
            "inference.stride must be from 1 to inference.window",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_is_the_papers_baseline() {
        let r = parse("", &[]).unwrap();
        assert_eq!(r, Recipe::default());
        assert_eq!((r.data.batch, r.data.crop, r.schedule.iterations), (8, 256, 8000));
        assert_eq!(
            (r.loss.alpha, r.loss.gamma, r.optimizer.lr, r.optimizer.weight_decay),
            (0.25, 2.0, 0.01, 5e-4)
        );
        assert_eq!(parse(&r.to_toml(), &[]).unwrap(), r);
        // Hashes of finished runs must not change with a key that they did not know.
        assert_eq!(r.hash(), "3fbf6c39afcc06a8");
    }

    #[test]
    fn overrides_reach_nested_keys() {
        let sets =
            ["optimizer.lr=0.02", "augment=strong", "data.train=[\"a\",\"b\"]", "seed=7"].map(str::to_owned);
        let r = parse("arch = \"pspnet\"", &sets).unwrap();
        assert_eq!((r.optimizer.lr, r.augment, r.seed, r.arch), (0.02, Augment::Strong, 7, Arch::PspNet));
        assert_eq!(r.data.train, ["a", "b"]);
    }

    #[test]
    fn mistakes_are_named() {
        let error = |text: &str, set: &str| {
            let sets: Vec<String> = if set.is_empty() { vec![] } else { vec![set.to_owned()] };
            let message = parse(text, &sets).unwrap_err().to_string();
            assert!(!message.contains('\n'), "{message}");
            message
        };
        assert!(error("optimiser.lr = 1", "").contains("optimiser"));
        assert!(error("", "pretrained_heads=true").contains("needs `pretrained`"));
        assert!(
            error("pretrained = \"a.pth\"\npretrained_partial = true", "pretrained_heads=true")
                .contains("one of")
        );
        assert!(error("", "optimizer.lr=-1").contains("optimizer.lr"));
        assert!(error("", "data.batch=1").contains("batch"));
        assert!(error("", "lr").contains("--set lr"));
        for (key, values) in [
            ("data.batch", &["0", "1", "-1", "4611686018427387904"][..]),
            ("data.crop", &["31", "4097"]),
            ("data.input_scale", &["1e-9", "0", "-1", "nan", "inf", "5", "0.009"]),
            ("data.max_class_share", &["0", "1e-300", "nan", "1.1"]),
            ("loss.alpha", &["-0.1", "nan", "1.1"]),
            ("loss.gamma", &["-1", "inf", "1e300"]),
            ("optimizer.lr", &["0", "1e-320", "1e300", "inf", "nan"]),
            ("optimizer.weight_decay", &["-1", "1e300", "nan"]),
            ("schedule.iterations", &["0", "-8", "1152921504606846976"]),
            ("schedule.validate_every", &["-1", "1152921504606846976"]),
            ("schedule.checkpoint_every", &["0", "1152921504606846976"]),
            ("schedule.power", &["0", "1e-320", "inf", "1e9"]),
            ("schedule.eta_min", &["-1", "1", "nan"]),
            ("inference.window", &["31", "1000000000"]),
            ("inference.stride", &["0", "257"]),
        ] {
            for value in values {
                let told = error("", &format!("{key}={value}"));
                assert!(told.contains(key.rsplit('.').next().unwrap()), "{key}={value}: {told}");
                let negative_whole = value.starts_with('-') && told.contains("integer");
                assert!(told.contains(" from ") || negative_whole, "the range is not told: {told}");
            }
        }
        assert!(error("arch = \"unet\"", "").contains("unet"));
    }
}
