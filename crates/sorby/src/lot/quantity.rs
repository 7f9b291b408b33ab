//! One quantity of a lot in words: value, interval, its parts, and whether it is a result at all.

use super::rounding::{percent, significant, with_half_width};
use super::units::Shown;
use crate::job::LengthUnit;
use serde_json::{Value, json};
use sorby_measure::{Estimate, Quantity, t_975};

/// An estimate as a report shows it.
#[derive(Clone, Debug)]
pub struct QuantityResult {
    pub estimate: Estimate,
    pub shown: Shown,
    /// An object's edge weight decides it.
    ruled: bool,
    /// Relative accuracy that is aimed at, in percent.
    goal_percent: f64,
}

/// What can be said of a quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A result.
    Result,
    /// The interval is wider than the value.
    TooWide,
    /// The spread is not known.
    NoInterval,
}

impl QuantityResult {
    pub fn new(estimate: Estimate, scaled: bool, unit: LengthUnit, ruled: bool, goal_percent: f64) -> Self {
        let shown = Shown::of(estimate.quantity, scaled, unit, estimate.value);
        Self { ruled: ruled && estimate.quantity.by_edge_weights(), estimate, shown, goal_percent }
    }

    pub fn standing(&self) -> Standing {
        match self.estimate.ci95 {
            None => Standing::NoInterval,
            Some(half) if half > self.estimate.value.abs() => Standing::TooWide,
            Some(_) => Standing::Result,
        }
    }

    /// `366 nm ± 24 nm`; without a result only what was measured.
    pub fn value_words(&self) -> String {
        let value = self.estimate.value * self.shown.factor;
        match (self.standing(), self.estimate.ci95) {
            (Standing::NoInterval, _) | (_, None) => self.shown.with_unit(&significant(value, 3)),
            (_, Some(half)) => {
                let (value, half) = with_half_width(value, half * self.shown.factor);
                format!("{} ± {}", self.shown.with_unit(&value), self.shown.with_unit(&half))
            }
        }
    }

    /// The interval itself: `342 to 390 nm`; what is below nothing is nothing.
    pub fn interval_words(&self) -> String {
        let Some(half) = self.estimate.ci95 else { return "not known".into() };
        let (value, half) = (self.estimate.value * self.shown.factor, half * self.shown.factor);
        let (low, _) = with_half_width((value - half).max(0.0), half);
        let (high, _) = with_half_width(value + half, half);
        self.shown.with_unit(&format!("{low} to {high}"))
    }

    /// Standard deviation between the fields, `s` of ASTM E562: what the sampling part of the interval is made of.
    pub fn field_sd(&self) -> Option<f64> {
        let (e, n) = (&self.estimate, self.estimate.fields as f64);
        let percentile = matches!(e.quantity, Quantity::D10 | Quantity::D50 | Quantity::D90);
        let half = e.sampling_ci95.filter(|_| n >= 2.0 && !percentile)?;
        Some(half * n.sqrt() / t_975(n - 1.0))
    }

    pub fn field_sd_words(&self) -> String {
        self.field_sd().map_or("–".into(), |s| self.shown.with_unit(&significant(s * self.shown.factor, 2)))
    }

    /// Relative accuracy as ASTM E562 has it: half width over value, in percent; smaller is better.
    pub fn accuracy_words(&self) -> String {
        self.estimate.relative_accuracy_percent.map_or("–".into(), |p| format!("{} %", percent(p)))
    }

    /// The three parts of the relative accuracy: between fields, segmentation, pixel size.
    pub fn part_words(&self) -> [String; 3] {
        let e = &self.estimate;
        let of = |part: Option<f64>, unknown: &str| match part {
            Some(half) if e.value != 0.0 => format!("{} %", percent(100.0 * half / e.value.abs())),
            _ => unknown.to_owned(),
        };
        let no_length = e.quantity.length_power() == 0;
        [
            of(e.sampling_ci95, "not known"),
            of(e.segmentation_ci95, "not known"),
            of(e.scale_ci95, if no_length { "0 %" } else { "in pixels" }),
        ]
    }

