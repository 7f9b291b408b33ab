//! A model ready to segment images in memory.

use super::trust::{Trust, TrustSums};
use crate::error::{refuse, refused};
use crate::provenance::{self, Makers};
use crate::{Event, InferenceSettings, Observer, Result, scale};
use sorby_image::{LabelMap, MaskNote, Origin, Shot};
use sorby_infer::{Device, InferenceOptions, Model, ModelCard, predict_rows};
use std::borrow::Cow;
use std::path::Path;

/// A model ready to segment images.
pub struct Segmenter {
    model: Model,
    makers: Makers,
    options: InferenceOptions,
    device: Device,
}

/// What is asked of a [`Segmenter`] in addition to the mask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The probabilities of all classes.
    pub probabilities: bool,
    /// Bring an image of another magnification to the nearest one that the model was trained on.
    pub match_scale: bool,
}

/// A mask, and what can be expected of it.
pub struct Segmented {
    /// Class indices; 255 in the rows of a data bar.
    pub mask: LabelMap,
    /// Calibrated probability of the class given, 255 for certainty: one byte for each pixel, row by row.
    pub confidence: Vec<u8>,
    /// Probability of each class for each pixel, 0 to 1, `[classes, rows, columns]`; empty unless asked for.
    pub probabilities: Vec<f32>,
    /// What can be expected of the mask without a label.
    pub trust: Trust,
    colours: Vec<[u8; 3]>,
    note: MaskNote,
}

impl Segmenter {
    /// Reads a model file, or that of a run folder.
    ///
    /// # Errors
    /// When the file is no model, there is no such device, or the settings are out of range.
    pub fn open(path: &Path, settings: &InferenceSettings) -> Result<Self> {
        Self::on(settings.device.open()?, path, settings)
    }

    /// As [`Segmenter::open`], on a device that is open.
    pub(super) fn on(device: Device, path: &Path, settings: &InferenceSettings) -> Result<Self> {
        let model = settings.open_model(path, &device)?;
        let options = settings.of(&model)?;
        Ok(Self { makers: Makers::of(&model, path), model, options, device })
    }

    /// How the model is applied, unless an image asks for something else.
    pub(super) fn options(&self) -> &InferenceOptions {
        &self.options
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
        self.segment_observed(shot, Wanted::default(), &())
    }

    /// As [`Segmenter::segment`], with what is wanted in addition; windows are counted to the observer.
    ///
    /// # Errors
    /// As [`Segmenter::segment`]; also when the observer asks to stop, or the scale cannot be matched.
    pub fn segment_observed(
        &mut self,
        shot: &Shot,
        wanted: Wanted,
        observer: &dyn Observer,
    ) -> Result<Segmented> {
        let pixels = shot.image.width * shot.image.height;
        let classes = self.card().classes.len();
        let mut confidence = Vec::with_capacity(pixels);
        let mut probabilities = vec![0.0; if wanted.probabilities { pixels * classes } else { 0 }];
        let mut stopped = false;
        let mut keep = |row: &[u8], scores: &[f32]| {
            let first = confidence.len();
            confidence.extend_from_slice(row);
            for (class, plane) in probabilities.chunks_exact_mut(pixels).enumerate() {
                let own = scores.iter().skip(class).step_by(classes);
                plane[first..].iter_mut().zip(own).for_each(|(p, score)| *p = *score);
            }
            stopped = observer.stop_asked();
            !stopped
        };
        let options = match wanted.match_scale {
            true => self.matched(shot.nm_per_px())?.1,
            false => self.options.clone(),
        };
        let total = options.window_count(self.card(), (shot.image.width, shot.image.height));
        observer.event(Event::Begin { total, unit: "windows" });
        let inferred =
            self.infer(shot, &options, &mut |done| observer.event(Event::Advance(done)), &mut keep);
        observer.event(Event::End);
        let (mask, sums) = inferred?;
        if stopped {
            refuse!("stopped");
        }
        let (_, trust) = self.judge(shot, sums)?;
        let note = self.note(shot, &options, &trust);
        let colours = self.card().colours.clone();
        Ok(Segmented { mask, confidence, probabilities, trust, note, colours })
    }

