//! What is asked of a lot, as a sentence: `mean diameter 250 to 400 nm`, `area fraction at most 3 %`.

use crate::Result;
use crate::error::refuse;
use serde::{Deserialize, Serialize};
use sorby_measure::Quantity;

/// A limit of one quantity.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// The sentence.
    pub text: String,
    /// What is limited.
    pub quantity: Quantity,
    /// Smallest value allowed, in the quantity's own unit (nm, %, per µm², per µm).
    pub from: Option<f64>,
    /// Largest value allowed.
    pub to: Option<f64>,
}

/// How a measured interval lies to a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The whole interval lies within the limits.
    Within,
    /// The whole interval lies outside.
    Outside,
    /// The interval spans a limit, or there is none.
    Undecided,
}

impl Verdict {
    /// The verdict over several: outside where one is, else undecided where one is; `None` without any.
    pub fn over(all: impl IntoIterator<Item = Self>) -> Option<Self> {
        let all: Vec<Self> = all.into_iter().collect();
        [Self::Outside, Self::Undecided, Self::Within].into_iter().find(|v| all.contains(v))
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Within => "within",
            Self::Outside => "outside",
            Self::Undecided => "undecided",
        }
    }
}

/// Names of quantities in limits, in letters only.
const NAMES: [(Quantity, &[&str]); 11] = [
    (Quantity::AreaFraction, &["area fraction", "volume fraction"]),
    (Quantity::NumberDensity, &["number per area", "number density"]),
    (Quantity::MeanDiameter, &["mean equivalent diameter", "mean diameter"]),
    (Quantity::D10, &["d10"]),
    (Quantity::D50, &["d50"]),
    (Quantity::D90, &["d90"]),
    (Quantity::SurfaceDensity, &["surface per volume", "surface density"]),
    (Quantity::MeanIntercept, &["mean intercept length", "mean intercept"]),
    (Quantity::MeanFreePath, &["mean free path"]),
    (Quantity::MeanCircularity, &["mean circularity"]),
    (Quantity::MeanAspectRatio, &["mean aspect ratio"]),
];

/// How much of the quantity's own unit a unit is.
fn unit_factor(quantity: Quantity, unit: &str) -> Option<f64> {
    let unit = unit.replace('μ', "µ").replace("um", "µm").replace("^2", "²").replace("m2", "m²");
    match quantity.length_power() {
        0 if quantity == Quantity::AreaFraction => (unit == "%").then_some(1.0),
        0 => unit.is_empty().then_some(1.0),
        1 => [("nm", 1.0), ("µm", 1e3), ("mm", 1e6)].into_iter().find(|u| u.0 == unit).map(|u| u.1),
        -1 => [("per µm", 1.0), ("per mm", 1e-3)].into_iter().find(|u| u.0 == unit).map(|u| u.1),
        _ => [("per µm²", 1.0), ("per mm²", 1e-6)].into_iter().find(|u| u.0 == unit).map(|u| u.1),
    }
}

fn units(quantity: Quantity) -> &'static str {
    match quantity.length_power() {
        0 if quantity == Quantity::AreaFraction => "%",
        0 => "no unit",
        1 => "nm, µm or mm",
        -1 => "per µm or per mm",
        _ => "per µm² or per mm²",
    }
}

/// A limit may begin with its class: `carbide: area fraction at most 3 %`. Gives the class, if one is named, and the sentence.
pub fn class_and_sentence(limit: &str) -> (Option<&str>, &str) {
    match limit.split_once(':') {
        Some((class, sentence)) => (Some(class.trim()), sentence.trim()),
        None => (None, limit),
    }
}

impl Limit {
    /// Understands a sentence.
    ///
    /// # Errors
    /// For one that is not understood, with what can be said.
    pub fn parse(text: &str) -> Result<Self> {
        let words = text.replace('_', " ").split_whitespace().collect::<Vec<_>>().join(" ");
        let small = words.to_lowercase();
        let found = NAMES.iter().find_map(|(quantity, names)| {
            let name = names.iter().find(|n| small.strip_prefix(**n).is_some_and(|r| r.starts_with(' ')))?;
            Some((*quantity, words.get(name.len() + 1..)?))
        });
        let Some((quantity, rest)) = found else {
            let names: Vec<&str> = NAMES.iter().map(|(_, names)| names[0]).collect();
            refuse!("the limit `{text}` begins with no quantity; there are {}", names.join(", "));
        };
        let Some((from, to, unit)) = bounds(rest) else {
            refuse!(
                "the limit `{text}` is not understood; say `250 to 400 nm`, `at most 3 %` or `at least 10 nm`"
            );
        };
        let Some(factor) = unit_factor(quantity, &unit) else {
            refuse!("the limit `{text}` has the unit `{unit}`; give it in {}", units(quantity));
        };
        if let (Some(from), Some(to)) = (from, to)
            && from > to
        {
            refuse!("the limit `{text}`: {from} is above {to}");
        }
        let scaled = |v: Option<f64>| v.map(|v| v * factor);
        Ok(Self { text: text.to_owned(), quantity, from: scaled(from), to: scaled(to) })
    }

    /// How `value` with the half width of its 95 % interval lies to the limit. The bounds belong to what is allowed.
    pub fn verdict(&self, value: f64, ci95: Option<f64>) -> Verdict {
        let Some(half) = ci95 else { return Verdict::Undecided };
        let (low, high) = (value - half, value + half);
        let (from, to) = (self.from.unwrap_or(f64::NEG_INFINITY), self.to.unwrap_or(f64::INFINITY));
        match () {
            () if low >= from && high <= to => Verdict::Within,
            () if high < from || low > to => Verdict::Outside,
            () => Verdict::Undecided,
        }
    }
}

/// `250 to 400 nm`, `at most 3 %`, `at least 0.2 per µm²`: smallest, largest, unit.
fn bounds(text: &str) -> Option<(Option<f64>, Option<f64>, String)> {
    let number = |text: &str| -> Option<(f64, String)> {
        let text = text.trim();
        let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
        Some((text[..end].parse().ok()?, text[end..].trim().to_owned()))
    };
    if let Some(rest) = text.strip_prefix("at most ") {
        let (to, unit) = number(rest)?;
        return Some((None, Some(to), unit));
    }
    if let Some(rest) = text.strip_prefix("at least ") {
        let (from, unit) = number(rest)?;
        return Some((Some(from), None, unit));
    }
    let (from, rest) = number(text)?;
    let (to, unit) = number(rest.strip_prefix("to ")?)?;
    Some((Some(from), Some(to), unit))
}
