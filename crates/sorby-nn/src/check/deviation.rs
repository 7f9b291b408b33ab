//! How far results are apart.

use std::fmt;

/// Difference of two results, in units of the root mean square of the right one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Deviation {
    /// Root mean square of the differences.
    pub rms: f64,
    /// Largest difference.
    pub largest: f64,
}

/// What a device's results may differ by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// Of [`Deviation::rms`].
    pub rms: f64,
    /// Of [`Deviation::largest`].
    pub largest: f64,
}

impl Deviation {
    /// Of `got` from `want`; infinite where they differ in length, or `got` holds what is no number.
    pub fn between(got: &[f32], want: &[f32]) -> Self {
        let never = Self { rms: f64::INFINITY, largest: f64::INFINITY };
        if got.len() != want.len() || got.iter().any(|v| !v.is_finite()) {
            return never;
        }
        let differences = || got.iter().zip(want).map(|(g, w)| (f64::from(*g) - f64::from(*w)).abs());
        let count = want.len().max(1) as f64;
        let unit = (want.iter().map(|w| f64::from(*w).powi(2)).sum::<f64>() / count).sqrt().max(1e-30);
        Self {
            rms: (differences().map(|d| d * d).sum::<f64>() / count).sqrt() / unit,
            largest: differences().fold(0.0, f64::max) / unit,
        }
    }
}

impl Tolerance {
    /// Whether results so far apart can both be right.
    pub fn allows(&self, deviation: &Deviation) -> bool {
        deviation.rms <= self.rms && deviation.largest <= self.largest
    }
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rms.is_finite() {
            write!(f, "{:.1e} (largest {:.1e}) of its size", self.rms, self.largest)
        } else {
            f.write_str("more than any number")
        }
    }
}
