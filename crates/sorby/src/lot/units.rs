//! Quantities by the field's words, in units that a person reads.

use crate::job::LengthUnit;
use sorby_measure::Quantity;

/// How a quantity is written: its name, its unit, and how much of the unit is one of the estimate's own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shown {
    pub name: &'static str,
    pub unit: &'static str,
    pub factor: f64,
}

/// The words of the field (ASTM E1245, ISO 9276, Underwood).
pub fn name(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::AreaFraction => "area fraction",
        Quantity::NumberDensity => "number per area",
        Quantity::MeanDiameter => "mean equivalent diameter",
        Quantity::D10 => "diameter d10 (10 % of the particles are smaller)",
        Quantity::D50 => "diameter d50 (50 % of the particles are smaller)",
        Quantity::D90 => "diameter d90 (90 % of the particles are smaller)",
        Quantity::SurfaceDensity => "surface per volume",
        Quantity::MeanIntercept => "mean intercept length",
        Quantity::MeanFreePath => "mean free path",
        Quantity::MeanCircularity => "mean circularity",
        Quantity::MeanAspectRatio => "mean aspect ratio (smallest over largest Feret diameter)",
    }
}

/// Nanometres from which `auto` writes micrometres.
const AUTO_UM: f64 = 10_000.0;
/// Objects per µm² below which `auto` writes them per mm².
const AUTO_MM2: f64 = 0.01;

impl Shown {
    /// `value` in the unit of the estimate: nanometres, or pixels where not every image has a pixel size.
    pub fn of(quantity: Quantity, scaled: bool, unit: LengthUnit, value: f64) -> Self {
        let large = match unit {
            LengthUnit::Nm => false,
            LengthUnit::Um => true,
            LengthUnit::Auto if quantity == Quantity::NumberDensity => value < AUTO_MM2,
            LengthUnit::Auto => value >= AUTO_UM,
        };
        let (unit, factor) = match (quantity.length_power(), scaled, large) {
            (0, ..) if quantity == Quantity::AreaFraction => ("%", 1.0),
            (0, ..) => ("", 1.0),
            (1, true, false) => ("nm", 1.0),
            (1, true, true) => ("µm", 1e-3),
            (1, false, _) => ("px", 1.0),
            (-1, true, _) => ("per µm", 1.0),
            (-1, false, _) => ("per px", 1.0),
            (_, true, false) => ("per µm²", 1.0),
            (_, true, true) => ("per mm²", 1e6),
            (_, false, _) => ("per million pixels", 1.0),
        };
        Self { name: name(quantity), unit, factor }
    }

    /// A number with its unit behind it.
    pub fn with_unit(&self, number: &str) -> String {
        format!("{number} {}", self.unit).trim_end().to_owned()
    }
}

/// An area of so many square nanometres in words.
pub fn area(nm2: f64) -> String {
    let um2 = nm2 / 1e6;
    match um2 {
        a if a >= 1e5 => format!("{} mm²", super::rounding::significant(a / 1e6, 4)),
        a => format!("{} µm²", super::rounding::significant(a, 4)),
    }
}

/// A length of so many nanometres in words.
pub fn length(nm: f64, digits: i32) -> String {
    match nm {
        nm if nm >= 1e6 => format!("{} mm", super::rounding::significant(nm / 1e6, digits)),
        nm if nm >= AUTO_UM => format!("{} µm", super::rounding::significant(nm / 1e3, digits)),
        nm => format!("{} nm", super::rounding::significant(nm, digits)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_that_suit() {
        let of = |q, unit, value| {
            let s = Shown::of(q, true, unit, value);
            (s.unit, s.factor)
        };
        assert_eq!(of(Quantity::MeanDiameter, LengthUnit::Auto, 365.0), ("nm", 1.0));
        assert_eq!(of(Quantity::MeanDiameter, LengthUnit::Auto, 12_000.0), ("µm", 1e-3));
        assert_eq!(of(Quantity::MeanDiameter, LengthUnit::Um, 365.0), ("µm", 1e-3));
        assert_eq!(of(Quantity::NumberDensity, LengthUnit::Auto, 2e-4), ("per mm²", 1e6));
        assert_eq!(of(Quantity::NumberDensity, LengthUnit::Nm, 0.2), ("per µm²", 1.0));
        assert_eq!(of(Quantity::MeanCircularity, LengthUnit::Um, 0.8), ("", 1.0));
        assert_eq!(Shown::of(Quantity::MeanDiameter, false, LengthUnit::Um, 12.0).unit, "px");
        assert_eq!((area(3.2e8).as_str(), area(2.5e12).as_str()), ("320.0 µm²", "2.500 mm²"));
        assert_eq!((length(365.2, 3).as_str(), length(25_400.0, 3).as_str()), ("365 nm", "25.4 µm"));
    }
}
