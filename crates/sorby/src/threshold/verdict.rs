//! Thresholds against a model: is the simple method enough?

use sorby_measure::Summary;

/// Name of the global threshold in tables and pictures.
pub const OTSU: &str = "Otsu";
/// The local threshold.
pub const SAUVOLA: &str = "Sauvola";
/// The threshold whose count is nearest to the truth.
pub const BEST_FOR_COUNT: &str = "best for count";
/// The threshold whose mean radius is nearest to the truth.
pub const BEST_FOR_RADIUS: &str = "best for radius";
/// The masks of a model.
pub const MODEL: &str = "model";
/// The true masks.
pub const TRUTH: &str = "truth";

/// Errors up to this share of the truth are let pass.
const ENOUGH: f64 = 0.1;

/// Relative errors of count and mean radius.
struct Errors {
    count: f64,
    radius: f64,
}

impl Errors {
    fn of(measured: &Summary, truth: &Summary) -> Option<Self> {
        let radius = truth.mean_radius_px?;
        // Nothing found is as wrong a radius as can be.
        let found = measured.mean_radius_px.unwrap_or(0.0);
        Some(Self { count: measured.count as f64 / truth.count as f64 - 1.0, radius: found / radius - 1.0 })
    }

    fn worst(&self) -> f64 {
        self.count.abs().max(self.radius.abs())
    }

    fn told(&self) -> String {
        format!("{:+.0} % in count and {:+.0} % in mean radius", 100.0 * self.count, 100.0 * self.radius)
    }
}

/// One or two sentences in plain words. With the truth, a method is enough when count and mean radius are both
/// within 10 %.
///
/// # Panics
/// Never: Otsu is always among the methods.
pub fn verdict(
    otsu: &Summary,
    sauvola: Option<Summary>,
    model: Option<Summary>,
    truth: Option<Summary>,
) -> String {
    let Some(truth) = truth else {
        return match model.filter(|m| m.count > 0) {
            Some(model) => format!(
                "Otsu finds {:.2} times as many objects as the model. Only true masks can show which is right (--truth).",
                otsu.count as f64 / model.count as f64
            ),
            None => "Only true masks can show whether a threshold is enough (--truth).".to_owned(),
        };
    };
    let Some(of_otsu) = Errors::of(otsu, &truth) else { return "The true masks hold no object.".to_owned() };
    let local = sauvola.and_then(|s| Errors::of(&s, &truth)).map(|e| (SAUVOLA, e));
    let found_none = model.as_ref().is_some_and(|m| m.count == 0);
    let model = model.and_then(|m| Errors::of(&m, &truth));
    let best = local.into_iter().chain([(OTSU, of_otsu)]).min_by(|a, b| a.1.worst().total_cmp(&b.1.worst()));
    let (name, threshold) = best.expect("Otsu is there");
    let beside = match &model {
        // An error of -100 % is near nothing, whatever the thresholds do.
        Some(_) if found_none => format!(" The model found none of the {} objects.", truth.count),
        Some(m) if m.worst() < threshold.worst() => format!(" The model is nearer: {}.", m.told()),
        Some(m) => format!(" The model is no nearer: {}.", m.told()),
        None => String::new(),
    };
    let told = threshold.told();
    if threshold.worst() <= ENOUGH {
        format!("{name} is enough here: it is off by {told}.{beside}")
    } else {
        format!("No threshold is enough here: the better of two, {name}, is off by {told}.{beside}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(count: usize, radius: f64) -> Summary {
        Summary {
            count,
            mean_radius_px: Some(radius),
            mean_diameter_px: Some(2.0 * radius),
            mean_radius_nm: None,
            mean_diameter_nm: None,
            area_fraction: 0.1,
            number_density_per_um2: None,
        }
    }

    #[test]
    fn verdicts_follow_the_numbers() {
        let truth = Some(summary(100, 5.0));
        let good = verdict(&summary(105, 4.8), None, None, truth.clone());
        assert!(
            good.starts_with("Otsu is enough here") && good.contains("+5 % in count and -4 % in mean radius")
        );
        let bad = verdict(&summary(250, 2.0), Some(summary(150, 4.0)), Some(summary(97, 5.1)), truth.clone());
        assert!(bad.contains("Sauvola, is off by +50 %") && bad.contains("model is nearer: -3 %"), "{bad}");
        let worse = verdict(&summary(102, 5.0), None, Some(summary(40, 8.0)), truth);
        assert!(
            worse.contains("Otsu is enough") && worse.contains("The model is no nearer: -60 %"),
            "{worse}"
        );
        assert!(verdict(&summary(10, 1.0), None, Some(summary(5, 1.0)), None).contains("2.00 times"));
    }

    #[test]
    fn a_model_that_found_nothing_is_never_nearer() {
        let none = Summary { mean_radius_px: None, mean_diameter_px: None, ..summary(0, 0.0) };
        let told = verdict(&summary(900, 1.0), None, Some(none), Some(summary(100, 5.0)));
        assert!(told.contains("The model found none of the 100 objects."), "{told}");
        assert!(!told.contains("nearer") && !told.contains("-100 %"), "{told}");
    }
}
