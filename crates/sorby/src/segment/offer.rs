//! What `--adapt` is expected to bring for an image that is unlike the training images.

use super::segmenter::Segmenter;
use super::trust::Trust;
use crate::Result;
use sorby_image::Shot;
use sorby_infer::InferenceOptions;

/// Rows of the image that both ways are tried on: enough for a mean, soon done.
const ROWS: usize = 512;

/// The sentence that offers `--adapt`: expected IoU with and without, over a part of the image. `None` where it is in use already, or
/// promises nothing.
pub fn of_adapting(
    segmenter: &mut Segmenter,
    shot: &Shot,
    options: &InferenceOptions,
) -> Result<Option<String>> {
    if options.adapt {
        return Ok(None);
    }
    let mut part = shot.clone();
    part.cut_to(ROWS.min(shot.field_rows()));
    let mut expected = |adapt| -> Result<Option<f64>> {
        let options = InferenceOptions { adapt, ..options.clone() };
        let (_, sums) = segmenter.infer(&part, &options, &mut |_| {}, &mut |_, _| true)?;
        Ok(mean_iou(&sums.finish(None, true)))
    };
    Ok(match (expected(false)?, expected(true)?) {
        (Some(plain), Some(adapted)) => words(plain, adapted),
        // A model without validation images expects nothing.
        _ => Some("--adapt may help (three times as long): compare its mask with this one".to_owned()),
    })
}

/// Mean over the classes that have a part in the image.
fn mean_iou(trust: &Trust) -> Option<f64> {
    let found: Vec<f64> = trust.expected().iter().flatten().map(|e| e.value).collect();
    (!found.is_empty()).then(|| found.iter().sum::<f64>() / found.len() as f64)
}

/// Smaller gains are not worth three times the time.
const LEAST_GAIN: f64 = 0.01;

fn words(plain: f64, adapted: f64) -> Option<String> {
    (adapted - plain >= LEAST_GAIN).then(|| {
        format!(
            "with --adapt (three times as long) its expected IoU, {:.0} %, would be {:.0} %",
            100.0 * plain,
            100.0 * adapted
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_promises_less_than_a_point_is_not_offered() {
        assert_eq!(words(0.60, 0.605), None);
        assert_eq!(words(0.60, 0.50), None);
        let offered = words(0.60, 0.72).unwrap();
        assert!(offered.contains("60 %") && offered.contains("72 %"), "{offered}");
    }
}
