//! Learning rate by iteration.

/// Poly decay: `eta_min + (lr - eta_min) (1 - t / T)^power` with `T = iterations - 1`, used by
/// iteration `t` (MMEngine's `PolyLR`, by iteration). The last iteration trains at `eta_min`.
pub fn poly_lr(t: u64, iterations: u64, lr: f64, eta_min: f64, power: f64) -> f64 {
    let last = iterations.saturating_sub(1).max(1);
    eta_min + (lr - eta_min) * (1.0 - t.min(last) as f64 / last as f64).powf(power)
}

/// One cycle (Smith & Topin 2019, as PyTorch's `OneCycleLR` with its default divisors): from `lr / 25` up to `lr`
/// in the first `warmup` of the run, then down to `lr / 250000`, along cosines.
pub fn one_cycle_lr(t: u64, iterations: u64, lr: f64, warmup: f64) -> f64 {
    let cosine =
        |from: f64, to: f64, x: f64| to + (from - to) * (1.0 + (std::f64::consts::PI * x).cos()) / 2.0;
    let (first, last) = (lr / 25.0, lr / 250_000.0);
    let peak = warmup * iterations as f64 - 1.0;
    let end = iterations.saturating_sub(1).max(1) as f64;
    let t = (t as f64).min(end);
    if t <= peak && peak > 0.0 {
        cosine(first, lr, t / peak)
    } else {
        let peak = peak.max(0.0);
        cosine(lr, last, (t - peak) / (end - peak).max(1.0))
    }
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

    #[test]
    fn one_cycle_is_pytorchs() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../reference/fixtures/adamw.json");
        let json: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        for (t, step) in json["steps"].as_array().unwrap().iter().enumerate() {
            let got = one_cycle_lr(t as u64, 6, 0.1, 0.5);
            assert!((got - step["lr"].as_f64().unwrap()).abs() < 1e-9, "{t}: {got}, {}", step["lr"]);
        }
        assert_eq!(one_cycle_lr(0, 100, 0.1, 0.0), 0.1);
    }
}