    /// The pixel size nearest to this one that the model was trained on, and how an image is brought to it.
    pub(super) fn matched(&self, nm_per_px: Option<f64>) -> Result<(f64, InferenceOptions)> {
        let Some((low, high)) = self.card().nm_per_px else {
            refuse!("--match-scale: the model does not know the pixel sizes it was trained on");
        };
        let Some(nm) = nm_per_px else {
            refuse!("--match-scale needs the image's pixel size; give --nm-per-px");
        };
        let target = nm.clamp(low, high);
        let magnify = if target == nm { self.options.magnify } else { nm / target };
        Ok((target, InferenceOptions { magnify, ..self.options.clone() }))
    }

    /// The mask of an image without its data bar, row by row: `each_row` takes confidence and probabilities, and says
    /// whether to go on.
    pub(super) fn infer(
        &mut self,
        shot: &Shot,
        options: &InferenceOptions,
        advance: &mut dyn FnMut(usize),
        each_row: &mut dyn FnMut(&[u8], &[f32]) -> bool,
    ) -> Result<(LabelMap, TrustSums)> {
        let (width, height) = (shot.image.width, shot.image.height);
        let classes = self.model.card.classes.len();
        let mut labels = LabelMap { width, height, labels: Vec::with_capacity(width * height) };
        let mut sums = TrustSums::new(&self.model.card, options);
        let mut confidence = Vec::with_capacity(width);
        let mut sink = |y: usize, row: &[u8], scores: &[f32]| {
            labels.labels.extend_from_slice(row);
            confidence.clear();
            for (&label, scores) in row.iter().zip(scores.chunks_exact(classes)) {
                confidence.push((255.0 * sums.pixel(label, scores, y < shot.field_rows())).round() as u8);
            }
            each_row(&confidence, scores)
        };
        predict_rows(&mut self.model, shot, options, &self.device, advance, &mut sink)
            .map_err(|what| refused!("{what}"))?;
        // Where each_row ended it early, there is no bottom.
        if labels.labels.len() == width * height {
            labels.ignore_bottom(shot.data_bar_px());
        }
        Ok((labels, sums))
    }

    /// The image as the network saw it, and what can be expected of its mask.
    pub(super) fn judge<'a>(&self, shot: &'a Shot, sums: TrustSums) -> Result<(Cow<'a, Shot>, Trust)> {
        let card = &self.model.card;
        let seen = card.grey_range.apply_as_trained(shot).map_err(|what| refused!("{what}"))?;
        let distance = card.domain.as_ref().map(|domain| domain.distance(&seen));
        let trust = sums.finish(distance, scale::in_range(shot.nm_per_px(), card.nm_per_px));
        Ok((seen, trust))
    }

    /// What the mask says of itself: classes, pixel size, and what made it.
    pub(super) fn note(&self, shot: &Shot, options: &InferenceOptions, trust: &Trust) -> MaskNote {
        let origin = Origin {
            model_blake3: self.model.blake3.clone(),
            image_blake3: shot.image.pixels_blake3(),
            settings: provenance::settings(options),
            image_part: self.makers.part(&shot.image),
            unlike_training: trust.distance().map(|_| trust.is_unlike()),
        };
        let classes = self.model.card.classes.clone();
        MaskNote { origin: Some(origin), ..MaskNote::new(shot.scale.as_ref(), classes) }
    }
}

impl Segmented {
    /// What the mask says of itself: classes, pixel size, and which model made it of which image, how.
    pub fn note(&self) -> &MaskNote {
        &self.note
    }

    /// Writes the mask as a PNG that carries class names, pixel size and origin.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        Ok(self.mask.write_mask(path, &self.colours, &self.note)?)
    }
}
