//! What labelled images teach of the segmentation's errors, in words.

use super::rounding::percent;
use super::units::{length, name};
use sorby_measure::{Calibration, Quantity, SizeClass};

/// Quantities whose bias is reported.
const REPORTED: [Quantity; 3] = [Quantity::AreaFraction, Quantity::NumberDensity, Quantity::MeanDiameter];

/// Sentences on the segmentation's errors. `nm_per_px` of the lot, where all images have the same.
pub fn sentences(calibration: Option<&Calibration>, class: &str, nm_per_px: Option<f64>) -> Vec<String> {
    let Some(c) = calibration else {
        return vec![format!(
            "How far the masks of {class} are off is not known: no labelled images were compared with masks of this model. \
             Particles that are missed or found wrongly in every field are not in the intervals."
        )];
    };
    let known = match c.held_out {
        Some(true) => "none of which trained the model",
        _ => "of which it is not known whether they trained the model",
    };
    let biases: Vec<String> = REPORTED.iter().filter_map(|q| bias(c, *q)).collect();
    let mut out = vec![format!(
        "On {} labelled images ({known}) the masks of {class} give {}. The results are corrected for it, and their intervals \
         hold what is uncertain in the correction.",
        c.images.len(),
        biases.join(", ")
    )];
    out.extend(c.size_classes.iter().map(|s| size(s, nm_per_px)));
    out
}

/// `an area fraction 4 % too large`.
fn bias(c: &Calibration, quantity: Quantity) -> Option<String> {
    let off = 100.0 * (c.biases.iter().find(|b| b.quantity == quantity)?.log_bias.exp() - 1.0);
    let side = if off < 0.0 { "too small" } else { "too large" };
    let article = if quantity == Quantity::AreaFraction { "an" } else { "a" };
    Some(format!("{article} {} {} % {side}", name(quantity), percent(off.abs())))
}

/// `Of the particles of 116 to 250 nm the model misses 35 %.`
fn size(s: &SizeClass, nm_per_px: Option<f64>) -> String {
    let range = match nm_per_px {
        Some(nm) if s.from_px > 0.0 => {
            format!("{} to {}", length(s.from_px * nm, 3), length(s.to_px * nm, 3))
        }
        Some(nm) => format!("less than {}", length(s.to_px * nm, 3)),
        None if s.from_px > 0.0 => format!("{:.1} to {:.1} pixels", s.from_px, s.to_px),
        None => format!("less than {:.1} pixels", s.to_px),
    };
    let missed = 100.0 * (1.0 - s.matched as f64 / s.true_count.max(1) as f64);
    let more = match s.count_bias_percent {
        b if b >= 0.5 => format!("; it shows {} % more of this size than there are", percent(b)),
        b if b <= -0.5 => format!("; it shows {} % fewer of this size than there are", percent(-b)),
        _ => String::new(),
    };
    format!(
        "Of the particles with a true diameter of {range} the model misses {} % ({} of {} have no particle of the mask that \
         overlaps them by more than half){more}.",
        percent(missed),
        s.true_count - s.matched,
        s.true_count
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missed_in_words() {
        let class = SizeClass {
            from_px: 3.0,
            to_px: 6.5,
            true_count: 40,
            count_bias_percent: -20.0,
            count_bias_se_percent: 5.0,
            matched: 26,
            radius_bias_px: None,
            radius_spread_px: None,
        };
        assert_eq!(
            size(&class, Some(38.76)),
            "Of the particles with a true diameter of 116 nm to 252 nm the model misses 35 % (14 of 40 have no particle of \
             the mask that overlaps them by more than half); it shows 20 % fewer of this size than there are."
        );
        let px = size(&SizeClass { from_px: 0.0, count_bias_percent: 0.0, ..class }, None);
        assert!(px.starts_with("Of the particles with a true diameter of less than 6.5 pixels"), "{px}");
        assert!(sentences(None, "carbide", None)[0].contains("is not known"));
    }
}
