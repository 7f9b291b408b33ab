//! Scores of a model on samples in memory.

use sorby_data::{DataError, Sample};
use sorby_infer::{Device, InferenceOptions, Model, Prediction, predict};
use sorby_score::Confusion;

/// Segments every sample and counts the result against its label. `each` sees every image's own counts.
///
/// # Errors
/// Names a sample whose values do not fit the model's grey range.
pub fn validate(
    model: &mut Model,
    samples: &[Sample],
    options: &InferenceOptions,
    device: &Device,
    each: &mut dyn FnMut(&Sample, &Prediction, &Confusion),
) -> Result<Confusion, DataError> {
    let classes = model.card.classes.len();
    let mut total = Confusion::new(classes);
    for sample in samples {
        let prediction = predict(model, &sample.shot, options, device, &mut |_| ())
            .map_err(|what| DataError::one(&sample.name, what))?;
        let mut confusion = Confusion::new(classes);
        confusion.add(&prediction.labels, &sample.label);
        each(sample, &prediction, &confusion);
        total.merge(&confusion);
    }
    Ok(total)
}
