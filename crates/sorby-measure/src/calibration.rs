//! What held-out labelled images teach about the errors of a segmentation.

use crate::components::Region;
use crate::field::{Field, value};
use crate::intervals::Spread;
use crate::particles::Particles;
use crate::quantity::Quantity;
use crate::ruling::ruling;
use serde::{Deserialize, Serialize};

/// Bias of one quantity: the logarithm of measured over true.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bias {
    /// What was measured.
    pub quantity: Quantity,
    /// Labelled images that it was learnt from.
    pub images: usize,
    /// `ln(measured / true)` over all images together; 0.01 is about one percent too much.
    pub log_bias: f64,
    /// Standard error of the bias, by leaving out one image at a time.
    pub log_bias_standard_error: f64,
    /// Standard deviation of single images about it.
    pub log_spread: f64,
}

/// A [`Bias`] as relative spreads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KnownBias {
    pub log_bias: f64,
    pub of_the_bias: Spread,
    pub between_images: Spread,
}

/// Errors of count and radius among objects of like true size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SizeClass {
    /// Smallest true diameter of this class.
    pub from_px: f64,
    /// True diameters of this class are below this.
    pub to_px: f64,
    /// True objects in this class.
    pub true_count: usize,
    /// Measured objects of this size over true ones, as a change in percent.
    pub count_bias_percent: f64,
    /// Standard error of that change.
    pub count_bias_se_percent: f64,
    /// True objects that a measured one overlaps by more than half of their union.
    pub matched: usize,
    /// Radius of the measured less that of the true object, over the matched.
    pub radius_bias_px: Option<f64>,
    /// Standard deviation of that difference; `None` for fewer than two matched objects.
    pub radius_spread_px: Option<f64>,
}

/// Learnt from images that no model was fitted to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Name of the class that was measured.
    pub class: String,
    /// How objects were distinguished, in words: a measurement that distinguishes them otherwise has other errors.
    pub settings: String,
    /// BLAKE3 of the model that made the masks; `None` for masks that do not say, and in older files. Another model has
    /// other errors.
    #[serde(default)]
    pub model_blake3: Option<String>,
    /// How that model was applied, in words; `None` as above.
    #[serde(default)]
    pub segmentation: Option<String>,
    /// Whether the model is known not to have been fitted to any of the images; `None` where that is not known.
    #[serde(default)]
    pub held_out: Option<bool>,
    /// Names of the labelled images that it was learnt from.
    pub images: Vec<String>,
    /// Labelled images that it was not learnt from, and why.
    #[serde(default)]
    pub left_out: Vec<LeftOut>,
    /// One for each quantity that could be compared.
    pub biases: Vec<Bias>,
    /// Three classes of about equal numbers of true objects, the smallest first; none for fewer than 30 objects.
    pub size_classes: Vec<SizeClass>,
}

/// A labelled image that teaches nothing of the errors on new images.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Name of the image.
    pub image: String,
    /// Why it was left out, in words.
    pub reason: String,
}

/// One labelled image: what was measured, and the truth.
pub struct Pair<'a> {
    /// From the mask that the model made.
    pub measured: (&'a Field, &'a Particles),
    /// From the label, in the same way.
    pub truth: (&'a Field, &'a Particles),
}

impl Calibration {
    /// Compares measured and true values of the images `names`, in the same order as `pairs`. `None` for fewer than
    /// three images, whose spread says nothing.
    pub fn learn(class: &str, settings: String, names: Vec<String>, pairs: &[Pair]) -> Option<Self> {
        if pairs.len() < 3 {
            return None;
        }
        let biases = Quantity::ALL.into_iter().filter_map(|q| bias(q, pairs)).collect();
        Some(Self {
            class: class.to_owned(),
            settings,
            model_blake3: None,
            segmentation: None,
            held_out: None,
            images: names,
            left_out: Vec::new(),
            biases,
            size_classes: size_classes(pairs),
        })
    }

    /// Whether no error at all was found: of masks that were the truth itself, copied.
    pub fn is_of_the_truth_itself(&self) -> bool {
        let none = |b: &Bias| b.log_bias == 0.0 && b.log_bias_standard_error == 0.0 && b.log_spread == 0.0;
        !self.biases.is_empty() && self.biases.iter().all(none)
    }

    pub(crate) fn bias(&self, quantity: Quantity) -> Option<KnownBias> {
        let b = self.biases.iter().find(|b| b.quantity == quantity)?;
        let spread = |standard_error| Spread { standard_error, degrees: b.images as f64 - 1.0 };
        Some(KnownBias {
            log_bias: b.log_bias,
            of_the_bias: spread(b.log_bias_standard_error),
            between_images: spread(b.log_spread),
        })
    }
}

