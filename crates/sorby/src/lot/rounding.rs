//! Numbers with as many digits as they deserve: the half width of the interval decides.

/// Digits of an uncertainty.
const DIGITS: i32 = 2;

/// Decimals that give a number so many significant digits; negative where tens or hundreds are rounded.
fn decimals(value: f64, digits: i32) -> i32 {
    if value == 0.0 || !value.is_finite() {
        return 0;
    }
    let of = |v: f64| digits - 1 - v.abs().log10().floor() as i32;
    // 0.0996 becomes 0.10: rounded up, it has one decimal less.
    of(to(value, of(value)))
}

/// `value` rounded to so many decimals.
fn to(value: f64, decimals: i32) -> f64 {
    let power = 10f64.powi(decimals);
    (value * power).round() / power
}

fn text(value: f64, decimals: i32) -> String {
    let rounded = to(value, decimals);
    // No minus before a zero.
    let rounded = if rounded == 0.0 { 0.0 } else { rounded };
    format!("{rounded:.*}", decimals.max(0) as usize)
}

/// A value and the half width of its interval: the half width with two significant digits, the value to the same place.
pub fn with_half_width(value: f64, half: f64) -> (String, String) {
    if half <= 0.0 || !half.is_finite() {
        return (significant(value, 4), "0".to_owned());
    }
    let decimals = decimals(half, DIGITS);
    (text(value, decimals), text(half, decimals))
}

/// A number with so many significant digits.
pub fn significant(value: f64, digits: i32) -> String {
    text(value, decimals(value, digits))
}

/// A share in percent: two significant digits, and whole numbers from 10 on.
pub fn percent(value: f64) -> String {
    if value.abs() >= 9.95 { text(value, 0) } else { significant(value, DIGITS) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_half_width_decides() {
        for (value, half, expected) in [
            (365.92, 23.74, ("366", "24")),
            (365.92, 2.374, ("365.9", "2.4")),
            (16.812, 3.24, ("16.8", "3.2")),
            (0.012_345, 0.000_56, ("0.01235", "0.00056")),
            (12_345.0, 678.0, ("12350", "680")),
            (365.92, 1806.82, ("400", "1800")),
            (1.0, 0.0996, ("1.00", "0.10")),
            (5.0, 9.96, ("5", "10")),
            (-0.04, 1.3, ("0.0", "1.3")),
        ] {
            let (v, h) = with_half_width(value, half);
            assert_eq!((v.as_str(), h.as_str()), expected, "{value} +- {half}");
        }
        assert_eq!(with_half_width(3.0, 0.0), ("3.000".to_owned(), "0".to_owned()));
    }

    #[test]
    fn shares_and_plain_numbers() {
        assert_eq!(
            (percent(493.8).as_str(), percent(6.54).as_str(), percent(9.96).as_str()),
            ("494", "6.5", "10")
        );
        assert_eq!((significant(7.3440, 4).as_str(), significant(0.0, 3).as_str()), ("7.344", "0"));
    }
}