    /// What must be said of it: that it is no result, or how many fields more would bring the accuracy; empty where it is
    /// reached.
    pub fn remark(&self) -> String {
        let (n, goal) = (self.estimate.fields, percent(self.goal_percent));
        let few = if n == 1 { "1 field is too few".to_owned() } else { format!("{n} fields are too few") };
        let more = |noun: &str| match self.estimate.fields_needed {
            Some(needed) if needed > n => format!("{} more{noun} would bring {goal} %", needed - n),
            Some(_) => String::new(),
            None => {
                format!(
                    "no number of fields would bring {goal} %, for what is uncertain in segmentation and pixel size stays"
                )
            }
        };
        let reached = self.estimate.relative_accuracy_percent.is_some_and(|p| p <= self.goal_percent);
        match self.standing() {
            Standing::NoInterval if self.ruled => {
                "no result: the edge weight of single particles decides it".into()
            }
            Standing::NoInterval => "no interval: too little was found to know its spread".into(),
            Standing::TooWide => {
                format!("no result: the interval is wider than the value. {few}; {}", more(""))
            }
            Standing::Result if reached => String::new(),
            Standing::Result if self.estimate.fields_needed == Some(n + 1) => more(" field"),
            Standing::Result => more(" fields"),
        }
    }

    /// Name, value and remark in one line.
    pub fn line(&self) -> String {
        let remark =
            Some(self.remark()).filter(|r| !r.is_empty()).map_or(String::new(), |r| format!(" ({r})"));
        format!("{} {}{remark}", self.shown.name, self.value_words())
    }

    /// For `lot.json`: as shown, next to the estimate with all its digits.
    pub fn json(&self) -> Value {
        let standing = match self.standing() {
            Standing::Result => "result",
            Standing::TooWide => "no result",
            Standing::NoInterval => "no interval",
        };
        let f = self.shown.factor;
        json!({
            "name": self.shown.name, "unit": self.shown.unit, "text": self.value_words(),
            "value": self.estimate.value * f, "ci95": self.estimate.ci95.map(|c| c * f),
            "standard_deviation_between_fields": self.field_sd().map(|s| s * f),
            "relative_accuracy_percent": self.estimate.relative_accuracy_percent,
            "standing": standing, "remark": self.remark(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(value: f64, ci95: Option<f64>, fields: usize, needed: Option<usize>) -> QuantityResult {
        let estimate = Estimate {
            quantity: Quantity::MeanDiameter,
            fields,
            raw: value,
            value,
            sampling_ci95: ci95,
            segmentation_ci95: None,
            scale_ci95: Some(0.02 * value),
            ci95,
            relative_accuracy_percent: ci95.map(|c| 100.0 * c / value),
            fields_needed: needed,
        };
        QuantityResult::new(estimate, true, LengthUnit::Nm, false, 10.0)
    }

    #[test]
    fn a_result_in_words() {
        let r = result(365.92, Some(23.74), 12, Some(5));
        assert_eq!(r.value_words(), "366 nm ± 24 nm");
        assert_eq!(r.interval_words(), "342 to 390 nm");
        assert_eq!((r.accuracy_words().as_str(), r.remark().as_str()), ("6.5 %", ""));
        assert_eq!(r.part_words(), ["6.5 %", "not known", "2.0 %"]);
        // t(11) is 2.201: s = 23.74 sqrt(12) / 2.201.
        assert!((r.field_sd().unwrap() - 37.364).abs() < 1e-3 && r.field_sd_words() == "37 nm");
    }

    /// Reports gave d50 = 365.92 +- 1806.82 as five digits.
    #[test]
    fn an_interval_wider_than_the_value_is_no_result() {
        let r = result(365.92, Some(1806.82), 3, Some(17));
        assert_eq!(r.standing(), Standing::TooWide);
        assert_eq!(
            r.remark(),
            "no result: the interval is wider than the value. 3 fields are too few; 14 more would bring 10 %"
        );
        assert_eq!(r.interval_words(), "0 to 2200 nm");
        let hopeless = result(365.0, Some(400.0), 3, None).remark();
        assert!(hopeless.contains("no number of fields would bring 10 %"), "{hopeless}");
        assert_eq!(result(365.0, Some(60.0), 3, Some(9)).remark(), "6 more fields would bring 10 %");
        assert_eq!(result(365.0, Some(60.0), 3, Some(4)).remark(), "1 more field would bring 10 %");
        let none = result(365.0, None, 3, None);
        assert_eq!((none.value_words().as_str(), none.standing()), ("365 nm", Standing::NoInterval));
    }
}
