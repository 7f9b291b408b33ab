//! A model ready to segment images in memory.

use super::trust::{Trust, TrustSums};
use crate::error::refused;
use crate::provenance::{self, Makers};
use crate::{InferenceSettings, Result, scale};
use sorby_image::{LabelMap, MaskNote, Micrograph, Origin, Shot};
use sorby_infer::{Device, Model, ModelCard, Options, predict_rows};
use std::path::Path;

/// A model ready to segment images.
pub struct Segmenter {
    model: Model,
    makers: Makers,
    options: Options,
    device: Device,
}

/// A mask, and what can be expected of it.
pub struct Segmented {
    /// Class indices; 255 in the rows of a data bar.
    pub mask: LabelMap,
    /// Calibrated probability of the class given, 255 for certainty: one byte for each pixel, row by row.
    pub confidence: Vec<u8>,
    /// What can be expected of the mask without a label.
    pub trust: Trust,
    /// Which model made the mask, of which image, how.
    pub origin: Origin,
    colours: Vec<[u8; 3]>,
    note: MaskNote,
}

impl Segmenter {
    /// Reads a model file, or that of a run folder.
    ///
    /// # Errors
    /// When the file is no model, there is no such device, or the settings are out of range.
    pub fn open(path: &Path, settings: &InferenceSettings) -> Result<Self> {
        let device = settings.device.open()?;
        let model = Model::read(path, &device)?;
        let options = settings.of(&model.card)?;
        Ok(Self { makers: Makers::of(&model, path), model, options, device })
    }

    /// What the model says of itself: classes, pixel sizes, settings.
    pub fn card(&self) -> &ModelCard {
        &self.model.card
    }

    /// Segments an image.
    ///
    /// # Errors
    /// When the image has no grey values that the model could see.
    pub fn segment(&mut self, shot: &Shot) -> Result<Segmented> {
        let mut confidence = Vec::with_capacity(shot.image.width * shot.image.height);
        let mut keep = |row: &[u8], _: &[f32]| {
            confidence.extend_from_slice(row);
            true
        };
        let (mask, sums) =
            infer((&mut self.model, &self.options, &self.device), shot, &mut |_| (), &mut keep)?;
        let seen = self.model.card.grey_range.apply_as_trained(shot).map_err(|what| refused!("{what}"))?;
        let trust = judged(&self.model.card, sums, shot, &seen);
        let origin = origin(&self.model, &self.makers, &self.options, shot, &trust);
        let card = &self.model.card;
        let note = MaskNote {
            origin: Some(origin.clone()),
            ..MaskNote::new(shot.scale.as_ref(), card.classes.clone())
        };
        Ok(Segmented { mask, confidence, trust, origin, colours: card.colours.clone(), note })
    }
}

impl Segmented {
    /// Writes the mask as a PNG that carries class names, pixel size and origin.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        Ok(self.mask.write_mask(path, &self.colours, &self.note)?)
    }
}

/// The mask of an image without its data bar, row by row: `each_row` takes confidence and probabilities, and says whether
/// to go on.
pub(super) fn infer(
    (model, options, device): (&mut Model, &Options, &Device),
    shot: &Shot,
    advance: &mut dyn FnMut(usize),
    each_row: &mut dyn FnMut(&[u8], &[f32]) -> bool,
) -> Result<(LabelMap, TrustSums)> {
    let (width, height, classes) = (shot.image.width, shot.image.height, model.card.classes.len());
    let mut labels = LabelMap { width, height, labels: Vec::with_capacity(width * height) };
    let mut sums = TrustSums::new(&model.card, options);
    let mut confidence = Vec::with_capacity(width);
    let mut sink = |y: usize, row: &[u8], scores: &[f32]| {
        labels.labels.extend_from_slice(row);
        confidence.clear();
        for (&label, scores) in row.iter().zip(scores.chunks_exact(classes)) {
            confidence.push((255.0 * sums.pixel(label, scores, y < shot.field_rows())).round() as u8);
        }
        each_row(&confidence, scores)
    };
    predict_rows(model, shot, options, device, advance, &mut sink).map_err(|what| refused!("{what}"))?;
    labels.ignore_bottom(shot.data_bar_px());
    Ok((labels, sums))
}

/// What can be expected of a mask; `seen` is the image as the network saw it.
pub(super) fn judged(card: &ModelCard, sums: TrustSums, shot: &Shot, seen: &Shot) -> Trust {
    let distance = card.domain.as_ref().map(|domain| domain.distance(seen));
    sums.finish(distance, scale::in_range(shot.nm_per_px(), card.nm_per_px))
}

/// What made a mask.
pub(super) fn origin(
    model: &Model,
    makers: &Makers,
    options: &Options,
    shot: &Shot,
    trust: &Trust,
) -> Origin {
    let image: &Micrograph = &shot.image;
    Origin {
        model_blake3: model.blake3.clone(),
        image_blake3: image.pixels_blake3(),
        settings: provenance::settings(options),
        image_part: makers.part(image),
        unlike_training: trust.distance().map(|_| trust.is_unlike()),
    }
}