fn bias(quantity: Quantity, pairs: &[Pair]) -> Option<Bias> {
    let log_ratio = |chosen: &[&Pair]| {
        let measured: Vec<&Field> = chosen.iter().map(|p| p.measured.0).collect();
        let truth: Vec<&Field> = chosen.iter().map(|p| p.truth.0).collect();
        // A ratio of what one object's edge weight decides is no error of the segmentation.
        let ruled = quantity.by_edge_weights() && (ruling(&measured).is_some() || ruling(&truth).is_some());
        let (m, t) = (value(quantity, &measured)?, value(quantity, &truth).filter(|_| !ruled)?);
        (m > 0.0 && t > 0.0).then(|| (m / t).ln())
    };
    let all: Vec<&Pair> = pairs.iter().collect();
    let log_bias = log_ratio(&all)?;
    let n = pairs.len() as f64;
    let without = |i: usize| {
        let rest: Vec<&Pair> = all.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, p)| *p).collect();
        log_ratio(&rest)
    };
    let left_out: Vec<f64> = (0..pairs.len()).map(without).collect::<Option<_>>()?;
    let mean = left_out.iter().sum::<f64>() / n;
    let jackknife = (n - 1.0) / n * left_out.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
    // The spread of single images, of those in which there is something to compare.
    let single: Vec<f64> = all.iter().filter_map(|p| log_ratio(&[p])).collect();
    let squares: f64 = single.iter().map(|v| (v - log_bias).powi(2)).sum();
    Some(Bias {
        quantity,
        images: pairs.len(),
        log_bias,
        log_bias_standard_error: jackknife.sqrt(),
        log_spread: (squares / (single.len().max(2) - 1) as f64).sqrt(),
    })
}

/// Three classes of equal numbers of true objects.
const SIZE_CLASSES: usize = 3;

fn size_classes(pairs: &[Pair]) -> Vec<SizeClass> {
    let mut sizes: Vec<f64> = pairs.iter().flat_map(|p| diameters(p.truth.1)).collect();
    sizes.sort_by(f64::total_cmp);
    if sizes.len() < 10 * SIZE_CLASSES {
        return Vec::new();
    }
    let matches: Vec<Vec<(f64, f64)>> = pairs.iter().map(|p| matched(p.measured.1, p.truth.1)).collect();
    let mut cuts: Vec<f64> = (1..SIZE_CLASSES).map(|i| sizes[i * sizes.len() / SIZE_CLASSES]).collect();
    cuts.insert(0, 0.0);
    cuts.push(f64::INFINITY);
    let class = |range: &[f64]| {
        let inside = |d: &f64| (range[0]..range[1]).contains(d);
        let count = |p: &Particles| diameters(p).filter(inside).count() as f64;
        let counts: Vec<(f64, f64)> = pairs.iter().map(|p| (count(p.measured.1), count(p.truth.1))).collect();
        let (measured, truth) = counts.iter().fold((0.0, 0.0), |s, c| (s.0 + c.0, s.1 + c.1));
        let errors: Vec<f64> = matches
            .iter()
            .flatten()
            .filter(|(_, truth)| inside(truth))
            .map(|(measured, truth)| (measured - truth) / 2.0)
            .collect();
        let n = errors.len() as f64;
        let mean = (n > 0.0).then(|| errors.iter().sum::<f64>() / n);
        let squares = mean.map(|m| errors.iter().map(|e| (e - m).powi(2)).sum::<f64>());
        SizeClass {
            from_px: range[0],
            to_px: range[1].min(sizes[sizes.len() - 1] + 1.0),
            true_count: truth as usize,
            count_bias_percent: 100.0 * (measured / truth - 1.0),
            count_bias_se_percent: crate::intervals::ratio_spread(&counts)
                .map_or(f64::NAN, |s| 100.0 * s.standard_error),
            matched: errors.len(),
            radius_bias_px: mean,
            radius_spread_px: squares.filter(|_| n > 1.0).map(|s| (s / (n - 1.0)).sqrt()),
        }
    };
    // Where a third of the objects are of one size, a class may be empty.
    cuts.dedup();
    cuts.windows(2).map(class).filter(|c| c.true_count > 0).collect()
}

fn diameters(p: &Particles) -> impl Iterator<Item = f64> {
    p.regions.iter().map(Region::equivalent_diameter_area_px)
}

/// Diameters of (measured, true) objects that overlap by more than half of their union: each object then has at most
/// one partner.
fn matched(measured: &Particles, truth: &Particles) -> Vec<(f64, f64)> {
    let mut shared = std::collections::BTreeMap::<(u32, u32), u64>::new();
    let (mut i, mut j) = (0, 0);
    while let (Some(a), Some(b)) = (measured.runs.get(i), truth.runs.get(j)) {
        if a.y == b.y && a.x_start < b.x_end && b.x_start < a.x_end {
            let length = a.x_end.min(b.x_end) - a.x_start.max(b.x_start);
            *shared.entry((a.region, b.region)).or_default() += u64::from(length);
        }
        // The run that ends first has met all it can meet.
        if (a.y, a.x_end) <= (b.y, b.x_end) { i += 1 } else { j += 1 }
    }
    let partner = |((a, b), both): (&(u32, u32), &u64)| {
        let (a, b) = (&measured.regions[*a as usize], &truth.regions[*b as usize]);
        let union = a.area_px + b.area_px - both;
        (2 * both > union).then(|| (a.equivalent_diameter_area_px(), b.equivalent_diameter_area_px()))
    };
    shared.iter().filter_map(partner).collect()
}
