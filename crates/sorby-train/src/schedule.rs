//! Learning rate by iteration.

/// Poly decay: `eta_min + (lr - eta_min) (1 - t / T)^power` with `T = iterations - 1`, used by
/// iteration `t` (MMEngine's `PolyLR`, by iteration). The last iteration trains at `eta_min`.
pub fn poly_lr(t: u64, iterations: u64, lr: f64, eta_min: f64, power: f64) -> f64 {
    let last = iterations.saturating_sub(1).max(1);
    eta_min + (lr - eta_min) * (1.0 - t.min(last) as f64 / last as f64).powf(power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_the_reference_values() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../reference/fixtures/lr.json");
        let json: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let mut checked = 0;
        for case in json.as_array().unwrap() {
            let number = |key: &str| case[key].as_f64().unwrap();
            let (t, iterations) = (case["t"].as_u64().unwrap(), case["iterations"].as_u64().unwrap());
            let got = poly_lr(t, iterations, 0.01, number("eta_min"), 0.9);
            assert!((got - number("lr")).abs() < 1e-12, "{case}: {got}");
            checked += 1;
        }
        assert!(checked >= 14);
        assert!((poly_lr(1000, 8000, 0.01, 0.0, 0.9) - 0.00886748).abs() < 1e-8);
        assert_eq!(poly_lr(0, 1, 0.01, 0.0, 0.9), 0.01);
    }
}
