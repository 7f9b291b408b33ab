//! Scores of a model on samples in memory.

use sorby_data::Sample;
use sorby_infer::{Confusion, Device, Model, Options, predict};

/// Segments every sample and counts the result against its label. `each` sees every image's own counts.
pub fn validate(
    model: &mut Model,
    samples: &[Sample],
    options: &Options,
    device: &Device,
    each: &mut dyn FnMut(&Sample, &sorby_infer::Prediction, &Confusion),
) -> Confusion {
    let classes = model.card.classes.len();
    let mut total = Confusion::new(classes);
    for sample in samples {
        let prediction = predict(model, &sample.image, options, device, &mut |_| ());
        let mut confusion = Confusion::new(classes);
        confusion.add(&prediction.labels, &sample.label);
        each(sample, &prediction, &confusion);
        total.merge(&confusion);
    }
    total
}
