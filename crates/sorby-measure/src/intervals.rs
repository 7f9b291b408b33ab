//! Standard errors and 95 % intervals.

use serde::Serialize;

/// A standard error and the degrees of freedom it was estimated with (infinite where it is known).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// In the unit of the value that it belongs to.
    pub standard_error: f64,
    /// Degrees of freedom.
    pub degrees: f64,
}

impl Spread {
    /// Half width of the 95 % interval.
    pub fn ci95(&self) -> f64 {
        t_975(self.degrees) * self.standard_error
    }

    /// Independent parts together: variances add, degrees of freedom after Welch and Satterthwaite.
    pub fn join(parts: &[Spread]) -> Spread {
        let variance: f64 = parts.iter().map(|p| p.standard_error.powi(2)).sum();
        let weight: f64 = parts.iter().map(|p| p.standard_error.powi(4) / p.degrees).sum();
        let degrees = if weight > 0.0 { variance * variance / weight } else { f64::INFINITY };
        Spread { standard_error: variance.sqrt(), degrees }
    }

    /// The spread of `factor` times the value; the degrees of freedom stay.
    pub fn times(&self, factor: f64) -> Spread {
        Spread { standard_error: self.standard_error * factor.abs(), degrees: self.degrees }
    }
}

/// Spread of the ratio `sum y / sum x` over independent fields, by linearisation (Cochran 1977, 6.4): for equal x
/// it is that of the mean, `s / sqrt(n)`. `None` for fewer than two fields.
pub fn ratio_spread(pairs: &[(f64, f64)]) -> Option<Spread> {
    let n = pairs.len() as f64;
    let (y, x) = pairs.iter().fold((0.0, 0.0), |s, p| (s.0 + p.0, s.1 + p.1));
    if pairs.len() < 2 || x <= 0.0 {
        return None;
    }
    let ratio = y / x;
    let squares: f64 = pairs.iter().map(|(y, x)| (y - ratio * x).powi(2)).sum();
    Some(Spread { standard_error: (squares * n / (n - 1.0)).sqrt() / x, degrees: n - 1.0 })
}

/// How many fields in all bring the 95 % half width to `percent` of `value`, were `have`, of `fields` fields, to
/// fall with the root of their number; `None` where no number of fields would, for `fixed` parts of the error do
/// not fall.
pub fn fields_needed(
    value: f64,
    have: &Spread,
    fields: usize,
    fixed: &[Spread],
    percent: f64,
) -> Option<usize> {
    let goal = value.abs() * percent / 100.0;
    let enough = |n: usize| {
        let sampling = Spread {
            standard_error: have.standard_error * (fields as f64 / n as f64).sqrt(),
            degrees: if fields > 1 { n as f64 - 1.0 } else { have.degrees * n as f64 },
        };
        Spread::join(&[&[sampling], fixed].concat()).ci95() <= goal
    };
    // The half width falls with n, so the smallest n is found by halving.
    let (mut low, mut high) = (usize::from(fields > 1), 1_000_000);
    if goal.is_nan() || goal <= 0.0 || !enough(high) {
        return None;
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if enough(middle) { high = middle } else { low = middle }
    }
    Some(high)
}

/// 97.5 % quantile of Student's t; degrees of freedom below 1 count as 1.
pub fn t_975(degrees: f64) -> f64 {
    const TABLE: [f64; 30] = [
        12.706_2, 4.302_7, 3.182_4, 2.776_4, 2.570_6, 2.446_9, 2.364_6, 2.306_0, 2.262_2, 2.228_1, 2.201_0,
        2.178_8, 2.160_4, 2.144_8, 2.131_4, 2.119_9, 2.109_8, 2.100_9, 2.093_0, 2.086_0, 2.079_6, 2.073_9,
        2.068_7, 2.063_9, 2.059_5, 2.055_5, 2.051_8, 2.048_4, 2.045_2, 2.042_3,
    ];
    let low = degrees.max(1.0).floor();
    if low < 30.0 {
        // Between whole degrees, along 1 / degrees, in which t is nearly straight.
        let (i, share) = (low as usize - 1, (1.0 / low - 1.0 / degrees.max(1.0)) * low * (low + 1.0));
        return TABLE[i] + share * (TABLE[i + 1] - TABLE[i]);
    }
    // Cornish-Fisher expansion about the normal quantile: right to four digits from here on.
    let (z, v) = (1.959_964f64, degrees);
    z + (z.powi(3) + z) / (4.0 * v) + (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / (96.0 * v * v)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_of_the_tables() {
        for (degrees, t) in [
            (1.0, 12.706),
            (4.0, 2.776),
            (9.0, 2.262),
            (29.0, 2.045),
            (40.0, 2.021),
            (60.0, 2.000),
            (120.0, 1.980),
        ] {
            assert!((t_975(degrees) - t).abs() < 6e-4, "{degrees}: {}", t_975(degrees));
        }
        // SciPy: t.ppf(0.975, 3.5) = 2.940, t.ppf(0.975, 7.5) = 2.333.
        assert!((t_975(3.5) - 2.940).abs() < 0.02 && (t_975(7.5) - 2.333).abs() < 4e-3);
        assert_eq!(t_975(0.2), t_975(1.0));
        assert!((t_975(f64::INFINITY) - 1.959_964).abs() < 1e-9);
    }

    #[test]
    fn ratios_of_equal_fields_are_means() {
        // 10, 12, 14, 16, 18: mean 14, s = sqrt(10), s / sqrt(5) = sqrt 2.
        let pairs: Vec<(f64, f64)> = [10.0, 12.0, 14.0, 16.0, 18.0].iter().map(|y| (3.0 * y, 3.0)).collect();
        let spread = ratio_spread(&pairs).unwrap();
        assert!((spread.standard_error - 2f64.sqrt()).abs() < 1e-12 && spread.degrees == 4.0);
        assert!((spread.ci95() - 2.7764 * 2f64.sqrt()).abs() < 1e-9);
        assert_eq!(ratio_spread(&pairs[..1]), None);
    }

    #[test]
    fn joined_parts_by_hand() {
        let parts = [
            Spread { standard_error: 3.0, degrees: 4.0 },
            Spread { standard_error: 4.0, degrees: f64::INFINITY },
        ];
        let joined = Spread::join(&parts);
        // 625 / (81 / 4)
        assert!((joined.standard_error - 5.0).abs() < 1e-12 && (joined.degrees - 30.864_197_5).abs() < 1e-6);
    }

    #[test]
    fn more_fields_help_only_what_falls() {
        let have = Spread { standard_error: 2f64.sqrt(), degrees: 4.0 };
        let needed = fields_needed(14.0, &have, 5, &[], 10.0).unwrap();
        let half = |n: f64| t_975(n - 1.0) * 10f64.sqrt() / n.sqrt();
        assert!(half(needed as f64) <= 1.4 && half(needed as f64 - 1.0) > 1.4, "{needed}");
        let fixed = [Spread { standard_error: 1.0, degrees: f64::INFINITY }];
        assert_eq!(fields_needed(14.0, &have, 5, &fixed, 10.0), None);
        assert_eq!(fields_needed(0.0, &have, 5, &[], 10.0), None);
    }
}
